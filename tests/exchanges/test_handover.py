"""One private connection in place of another, where that is broken off or long in coming."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from monitor.exchanges import account_feed
from monitor.exchanges.account_feed import Closed, FeedLost, FeedRestored, Listening
from monitor.exchanges.openings import Openings
from tests.end_to_end.stage import until
from tests.exchanges.attending import admitting, attending
from tests.fakes.private import said


async def test_a_successor_on_its_way_ends_with_its_stream() -> None:
    visits, open_now = 0, 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits, open_now
        visits += 1
        open_now += 1
        sockets.append(socket)
        try:
            await (socket.wait_closed() if visits == 2 else admitting(socket))
        finally:
            open_now -= 1

    sockets: list[ServerConnection] = []
    async with attending(talk) as (attended, feed):
        await attended.have(Listening)
        await sockets[0].send(said("leave"))
        await until(lambda: visits == 2, "the successor, which nobody lets in")
        feed.renew()
        await attended.have(Listening, 2)
        assert [each.number for each in attended.of(Closed)] == [1, 0]
        await attended.until(lambda: feed.is_healthy)
        assert open_now == 1


async def test_where_the_host_has_no_turn_the_old_one_goes_on() -> None:
    sockets: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        await admitting(socket)

    async with attending(talk) as (attended, feed):
        await attended.have(Listening)
        while not feed._openings.seconds_left(leads=False):
            feed._openings.opened()
        await sockets[0].send(said("leave"))
        await asyncio.sleep(0.3)
        assert len(sockets) == 1
        assert feed.is_healthy


async def test_one_that_begins_anew_waits_for_its_turn_and_says_so() -> None:
    sockets: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        await admitting(socket)

    full = Openings()
    while not full.seconds_left(leads=False):
        full.opened()
    full = Openings()
    while not full.seconds_left(leads=False):
        full.opened()
    async with attending(talk, openings=full) as (attended, feed):
        lost = (await attended.have(FeedLost))[0]
        assert "so many were opened lately" in lost.because
        assert feed.because == lost.because
        await asyncio.sleep(0.3)
        assert sockets == []
        full._tries.clear()
        full.succeeded()
        await attended.have(Listening)
        assert feed.is_healthy


async def test_who_is_turned_away_waits_as_long_as_it_was_asked_to_f41() -> None:
    turns = Openings()

    async def talk(socket: ServerConnection) -> None:
        await admitting(socket)

    def refuse(socket: ServerConnection, _: Request) -> Response:
        answer = socket.respond(403, "no\n")
        answer.headers["Retry-After"] = "30"
        return answer

    async with attending(talk, openings=turns, refuse=refuse) as (attended, _):
        lost = (await attended.have(FeedLost))[0]
        assert "it asks us to stay away for 30 s" in lost.because
        assert 29 < turns.seconds_left() <= 30


async def test_while_connections_are_being_renewed_not_everything_is_told() -> None:
    closing = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        try:
            await admitting(socket)
        finally:
            closing.set()

    async with attending(talk) as (attended, feed):
        await attended.have(Listening)
        feed.renew()
        await closing.wait()
        assert not feed.is_healthy


async def test_one_that_is_asked_to_leave_before_it_is_whole_says_when_it_is() -> None:
    visits = 0
    whole = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits > 1:
            await socket.wait_closed()  # nobody lets the successor in
            return
        await socket.send(said("leave"))
        await whole.wait()
        await admitting(socket)

    async with attending(talk) as (attended, feed):
        await until(lambda: visits == 2, "the successor, which nobody lets in")
        assert attended.of(Listening) == []
        assert not feed.is_healthy
        whole.set()
        assert await attended.have(Listening) == [Listening(number=0, is_gapless=False)]
        await attended.have(FeedRestored)
        assert feed.is_healthy
        assert attended.of(Closed) == []


async def test_its_successor_then_follows_without_a_gap_and_each_says_so_once() -> None:
    visits = 0
    whole, follow = asyncio.Event(), asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.send(said("leave"))
        await (whole if visits == 1 else follow).wait()
        await admitting(socket)

    async with attending(talk) as (attended, _):
        await until(lambda: visits == 2, "the successor")
        whole.set()
        await attended.have(Listening)
        follow.set()
        await attended.have(Closed)
        await attended.have(Listening, 2)
        await asyncio.sleep(0.1)
        told = [(each.number, each.is_gapless) for each in attended.of(Listening)]
        assert told == [(0, False), (1, True)]


async def test_it_says_so_while_another_successor_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account_feed, "HANDOVER_SECONDS", 0.1)
    visits = 0
    whole = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits > 1:
            await socket.wait_closed()
            return
        await socket.send(said("leave"))
        await whole.wait()
        await admitting(socket)

    async with attending(talk) as (attended, _):
        await attended.have(Closed)  # the successor, which came to nothing
        whole.set()
        assert await attended.have(Listening) == [Listening(number=0, is_gapless=False)]
        assert visits == 2


async def test_one_that_ends_before_its_successor_is_whole_leaves_a_gap_and_says_so() -> None:
    sockets: list[ServerConnection] = []
    follow = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            await follow.wait()
        await admitting(socket)

    async with attending(talk) as (attended, feed):
        await attended.have(Listening)
        await sockets[0].send(said("leave"))
        await until(lambda: len(sockets) == 2, "the successor")
        await sockets[0].close(1001)
        await attended.have(FeedLost)
        assert not feed.is_healthy
        follow.set()
        assert (await attended.have(Listening, 2))[1] == Listening(number=1, is_gapless=False)
        await attended.have(FeedRestored, 2)
        assert feed.is_healthy
