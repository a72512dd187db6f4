"""Tables that are the same for every account: all behind one host ask for them once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from monitor.errors import ExchangeError, Malformed, Unreachable
from monitor.exchanges.call import RestCall
from monitor.exchanges.gate import Host
from monitor.exchanges.rest import RestClient
from tests.exchanges.serving import Hands, Server, needing, plain, served
from tests.fakes.exchange import ACCOUNT, TIERS, TIME, milliseconds

SECOND = timedelta(seconds=1)
TABLE = RestCall(
    implicit="fapiPublicGetExchangeInfo",
    path="/fapi/v1/exchangeInfo",
    budget=ACCOUNT.budget,
    max_age_seconds=3600,
)


@asynccontextmanager
async def two(
    *calls: RestCall, clock: Hands | None = None
) -> AsyncIterator[tuple[Server, RestClient, Server, RestClient]]:
    """Two accounts of one host, each with a server of its own that tells who asked."""
    hands, host, exchange = clock or Hands(), Host(), needing((ACCOUNT, *calls))
    async with (
        served(hands, exchange, host) as (one, first),
        served(hands, exchange, host) as (other, second),
    ):
        second.account = "second"
        for server in (one, other):
            server.answers[TABLE.path] = plain("{}")
        yield one, first, other, second


@pytest.mark.parametrize(
    ("implicit", "is_public"),
    [
        ("fapiPublicGetExchangeInfo", True),
        ("publicGetPublicPositionTiers", True),
        ("publicGetV5MarketRiskLimit", True),
        ("privateGetAccountTradeFee", False),
        ("fapiPrivateV3GetAccount", False),
        ("dapiPrivateV2GetLeverageBracket", False),
        ("sapiGetPortfolioCollateralRate", False),
        ("papiPostListenKey", False),
    ],
)
def test_ccxt_names_what_is_public(implicit: str, is_public: bool) -> None:
    assert replace(ACCOUNT, implicit=implicit).is_public is is_public


async def test_a_public_table_is_asked_for_once_for_all_accounts_of_a_host() -> None:
    async with two(TABLE) as (one, first, other, second):
        for replies in await asyncio.gather(first.read_account(), second.read_account()):
            assert replies.has(ACCOUNT)
            assert replies.has(TABLE)
        assert one.count(TABLE.path) + other.count(TABLE.path) == 1
        # What is the account's own is not.
        assert (one.count(ACCOUNT.path), other.count(ACCOUNT.path)) == (1, 1)


async def test_what_came_a_minute_ago_is_asked_for_anew() -> None:
    clock = Hands()
    async with two(TABLE, clock=clock) as (one, first, other, second):
        await first.read_account()
        clock.now += timedelta(seconds=61)
        await second.read_account()
        assert (one.count(TABLE.path), other.count(TABLE.path)) == (1, 1)


@pytest.mark.parametrize(
    "call",
    [TIERS, replace(TABLE, max_age_seconds=299), replace(TABLE, max_age_seconds=0)],
    ids=["an account's own table", "of minutes", "of the moment"],
)
async def test_nothing_else_is_shared(call: RestCall) -> None:
    async with two(call) as (one, first, other, second):
        await first.read_account()
        await second.read_account()
        assert (one.count(call.path), other.count(call.path)) == (1, 1)


@pytest.mark.parametrize("end", ["forget", "renew_tables"])
async def test_what_is_not_trusted_any_more_is_not_taken_from_others_either(end: str) -> None:
    clock = Hands()
    async with two(TABLE, clock=clock) as (one, first, other, second):
        await first.read_account()
        clock.now += timedelta(seconds=1)
        getattr(second, end)()
        await second.read_account()
        assert (one.count(TABLE.path), other.count(TABLE.path)) == (1, 1)


@pytest.mark.parametrize(
    ("status", "text", "kind"), [(503, "{}", Unreachable), (200, "<html>", Malformed)]
)
async def test_a_failure_is_each_account_s_own_and_the_next_reading_asks_again(
    status: int, text: str, kind: type[ExchangeError]
) -> None:
    async with two(TABLE) as (one, first, other, second):

        async def late(_: web.Request) -> web.Response:
            await asyncio.sleep(0.2)
            return web.Response(text=text, status=status, content_type="application/json")

        one.answers[TABLE.path] = other.answers[TABLE.path] = late  # type: ignore[assignment]
        errors = await asyncio.gather(
            first.read_account(), second.read_account(), return_exceptions=True
        )
        assert [type(error) for error in errors] == [kind, kind]
        assert [getattr(error, "account", "") for error in errors] == ["main", "second"]
        assert one.count(TABLE.path) + other.count(TABLE.path) == 1
        other.answers[TABLE.path] = plain("{}")
        assert (await second.read_account()).has(TABLE)


async def test_who_leaves_while_he_asks_for_all_opens_nothing_anew() -> None:
    async with two(TABLE) as (one, first, other, second):
        await first.measure_offset()
        await second.measure_offset()
        # The fake's limit is 2400 a minute, counted in two seconds: 20 at once, 20 a second.
        await first.gate.host.pace(TABLE.budget).acquire(26)
        readings = [asyncio.create_task(each.read_account()) for each in (first, second)]
        await asyncio.sleep(0.05)
        readings[0].cancel()
        await first.close()
        with pytest.raises(Unreachable, match="watched no more"):
            await readings[1]
        assert one.count(TABLE.path) == 0
        assert first._client.session is None
        assert (await second.read_account()).has(TABLE)
        assert other.count(TABLE.path) == 1


async def test_a_price_asked_for_by_another_account_goes_by_one_s_own_clock() -> None:
    clock = Hands()
    async with two(clock=clock) as (one, first, other, second):

        def slow(_: web.Request) -> web.Response:
            told = web.json_response({"serverTime": milliseconds(clock.now)})
            clock.now += timedelta(seconds=4)
            return told

        await first.measure_offset()
        other.answers[TIME.path] = slow
        await second.measure_offset()
        mine, same = await first.call_public(ACCOUNT), await second.call_public(ACCOUNT)
        assert (one.count(ACCOUNT.path), other.count(ACCOUNT.path)) == (1, 0)
        assert mine.ahead / SECOND == pytest.approx(0, abs=0.01)
        assert same.ahead / SECOND == pytest.approx(-2, abs=0.01)
        # Its own live marks may be 2 s too early, and so this price is put as early.
        assert (mine.asked_at - mine.priced_at) / SECOND == pytest.approx(0, abs=0.01)
        assert (same.asked_at - same.priced_at) / SECOND == pytest.approx(2, abs=0.01)
