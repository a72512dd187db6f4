"""One pool's figures and rungs, from reading to reading."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Rung
from monitor.alerts.place import Place
from monitor.engine.assessment import Figures, distance_of
from monitor.engine.effects import State
from monitor.engine.events import Source
from monitor.engine.freshness import Freshness
from monitor.engine.watch import Watch
from monitor.risk.model import MarginPool, Reported
from monitor.risk.result import Target, Verdict
from tests.build import NOON, Number, a_pool, coins, long, mark, marks
from tests.engine.scene import LONG, snapshot, the_pool

SOL = "SOL/USDT:USDT"
NEAR = Rung(name="near", on=Measure.DISTANCE, enter=Decimal("0.10"), leave=Decimal("0.12"))
LADDER = Ladder(rungs=(*DEFAULT_LADDER.on(Measure.RATIO), NEAR))


def at(price: Number, *worst: Number, pool: MarginPool | None = None) -> Watch:
    watch = Watch(pool or the_pool())
    watch.evaluate(marks(SOL=price), {SOL: tuple(mark(w) for w in worst)} if worst else {}, NOON)
    return watch


def reading(
    watch: Watch, *, balance: Number | None, price: Number = 120, **changes: object
) -> None:
    """A reading whose own report has this margin balance and the maintenance of 480."""
    pool = the_pool(**changes)  # type: ignore[arg-type] # fields of the pool
    said = Reported(
        at=NOON,
        margin_balance=None if balance is None else Decimal(balance),
        maintenance_margin=Decimal(4) * Decimal(price),
    )
    taken = snapshot(pool, reported={pool.id.name: said}, SOL=price)
    watch.adopt(pool, taken, Source.REST)


def test_a_spike_puts_the_pool_on_its_rung_and_the_newest_marks_let_it_go() -> None:
    watch = at(120, 90)
    assert watch.climb(LADDER, may_ease=True) is watch.adverse
    assert (watch.rung(LADDER), watch.place.alarms) == ("critical", ("warning", "critical"))
    watch.evaluate(marks(SOL=120), {}, NOON)
    assert watch.climb(LADDER, may_ease=True) is watch.now
    assert (watch.rung(LADDER), watch.place.alarms) == (None, ())


def test_a_spike_upwards_of_a_long_is_none() -> None:
    watch = at(100, 130)
    assert watch.adverse is None


def test_without_good_data_it_only_climbs() -> None:
    watch = at(90)
    watch.climb(LADDER, may_ease=True)
    watch.evaluate(marks(SOL=120), {}, NOON)
    watch.climb(LADDER, may_ease=False)
    assert watch.rung(LADDER) == "critical"


def test_it_approaches_by_the_distance_left() -> None:
    watch = at(90)  # 83.333 is 7.4 % below
    watch.solve(Target())
    watch.approach(LADDER, may_ease=True)
    assert watch.place.alarms == ("near",)
    watch.evaluate(marks(SOL=94), {}, NOON)  # 11.3 %
    watch.solve(Target())
    watch.approach(LADDER, may_ease=True)
    assert watch.place.alarms == ("near",)
    watch.evaluate(marks(SOL=96), {}, NOON)  # 13.2 %
    watch.solve(Target())
    watch.approach(LADDER, may_ease=False)
    assert watch.place.alarms == ("near",)
    watch.approach(LADDER, may_ease=True)
    assert watch.place == Place()


def test_it_is_near_within_a_fraction_of_its_end() -> None:
    watch = at("84.5")  # 1.38 %
    watch.solve(Target())
    assert watch.is_near(Decimal("0.02"))
    assert not watch.is_near(Decimal("0.01"))
    assert at(80).is_near(Decimal("0.001"))  # over 100 %
    assert not Watch(the_pool()).is_near(Decimal("0.02"))


def test_one_symbol_near_its_end_is_near_though_the_adverse_move_is_none() -> None:
    watch = at("84.5")
    watch.solve(Target())
    assert watch.outlook is not None
    assert watch.outlook.liquidation[SOL].distance is not None


def test_figures_are_solved_once() -> None:
    watch = at(90)
    watch.solve(Target())
    first = watch.outlook
    watch.solve(Target())
    assert watch.outlook is first
    watch.evaluate(marks(SOL=91), {}, NOON)
    watch.solve(Target())
    assert watch.outlook is not first


def test_a_mark_that_is_missing_is_said_and_the_last_figures_stay() -> None:
    watch = at(90)
    watch.evaluate({}, {}, NOON)
    assert watch.error == f"no mark price is known for {SOL}"
    assert watch.now is not None
    watch.evaluate(marks(SOL=91), {}, NOON)
    assert watch.error == ""


def test_collateral_that_is_missing_is_said() -> None:
    watch = at(90, pool=the_pool(LONG, collateral=(coins("USDC", 500),)))
    assert watch.now is None
    assert watch.error == "pool main/USDT has no collateral entry for USDT"


def test_the_third_drift_in_a_row_disagrees_until_one_agrees() -> None:
    # 1,200 of notional: 1 of balance is 8.3 bp
    watch = Watch(the_pool())
    verdicts = []
    for balance in (701, 701, 701, 701, 700, 701):
        reading(watch, balance=balance)
        assert watch.reconciliation is not None
        verdicts.append(watch.reconciliation.verdict)
    assert verdicts == [
        Verdict.DRIFTS,
        Verdict.DRIFTS,
        Verdict.DISAGREES,
        Verdict.DISAGREES,
        Verdict.AGREES,
        Verdict.DRIFTS,
    ]


def test_a_live_update_leaves_the_comparison_standing() -> None:
    watch = Watch(the_pool())
    reading(watch, balance=650)
    before = watch.reconciliation
    watch.adopt(the_pool(cash=450), snapshot(the_pool(cash=450), SOL=120), Source.LIVE)
    assert watch.reconciliation is before
    assert watch.reported is None
    watch.evaluate(marks(SOL=120), {}, NOON)
    assert watch.now is not None
    # theirs was 50 less; ours fell by 50 since
    assert watch.now.requirement.margin_balance == 600


def test_the_prediction_error_is_measured_where_nothing_was_traded() -> None:
    watch = Watch(the_pool())
    reading(watch, balance=700)
    assert watch.predictions.latest is None
    reading(watch, balance="600.55", price=110)
    # predicted 600 at 110, where 1,100 are held; theirs says 0.55 more: 5 bp
    assert watch.predictions.latest == Decimal("0.0005")
    # money was added: nothing is measured, the last measure stands
    reading(watch, balance=720, cash=510)
    assert watch.predictions.latest == Decimal("0.0005")


def test_a_reading_without_its_own_marks_can_not_be_compared() -> None:
    watch = Watch(the_pool())
    watch.adopt(the_pool(), snapshot(the_pool()), Source.REST)
    assert watch.reconciliation is None
    assert SOL in watch.error


def test_the_age_of_their_figures_counts_from_their_time() -> None:
    watch = Watch(the_pool())
    reading(watch, balance=700)
    watch.evaluate(marks(SOL=120), {}, NOON)
    found = watch.assessment(
        Freshness(state=State.STALE, age_seconds=9), LADDER, NOON + timedelta(seconds=12)
    )
    assert found is not None
    assert (found.reported_age_seconds, found.age_seconds, found.state) == (12, 9, State.STALE)


def test_a_pool_that_was_never_evaluated_has_no_assessment() -> None:
    freshness = Freshness(state=State.BLIND, age_seconds=9)
    assert Watch(the_pool()).assessment(freshness, LADDER, NOON) is None


def of_legs(count: int) -> MarginPool:
    """So many longs of coins of their own, the pool 5 % from its end."""
    names = [f"C{number}" for number in range(count)]
    return a_pool(*(long(name, 1, 100) for name in names), cash=Decimal("5.475") * count)


@pytest.mark.parametrize(("legs", "seconds"), [(10, 1), (20, 2), (25, 3)])
def test_a_pool_of_many_legs_is_solved_less_often_but_its_distance_each_second(
    legs: int, seconds: int
) -> None:
    watch, names = Watch(of_legs(legs)), [f"C{number}" for number in range(legs)]

    def second(number: int) -> None:
        prices = {name: Decimal(100) - Decimal(number) / 100 for name in names}
        watch.evaluate(marks(**prices), {}, NOON + timedelta(seconds=number))
        now = NOON + timedelta(seconds=number)
        watch.look_ahead(Target(), DEFAULT_LADDER, now, Decimal("0.02"))

    watch.place = Place(alarms=("near",))
    second(0)
    solved, left = watch.outlook, watch._left
    for number in range(1, seconds):
        second(number)
        assert watch.outlook is solved
        assert watch._left != left
        left = watch._left
    second(seconds)
    assert watch.outlook is not solved


def test_on_the_way_to_a_rung_distance_is_solved_a_few_times_not_with_every_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, looks = at(120), []
    watch.look_ahead(Target(), LADDER, NOON, Decimal("0.02"))
    watch.approach(LADDER, may_ease=True)

    def counted(now: Figures) -> Decimal | None:
        looks.append(distance_of(now))
        return looks[-1]

    monkeypatch.setattr("monitor.engine.watch.distance_of", counted)
    # 83.333 ÷ 0.9 = 92.593: 10 % are left there. The way from 30.6 % is 2,741 marks.
    price, reached = Decimal(120), Decimal("92.59")
    while not watch.place.alarms:
        price -= Decimal("0.01")
        watch.looked = False
        watch.evaluate(marks(SOL=price), {}, NOON)
        watch.look_again()
        if watch.looked:
            watch.approach(LADDER, may_ease=True)
    assert price == reached
    assert 3 < len(looks) < 15
    # From the rung on nothing comes but the end, which is told by the ratio.
    looks.clear()
    watch.evaluate(marks(SOL=84), {}, NOON)
    watch.look_again()
    assert looks == []


def test_a_pool_that_lost_money_is_looked_at_as_one_whose_marks_moved() -> None:
    watch = at(120)
    watch.look_ahead(Target(), LADDER, NOON, Decimal("0.02"))
    watch.approach(LADDER, may_ease=True)
    poorer = the_pool(cash=300)  # 720 − 700 are short of 100 % at 116.7: 2.8 % are left
    watch.adopt(poorer, snapshot(poorer, SOL=120), Source.LIVE)
    watch.evaluate(marks(SOL=120), {}, NOON)
    watch.looked = False
    watch.look_again()
    assert watch.looked


def test_figures_that_can_not_be_solved_are_not_looked_at_again() -> None:
    assert not Watch(the_pool()).looked
    watch = at(120)
    watch.look_again()  # never looked at: nothing is known to come
    assert not watch.looked
