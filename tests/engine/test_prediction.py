"""How true the model came: the old pool at the new marks against the new report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.engine.prediction import Predictions
from monitor.risk.model import MarginPool, Reported
from monitor.risk.result import Verdict
from tests.build import NOON, Number, flat, long
from tests.engine.scene import LONG, snapshot, the_pool


def measured(
    found: Predictions,
    balance: Number,
    *,
    price: Number = 110,
    minutes: int = 0,
    old: MarginPool | None = None,
    new: MarginPool | None = None,
) -> Predictions:
    """At a mark of 110 the pool has 600 and needs 440, and 1,100 are held."""
    at = NOON + timedelta(minutes=minutes)
    said = Reported(at=at, margin_balance=Decimal(balance), maintenance_margin=4 * Decimal(price))
    reading = snapshot(new or the_pool(), at=at, SOL=price)
    found.measure(old or the_pool(), new or the_pool(), said, reading)
    return found


def test_it_is_theirs_less_what_was_foretold_in_parts_of_notional() -> None:
    assert measured(Predictions(), 600).latest == 0
    assert measured(Predictions(), "600.55").latest == Decimal("0.0005")
    assert measured(Predictions(), "598.9").latest == Decimal("-0.001")


def test_where_something_was_traded_or_booked_nothing_is_measured() -> None:
    for changed in (
        the_pool(cash=501),
        the_pool(replace(LONG, contracts=Decimal(9))),
        the_pool(LONG, positions=()),
    ):
        found = measured(measured(Predictions(), "600.55"), 100, new=changed)
        assert found.latest == Decimal("0.0005")
        assert found.largest(NOON) == Decimal("0.0005")


def test_new_tables_and_other_constants_are_no_trade() -> None:
    # the old pool foretold 440 of maintenance; the exchange has other rules by now
    retiered = the_pool(other_maintenance=Decimal(11), carried=("an order",))
    assert measured(Predictions(), 589, new=retiered).latest == Decimal("-0.01")


def test_of_an_hour_the_largest_is_kept_with_its_sign() -> None:
    found = Predictions()
    for minute, balance in ((0, "597.8"), (10, "601.1"), (59, "600.11")):
        measured(found, balance, minutes=minute)
    assert found.latest == Decimal("0.0001")
    assert found.largest(NOON + timedelta(minutes=60)) == Decimal("-0.002")
    assert found.largest(NOON + timedelta(minutes=61)) == Decimal("0.001")
    assert found.largest(NOON + timedelta(minutes=120)) is None


def test_a_large_one_disagrees_and_so_does_the_third_drift_in_a_row() -> None:
    # 20 bp of 1,100 are 2.2, 5 bp 0.55
    assert measured(Predictions(), "602.21").verdict is Verdict.DISAGREES
    found = Predictions()
    verdicts = []
    for minute, balance in enumerate((601, 599, 601, 600, 601)):
        verdicts.append(measured(found, balance, minutes=minute).verdict)
    assert verdicts == [
        Verdict.DRIFTS,
        Verdict.DRIFTS,
        Verdict.DISAGREES,
        Verdict.AGREES,
        Verdict.DRIFTS,
    ]


def test_without_marks_or_figures_of_theirs_there_is_none() -> None:
    found = Predictions()
    reading = snapshot(the_pool())
    found.measure(the_pool(), the_pool(), Reported(at=NOON), reading)
    found.measure(the_pool(), the_pool(), Reported(at=NOON), snapshot(the_pool(), SOL=110))
    assert (found.latest, found.verdict, found.largest(NOON)) == (None, None, None)


def test_under_new_tiers_nothing_was_foretold_and_no_drift_counts() -> None:
    found = measured(Predictions(), 500)
    assert found.verdict is Verdict.DISAGREES
    retiered = the_pool(replace(LONG, tiers=flat("0.5")))
    measured(found, 500, new=retiered)
    assert (found.verdict, found.latest) == (None, Decimal(-100) / 1100)
    # a position that is new has no tiers of before: that is trading, and changes nothing
    other = measured(measured(Predictions(), 500), 500, new=the_pool(LONG, long("ETH", 1, 100)))
    assert other.verdict is Verdict.DISAGREES
