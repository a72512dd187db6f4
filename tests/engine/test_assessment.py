"""From a pool and marks to an assessment, offline as in the daemon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure
from monitor.alerts.place import Place
from monitor.engine.assessment import (
    assess_pool,
    distance_left,
    figures,
    most_adverse,
    reconciled,
    solved,
)
from monitor.errors import MissingMark
from monitor.risk.model import Mark, Reported
from monitor.risk.result import Target, Verdict
from monitor.risk.solve import outlook
from tests.build import NOON, flat, linear, long, mark, marks, short
from tests.engine.scene import LONG, the_pool

SOL, ETH = "SOL/USDT:USDT", "ETH/USDT:USDT"


def reported(balance: str, maintenance: str) -> Reported:
    return Reported(
        at=NOON, margin_balance=Decimal(balance), maintenance_margin=Decimal(maintenance)
    )


def test_an_assessment_holds_everything_solved_at_these_marks() -> None:
    found = assess_pool(
        the_pool(), marks(SOL=88), NOON, ladder=DEFAULT_LADDER, target=Target(), age_seconds=2.5
    )
    # balance 500 − 120, maintenance 0.4 × 880
    assert (found.requirement.margin_balance, found.requirement.maintenance_margin) == (380, 352)
    assert (found.rung, found.age_seconds, found.reconciliation) == ("critical", 2.5, None)
    assert found.outlook is not None
    nearest = found.outlook.liquidation[SOL].nearest
    assert nearest is not None
    assert abs(nearest - Decimal(250) / 3) < Decimal("1e-9")
    assert found.advice is not None
    assert found.advice.top_up is not None
    assert found.advice.top_up.amount == 324


def test_a_rung_stood_on_before_holds_until_its_leave() -> None:
    # at 104: balance 540, maintenance 416: 77.04 %
    at = marks(SOL=104)
    held = assess_pool(
        the_pool(),
        at,
        NOON,
        ladder=DEFAULT_LADDER,
        target=Target(),
        place=Place(alarms=("warning",)),
    )
    fresh = assess_pool(the_pool(), at, NOON, ladder=DEFAULT_LADDER, target=Target())
    assert (held.rung, fresh.rung) == ("warning", None)


def test_rungs_on_distance_count_in_an_assessment() -> None:
    # 83.333 is 4.2 % below 87; at 94.1 % the pool stands on a graver rung as well
    ladder = Ladder(rungs=DEFAULT_LADDER.on(Measure.DISTANCE))
    found = assess_pool(the_pool(), marks(SOL=87), NOON, ladder=ladder, target=Target())
    assert found.rung == "near"
    both = assess_pool(the_pool(), marks(SOL=87), NOON, ladder=DEFAULT_LADDER, target=Target())
    assert both.rung == "critical"


def test_while_they_disagree_the_worse_pair_drives_carried_by_our_own_change() -> None:
    # at 120: ours 700 and 480; theirs 50 less of balance, which is 417 bp of the notional
    judged = reconciled(the_pool(), marks(SOL=120), reported("650", "480"), NOON)
    assert judged.verdict is Verdict.DISAGREES
    now = figures(the_pool(), marks(SOL=100), NOON, judged)
    assert now.risk.requirement.margin_balance == 500
    assert (now.requirement.margin_balance, now.requirement.maintenance_margin) == (450, 400)


def test_while_they_agree_ours_drives() -> None:
    judged = reconciled(the_pool(), marks(SOL=120), reported("699.9", "480"), NOON)
    assert judged.verdict is Verdict.AGREES
    now = figures(the_pool(), marks(SOL=100), NOON, judged)
    assert now.requirement.margin_balance == 500


def test_the_most_adverse_marks_are_picked_for_each_symbol() -> None:
    # 10 SOL long and 1 ETH short, both from 100, at 40 %
    pool = the_pool(LONG, short("ETH", 1, 100, tiers=flat("0.4")))
    now = figures(pool, marks(SOL=100, ETH=100), NOON)
    worst = {SOL: (mark(95), mark(110)), ETH: (mark(90), mark(130))}
    found = most_adverse(now, worst)
    assert found is not None
    assert (found.risk.marks[SOL].price, found.risk.marks[ETH].price) == (95, 130)
    # 500 − 50 − 30; 0.4 × (950 + 130)
    assert found.requirement.margin_balance == 420
    assert found.requirement.maintenance_margin == 432


@pytest.mark.parametrize(
    ("because", "told", "balance"),
    [
        # 10 long and 10 short, both from 100, with 500: 500 + 10 × (long's mark - short's).
        ("both were at 100 before: neither leg ever lost", ((100, 90), (100, 90)), 500),
        ("the long leg fell farther for a moment", ((90, 65), (90, 85)), 300),
        ("the short leg rose farther for a moment", ((120, 90), (130, 90)), 400),
        ("one leg alone was low for a moment", ((90, 75), (90,)), 350),
    ],
)
def test_legs_of_one_coin_are_at_their_lowest_together_or_at_their_highest(
    because: str, told: tuple[tuple[int, ...], tuple[int, ...]], balance: int
) -> None:
    dated, low = replace(linear("SOLX"), base="SOL"), flat("0.01")
    pool = the_pool(long("SOL", 10, 100, tiers=low), short(dated, 10, 100, tiers=low))
    now = figures(pool, marks(SOL=90, SOLX=90), NOON)
    legs = zip((SOL, dated.symbol), told, strict=True)
    found = most_adverse(now, {leg: tuple(map(mark, prices)) for leg, prices in legs})
    assert found is not None
    assert found.requirement.margin_balance == balance, because


def test_what_legs_of_one_coin_were_at_one_tick_counts_however_far_apart() -> None:
    dated, low = replace(linear("SOLX"), base="SOL"), flat("0.01")
    pool = the_pool(long("SOL", 10, 100, tiers=low), short(dated, 10, 100, tiers=low))
    now = figures(pool, marks(SOL=100, SOLX=100), NOON)
    then = NOON - timedelta(seconds=1)
    apart = {
        SOL: (Mark(price=Decimal(77), at=then),),
        dated.symbol: (Mark(price=Decimal(124), at=then),),
    }
    found = most_adverse(now, apart)
    assert found is not None
    # 500 + 10 × (77 - 124)
    assert found.requirement.margin_balance == 30
    # Of two moments that is nothing that ever was.
    apart[dated.symbol] = (Mark(price=Decimal(124), at=then + timedelta(seconds=0.5)),)
    of_two = most_adverse(now, apart)
    assert of_two is not None
    assert of_two.requirement.margin_balance == 500 - 10 * 24


def test_where_the_newest_marks_are_the_worst_there_is_nothing_more_adverse() -> None:
    now = figures(the_pool(), marks(SOL=100), NOON)
    assert most_adverse(now, {SOL: (mark(101), mark(130))}) is None
    assert most_adverse(now, {ETH: (mark(1),)}) is None
    assert most_adverse(now, {}) is None


def test_the_distance_left_is_positive_and_nothing_beyond_the_end() -> None:
    # 83.333 ÷ 88 − 1
    near = figures(the_pool(), marks(SOL=88), NOON)
    left = distance_left(near, outlook(the_pool(), marks(SOL=88), NOON))
    assert left is not None
    assert abs(left - (1 - Decimal(250) / 264)) < Decimal("1e-9")
    over = figures(the_pool(), marks(SOL=80), NOON)
    assert distance_left(over, None) == 0
    safe = the_pool(long("SOL", 1, 100), cash=100000)
    assert distance_left(figures(safe, marks(SOL=88), NOON), None) is None


def test_a_mark_that_is_missing_is_an_error() -> None:
    with pytest.raises(MissingMark):
        assess_pool(the_pool(), {}, NOON, ladder=DEFAULT_LADDER, target=Target())


def test_advice_does_for_both_where_one_has_the_higher_ratio_and_the_other_the_nearer_end() -> None:
    # at 120 ours has 700 and 480; theirs 100 and 100 and 97 more: 577 ÷ 800 = 72 %
    judged = reconciled(the_pool(), marks(SOL=120), reported("800", "577"), NOON)
    assert judged.verdict is Verdict.DISAGREES
    now = figures(the_pool(), marks(SOL=120), NOON, judged)
    # theirs leaves 223, ours 220: ours ends first, theirs has the higher ratio
    assert now.ahead is now.risk
    assert now.requirement.maintenance_margin == 577
    _, advice = solved(now, Target(ratio=Decimal("0.5"), distance=Decimal("0.05")))
    assert advice.top_up is not None
    # 577 ÷ 0.5 − 800, and not 480 ÷ 0.5 − 700
    assert advice.top_up.amount == 354
