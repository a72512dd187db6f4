"""The reconnecting reader against a WebSocket server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.server import ServerConnection, serve

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved
from monitor.exchanges import stream
from monitor.exchanges.stream import MarkFeed
from tests.fakes.exchange import FAKE, instrument, milliseconds

Talk = Callable[[ServerConnection], Awaitable[None]]
Event = MarksMoved | FeedLost | FeedRestored


def clock() -> datetime:
    return datetime.now(UTC)


class Heard:
    """What the feed delivered, and a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def deliver(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, condition: Callable[[list[Event]], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition(self.events):
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def listening(
    talk: Talk, *symbols: str, offset: float = 0.0, patience: float = 15.0
) -> AsyncIterator[tuple[Heard, MarkFeed]]:
    heard = Heard()
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        feed = MarkFeed(
            FAKE,
            account="main",
            now=clock,
            offset_seconds=lambda: offset,
            deliver=heard.deliver,
            ws_url=f"ws://127.0.0.1:{port}",
            patience_seconds=patience,
        )
        feed.watch(tuple(instrument(symbol) for symbol in symbols))
        task = asyncio.create_task(feed.run())
        try:
            yield heard, feed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def mark(symbol: str, price: str, at: datetime | None = None) -> str:
    when = milliseconds(at or clock())
    return json.dumps({"kind": "mark", "symbol": symbol, "price": price, "at": when})


def restored_twice(events: list[Event]) -> bool:
    return sum(isinstance(event, FeedRestored) for event in events) == 2


ACK = json.dumps({"kind": "ack"})


async def obliging(socket: ServerConnection) -> None:
    """Acknowledges every subscription and answers it with a mark; answers pings."""
    async for text in socket:
        if text == "ping":
            await socket.send(json.dumps({"kind": "pong"}))
            continue
        await socket.send(ACK)
        await socket.send(mark(str(text).removeprefix("subscribe "), "100"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(stream, "ACK_SECONDS", 0.5)
    monkeypatch.setattr(stream, "FIRST_WAIT_SECONDS", 0.11)


async def test_marks_come_with_their_own_time_and_the_feed_is_restored_once_all_are_heard() -> None:
    async with listening(obliging, "BTCUSDT", "ETHUSDT") as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        moved = heard.of(MarksMoved)
        assert {s for e in moved if isinstance(e, MarksMoved) for s in e.marks} == {
            "BTCUSDT",
            "ETHUSDT",
        }
        # Restored comes only after the last of the symbols was heard of.
        assert isinstance(heard.events[-1], FeedRestored)
        assert not heard.of(FeedLost)


async def test_event_times_are_turned_to_our_clock_and_never_lie_ahead() -> None:
    theirs = clock() + timedelta(seconds=7)

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ACK)
        await socket.send(mark("BTCUSDT", "100", theirs))
        await socket.send(mark("BTCUSDT", "101", theirs + timedelta(hours=1)))
        await socket.wait_closed()

    async with listening(talk, "BTCUSDT", offset=7.0) as (heard, _):
        await heard.until(lambda events: len([e for e in events if isinstance(e, MarksMoved)]) == 2)
        first, second = (e for e in heard.events if isinstance(e, MarksMoved))
        assert abs(first.marks["BTCUSDT"].at - (theirs - timedelta(seconds=7))) < timedelta(
            milliseconds=2
        )
        assert second.marks["BTCUSDT"].at <= second.at


async def test_a_dropped_connection_is_told_and_comes_back() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.recv()
            await socket.send(ACK)
            await socket.send(mark("BTCUSDT", "100"))
            await socket.close(1011, "bad day")
            return
        await obliging(socket)

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(restored_twice)
        kinds = [type(e).__name__ for e in heard.events if not isinstance(e, MarksMoved)]
        assert kinds == ["FeedRestored", "FeedLost", "FeedRestored"]
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "closed by the exchange (1011 bad day)"


async def test_a_subscription_that_is_not_acknowledged_costs_the_connection() -> None:
    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            answer = json.dumps({"kind": "pong"}) if text == "ping" else mark("BTCUSDT", "100")
            await socket.send(answer)

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "the subscription was not acknowledged"
        assert not heard.of(FeedRestored)


async def test_one_silent_symbol_costs_the_connection_though_the_other_ticks() -> None:
    async def talk(socket: ServerConnection) -> None:
        for _ in range(2):
            await socket.recv()
            await socket.send(ACK)
        await socket.send(mark("ETHUSDT", "5"))
        while True:
            await socket.send(mark("BTCUSDT", "100"))
            await asyncio.sleep(0.05)

    async with listening(talk, "BTCUSDT", "ETHUSDT", patience=1.0) as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "nothing heard of ETHUSDT"


async def test_a_server_that_does_not_answer_our_pings_is_left() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ACK)
        await socket.send(mark("BTCUSDT", "100"))
        await socket.wait_closed()

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "no answer to our pings"


async def test_asked_to_leave_it_opens_the_successor_first_and_tells_no_loss() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.recv()
            await socket.send(ACK)
            await socket.send(mark("BTCUSDT", "100"))
            await socket.send(json.dumps({"kind": "leave"}))
            async for text in socket:
                assert text == "ping"
                await socket.send(mark("BTCUSDT", "100"))
            return
        await obliging(socket)

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(restored_twice)
        assert visits == 2
        assert not heard.of(FeedLost)


async def test_more_symbols_are_followed_without_a_gap() -> None:
    async with listening(obliging, "BTCUSDT") as (heard, feed):
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        feed.watch((instrument("ETHUSDT"),))
        await heard.until(
            lambda events: any("ETHUSDT" in e.marks for e in events if isinstance(e, MarksMoved))
        )
        assert not heard.of(FeedLost)


async def test_unreadable_frames_are_dropped_and_five_within_a_minute_cost_the_connection() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ACK)
        await socket.send("<html>")
        await socket.send(mark("BTCUSDT", "0"))
        await socket.send(mark("BTCUSDT", "100"))
        for _ in range(3):
            await socket.send('{"kind"')
        await socket.wait_closed()

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because.startswith("5 unreadable frames within a minute")
        prices = [e.marks["BTCUSDT"].price for e in heard.events if isinstance(e, MarksMoved)]
        assert [str(price) for price in prices] == ["100"]


async def test_a_rejected_subscription_is_told_in_the_exchanges_words() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(json.dumps({"kind": "rejected", "because": "no such topic"}))
        await socket.wait_closed()

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "the subscription was rejected: no such topic"


async def test_no_server_at_all_is_a_loss_told_once() -> None:
    heard = Heard()
    feed = MarkFeed(
        FAKE,
        account="main",
        now=clock,
        offset_seconds=lambda: 0.0,
        deliver=heard.deliver,
        ws_url="ws://127.0.0.1:9",
    )
    feed.watch((instrument("BTCUSDT"),))
    task = asyncio.create_task(feed.run())
    await heard.until(lambda events: len(events) == 1)
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [type(e).__name__ for e in heard.events] == ["FeedLost"]
