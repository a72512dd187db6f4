"""A bound must hold against whatever `evaluate` says, for any marks within it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monitor.risk import Borrow, MarginPool, Mark, PoolRisk, evaluate, requirement
from monitor.risk.model import TierMeasure
from monitor.risk.sway import LARGEST_MOVE, leeway, sway
from tests.build import NOON, a_pool, coins, long, marks, short, tiers
from tests.risk.strategies import carrying, decimals, dented, indebted, plain_pools, pools

Case = tuple[MarginPool, dict[str, Mark]]


@given(
    case=st.one_of(pools(), indebted(), dented(), carrying()),
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
        for (symbol, m), move in zip(known.items(), moves, strict=False)
    }
    assert not requirement(pool, moved).reaches(at_ratio)


@given(
    case=st.one_of(pools(smooth=True), plain_pools(), indebted(), dented(), carrying()),
    ways=st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6),
)
def test_a_move_of_two_percent_costs_no_more_than_the_sway(case: Case, ways: list[int]) -> None:
    pool, known = case
    hit = sway(evaluate(pool, known, NOON))
    if hit is None:
        return
    moved = {
        symbol: Mark(price=m.price * (1 + way * LARGEST_MOVE), at=m.at)
        for (symbol, m), way in zip(known.items(), ways, strict=False)
    }
    lost = requirement(pool, known).headroom - requirement(pool, moved).headroom
    assert lost <= hit * LARGEST_MOVE


def test_a_hedge_counts_with_both_its_legs() -> None:
    pool = a_pool(long("BTC", 1), short("BTC", 1), cash=1000)
    # 2 legs × 100: 5 % more than is moved, and 2.05 times the growth at 0.5 %.
    each = 100 * (Decimal("1.05") + Decimal("2.05") * Decimal("0.005"))
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 2 * each
    risk = evaluate(a_pool(long("BTC", 400), cash=1000), marks(BTC=100), NOON)
    # at 80 %: 0.8 × 1000 − 200 may go
    assert leeway(risk, risk.requirement, Decimal("0.8")) == 600 / (400 * each)


def test_floating_collateral_counts_too() -> None:
    pool = a_pool(cash=0, collateral=(coins("BTC", 2, 100, follows=("BTC", "BTC/USDT:USDT", 100)),))
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 2 * 100


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


OWED = TierMeasure.CONTRACTS


def owing(balance: Decimal | int, borrow: Borrow) -> MarginPool:
    """100 USDT of notional against a wallet that may owe."""
    return a_pool(long("BTC", 1), collateral=(replace(coins("USDT", balance), borrow=borrow),))


def test_a_debt_is_lost_with_what_it_is_charged() -> None:
    table = tiers((50, "0.02", 0), (None, "0.04", 1), measured_in=OWED)
    borrow = Borrow(tiers=table, fee_rate=Decimal("0.01"))

    # whatever is lost may be owed, at 4 % and 1 % of 104 %
    charged = 1 + Decimal("0.04") + Decimal("0.0104")
    grows = Decimal("2.05") * Decimal("0.005")
    expected = 100 * (Decimal("1.05") * charged + grows)
    assert sway(evaluate(owing(-10, borrow), marks(BTC=100), NOON)) == expected


def test_there_is_no_bound_where_a_debt_may_reach_a_jump() -> None:
    """2 % of 100 may be lost, 2.06 at the worst: an edge at 50 lies within reach of 48."""
    table = tiers((50, "0.02", 0), (None, "0.04", 0), measured_in=OWED)
    jumping, deducted = (
        Borrow(tiers=table),
        Borrow(tiers=tiers((50, "0.02", 0), (None, "0.04", 1), measured_in=OWED)),
    )
    known = marks(BTC=100)

    def bound(balance: Decimal | int, borrow: Borrow) -> Decimal | None:
        return sway(evaluate(owing(balance, borrow), known, NOON))

    near = Decimal("47.95"), Decimal("47.93")
    assert [bound(-owed, jumping) is None for owed in near] == [True, False]
    assert [bound(-owed, jumping) is None for owed in (47, 48, 52, 53)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert bound(-48, deducted) is not None
    # what was borrowed outright stays owed
    assert bound(0, Borrow(tiers=table, loan=Decimal(50))) is None
    assert bound(0, Borrow(tiers=table, loan=Decimal(51))) is not None


def test_a_debt_that_nothing_moves_jumps_nowhere() -> None:
    table = tiers((50, "0.02", 0), (None, "0.04", 0), measured_in=OWED)
    floats = replace(
        coins("BTC", -50, 2, follows=("BTC", "BTC/USDT:USDT", 2)), borrow=Borrow(tiers=table)
    )
    pool = a_pool(collateral=(coins("USDT", 300), floats))

    # 50 coins at 2 are owed, and 4 % of them
    assert sway(evaluate(pool, marks(BTC=2), NOON)) == 100 + 4


def test_a_position_without_tiers_adds_its_loss_alone() -> None:
    pool = a_pool(long("BTC", 1, tiers=None), cash=1000, other_maintenance=Decimal(9))
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 100 * Decimal("1.05")


def test_the_leeway_is_to_the_end_unless_less_is_asked_for() -> None:
    risk = evaluate(a_pool(long("BTC", 400), cash=600), marks(BTC=100), NOON)

    # 200 of 600 are held; 400 may go to the end, 280 to 80 %
    assert leeway(risk, risk.requirement) == leeway(risk, risk.requirement, Decimal(1))
    assert leeway(risk, risk.requirement) == 400 / sway_of(risk)


def test_the_leeway_spends_no_more_headroom_than_it_may() -> None:
    risk = evaluate(a_pool(long("BTC", 400), cash=600), marks(BTC=100), NOON)

    for spending, most in ((100, 100), (400, 280), (0, 0), (-5, 0)):
        free = leeway(risk, risk.requirement, Decimal("0.8"), spending=Decimal(spending))
        assert free == most / sway_of(risk)


def sway_of(risk: PoolRisk) -> Decimal:
    found = sway(risk)
    assert found is not None
    return found


def test_what_is_lost_counts_at_the_dearer_of_an_assets_rates() -> None:
    for rates in (("0.9", "1.1"), ("1.1", "0.9")):
        pool = a_pool(long("BTC"), collateral=(coins("USDT", 1000, rates=rates),))
        each = Decimal("1.05") + Decimal("2.05") * Decimal("0.005")
        assert sway(evaluate(pool, marks(BTC=100), NOON)) == 100 * each * Decimal("1.1")


def test_legs_tiered_together_by_notional_may_cost_thrice_their_rate() -> None:
    table = tiers((50, "0.01", 0), (None, "0.02", "0.5"), group="BTC")
    pool = a_pool(long("BTC", tiers=table), cash=1000)

    each = Decimal("1.05") + Decimal("2.05") * 3 * Decimal("0.02")
    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 100 * each


def test_the_leeway_of_a_small_pool_is_that_of_a_large_one() -> None:
    large, small = (
        evaluate(a_pool(long("BTC", size), cash=cash), marks(BTC=100), NOON)
        for size, cash in ((400, 600), ("0.4", "0.6"))
    )
    assert leeway(large, large.requirement) == leeway(small, small.requirement)


def test_where_nothing_is_spare_there_is_no_leeway_though_nothing_moves() -> None:
    pool = a_pool(cash=5, other_maintenance=Decimal(5))
    risk = evaluate(pool, {}, NOON)

    assert sway(risk) == 0
    assert leeway(risk, risk.requirement) == 0
    assert leeway(risk, replace(risk.requirement, margin_balance=Decimal(6))) == LARGEST_MOVE
