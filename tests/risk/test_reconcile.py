"""Ours against theirs: the thresholds, what is unknown, and which of the two is worse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk import PoolRisk, Reported, Requirement, Verdict, evaluate, reconcile, worse
from tests.build import NOON, a_pool, flat, long, marks


def risk() -> PoolRisk:
    """A gross notional of 10,000; balance 1,000, maintenance 50: a headroom of 950."""
    return evaluate(a_pool(long("BTC", 100, 100, tiers=flat())), marks(BTC=100), NOON)


def reported(
    balance: str | None = "1000",
    maintenance: str | None = "50",
    *,
    resolution: str = "0",
    initial: str | None = None,
) -> Reported:
    return Reported(
        at=NOON,
        margin_balance=None if balance is None else Decimal(balance),
        maintenance_margin=None if maintenance is None else Decimal(maintenance),
        initial_margin=None if initial is None else Decimal(initial),
        resolution=Decimal(resolution),
    )


@pytest.mark.parametrize(
    ("balance", "resolution", "previous", "verdict"),
    [
        pytest.param("1000", "0", 0, Verdict.AGREES, id="the same agrees"),
        pytest.param("1005", "0", 0, Verdict.AGREES, id="5 bp of notional agree"),
        pytest.param("995", "0", 2, Verdict.AGREES, id="5 bp agree whatever was before"),
        pytest.param("1005.01", "0", 0, Verdict.DRIFTS, id="more than 5 bp drift"),
        pytest.param("994.99", "0", 1, Verdict.DRIFTS, id="a second time in a row still drifts"),
        pytest.param("1005.01", "0", 2, Verdict.DISAGREES, id="a third time disagrees"),
        pytest.param("1020", "0", 0, Verdict.DRIFTS, id="20 bp drift"),
        pytest.param("1020.01", "0", 0, Verdict.DISAGREES, id="more than 20 bp disagree"),
        pytest.param("979.99", "0", 0, Verdict.DISAGREES, id="so do 20 bp the other way"),
        pytest.param("1015", "15", 0, Verdict.AGREES, id="the wire's own precision agrees"),
        pytest.param("1015.01", "15", 0, Verdict.DRIFTS, id="more than it drifts"),
        pytest.param("1050", "50", 0, Verdict.AGREES, id="even a coarse one"),
    ],
)
def test_headroom_is_compared_in_parts_of_gross_notional(
    balance: str, resolution: str, previous: int, verdict: Verdict
):
    found = reconcile(risk(), reported(balance, resolution=resolution), previous)

    assert found.verdict is verdict
    assert found.gap == (Decimal(balance) - 1000) / 10000


def test_more_maintenance_on_their_side_is_a_negative_gap():
    assert reconcile(risk(), reported(maintenance="60")).gap == Decimal("-0.001")


@pytest.mark.parametrize(
    "theirs", [None, reported(None), reported(maintenance=None), reported(None, None)]
)
def test_nothing_to_compare_is_unknown(theirs: Reported | None):
    found = reconcile(risk(), theirs, 2)

    assert found.verdict is Verdict.UNKNOWN
    assert found.gap is None
    assert found.theirs is theirs


def test_with_nothing_held_there_is_nothing_to_measure_by():
    empty = evaluate(a_pool(), {}, NOON)

    assert reconcile(empty, reported("7", "0")).verdict is Verdict.UNKNOWN


def need(balance: str, maintenance: str, initial: str = "100") -> Requirement:
    return Requirement(
        unit="USDT",
        margin_balance=Decimal(balance),
        initial_margin=Decimal(initial),
        maintenance_margin=Decimal(maintenance),
    )


def test_theirs_is_carried_forward_by_our_own_change():
    ours, before = need("900", "55", "110"), need("1000", "50", "100")

    found = worse(ours, reported("990", "52", initial="104"), before)

    assert found == need("890", "57", "114")


def test_ours_stays_where_it_is_the_worse():
    ours, before = need("900", "55"), need("1000", "50")

    assert worse(ours, reported("1010", "49"), before) == ours


def test_an_initial_margin_that_they_do_not_give_is_ours():
    ours, before = need("900", "55", "110"), need("1000", "50", "100")

    assert worse(ours, reported("990", "52"), before).initial_margin == 110


def test_without_balance_on_either_side_the_lesser_headroom_is_worse():
    ours, before = need("-5", "55"), need("1000", "50")

    assert worse(ours, reported("990", "50"), before) == need("-15", "55")


@pytest.mark.parametrize("theirs", [None, reported(None), reported(maintenance=None)])
def test_where_they_say_nothing_it_is_ours(theirs: Reported | None):
    ours = need("900", "55")

    assert worse(ours, theirs, need("1000", "50")) is ours
