"""Optional calls: what may be missing, and what is done before it is believed to be."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import ExchangeError, Refused
from monitor.exchanges.call import Replies, RestCall
from tests.exchanges.serving import Hands, needing, plain, served
from tests.fakes.exchange import ACCOUNT, FAKE, STOPS


async def test_what_was_seen_once_may_be_refused_but_not_time_out() -> None:
    sticky = replace(STOPS, max_age_seconds=0, optional=True, sticky=True)
    clock = Hands()
    async with served(clock, needing((ACCOUNT, sticky))) as (server, client):
        server.answers[STOPS.path] = plain("<html>", 503)
        # Never seen yet: the account is read without it.
        assert not (await client.read_account()).has(sticky)
        clock.now += timedelta(seconds=61)
        server.answers[STOPS.path] = plain("[]")
        assert (await client.read_account()).has(sticky)
        server.answers[STOPS.path] = plain("<html>", 503)
        with pytest.raises(ExchangeError):
            await client.read_account()
        server.answers[STOPS.path] = plain('{"code": -2015}', 401)
        assert not (await client.read_account()).has(sticky)


async def test_a_key_that_is_refused_everywhere_says_nothing_of_what_was_seen() -> None:
    sticky = replace(STOPS, max_age_seconds=0, optional=True, sticky=True)
    async with served(exchange=needing((ACCOUNT, sticky))) as (server, client):
        server.answers[STOPS.path] = plain("[]")
        assert (await client.read_account()).has(sticky)
        whole = server.answers[ACCOUNT.path]
        for path in (ACCOUNT.path, STOPS.path):
            server.answers[path] = plain('{"code": -2015}', 401)
        with pytest.raises(Refused):
            await client.read_account()
        # The key is let in again, and the wallet can't be reached: it is not gone for that.
        server.answers |= {ACCOUNT.path: whole, STOPS.path: plain("<html>", 503)}
        with pytest.raises(ExchangeError):
            await client.read_account()
        server.answers[STOPS.path] = plain("[]")
        assert (await client.read_account()).has(sticky)


async def test_what_was_skipped_is_asked_again_before_a_refusal_is_believed() -> None:
    optional = replace(STOPS, max_age_seconds=0, optional=True)

    def needed(replies: Replies) -> tuple[RestCall, ...]:
        """What the optional call brings makes the needed one needless."""
        if not replies.tried(optional):
            return (optional,)
        return () if replies.has(optional) or replies.has(ACCOUNT) else (ACCOUNT,)

    exchange = replace(FAKE, needed=needed)
    async with served(exchange=exchange) as (server, client):
        server.answers[STOPS.path] = plain("<html>", 503)
        await client.read_account()
        server.answers[ACCOUNT.path] = plain('{"code": -2015}', 401)
        with pytest.raises(Refused):
            await client.read_account()
        server.answers[STOPS.path] = plain("[]")
        assert (await client.read_account()).has(optional)


async def test_what_failed_of_late_is_told_to_who_says_what_is_needed() -> None:
    optional = replace(STOPS, optional=True)
    told: list[bool] = []

    def needed(replies: Replies) -> tuple[RestCall, ...]:
        told.append(replies.tried(optional))
        return tuple(c for c in (optional, ACCOUNT) if not replies.has(c))

    async with served(exchange=replace(FAKE, needed=needed)) as (server, client):
        server.answers[STOPS.path] = plain("<html>", 503)
        await client.read_account()
    assert told == [False, True]


async def test_what_the_exchange_has_nothing_of_is_left_out_and_soon_asked_again() -> None:
    clock = Hands()
    codes = frozenset({"-1121"})
    of_one = replace(STOPS, max_age_seconds=3600, optional=False, absent_codes=codes)
    async with served(clock, needing((ACCOUNT, of_one))) as (server, client):
        server.answers[STOPS.path] = plain('{"code": -1121}', 400)
        replies = await client.read_account()
        assert replies.has(ACCOUNT)
        assert not replies.has(of_one)
        assert replies.tried(of_one)
        await client.read_account()
        assert server.count(STOPS.path) == 1
        clock.now += timedelta(seconds=61)
        server.answers[STOPS.path] = plain("[]")
        assert (await client.read_account()).has(of_one)


@pytest.mark.parametrize(("text", "status"), [('{"code": -2015}', 401), ("<html>", 503)])
async def test_another_no_to_a_needed_call_is_an_error_still(text: str, status: int) -> None:
    of_one = replace(STOPS, optional=False, absent_codes=frozenset({"-1121"}))
    async with served(exchange=needing((ACCOUNT, of_one))) as (server, client):
        server.answers[STOPS.path] = plain(text, status)
        with pytest.raises(ExchangeError):
            await client.read_account()


async def test_room_is_planned_for_what_a_reading_did_without() -> None:
    """Else the readings of others would fill what it waits for, again and again."""
    clock = Hands()
    stops = replace(STOPS, max_age_seconds=120, optional=True)
    async with served(clock, needing((ACCOUNT, stops))) as (server, client):
        server.answers[STOPS.path] = plain("<html>", 503)
        await client.read_account()
        assert set(client.standing_calls) == {ACCOUNT, stops}
        clock.now += timedelta(seconds=121)
        server.answers[STOPS.path] = plain("[]")
        await client.read_account()
        assert Counter(client.standing_calls) == {ACCOUNT: 1, stops: 1}
        # What is kept from before serves on while it is put off: it counts once.
        clock.now += timedelta(seconds=121)
        server.answers[STOPS.path] = plain("<html>", 503)
        await client.read_account()
        assert Counter(client.standing_calls) == {ACCOUNT: 1, stops: 1}


async def test_no_room_is_planned_for_what_is_refused() -> None:
    stops = replace(STOPS, max_age_seconds=120, optional=True)
    async with served(exchange=needing((ACCOUNT, stops))) as (server, client):
        server.answers[STOPS.path] = plain('{"code": -2015}', 401)
        await client.read_account()
        assert client.standing_calls == (ACCOUNT,)
