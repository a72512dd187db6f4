"""Until when a host wants to hear nothing, and that all accounts behind it keep to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ExchangeError, Unreachable
from monitor.exchanges.gate import Host
from monitor.exchanges.quiet import Quiet
from tests.alerting import NOON, at
from tests.exchanges.serving import Hands, plain, served
from tests.fakes.exchange import ACCOUNT, FAKE

if TYPE_CHECKING:
    from datetime import datetime


def test_the_latest_end_counts_and_is_told_once() -> None:
    told: list[tuple[datetime | None, datetime]] = []
    quiet = Quiet(keep=lambda until, now: told.append((until, now)))
    assert quiet.seconds_left(NOON) == 0
    for until in (at(60), at(30), at(90), at(90)):
        quiet.ask(until, at(1))
    assert told == [(at(60), at(1)), (at(90), at(1))]
    assert quiet.seconds_left(at(80)) == 10
    assert quiet.seconds_left(at(91)) == 0


def test_a_wait_ends_for_good_when_the_host_answers_after_it() -> None:
    told: list[tuple[datetime | None, datetime]] = []
    quiet = Quiet(at(60), keep=lambda until, now: told.append((until, now)))
    quiet.answered(at(59))  # of a call that was sent before the host asked for quiet
    assert (quiet.until, told) == (at(60), [])
    for seconds in (60, 61):
        quiet.answered(at(seconds))
    assert (quiet.until, told) == (None, [(None, at(60))])


def asked_for_a_wait(status: int) -> ExchangeError:
    return Unreachable("slow down", retry_after_seconds=120.0, status=status)


@pytest.mark.parametrize(
    ("status", "shared"), [(418, True), (429, True), (403, True), (200, False)]
)
async def test_what_a_host_says_of_the_address_silences_the_other_accounts_too(
    status: int, shared: bool
) -> None:
    def said(got: int, headers: object, body: object) -> ExchangeError | None:
        del headers, got
        return asked_for_a_wait(status) if body == {"slow": 1} else None

    clock, host = Hands(), Host()
    exchange = replace(FAKE, read_error=said)
    async with (
        served(clock, exchange, host) as (one, first),
        served(clock, exchange, host) as (
            other,
            second,
        ),
    ):
        one.answers[ACCOUNT.path] = plain('{"slow": 1}', status)
        with pytest.raises(Unreachable):
            await first.call(ACCOUNT)
        with pytest.raises(Unreachable, match="as the exchange asked"):
            await first.call(ACCOUNT)
        assert one.count(ACCOUNT.path) == 1
        if shared:
            with pytest.raises(Unreachable, match="waiting 120 s more"):
                await second.call(ACCOUNT)
            assert other.asked == []
            clock.now += timedelta(seconds=121)
        await second.call(ACCOUNT)
        assert other.count(ACCOUNT.path) == 1
