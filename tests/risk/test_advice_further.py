"""Advice for all in proportion, for pools in debt, and where the requirement is not ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import (
    Basis,
    Borrow,
    MarginPool,
    Target,
    TierMeasure,
    adverse_move,
)
from monitor.risk.advice import _enough, _turns
from tests.build import a_pool, coins, flat, inverse, linear, long, mark, marks, short, tiers
from tests.risk.test_advice import BOTH, DISTANCE_ONLY, RATIO_ONLY, ask

# --- all in proportion


def test_all_in_proportion_closes_the_same_share_of_each():
    """Maintenance 10 + 2 of 16, at most half: a third of each must go."""
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")), long("ETH", 20, 10, tiers=flat("0.01")), cash=16
    )

    found = ask(pool, marks(BTC=100, ETH=10), RATIO_ONLY).all_in_proportion

    # 10 in lots of 0.001 are 10,000 steps, 20 are 20,000: 6,667 of these 20,000
    assert found is not None
    assert found.share == Decimal(6667) / 20_000
    assert [c.contracts for c in found.closings] == [Decimal("3.334"), Decimal("6.667")]
    assert [c.position for c in found.closings] == list(pool.positions)
    assert found.margin_ratio == (Decimal("6.666") + Decimal("1.3333")) / 16
    assert found.adverse_move is not None


def test_all_in_proportion_pays_every_fee():
    """10 + 10 of maintenance, 30 there; each per cent closed costs 0.1 + 0.2 of it."""
    fees = [Decimal("0.01"), Decimal("0.02")]
    pool = a_pool(
        *(
            long(linear(coin, lot="0.1"), 10, tiers=flat("0.01"), taker_fee_rate=rate)
            for coin, rate in zip(("BTC", "ETH"), fees, strict=True)
        ),
        cash=30,
    )

    found = ask(pool, marks(BTC=100, ETH=100), RATIO_ONLY).all_in_proportion

    # 20·(1 − s) against half of 30 − 30·s: s = 1
    assert found is not None
    assert found.share == 1
    assert (found.margin_ratio, found.adverse_move) == (0, None)


def test_of_one_position_there_is_no_proportion():
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12)

    assert ask(pool, marks(BTC=100), RATIO_ONLY).all_in_proportion is None


def test_where_even_all_of_it_does_not_do_it_nothing_is_said():
    pool = a_pool(
        long("BTC", 1, tiers=flat("0.01")),
        long("ETH", 1, tiers=flat("0.01")),
        cash=5,
        other_maintenance=Decimal(3),
    )

    advice = ask(pool, marks(BTC=100, ETH=100), RATIO_ONLY)
    assert (advice.reductions, advice.all_in_proportion) == ((), None)
    assert advice.top_up is not None
    assert advice.top_up.amount == 5  # 1 + 1 + 3 are half of 10


def test_closing_all_ends_it_even_where_a_debt_remains():
    """50 less 100 lost: nothing is held against what is owed then."""
    pool = a_pool(long("BTC", 1, 200, tiers=flat("0.01")), cash=50)

    (reduction,) = ask(pool, marks(BTC=100), RATIO_ONLY).reductions

    assert (reduction.contracts, reduction.margin_ratio) == (1, 0)


# --- debts, and what is not modelled


def test_a_top_up_repays_a_debt_and_frees_its_margin():
    """
    100 USDT are owed at 4 %, beside 2 BTC worth 200 and 1 of maintenance.

    Now 5 of 100. With 20 added: 80 owed, 1 + 3.2 of 120, which are 3.5 %.
    """
    borrow = Borrow(tiers=tiers((None, "0.04", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("ETH", 1, tiers=flat("0.01")),
        unit="USD",
        top_up_asset="USDT",
        collateral=(replace(coins("USDT", -100), borrow=borrow), coins("BTC", 2, 100)),
    )
    target = Target(ratio=Decimal("0.035"), distance=Decimal(0))

    top_up = ask(pool, marks(ETH=100), target).top_up

    assert top_up is not None
    assert top_up.amount == 20
    assert top_up.margin_ratio == Decimal("0.035")


def test_closing_frees_the_margin_of_the_debt_that_its_loss_would_make():
    """At 90 the long loses 100 more, of which all is owed: 110 %; 8 of 10 may stay at 2 %…"""
    borrow = Borrow(tiers=tiers((None, "0.1", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("ETH", 10, tiers=flat("0.01")),
        unit="USD",
        top_up_asset="USDT",
        collateral=(replace(coins("USDT"), borrow=borrow), coins("BTC", 1, "95.2")),
    )
    target = Target(ratio=Decimal(1), distance=Decimal("0.1"))

    (reduction,) = ask(pool, marks(ETH=100), target).reductions

    # L kept: 95.2 − 10·L against 0.9·L + 0.1 × 10·L, so L = 95.2 ÷ 11.9 = 8
    assert reduction.contracts == 2


def test_where_the_requirement_is_the_exchanges_own_only_the_top_up_is_known():
    """A stress test of 100 against 120: 80 more make it half, and 5 % cost but 55."""
    reported = a_pool(
        long("BTC", 10, tiers=None),
        long("ETH", 10, 10, tiers=None),
        cash=120,
        other_maintenance=Decimal(100),
        basis=Basis.REPORTED,
    )

    advice = ask(reported, marks(BTC=100, ETH=10), BOTH)

    assert (advice.reductions, advice.all_in_proportion) == ((), None)
    assert advice.top_up is not None
    assert advice.top_up.amount == 80
    assert advice.top_up.margin_ratio == Decimal("0.5")


def test_a_reported_pool_whose_positions_have_tiers_is_no_better_known():
    pool = a_pool(long("BTC", 10), cash=120, other_maintenance=Decimal(100), basis=Basis.REPORTED)

    assert ask(pool, marks(BTC=100), BOTH).reductions == ()


def test_a_position_without_tiers_is_in_no_reduction():
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")),
        long("ETH", 10, 10, tiers=None),
        cash=12,
        basis=Basis.PARTLY,
    )

    advice = ask(pool, marks(BTC=100, ETH=10), RATIO_ONLY)

    assert [r.position.instrument.base for r in advice.reductions] == ["BTC"]
    assert advice.all_in_proportion is None


def test_a_jump_on_the_way_counts_though_the_distance_itself_is_safe():
    """
    At 97 the notional falls to 970, where the dear tier is left: 5 % away all is well, 3 % not.

    Just above 97 it has lost 30 and holds 60 % of 970; below it holds 1 %.
    """
    table = tiers((970, "0.01", 0), (990, "0.6", 0), (None, "0.01", 0))
    pool = a_pool(long("BTC", 10, tiers=table), cash=500)
    known = marks(BTC=100)
    assert adverse_move(pool, known) == pytest.approx(Decimal("-0.01"))

    top_up = ask(pool, known, DISTANCE_ONLY).top_up

    # 470 + x against 582
    assert top_up is not None
    assert top_up.amount == pytest.approx(Decimal(112), abs=Decimal("1e-7"))


def test_the_turn_of_a_group_is_found_where_the_sides_are_tiered_together():
    """
    Long 10 and short 9 tiered on 10: 5 %. Down to 8 on either side it is 1 %.

    19 × 100 × 5 % = 95 of 100. Closing 1 long leaves 9, tiered still at 5 %; the short keeps
    the pair there, so no number of longs alone does it, and of shorts none either.
    """
    table = tiers((8, "0.01", 0), (None, "0.05", 0), measured_in=TierMeasure.CONTRACTS, group="B")
    pool = a_pool(long("BTC", 10, tiers=table), short("BTC", 9, tiers=table), cash=100)

    advice = ask(pool, marks(BTC=100), Target(ratio=Decimal("0.3"), distance=Decimal(0)))

    assert advice.reductions == ()
    # a fifth of each: 8 and 7.2, or 15.2 of 100
    assert advice.all_in_proportion is not None
    assert [c.contracts for c in advice.all_in_proportion.closings] == [2, Decimal("1.8")]
    assert advice.all_in_proportion.margin_ratio == Decimal("0.152")


# --- where it is looked for


def turns(pool: MarginPool, at: int, distance: str = "0.1") -> list[Decimal]:
    """The contracts of one position at which what is spare may jump, rounded."""
    target = Target(ratio=Decimal("0.5"), distance=Decimal(distance))
    found = _turns(pool, marks(BTC=100, ETH=10), pool.positions[at], target)
    return [round(contracts, 6) for contracts in found]


def test_a_hedge_turns_over_where_its_legs_meet_and_at_each_edge_now_below_and_above():
    table = tiers((500, "0.01", 0), (800, "0.02", 0), (None, "0.03", 0))
    pool = a_pool(long("BTC", 10, tiers=table), short("BTC", 4, tiers=table), long("ETH"))

    # 1,000 are 500 and 200 above the edges at 100, 900 at 90 and 1,100 at 110
    assert turns(pool, 0) == [6, 5, 2] + [
        round(Decimal(above) / price, 6)
        for above, price in ((400, 90), (100, 90), (600, 110), (300, 110))
    ]
    # the smaller leg turns nothing round; its 400 are 100 and 400 below the edges
    assert turns(pool, 1)[:2] == [-1, -4]
    assert turns(pool, 2) == []  # nothing stands against it


def test_legs_in_different_coins_meet_by_their_worth():
    """300 USD long in USDT, 500 short in coins at 100: 200 of the short stand alone."""
    pool = a_pool(
        long("BTC", 3),
        short(inverse("BTC", size=1), 500),
        collateral=(coins("USDT"), coins("BTC", 0, 100)),
    )
    known = {**marks(BTC=100), "BTC/USD:BTC": mark(100)}

    found = _turns(pool, known, pool.positions[1], RATIO_ONLY)
    assert list(found) == [200]


def test_the_best_of_two_pulls_is_found_however_small_the_sums():
    """As with 100 times as much: 10 % closed of either leg, and nothing less or more."""
    pool = a_pool(
        long("BTC", "0.1", tiers=flat("0.01")), short("BTC", "0.1", tiers=flat("0.01")), cash="0.4"
    )
    target = Target(ratio=Decimal("0.45"), distance=Decimal("0.05"))

    assert [r.contracts for r in ask(pool, marks(BTC=100), target).reductions] == [
        Decimal("0.02"),
        Decimal("0.02"),
    ]


def test_the_one_number_of_lots_between_two_edges_is_found_where_less_and_more_costs():
    """
    Down to 8 a long of 10 needs 1 %, above it 5 %; each contract closed costs 11 of fee.

    39 − 22 halved are 8.5 against 8. A tenth less: 39 − 20.9 against 40.5; from 0.2 more on:
    39 − 24.2 halved against 7.8. On either side it only falls, so the edge alone tells.
    """
    table = tiers((8, "0.01", 0), (None, "0.05", 0), measured_in=TierMeasure.CONTRACTS)
    dear = long(linear("BTC", lot="0.1"), 10, tiers=table, taker_fee_rate=Decimal("0.11"))
    pool = a_pool(dear, short("BTC", 1, tiers=None), cash=39)

    (reduction,) = ask(pool, marks(BTC=100), RATIO_ONLY).reductions

    assert reduction.contracts == 2
    assert reduction.margin_ratio == Decimal(8) / 17


def test_coins_owned_stand_against_a_position_too():
    """3 coins at 100 against 10 short of them: 7 closed, the rest is covered."""
    pool = a_pool(
        short("BTC", 10),
        collateral=(coins("USDT"), coins("BTC", 3, 100, follows=("BTC", "BTC/USDT:USDT", 100))),
    )

    assert turns(pool, 0) == [7]


def test_legs_of_one_side_and_group_are_tiered_on_their_sum():
    table = tiers((8, "0.01", 0), (None, "0.03", 0), measured_in=TierMeasure.CONTRACTS, group="B")
    other = replace(table, group="C")
    pool = a_pool(
        long("BTC", 10, tiers=table),
        short("BTC", 9, tiers=table),
        long("ETH", 5, 10, tiers=table),
        long("ETH", 3, 10, tiers=other),
        long("ETH", 2, 10, tiers=None),
    )

    assert turns(pool, 0) == [1, 7, 7, 7]  # 10 − 9, and 15 − 8 whatever the price


def test_a_debt_after_the_move_turns_it_where_closing_keeps_it_away():
    """
    −30 USDT and 50 won; at 90 the pair has lost 10, at 110 won 110; 8 may be owed before a jump.

    Every contract closed keeps 10 of the loss, or of the gain, and costs 0.1.
    """
    borrow = Borrow(tiers=tiers((8, "0.1", 0), (None, "0.2", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("BTC", 10, 95, taker_fee_rate=Decimal("0.001")),
        short("BTC", 4),
        collateral=(replace(coins("USDT", -30), borrow=borrow),),
    )

    rises = [Decimal(80) / Decimal("10.1"), Decimal(88) / Decimal("10.1")]
    falls = [Decimal(-40) / Decimal("-9.9"), Decimal(-32) / Decimal("-9.9")]
    assert turns(pool, 0) == [6, *(round(n, 6) for n in (*rises, *falls))]


def test_without_a_move_and_a_fee_closing_turns_no_debt():
    borrow = Borrow(tiers=tiers((8, "0.1", 0), (None, "0.2", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("BTC", 10, 95),
        short("BTC", 4),
        collateral=(replace(coins("USDT", -30), borrow=borrow),),
    )

    assert turns(pool, 0, distance="0") == [6]


@pytest.mark.parametrize("peak", [1, 2, 20, 49, 50, 51, 63, 98, 99])
@pytest.mark.parametrize("wide", [0, 1, 7])
def test_a_peak_is_found_wherever_it_stands(peak: int, wide: int):
    """Rises to a half above 0 at the peak, and falls from there: only `wide` beside it will do."""

    def spare(steps: int) -> Decimal:
        return Decimal("0.5") + wide - abs(steps - peak)

    first = max(peak - wide, 0)
    assert _enough(spare, 100) == (first if first > 0 else 1)


def test_the_one_step_between_two_that_fall_short_is_found():
    assert _enough(lambda steps: Decimal((-1, 1, -1)[steps]), 2) == 1
    assert _enough(lambda steps: Decimal((-1, 0, -1)[steps]), 2) == 1


def test_where_no_step_does_it_there_is_none():
    assert _enough(lambda steps: Decimal(-1) - abs(steps - 40), 100) is None
    assert _enough(lambda steps: Decimal(steps - 101), 100) is None
    assert _enough(lambda steps: Decimal(-steps - 1), 100) is None
    assert _enough(lambda steps: Decimal(steps - 100), 100) == 100


@pytest.mark.parametrize(("turn", "only"), [("5.5", 5), ("5.5", 6), ("5", 4), ("5", 5), ("5", 6)])
def test_both_sides_of_a_turn_are_looked_at(turn: str, only: int):
    """Level ground everywhere, and one step beside the turn, or on it, that does."""
    found = _enough(lambda steps: Decimal(steps == only) - Decimal("0.5"), 10, [Decimal(turn)])

    assert found == only


def test_something_is_closed_at_least():
    """Where solving left nothing wanting and the target is yet missed by a hair: a step."""
    assert _enough(lambda _: Decimal(0), 9, [Decimal(0)]) == 1


def test_nothing_less_than_nothing_is_asked_of():
    known = {0: -3, 1: 1, 2: -2, 3: -4}

    assert _enough(lambda steps: Decimal(known[steps]), 3) == 1


def test_coins_that_outlive_what_they_cover_are_not_laid_bare():
    """
    10 BTC short at 100 in two contracts, 3 coins owned, 290 owed: 10 of balance, 1 % held.

    Of n short, a rise by 5 % leaves 10 − 5 (n − 3) for 1.05 n, so n may be 25 ÷ 6.05 = 4.132; a
    fall leaves 10 − 5 (3 − n) for 0.95 n, so n may not be below 1.235. But 0 may: nothing is held
    against it. 3,521 of 6,000 lots close 3.521 and 2.348; a step before, 5.867, leaves 4.133.
    """
    rate = flat("0.01")
    pool = a_pool(
        short("BTC", 6, tiers=rate),
        short(linear("BTC", settle="USDC"), 4, tiers=rate),
        collateral=(
            coins("USDT", -290),
            coins("USDC"),
            coins("BTC", 3, 100, follows=("BTC", "BTC/USDT:USDT", 100)),
        ),
    )
    known = {**marks(BTC=100), "BTC/USDC:USDC": mark(100)}

    found = ask(pool, known, BOTH).all_in_proportion

    assert found is not None
    assert found.share == Decimal(3521) / 6000
    assert [c.contracts for c in found.closings] == [Decimal("3.521"), Decimal("2.348")]
