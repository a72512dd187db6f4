"""Optional calls: what may be missing, and what is done before it is believed to be."""

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
