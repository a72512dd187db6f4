"""Which tier a size stands in, what it pays there, and how groups share it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk import Side, TierMeasure, maintenance_margin, rises_above, tier_of
from monitor.risk.tiers import group_sizes, jumping_edges, rough_edges, size_of
from tests.build import tiers

DEDUCTED = tiers((100, "0.01", 0), (200, "0.02", 1), (300, "0.05", 7))
WHOLE = tiers((100, "0.01", 0), (200, "0.02", 0), measured_in=TierMeasure.CONTRACTS)


@pytest.mark.parametrize(
    ("size", "rate"),
    [
        ("0", "0.01"),
        ("99.99", "0.01"),
        ("100", "0.01"),
        ("100.01", "0.02"),
        ("200", "0.02"),
        ("300", "0.05"),
        ("301", "0.05"),
    ],
)
def test_a_tier_holds_above_its_floor_and_up_to_its_cap(size: str, rate: str):
    assert tier_of(Decimal(size), DEDUCTED).maintenance_rate == Decimal(rate)


@pytest.mark.parametrize(
    ("size", "maintenance"),
    [
        ("50", 50 * Decimal("0.01")),
        ("100", Decimal(1)),
        ("150", 150 * Decimal("0.02") - 1),
        ("200", Decimal(3)),
        ("250", 250 * Decimal("0.05") - 7),
        ("400", 400 * Decimal("0.05") - 7),
    ],
)
def test_the_rate_applies_to_the_whole_less_the_deduction(size: str, maintenance: Decimal):
    assert maintenance_margin(Decimal(size), Decimal(size), DEDUCTED) == maintenance


def test_the_deduction_makes_the_two_sides_of_an_edge_meet():
    for lower, upper in zip(DEDUCTED.tiers, DEDUCTED.tiers[1:], strict=False):
        at_edge = [tier.maintenance_rate * upper.floor - tier.deduction for tier in (lower, upper)]
        assert at_edge[0] == at_edge[1]


def test_contracts_may_pick_the_tier_of_a_notional():
    assert size_of(Decimal(150), Decimal(9), WHOLE) == 150
    assert size_of(Decimal(150), Decimal(9), DEDUCTED) == 9
    assert maintenance_margin(Decimal(150), Decimal(9), WHOLE) == 9 * Decimal("0.02")


def test_above_the_last_cap_is_told():
    assert not rises_above(Decimal(300), DEDUCTED)
    assert rises_above(Decimal("300.01"), DEDUCTED)
    assert not rises_above(Decimal(10**9), tiers((None, "0.01", 0)))


def test_a_part_of_a_group_is_deducted_in_proportion():
    whole = maintenance_margin(Decimal(250), Decimal(250), DEDUCTED)
    parts = [
        maintenance_margin(Decimal(250), Decimal(n), DEDUCTED, Decimal(n) / 250) for n in (50, 200)
    ]

    assert sum(parts) == whole


def test_a_group_is_as_large_as_its_larger_side():
    btc, eth = tiers((None, "0.01", 0), group="BTC"), tiers((None, "0.01", 0), group="ETH")
    legs = [
        (btc, Side.LONG, Decimal(3)),
        (btc, Side.LONG, Decimal(2)),
        (btc, Side.SHORT, Decimal(4)),
        (eth, Side.SHORT, Decimal(7)),
        (DEDUCTED, Side.LONG, Decimal(99)),
    ]

    assert group_sizes(legs) == {"BTC": 5, "ETH": 7}


@pytest.mark.parametrize("side", Side)
def test_a_group_of_one_small_leg_is_as_large_as_that_leg(side: Side):
    table = tiers((10, "0.01", 0), (None, "0.02", 0), group="BTC")

    assert group_sizes([(table, side, Decimal("0.25"))]) == {"BTC": Decimal("0.25")}


def test_edges_are_told_where_maintenance_jumps_or_eases():
    table = tiers((10, "0.01", 0), (20, "0.02", "0.1"), (30, "0.03", 0), (None, "0.02", "-0.3"))

    # 10 is deducted (0.01 × 10), 20 is not, at 30 the rate falls without a jump
    assert list(jumping_edges(table)) == [20]
    assert list(rough_edges(table)) == [20, 30]
