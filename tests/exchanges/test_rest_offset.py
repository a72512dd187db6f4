"""When the exchange's clock is asked for, and what a reply knows of it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from aiohttp import web

from tests.exchanges.serving import Hands, plain, served
from tests.fakes.exchange import ACCOUNT, TIME, milliseconds


async def test_the_offset_is_measured_at_the_first_reading_and_every_ten_minutes() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.read_account()
        await client.read_account()
        assert server.count(TIME.path) == 1
        clock.now += timedelta(seconds=601)
        await client.read_account()
        assert server.count(TIME.path) == 2


async def test_a_reply_tells_when_it_was_asked_for_and_whose_clock_is_ahead() -> None:
    clock = Hands()
    asked = clock.now
    async with served(clock) as (server, client):
        server.answers[TIME.path] = lambda _: web.json_response(
            {"serverTime": milliseconds(clock.now + timedelta(seconds=40))}
        )

        def slow(_: web.Request) -> web.Response:
            clock.now += timedelta(seconds=3)
            return web.json_response({"ok": True})

        await client.measure_offset()
        server.answers[ACCOUNT.path] = slow
        reply = await client.call(ACCOUNT)
        assert (reply.asked_at, reply.at) == (asked, asked + timedelta(seconds=3))
        assert reply.ahead / timedelta(seconds=1) == pytest.approx(40, abs=0.01)


async def test_an_offset_by_a_slow_answer_is_measured_anew_after_half_a_minute() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        quick = server.answers[TIME.path]
        server.answers[TIME.path] = two_seconds_late(clock)
        await client.read_account()
        assert client.offset_seconds == pytest.approx(-1, abs=0.01)
        server.answers[TIME.path] = quick
        clock.now += timedelta(seconds=29)
        await client.read_account()
        assert server.count(TIME.path) == 1
        clock.now += timedelta(seconds=2)
        await client.read_account()
        assert server.count(TIME.path) == 2
        assert client.offset_seconds == pytest.approx(0, abs=0.01)


def two_seconds_late(clock: Hands, theirs: float = 0.0) -> Callable[[web.Request], web.Response]:
    """The time `theirs` seconds from now, in an answer that is two seconds under way."""

    def answer(_: web.Request) -> web.Response:
        told = web.json_response({"serverTime": milliseconds(clock.now + seconds(theirs))})
        clock.now += seconds(2)
        return told

    return answer


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


async def test_an_offset_that_the_exchange_refused_is_replaced_by_a_vaguer_one() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.measure_offset()
        server.answers[TIME.path] = two_seconds_late(clock, 1.5)
        # Within a second 0.5: it bears out the 0 of before, which stands for nothing any more.
        assert await client.measure_offset() == pytest.approx(0.5, abs=0.01)


async def test_an_offset_that_can_not_be_had_is_not_asked_for_at_every_reading() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        server.answers[TIME.path] = two_seconds_late(clock)
        await client.read_account()
        server.answers[TIME.path] = plain("", 503)
        clock.now += seconds(31)
        for _ in range(3):
            await client.read_account()
        assert server.count(TIME.path) == 2
        clock.now += seconds(61)
        await client.read_account()
        assert server.count(TIME.path) == 3


async def test_a_reply_is_no_surer_of_the_clocks_than_when_it_was_asked_for() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        quick = server.answers[TIME.path]
        server.answers[TIME.path] = two_seconds_late(clock)
        await client.measure_offset()
        server.answers[TIME.path] = quick
        asked, answer = asyncio.Event(), asyncio.Event()

        async def late(_: web.Request) -> web.Response:
            asked.set()
            await answer.wait()
            return web.json_response({"ok": True})

        server.answers[ACCOUNT.path] = late  # type: ignore[assignment]
        call = asyncio.create_task(client.call(ACCOUNT))
        await asked.wait()
        assert await client.measure_offset() == pytest.approx(0, abs=0.01)
        answer.set()
        # Live marks of before may be put a second too early still.
        assert (await call).ahead_within == seconds(1)


async def test_a_doubted_offset_is_measured_anew_but_at_most_once_a_minute() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.read_account()
        client.doubt_offset()
        clock.now += timedelta(seconds=59)
        await client.read_account()
        assert server.count(TIME.path) == 1
        clock.now += timedelta(seconds=2)
        await client.read_account()
        assert server.count(TIME.path) == 2
        clock.now += timedelta(seconds=300)
        await client.read_account()
        assert server.count(TIME.path) == 2
