"""How many connections of marks are opened, and that none is left behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from monitor.engine.events import FeedLost, FeedRestored
from monitor.exchanges import connection, openings, stream
from monitor.exchanges.openings import Openings
from monitor.exchanges.stream import MarkFeed
from tests.end_to_end.stage import until
from tests.exchanges.listening import ACK, Event, Heard, clock, mark
from tests.fakes.exchange import FAKE, instrument


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(stream, "full_jitter", lambda _most: 0.01)


class Followed(MarkFeed):
    """A feed that runs."""

    task: asyncio.Task[None]


class Host:
    """A server that remembers who came and who is there still, and the turns to open."""

    def __init__(self) -> None:
        self.openings = Openings()
        self.sockets: list[ServerConnection] = []
        self.there: set[ServerConnection] = set()
        self.came_at: list[float] = []
        self.is_mute = False

    async def talk(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        self.came_at.append(asyncio.get_running_loop().time())
        self.there.add(socket)
        try:
            await (socket.wait_closed() if self.is_mute else self._answer(socket))
        finally:
            self.there.discard(socket)

    async def _answer(self, socket: ServerConnection) -> None:
        async for text in socket:
            if "BADUSDT" in str(text):
                await socket.send(json.dumps({"kind": "rejected", "because": "no such topic"}))
            elif text == "ping":
                await socket.send(json.dumps({"kind": "pong"}))
            else:
                await socket.send(ACK)
                await socket.send(mark(str(text).removeprefix("subscribe "), "100"))

    @asynccontextmanager
    async def followed(self, port: int, *symbols: str) -> AsyncIterator[tuple[Heard, Followed]]:
        heard = Heard()
        feed = Followed(
            FAKE,
            account="main",
            now=clock,
            offset_seconds=lambda: 0.0,
            deliver=heard.deliver,
            ws_url=f"ws://127.0.0.1:{port}",
            openings=self.openings,
        )
        feed.watch(tuple(instrument(symbol) for symbol in symbols))
        feed.task = asyncio.create_task(feed.run())
        try:
            yield heard, feed
        finally:
            feed.task.cancel()
            await asyncio.gather(feed.task, return_exceptions=True)


@asynccontextmanager
async def hosting() -> AsyncIterator[tuple[Host, int]]:
    host = Host()
    async with serve(host.talk, "127.0.0.1", 0) as server:
        yield host, server.sockets[0].getsockname()[1]


def restored(events: list[Event]) -> bool:
    return any(isinstance(event, FeedRestored) for event in events)


def left() -> list[str]:
    """What still runs of a feed."""
    running = [repr(task.get_coro()) for task in asyncio.all_tasks()]
    return [each for each in running if "MarkFeed." in each or "Connection.run" in each]


async def test_connections_for_a_new_symbol_end_with_the_feed_before_they_deliver() -> None:
    async with hosting() as (host, port):
        async with host.followed(port, "BTCUSDT") as (heard, feed):
            await heard.until(restored)
            host.is_mute = True
            feed.watch((instrument("BTCUSDT"), instrument("ETHUSDT")))
            await until(lambda: len(host.there) == 2, "the connection for both")
        assert left() == []


async def test_a_successor_ends_with_the_feed_before_it_delivers() -> None:
    async with hosting() as (host, port):
        async with host.followed(port, "BTCUSDT") as (heard, _):
            await heard.until(restored)
            host.is_mute = True
            await host.sockets[0].send(json.dumps({"kind": "leave"}))
            await until(lambda: len(host.there) == 2, "the successor")
        assert left() == []


async def test_a_rejected_symbol_costs_no_other_account_its_turns() -> None:
    async with hosting() as (host, port), host.followed(port, "BTCUSDT") as (well, _):
        await well.until(restored)
        async with host.followed(port, "BADUSDT") as (ill, _):
            # One connection for the other, and as many tries as a host in trouble is given.
            tries = openings.QUICK_TRIES
            await until(lambda: len(host.sockets) == 1 + tries, "the rejections")
            await ill.until(lambda events: any(isinstance(e, FeedLost) for e in events))
            await asyncio.sleep(0.3)
            assert len(host.sockets) == 1 + tries
            assert host.openings.seconds_left() == 0


async def test_where_a_host_lets_all_in_and_serves_nobody_one_asks_it_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many quick tries as a host in trouble is given, then one each spacing, not each two."""
    monkeypatch.setattr(openings, "SPACING_SECONDS", 0.6)
    async with hosting() as (host, port), host.followed(port, "BADUSDT"):
        await until(lambda: len(host.came_at) == openings.QUICK_TRIES + 3, "slow tries")
    gaps = [later - earlier for earlier, later in pairwise(host.came_at)]
    assert max(gaps[: openings.QUICK_TRIES - 1]) < 0.5
    assert all(0.55 <= gap < 1.1 for gap in gaps[openings.QUICK_TRIES :]), gaps


async def test_where_the_host_has_no_turn_the_old_connection_goes_on() -> None:
    async with hosting() as (host, port), host.followed(port, "BTCUSDT") as (heard, _):
        await heard.until(restored)
        while not host.openings.seconds_left(leads=False):
            host.openings.opened()
        await host.sockets[0].send(json.dumps({"kind": "leave"}))
        await asyncio.sleep(0.3)
        assert len(host.sockets) == 1
        assert host.there


async def test_a_feed_that_begins_anew_waits_for_its_turn_and_says_so() -> None:
    async with hosting() as (host, port):
        while not host.openings.seconds_left():
            host.openings.opened()
        async with host.followed(port, "BTCUSDT") as (heard, _):
            await heard.until(bool)
            lost = heard.events[0]
            assert isinstance(lost, FeedLost)
            assert "so many were opened lately" in lost.because
            await asyncio.sleep(0.3)
            assert host.sockets == []
            host.openings._tries.clear()
            host.openings.succeeded()
            await heard.until(restored)


async def test_a_host_that_turns_us_away_is_asked_again_when_it_said_f41() -> None:
    host, asks = Host(), ["30"]

    def refuse(socket: ServerConnection, _: Request) -> Response | None:
        host.came_at.append(asyncio.get_running_loop().time())
        if not asks:
            return None
        answer = socket.respond(429, "slow down\n")
        answer.headers["Retry-After"] = asks[0]
        return answer

    async with serve(host.talk, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        async with host.followed(port, "BTCUSDT") as (heard, _):
            await heard.until(bool)
            lost = heard.events[0]
            assert isinstance(lost, FeedLost)
            assert lost.because == (
                "no connection (too many connections or requests from this address, HTTP 429: "
                "it asks us to stay away for 30 s)"
            )
            await asyncio.sleep(0.3)
            assert len(host.came_at) == 1
            assert 29 < host.openings.seconds_left() <= 30
            asks.clear()
            before = host.openings.clock
            host.openings.clock = lambda: before() + timedelta(seconds=30)
            host.openings._well.set()
            await heard.until(restored)
            assert host.openings.quiet.until is None


async def test_a_fault_of_ours_in_a_successor_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Faulty(connection.Connection):
        async def run(self) -> None:
            raise ValueError("a bug")

    async with hosting() as (host, port), host.followed(port, "BTCUSDT") as (heard, feed):
        await heard.until(restored)
        monkeypatch.setattr(stream, "Connection", Faulty)
        await host.sockets[0].send(json.dumps({"kind": "leave"}))
        with pytest.raises(ValueError, match="a bug"):
            await asyncio.wait_for(feed.task, 5)
