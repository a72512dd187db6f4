"""How often accounts are read: what gives way when the address has no room, and in which order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.engine.effects import State
from monitor.exchanges.call import Budget, Depth, RestCall
from monitor.risk.result import Verdict
from monitor.service.polling import (
    Cost,
    Pace,
    Plan,
    Polled,
    Temper,
    carried,
    distance_left,
    has_isolated,
    plan,
    temper,
)
from tests.assessing import NEEDED, OUTLOOK, POOL, RISK, a_pool, an_account

if TYPE_CHECKING:
    from monitor.engine.effects import PoolAssessment

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
PER_UID = Budget(name="uid", per_minute=120, by_address=False)
WHOLE = Budget(name="whole", per_minute=7200, window_seconds=5)
# 5 each time, 5 that can wait five minutes, 30 every five minutes that can wait for an hour.
CALLS = (
    RestCall(implicit="a", path="/a", weight=5, budget=WEIGHT),
    RestCall(implicit="b", path="/b", weight=5, budget=WEIGHT, calm_seconds=300),
    RestCall(
        implicit="c", path="/c", weight=30, budget=WEIGHT, max_age_seconds=300, calm_seconds=3600
    ),
)
LONGEST = 51.0


def some(count: int, **changes: object) -> list[Polled]:
    one = Polled(name="", calls=CALLS, poll_seconds=15, temper=Temper.CALM)
    return [replace(one, name=f"a{n}", **changes) for n in range(count)]  # type: ignore[arg-type]


def planned(accounts: list[Polled], per_minute: float = 480) -> Plan:
    return plan(accounts, lambda _name, _budget: per_minute, longest_seconds=LONGEST)


def taken(found: Plan, calls: tuple[RestCall, ...] = CALLS) -> float:
    return sum(
        Cost(calls, pace.depth).per_minute(pace.seconds)[WEIGHT] for pace in found.paces.values()
    )


def test_a_reading_costs_what_its_calls_weigh_as_often_as_they_are_made() -> None:
    # 10 each 15 s and 30 each 300 s.
    assert Cost(CALLS, Depth.WHOLE).per_minute(15) == {WEIGHT: 10 * 4 + 30 / 5}
    # 5 each 15 s, 5 each 300 s, 30 each hour.
    assert Cost(CALLS, Depth.CALM).per_minute(15) == {WEIGHT: 5 * 4 + 1 + 0.5}
    # A reply of 300 s is found too old by the first reading after that: at 350 s.
    assert Cost(CALLS, Depth.WHOLE).per_minute(50) == {
        WEIGHT: pytest.approx(10 * 60 / 50 + 30 * 60 / 300)
    }
    assert Cost(CALLS, Depth.WHOLE).per_minute(40) == {
        WEIGHT: pytest.approx(10 * 60 / 40 + 30 * 60 / 320)
    }


def test_against_the_limit_of_all_calls_each_counts_once() -> None:
    found = Cost(CALLS[:2], Depth.WHOLE, WHOLE).per_minute(60)
    assert found == {WEIGHT: 10, WHOLE: 2}


def test_where_there_is_room_wishes_hold() -> None:
    found = planned(some(9))  # 9 × 46 = 414 of nine tenths of 480
    assert set(found.paces.values()) == {Pace(seconds=15)}
    assert found.is_carried


def test_a_tenth_is_left_for_what_no_plan_knows_of_unless_no_account_can_give_way() -> None:
    assert taken(planned(some(30))) == pytest.approx(432, abs=0.2)
    # 30 × (5.88 + 0.98 + 0.50) = 220.8 at the least: over nine tenths of 240, and carried.
    found = planned(some(30), 240)
    assert {pace.seconds for pace in found.paces.values()} == {LONGEST}
    assert found.is_carried
    assert not planned(some(30), 220).is_carried


def test_an_account_near_a_rung_is_read_sooner() -> None:
    near = replace(some(1)[0], name="near", temper=Temper.NEAR)
    found = planned([*some(3), near])
    assert found.paces["near"] == Pace(seconds=5)
    assert found.paces["a0"] == Pace(seconds=15)
    slow = planned([replace(near, poll_seconds=40)])
    assert slow.paces["near"].seconds == pytest.approx(40 / 3)
    quick = planned([replace(near, poll_seconds=2)])
    assert quick.paces["near"] == Pace(seconds=2)


def test_without_room_calm_accounts_are_read_in_the_lean_way_those_with_a_stream_first() -> None:
    accounts = [*some(6, is_heard=True), *(replace(a, name="b" + a.name) for a in some(6))]
    found = planned(accounts)  # whole 12 × 46 = 552; six of them lean 6 × 21.5 + 6 × 46 = 405
    assert {found.paces[f"a{n}"] for n in range(6)} == {Pace(seconds=15, depth=Depth.HEARD)}
    assert {found.paces[f"ba{n}"] for n in range(6)} == {Pace(seconds=15)}
    assert found.is_carried


def test_then_calm_accounts_are_read_less_often_and_those_in_doubt_are_not() -> None:
    doubtful = replace(some(1)[0], name="unsure", temper=Temper.UNSURE)
    found = planned([*some(40), doubtful])
    assert found.paces["unsure"] == Pace(seconds=15)
    calm = {found.paces[f"a{n}"] for n in range(40)}
    assert len(calm) == 1
    (pace,) = calm
    assert pace.depth is Depth.CALM
    # (432 − 46) ÷ 40 = 9.65 a minute each: 300 ÷ s, and the slow ones about 1.5.
    assert 35.5 < pace.seconds < 37.5
    assert taken(found) <= 432
    assert found.is_carried


def test_those_near_a_rung_keep_their_pace_while_anybody_else_can_give_way() -> None:
    near = replace(some(1)[0], name="near", temper=Temper.NEAR)
    found = planned(
        [*some(30), *(replace(a, name="u" + a.name, temper=Temper.UNSURE) for a in some(5)), near]
    )
    assert found.paces["near"] == Pace(seconds=5)
    assert found.is_carried


def test_what_can_not_be_carried_is_read_as_seldom_as_its_budget_allows_and_it_is_said() -> None:
    found = planned(some(200))  # 200 × 5 × 60 ÷ 51 = 1176
    assert not found.is_carried
    assert set(found.paces.values()) == {Pace(seconds=LONGEST, depth=Depth.CALM)}


def test_where_all_are_in_doubt_at_once_they_do_not_keep_each_other_waiting() -> None:
    # Whole, 50 of them would need 50 × (10 × 60 ÷ 51 + 30 × 60 ÷ 306) = 882 of 480 at least.
    found = planned(some(50, temper=Temper.UNSURE))
    assert found.is_carried
    assert {pace.depth for pace in found.paces.values()} == {Depth.CALM}


def test_nobody_is_read_oftener_than_is_configured_where_that_is_seldom() -> None:
    found = planned(some(200, poll_seconds=55))
    assert {pace.seconds for pace in found.paces.values()} == {55}


def test_isolated_wallets_without_a_stream_are_read_whole() -> None:
    found = planned(some(40, has_isolated=True))
    assert {pace.depth for pace in found.paces.values()} == {Depth.WHOLE}
    found = planned(some(40, has_isolated=True, is_heard=True))
    assert {pace.depth for pace in found.paces.values()} == {Depth.HEARD}


def test_a_limit_that_counts_each_account_alone_slows_only_that_one() -> None:
    mine = (RestCall(implicit="x", path="/x", budget=PER_UID),)
    accounts = [Polled(name="quick", calls=mine, poll_seconds=1), *some(2)]
    found = plan(
        accounts,
        lambda name, budget: 24 if budget is PER_UID and name == "quick" else 480,
        longest_seconds=LONGEST,
    )
    # 60 ÷ s ≤ 24
    assert found.paces["quick"].seconds == pytest.approx(2.5, abs=0.05)
    assert found.paces["a0"] == Pace(seconds=15)


def test_how_many_such_accounts_an_address_carries() -> None:
    # 480 ÷ 46, and 480 ÷ (5 × 60 ÷ 51 + 5 × 60 ÷ 306 + 30 × 60 ÷ 3621)
    assert carried(CALLS, 0.2, seconds=15, depth=Depth.WHOLE) == 10
    assert carried(CALLS, 0.2, seconds=51, depth=Depth.CALM) == 65
    assert (
        carried(
            (RestCall(implicit="x", path="/x", budget=PER_UID),), 0.2, seconds=15, depth=Depth.CALM
        )
        is None
    )


# --- how an account stands ---------------------------------------------------------------


def pool_at(ratio: str, move: str = "-0.5", **changes: object) -> PoolAssessment:
    """A pool of this margin ratio whose end is that far away."""
    held = replace(NEEDED, margin_balance=Decimal(1000), maintenance_margin=1000 * Decimal(ratio))
    outlook = replace(OUTLOOK, adverse_move=Decimal(move))
    return a_pool(**{"requirement": held, "rung": None, "outlook": outlook} | changes)


def standing(pool: PoolAssessment, **changes: object) -> Temper:
    return temper(an_account(pools=(pool,), **changes), DEFAULT_LADDER)


def test_an_account_far_from_every_rung_and_in_agreement_is_calm() -> None:
    assert standing(pool_at("0.30")) is Temper.CALM


@pytest.mark.parametrize(
    ("pool", "near"),
    [
        (pool_at("0.69"), False),
        (pool_at("0.70"), True),  # 7/8 of 0.80
        (pool_at("0.30", rung="near"), True),
        (pool_at("0.30", "-0.11"), False),
        (pool_at("0.30", "-0.10"), True),  # twice 0.05
    ],
)
def test_an_account_on_a_rung_or_close_to_one_is_near(pool: PoolAssessment, *, near: bool) -> None:
    assert (standing(pool) is Temper.NEAR) is near


def test_what_is_in_doubt_is_not_calm() -> None:
    calm = pool_at("0.30")
    assert standing(calm, state=State.BLIND) is Temper.UNSURE
    assert standing(replace(calm, outlook=None)) is Temper.UNSURE
    assert calm.reconciliation is not None
    for verdict in (Verdict.DRIFTS, Verdict.DISAGREES):
        differing = replace(calm, reconciliation=replace(calm.reconciliation, verdict=verdict))
        assert standing(differing) is Temper.UNSURE


def left(*pools: PoolAssessment) -> float | None:
    return distance_left(an_account(pools=pools))


def test_the_distance_left_is_that_of_the_nearest_pool() -> None:
    assert left(pool_at("0.30", "-0.5"), pool_at("0.60", "-0.125")) == 0.125
    # At 100 % nothing is left, whatever was solved a second ago.
    assert left(pool_at("0.30", "-0.5"), pool_at("1.00", "-0.01")) == 0
    assert OUTLOOK is not None
    endless = pool_at("0.30", outlook=replace(OUTLOOK, adverse_move=None))
    assert left(endless) == float("inf")
    # What is not known counts as 5 %.
    unknown = pool_at("0.30", outlook=None)
    assert left(pool_at("0.30", "-0.06"), unknown) is None
    assert left(pool_at("0.30", "-0.04"), unknown) == 0.04
    assert left() is None


def test_late_marks_are_no_reason_to_read_the_account_more_often() -> None:
    assert standing(pool_at("0.30"), state=State.STALE) is Temper.CALM


def test_isolated_wallets_are_known_by_their_pools_names() -> None:
    assert not has_isolated(an_account())
    alone = replace(POOL, id=replace(POOL.id, name="isolated/SOLUSDT"))
    assert has_isolated(an_account(pools=(a_pool(risk=replace(RISK, pool=alone)),)))
