"""What new leverage tiers do to what is held, and when ours no longer are the exchange's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.engine.tables import Following, tier_changes
from monitor.risk.evaluate import evaluate
from monitor.risk.model import MarginPool, Reported
from tests.build import NOON, a_pool, flat, long, marks, short, tiers
from tests.engine.scene import LONG, the_pool

if TYPE_CHECKING:
    from monitor.risk.result import PoolRisk

HALF = replace(LONG, tiers=flat("0.5"))


def test_a_higher_rate_is_told_by_what_it_does_at_the_same_marks() -> None:
    found = tier_changes(the_pool(), the_pool(HALF), marks(SOL=110), NOON)
    assert found is not None
    # 600 of balance; 0.4 and 0.5 × 1,100
    assert (found.ratio_before, found.ratio_after) == (Decimal(440) / 600, Decimal(550) / 600)
    (change,) = found.positions
    assert change.position == LONG
    assert (change.maintenance_before, change.maintenance_after) == (440, 550)
    # 10 × mark − 500 = 4 × mark, and = 5 × mark
    assert change.liquidation_before is not None
    assert abs(change.liquidation_before - Decimal(250) / 3) < Decimal("1e-9")
    assert change.liquidation_after is not None
    assert abs(change.liquidation_after - 100) < Decimal("1e-9")


def test_what_was_traded_in_between_makes_no_difference() -> None:
    bigger = replace(HALF, contracts=Decimal(30))
    found = tier_changes(the_pool(), the_pool(bigger, cash=9000), marks(SOL=110), NOON)
    assert found is not None
    assert (found.ratio_before, found.ratio_after) == (Decimal(440) / 600, Decimal(550) / 600)


def test_tiers_that_are_alike_or_that_touch_nothing_held_are_no_change() -> None:
    assert tier_changes(the_pool(), the_pool(), marks(SOL=110), NOON) is None
    far = replace(LONG, tiers=tiers((5000, "0.4", 0), (None, "0.5", 500)))
    farther = replace(LONG, tiers=tiers((5000, "0.4", 0), (None, "0.6", 1000)))
    assert tier_changes(the_pool(far), the_pool(farther), marks(SOL=110), NOON) is None
    gone = the_pool(long("ETH", 1, 100, tiers=flat("0.3")))
    assert tier_changes(the_pool(), gone, marks(SOL=110, ETH=100), NOON) is None


def test_a_tier_that_only_the_way_to_the_end_touches_is_told_as_well() -> None:
    # a short of 10 from 100 with 500: at 110 in the first tier, its end above its edge of 1,200
    first = short("SOL", 10, 100, tiers=tiers((1200, "0.1", 0), (None, "0.2", 120)))
    other = replace(first, tiers=tiers((1200, "0.1", 0), (None, "0.3", 240)))
    found = tier_changes(the_pool(first), the_pool(other), marks(SOL=110), NOON)
    assert found is not None
    assert found.ratio_before == found.ratio_after
    (change,) = found.positions
    # 500 − 10 × (mark − 100) = 2 × mark − 120 and = 3 × mark − 240: 1,620 ÷ 12 and 1,740 ÷ 13
    assert change.liquidation_before is not None
    assert abs(change.liquidation_before - 135) < Decimal("1e-9")
    assert change.liquidation_after is not None
    assert abs(change.liquidation_after - Decimal(1740) / 13) < Decimal("1e-9")


def test_only_positions_whose_own_tiers_changed_are_named() -> None:
    eth = long("ETH", 1, 100)
    found = tier_changes(the_pool(LONG, eth), the_pool(HALF, eth), marks(SOL=110, ETH=100), NOON)
    assert found is not None
    assert [change.position for change in found.positions] == [LONG]


def test_positions_without_tables_of_their_own_are_left_alone() -> None:
    portfolio = replace(LONG, tiers=None)
    for old, new in ((portfolio, HALF), (LONG, portfolio)):
        assert tier_changes(the_pool(old), the_pool(new), marks(SOL=110), NOON) is None


def test_without_a_mark_nothing_is_said() -> None:
    assert tier_changes(the_pool(), the_pool(HALF), {}, NOON) is None


# -- whether theirs follow ours -------------------------------------------------------------


def held(pool: MarginPool, price: int = 110) -> PoolRisk:
    return evaluate(pool, marks(SOL=price), NOON)


def said(maintenance: str, resolution: str = "0") -> Reported:
    return Reported(
        at=NOON, maintenance_margin=Decimal(maintenance), resolution=Decimal(resolution)
    )


def leg(maintenance: str | None) -> MarginPool:
    """10 SOL, of which we say 440 at 110 and 480 at 120."""
    theirs = None if maintenance is None else Decimal(maintenance)
    return the_pool(replace(LONG, reported_maintenance_margin=theirs))


def test_margins_that_agree_follow() -> None:
    found = Following()
    assert found.lost(held(leg("440.00")), said("440.00")) == ()
    assert found.lost(held(leg("480.00"), 120), said("480.00")) == ()


def test_a_position_whose_margin_no_longer_follows_is_named() -> None:
    found = Following()
    found.lost(held(leg("440.00")), None)
    # half a basis point of 1,100 is 0.055
    assert found.lost(held(leg("440.05")), None) == ()
    assert found.lost(held(leg("440.11")), None) == ("SOL/USDT:USDT long",)
    assert found.lost(held(leg("440.11")), None) == ("SOL/USDT:USDT long",)
    assert found.lost(held(leg("440.00")), None) == ()


def test_a_pool_whose_margin_no_longer_follows_is_named() -> None:
    found = Following()
    found.lost(held(leg(None)), said("440.00"))
    assert found.lost(held(leg(None)), said("550.00")) == ("the pool",)
    assert found.lost(held(leg(None)), said("440.00")) == ()


def test_a_difference_that_was_always_there_is_none() -> None:
    # a fee that they count and we do not: 11 of 1,100, then 12 of 1,200
    found = Following()
    assert found.lost(held(leg("451.00")), None) == ()
    assert found.lost(held(leg("492.00"), 120), None) == ()
    assert found.lost(held(leg("480.00"), 120), None) == ("SOL/USDT:USDT long",)


def test_what_the_wire_s_digits_leave_open_is_none() -> None:
    found = Following()
    found.lost(held(leg("440")), said("440.00", "2"))
    assert found.lost(held(leg("441")), said("441.50", "2")) == ()
    assert found.lost(held(leg("443")), said("444.00", "2")) == (
        "SOL/USDT:USDT long",
        "the pool",
    )


def test_a_position_opened_anew_is_looked_at_afresh() -> None:
    found = Following()
    found.lost(held(leg("440.00")), None)
    found.lost(held(a_pool(cash=500)), None)
    assert found.lost(held(leg("451.00")), None) == ()


def test_positions_without_figures_are_left_alone() -> None:
    portfolio = the_pool(
        replace(LONG, tiers=None, reported_maintenance_margin=Decimal(7)),
        other_maintenance=Decimal(1),
    )
    assert Following().lost(held(portfolio), None) == ()
