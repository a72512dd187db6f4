"""One connection against a WebSocket server on loopback: when it is good, and when it is lost."""

import asyncio
import json
from datetime import timedelta

import pytest
from websockets.asyncio.server import ServerConnection

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved
from monitor.exchanges import connection, stream
from tests.exchanges.listening import (
    ACK,
    clock,
    listening,
    mark,
    same,
)
from tests.fakes.exchange import instrument


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(connection, "ACK_SECONDS", 0.5)
    monkeypatch.setattr(stream, "FIRST_WAIT_SECONDS", 0.11)


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


async def test_a_connection_on_which_everything_is_silent_is_lost() -> None:
    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            await socket.send(json.dumps({"kind": "pong"}) if text == "ping" else ACK)

    async with listening(talk, "BTCUSDT", "ETHUSDT", patience=1.0) as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "nothing heard of BTCUSDT, ETHUSDT"


async def test_old_event_times_are_no_sign_of_life() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ACK)
        frozen = clock() - timedelta(minutes=5)
        while True:
            await socket.send(mark("BTCUSDT", "100", frozen))
            await asyncio.sleep(0.05)

    async with listening(talk, "BTCUSDT", patience=1.0) as (heard, _):
        await heard.until(lambda events: any(isinstance(e, FeedLost) for e in events))
        lost = next(e for e in heard.events if isinstance(e, FeedLost))
        assert lost.because == "nothing heard of BTCUSDT"
        assert not heard.of(FeedRestored)


async def test_a_symbol_that_nobody_holds_any_more_may_be_silent() -> None:
    async def talk(socket: ServerConnection) -> None:
        for _ in range(2):
            await socket.recv()
            await socket.send(ACK)
        await socket.send(mark("ETHUSDT", "5"))
        while True:
            await socket.send(mark("BTCUSDT", "100"))
            await asyncio.sleep(0.05)

    visits: list[ServerConnection] = []

    async def counted(socket: ServerConnection) -> None:
        visits.append(socket)
        await talk(socket)

    async with listening(counted, "BTCUSDT", "ETHUSDT", patience=1.0) as (heard, feed):
        await heard.until(lambda events: any(isinstance(e, FeedRestored) for e in events))
        feed.watch((instrument("BTCUSDT"),))
        await asyncio.sleep(2.5)
        assert len(visits) == 1
        assert not heard.of(FeedLost)


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


async def test_after_an_unreadable_mark_nothing_confirms_the_one_before_it() -> None:
    """What left the mark out says that it did not change: from one that nobody could read."""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ACK)
        await socket.send(same("BTCUSDT"))  # nothing was told yet that could hold on
        await socket.send(mark("BTCUSDT", "100"))
        await socket.send(same("BTCUSDT"))
        await socket.send(mark("BTCUSDT", "0"))
        await socket.send(same("BTCUSDT"))
        await socket.send(mark("BTCUSDT", "101"))
        await socket.send(same("BTCUSDT"))
        await socket.wait_closed()

    async with listening(talk, "BTCUSDT") as (heard, _):
        await heard.until(lambda events: len([e for e in events if isinstance(e, MarksMoved)]) == 6)
        moved = [e for e in heard.events if isinstance(e, MarksMoved)]
        told = [str(e.marks["BTCUSDT"].price) if e.marks else len(e.confirmed) for e in moved]
        assert told == [0, "100", 1, 0, "101", 1]
