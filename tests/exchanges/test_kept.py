"""What is kept of replies: for how long each kind serves, and what ends that early."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.exchanges.call import Depth, Reply, RestCall
from monitor.exchanges.kept import Kept, Renewals
from tests.fakes.exchange import STOPS, TIERS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEAN = replace(STOPS, max_age_seconds=10, calm_seconds=100, heard_seconds=1000)
BOOKED = replace(STOPS, is_log=True)
ORDERS = replace(STOPS, lists_stops=True)
SHORT = replace(TIERS, max_age_seconds=3599)


def kept(call: RestCall) -> Kept:
    return Kept(call=call, reply=Reply(request=call.request, status=200, body=[], at=NOON))


def serves(renewals: Renewals, call: RestCall, seconds: float, depth: Depth = Depth.WHOLE) -> bool:
    return renewals.allow(kept(call), NOON + timedelta(seconds=seconds), depth)


@pytest.mark.parametrize(
    ("depth", "seconds"), [(Depth.WHOLE, 10), (Depth.CALM, 100), (Depth.HEARD, 1000)]
)
def test_a_reply_serves_as_long_as_its_call_says(depth: Depth, seconds: int) -> None:
    assert serves(Renewals(), LEAN, seconds - 1, depth)
    assert not serves(Renewals(), LEAN, seconds, depth)


@pytest.mark.parametrize(
    ("renew", "ended", "others"),
    [
        ("tables", (TIERS,), (SHORT, BOOKED, ORDERS, STOPS)),
        ("logs", (BOOKED,), (TIERS, SHORT, ORDERS, STOPS)),
        ("stops", (ORDERS,), (TIERS, SHORT, BOOKED, STOPS)),
        ("distrust", (), (TIERS, SHORT, BOOKED, ORDERS, STOPS)),
    ],
)
def test_what_is_to_be_renewed_serves_no_more_and_all_else_does(
    renew: str, ended: tuple[RestCall, ...], others: tuple[RestCall, ...]
) -> None:
    renewals = Renewals()
    getattr(renewals, renew)(NOON + timedelta(seconds=1))
    assert [serves(renewals, call, 2) for call in ended] == [False] * len(ended)
    assert all(serves(renewals, call, 2) for call in others)


def test_what_came_since_serves() -> None:
    renewals = Renewals()
    for renew in (renewals.tables, renewals.logs):
        renew(NOON - timedelta(seconds=1))
    assert serves(renewals, TIERS, 1)
    assert serves(renewals, BOOKED, 1)


def test_a_list_of_stop_orders_may_have_been_made_while_its_call_was_under_way() -> None:
    renewals = Renewals()
    renewals.stops(NOON - timedelta(seconds=9))
    assert not serves(renewals, ORDERS, 1)
    renewals.stops(NOON - timedelta(seconds=11))
    assert serves(renewals, ORDERS, 1)


def test_what_others_were_told_serves_only_if_it_came_since_it_made_no_sense() -> None:
    renewals = Renewals()
    for renew in (renewals.distrust, renewals.tables):
        renew(NOON)
        assert renewals.distrusted_at == NOON
