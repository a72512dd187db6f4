"""A bound must hold against whatever `evaluate` says, for any marks within it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monitor.risk import MarginPool, Mark, evaluate, requirement
from monitor.risk.model import TierMeasure
from monitor.risk.sway import LARGEST_MOVE, leeway, sway
from tests.build import NOON, a_pool, coins, long, marks, short, tiers
from tests.risk.strategies import decimals, plain_pools, pools

Case = tuple[MarginPool, dict[str, Mark]]


@given(
    case=pools(),
    above=decimals("0.001", "0.5", 3),
    moves=st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6),
)
def test_no_marks_within_the_leeway_reach_the_ratio(
    case: Case, above: Decimal, moves: list[int]
) -> None:
    pool, known = case
    risk = evaluate(pool, known, NOON)
    at_ratio = min(Decimal(1), risk.requirement.ratio + above)
    free = leeway(risk, risk.requirement, at_ratio)
    assert 0 <= free <= LARGEST_MOVE
    if free == 0:
        return
    moved = {
        symbol: Mark(price=m.price * (1 + free * move), at=m.at)
        for (symbol, m), move in zip(known.items(), moves, strict=True)
    }
    assert not requirement(pool, moved).reaches(at_ratio)


@given(
    case=st.one_of(pools(smooth=True), plain_pools()),
    ways=st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6),
)
def test_a_move_of_two_percent_costs_no_more_than_the_sway(case: Case, ways: list[int]) -> None:
    pool, known = case
    hit = sway(evaluate(pool, known, NOON))
    if hit is None:
        return
    moved = {
        symbol: Mark(price=m.price * (1 + way * LARGEST_MOVE), at=m.at)
        for (symbol, m), way in zip(known.items(), ways, strict=True)
    }
    lost = requirement(pool, known).headroom - requirement(pool, moved).headroom
    assert lost <= hit * LARGEST_MOVE


def test_a_hedge_counts_with_both_its_legs() -> None:
    pool = a_pool(long("BTC", 1), short("BTC", 1), cash=1000)
    # 2 legs × 100, two and a half times; of that 1000 − 0.5 % × 200 = 999 may go.
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 500
    risk = evaluate(a_pool(long("BTC", 400), cash=1000), marks(BTC=100), NOON)
    # at 80 %: (0.8 × 1000 − 200) ÷ (40,000 × 2.5)
    assert leeway(risk, risk.requirement, Decimal("0.8")) == Decimal("0.006")


def test_floating_collateral_counts_too() -> None:
    pool = a_pool(cash=0, collateral=(coins("BTC", 2, 100, follows=("BTC", "BTC/USDT:USDT", 100)),))
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 2 * 100 * Decimal("1.2")


def test_there_is_no_bound_where_maintenance_jumps_with_the_mark() -> None:
    jumping = tiers((50, "0.01", 0), (None, "0.5", 0))
    pool = a_pool(long("BTC", 1, tiers=jumping), cash=1000)
    risk = evaluate(pool, marks(BTC=49), NOON)
    assert sway(risk) is None
    assert leeway(risk, risk.requirement) == 0
    deducted = tiers((50, "0.01", 0), (None, "0.5", "24.5"))
    by_count = tiers((50, "0.01", 0), (None, "0.5", 0), measured_in=TierMeasure.CONTRACTS)
    for table in (deducted, by_count):
        smooth = evaluate(a_pool(long("BTC", 1, tiers=table), cash=1000), marks(BTC=49), NOON)
        assert sway(smooth) is not None


def test_a_pool_that_stands_there_already_has_none() -> None:
    risk = evaluate(a_pool(long("BTC", 400), cash=200), marks(BTC=100), NOON)
    assert leeway(risk, risk.requirement) == 0
