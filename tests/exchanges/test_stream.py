"""The reconnecting reader against a WebSocket server on loopback."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from websockets.asyncio.server import ServerConnection, serve

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved
from monitor.exchanges import connection, stream
from monitor.exchanges.port import FrameRead
from monitor.exchanges.stream import MarkFeed
from tests.exchanges.listening import (
    ACK,
    Heard,
    clock,
    listening,
    mark,
    obliging,
    prices_of,
    restored_twice,
)
from tests.fakes.exchange import FAKE, instrument


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(connection, "ACK_SECONDS", 0.5)
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


async def test_a_symbol_that_falls_silent_is_asked_for_anew_while_the_other_ticks_on() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        is_first = visits == 1
        for _ in range(2):
            await socket.recv()
            await socket.send(ACK)
        await socket.send(mark("ETHUSDT", "5"))
        while True:
            await socket.send(mark("BTCUSDT", "100"))
            if not is_first:
                await socket.send(mark("ETHUSDT", "6"))
            await asyncio.sleep(0.05)

    async with listening(talk, "BTCUSDT", "ETHUSDT", patience=1.0) as (heard, _):
        await heard.until(lambda events: len(prices_of(events, "ETHUSDT")) > 1)
        assert not heard.of(FeedLost)
        times = prices_of(heard.events, "BTCUSDT")
        gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
        assert max(gaps) < 0.5


async def test_a_symbol_that_is_rejected_costs_no_other_its_marks() -> None:
    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            if "BADUSDT" in str(text):
                await socket.send(json.dumps({"kind": "rejected", "because": "no such topic"}))
                await socket.wait_closed()
                return
            if text != "ping":
                await socket.send(ACK)
                await socket.send(mark(str(text).removeprefix("subscribe "), "100"))
                continue
            await socket.send(json.dumps({"kind": "pong"}))

    good = ("AUSDT", "BTCUSDT", "CUSDT", "ETHUSDT", "ZUSDT")
    async with listening(talk, *good, "BADUSDT") as (heard, feed):
        await heard.until(lambda events: all(prices_of(events, symbol) for symbol in good))
        assert isinstance(next(e for e in heard.events if not isinstance(e, MarksMoved)), FeedLost)
        assert not heard.of(FeedRestored)
        # Once nobody holds it any more, the feed is whole again.
        feed.watch(tuple(instrument(symbol) for symbol in good))
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))


async def test_a_new_symbol_that_is_rejected_does_not_end_those_that_deliver() -> None:
    async def talk(socket: ServerConnection) -> None:
        asked: list[str] = []
        async for text in socket:
            if "BADUSDT" in str(text):
                await socket.send(json.dumps({"kind": "rejected", "because": "no such topic"}))
                await socket.wait_closed()
                return
            if text == "ping":
                for symbol in asked:
                    await socket.send(mark(symbol, "101"))
                continue
            asked.append(str(text).removeprefix("subscribe "))
            await socket.send(ACK)
            await socket.send(mark(asked[-1], "100"))

    async with listening(talk, "BTCUSDT", "ETHUSDT") as (heard, feed):
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        feed.watch(tuple(instrument(s) for s in ("BTCUSDT", "ETHUSDT", "BADUSDT")))
        await asyncio.sleep(4)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            times = prices_of(heard.events, symbol)
            gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
            assert max(gaps) < 1
            assert (clock() - times[-1]).total_seconds() < 1


async def test_after_a_fault_of_ours_a_new_run_follows_what_was_asked_before() -> None:
    heard = Heard()
    faults = [ValueError("a bug")]

    def read_frame(text: str | bytes) -> FrameRead:
        if faults:
            raise faults.pop()
        return FAKE.read_frame(text)

    async with serve(obliging, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        feed = MarkFeed(
            replace(FAKE, read_frame=read_frame),
            account="main",
            now=clock,
            offset_seconds=lambda: 0.0,
            deliver=heard.deliver,
            ws_url=f"ws://127.0.0.1:{port}",
        )
        feed.watch((instrument("BTCUSDT"),))
        with pytest.raises(ValueError, match="a bug"):
            await asyncio.wait_for(feed.run(), 5)
        again = asyncio.create_task(feed.run())
        try:
            await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        finally:
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)


async def test_a_loss_while_being_replaced_is_not_told_after_the_successor_delivers() -> None:
    sockets: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        if len(sockets) == 2:
            # The first connection breaks while the second is not whole yet.
            await sockets[0].close(1011, "bye")
            await asyncio.sleep(0.3)
        await obliging(socket)

    async with listening(talk, "BTCUSDT") as (heard, feed):
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        feed.watch((instrument("BTCUSDT"), instrument("ETHUSDT")))
        await heard.until(restored_twice)
        await asyncio.sleep(0.3)
        kinds = [type(e).__name__ for e in heard.events if not isinstance(e, MarksMoved)]
        assert kinds == ["FeedRestored", "FeedLost", "FeedRestored"]


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
