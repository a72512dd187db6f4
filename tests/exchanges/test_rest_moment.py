"""Replies of one moment: what is of use only together is asked for together."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from monitor.errors import Unreachable
from monitor.exchanges.call import Budget, RestCall
from tests.exchanges.serving import Hands, needing, plain, served
from tests.fakes.exchange import ACCOUNT, FAKE, TIME

INDEX = RestCall(
    implicit="fapiPublicGetPremiumIndex", path="/fapi/v1/premiumIndex", budget=ACCOUNT.budget
)
LATER = replace(FAKE, needed=lambda r: (ACCOUNT, INDEX) if r.has(ACCOUNT) else (ACCOUNT,))


def held_back(body: str, until: asyncio.Event) -> object:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.wait_for(until.wait(), 2)
        return web.Response(text=body, content_type="application/json")

    return answer


async def test_what_the_last_reading_needed_of_the_moment_is_asked_for_at_once() -> None:
    async with served(exchange=LATER) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        assert [p for p in server.asked if p != TIME.path] == [ACCOUNT.path, INDEX.path]
        # The first waits for the second now, which was asked for only after it before.
        both = asyncio.Event()
        server.answers[ACCOUNT.path] = held_back("{}", both)  # type: ignore[assignment]

        def index(_: web.Request) -> web.Response:
            both.set()
            return web.Response(text="{}", content_type="application/json")

        server.answers[INDEX.path] = index
        replies = await client.read_account()
        assert replies.has(ACCOUNT)
        assert replies.has(INDEX)
        assert server.count(INDEX.path) == 2


async def test_what_was_foreseen_may_fail_and_is_asked_again_where_it_is_needed() -> None:
    async with served(exchange=LATER) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        answers = [plain("{}", 503), plain('{"index": 2}')]

        def answer(request: web.Request) -> web.Response:
            return answers.pop(0)(request)

        server.answers[INDEX.path] = answer
        replies = await client.read_account()
        assert replies.get(INDEX).body == {"index": 2}
        # Nothing was left out for it, and where it fails for good the reading fails.
        server.answers[INDEX.path] = plain("{}", 503)
        with pytest.raises(Unreachable):
            await client.read_account()


async def test_what_is_not_needed_any_more_does_no_harm() -> None:
    needed_now = [ACCOUNT, INDEX]
    exchange = replace(FAKE, needed=lambda _: tuple(needed_now))
    async with served(exchange=exchange) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        needed_now.remove(INDEX)
        server.answers[INDEX.path] = plain('{"code": -1121}', 400)
        assert (await client.read_account()).has(ACCOUNT)
        # It was asked for, or the reading ended before it got there; not again.
        asked = server.count(INDEX.path)
        assert asked <= 2
        await client.read_account()
        assert server.count(INDEX.path) == asked


async def test_pages_and_tables_are_not_foreseen() -> None:
    page = replace(INDEX, query=(("cursor", "x"),), continues=True)
    table = replace(
        INDEX,
        implicit="fapiPublicGetExchangeInfo",
        path="/fapi/v1/exchangeInfo",
        max_age_seconds=5,
    )
    hands = Hands()
    exchange = replace(
        FAKE, needed=lambda r: (ACCOUNT, page, table) if r.has(ACCOUNT) else (ACCOUNT,)
    )
    async with served(hands, exchange) as (server, client):
        server.answers |= {INDEX.path: plain("{}"), table.path: plain("{}")}
        await client.read_account()
        hands.now += timedelta(seconds=6)
        server.answers[ACCOUNT.path] = plain("{}", 503)
        with pytest.raises(Unreachable):
            await client.read_account()
        assert server.count(INDEX.path) == server.count(table.path) == 1


async def test_where_there_is_little_room_what_is_of_the_moment_goes_together() -> None:
    scarce = Budget(name="scarce", per_minute=240, window_seconds=60)  # 120 at once, 1.2 a second
    calls = tuple(
        replace(INDEX, path=f"/fapi/v1/p{n}", implicit=i, weight=50, budget=scarce)
        for n, i in enumerate(("fapiPublicGetPremiumIndex", "fapiPublicGetAssetIndex"))
    )
    paths = ("/fapi/v1/premiumIndex", "/fapi/v1/assetIndex")
    async with served(exchange=needing(calls)) as (server, client):
        server.answers |= dict.fromkeys(paths, plain("{}"))
        await client.gate.enter(replace(calls[0], weight=60))
        reading = asyncio.create_task(client.read_account())
        await asyncio.sleep(0.3)
        # There would be room for the first: alone it would be 30 s older than the other.
        assert [server.count(path) for path in paths] == [0, 0]
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_what_nobody_needs_any_more_is_not_read_nor_asked_again() -> None:
    needed_now = [ACCOUNT, INDEX]
    exchange = replace(
        FAKE, needed=lambda replies: tuple(c for c in needed_now if not replies.has(c))
    )
    async with served(exchange=exchange) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        needed_now.remove(INDEX)
        both = asyncio.Event()
        server.answers[ACCOUNT.path] = held_back("{}", both)  # type: ignore[assignment]
        asyncio.get_running_loop().call_later(0.1, both.set)
        # What tells of another kind of account would be taken for this one's.
        assert not (await client.read_account()).has(INDEX)
        assert client.standing_calls == (ACCOUNT,)
        asked = server.count(INDEX.path)
        assert asked == 2
        await client.read_account()
        assert server.count(INDEX.path) == asked


async def test_what_nobody_needs_any_more_holds_up_no_reading() -> None:
    needed_now = [ACCOUNT, INDEX]
    exchange = replace(
        FAKE, needed=lambda replies: tuple(c for c in needed_now if not replies.has(c))
    )
    end = asyncio.Event()
    async with served(exchange=exchange) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        needed_now.remove(INDEX)
        server.answers[INDEX.path] = held_back("{}", end)  # type: ignore[assignment]
        async with asyncio.timeout(1):
            assert (await client.read_account()).has(ACCOUNT)
        end.set()


async def test_what_was_foreseen_and_never_answered_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = asyncio.Event()
    async with served(exchange=LATER) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        monkeypatch.setattr("monitor.exchanges.rest.CALL_SECONDS", 0.2)
        server.answers[INDEX.path] = held_back("{}", end)  # type: ignore[assignment]
        with pytest.raises(Unreachable):
            await client.read_account()
        assert server.count(INDEX.path) == 2
        end.set()


async def test_a_reading_that_ends_early_leaves_nothing_running() -> None:
    end = asyncio.Event()
    async with served(exchange=LATER) as (server, client):
        server.answers[INDEX.path] = plain("{}")
        await client.read_account()
        before = asyncio.all_tasks()
        server.answers[INDEX.path] = held_back("{}", end)  # type: ignore[assignment]
        server.answers[ACCOUNT.path] = plain("{}", 503)
        with pytest.raises(Unreachable):
            await client.read_account()
        server.answers[ACCOUNT.path] = held_back("{}", end)  # type: ignore[assignment]
        reading = asyncio.create_task(client.read_account())
        await asyncio.sleep(0.1)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await asyncio.sleep(0.05)
        ours = {task for task in asyncio.all_tasks() - before if "RestClient" in repr(task)}
        assert ours == set()
        end.set()
