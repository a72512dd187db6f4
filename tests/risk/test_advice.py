"""What brings a pool back: exact amounts, what each item leaves, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import (
    Advice,
    Basis,
    Borrow,
    MarginPool,
    Mark,
    Target,
    TierMeasure,
    adverse_move,
    advise,
    evaluate,
    reduced,
    requirement,
    topped_up,
)
from tests.build import NOON, a_pool, coins, flat, inverse, linear, long, mark, marks, short, tiers

RATIO_ONLY = Target(ratio=Decimal("0.5"), distance=Decimal(0))
DISTANCE_ONLY = Target(ratio=Decimal(1), distance=Decimal("0.05"))
BOTH = Target()


def ask(pool: MarginPool, known: dict[str, Mark], target: Target) -> Advice:
    return advise(evaluate(pool, known, NOON), target)


def test_where_both_targets_hold_nothing_is_advised():
    pool = a_pool(long("BTC", 10), cash=1000)

    assert ask(pool, marks(BTC=100), BOTH) == Advice(target=BOTH, top_up=None, reductions=())


def test_a_top_up_to_a_ratio():
    """Maintenance 10 of a balance of 12: 20 are wanted."""
    advice = ask(a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12), marks(BTC=100), RATIO_ONLY)

    assert advice.top_up is not None
    assert (advice.top_up.asset, advice.top_up.amount) == ("USDT", 8)
    assert advice.top_up.wallet == "futures wallet"
    assert advice.top_up.margin_ratio == Decimal("0.5")


def test_a_top_up_to_a_distance():
    """At 95 the pool has lost 50 and holds 9.5 of maintenance: 59.5 are wanted, 12 there."""
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12)

    advice = ask(pool, marks(BTC=100), DISTANCE_ONLY)

    assert advice.top_up is not None
    assert advice.top_up.amount == Decimal("47.5")
    assert advice.top_up.adverse_move is not None
    assert abs(advice.top_up.adverse_move + Decimal("0.05")) < Decimal("1e-15")


def test_both_targets_must_hold_so_the_greater_amount_is_named():
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12)

    top_up = ask(pool, marks(BTC=100), BOTH).top_up

    assert top_up is not None
    assert top_up.amount == Decimal("47.5")


def test_a_top_up_counts_after_its_haircut_and_is_rounded_up():
    """8 more wanted, a coin counts 3 × 0.9: 2.962962963."""
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")),
        collateral=(coins("USDT", 12), coins("SOL", 0, 3, haircuts=((None, "0.1"),))),
        top_up_asset="SOL",
    )

    top_up = ask(pool, marks(BTC=100), RATIO_ONLY).top_up

    assert top_up is not None
    assert top_up.amount == Decimal("2.96296297")


def test_a_top_up_passes_through_the_steps_of_its_haircut():
    """The first 2 coins count in full, the rest by half: 2 + 6 × 2."""
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")),
        collateral=(coins("USDT", 12), coins("DAI", 0, haircuts=((2, 0), (None, "0.5")))),
        top_up_asset="DAI",
    )

    top_up = ask(pool, marks(BTC=100), RATIO_ONLY).top_up

    assert top_up is not None
    assert top_up.amount == 14


@pytest.mark.parametrize("haircuts", [((None, 1),), ((2, 0), (None, 1)), ((2, 0),)])
def test_a_top_up_that_no_amount_achieves_is_left_out(haircuts):
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")),
        collateral=(coins("USDT", 12), coins("DAI", 0, haircuts=haircuts)),
        top_up_asset="DAI",
    )

    assert ask(pool, marks(BTC=100), RATIO_ONLY).top_up is None


def test_an_unlisted_top_up_asset_is_left_out():
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12, top_up_asset="SOL")

    assert ask(pool, marks(BTC=100), RATIO_ONLY).top_up is None


def test_a_reduction_is_rounded_up_to_the_lot():
    """Maintenance of 6 is half of 12: close 4 of 10; to 5.9 of 11.8, in lots of 0.001, more."""
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=12)
    poorer = a_pool(long("BTC", 10, tiers=flat("0.01")), cash="11.8005")

    assert [r.contracts for r in ask(pool, marks(BTC=100), RATIO_ONLY).reductions] == [4]
    # keep 5.90025, so close 4.09975
    assert [r.contracts for r in ask(poorer, marks(BTC=100), RATIO_ONLY).reductions] == [
        Decimal("4.100")
    ]


def test_a_reduction_pays_its_taker_fee():
    """10 − k of maintenance against half of 12 − 0.05·k: k = 4 ÷ 0.975."""
    held = long("BTC", 10, tiers=flat("0.01"), taker_fee_rate=Decimal("0.0005"))

    (reduction,) = ask(a_pool(held, cash=12), marks(BTC=100), RATIO_ONLY).reductions

    assert reduction.contracts == Decimal("4.103")  # 4.10256…
    assert reduction.margin_ratio <= Decimal("0.5")


def test_reductions_come_with_the_least_notional_first():
    """Maintenance 11 of 20: 1 must go; SOL pays 10 % of its notional and needs least."""
    pool = a_pool(
        long("BTC", 5, tiers=flat("0.01")),
        long("SOL", 20, 1, tiers=flat("0.1")),
        long("ETH", 40, 10, tiers=flat("0.01")),
        cash=20,
    )

    advice = ask(pool, marks(BTC=100, SOL=1, ETH=10), RATIO_ONLY)

    assert [(r.position.instrument.base, r.contracts) for r in advice.reductions] == [
        ("SOL", 10),
        ("BTC", 1),
        ("ETH", 10),
    ]


def test_notionals_are_compared_in_the_unit_of_the_pool():
    """1.2 must go: 60 USD of the inverse, which are 0.6 BTC, or 40 of the linear."""
    pool = a_pool(
        long(inverse("BTC", size=1, lot="0.01"), 100, 100, tiers=flat("0.02")),
        long(linear("ETH", lot="0.001"), 100, 1, tiers=flat("0.03")),
        unit="USD",
        collateral=(coins("USDT", "7.6"), coins("BTC", 0, 100)),
        top_up_asset="USDT",
    )

    advice = ask(pool, {"BTC/USD:BTC": mark(100), **marks(ETH=1)}, RATIO_ONLY)

    # 100 × 2 % + 100 × 3 % against half of 7.6
    assert [(r.position.instrument.base, r.contracts) for r in advice.reductions] == [
        ("ETH", 40),
        ("BTC", 60),
    ]


def test_a_position_too_small_to_do_it_is_left_out():
    pool = a_pool(
        long("BTC", 5, tiers=flat("0.01")), long("ETH", 40, 10, tiers=flat("0.01")), cash=9
    )

    # 9 of 9: 4.5 must go; all of ETH's 4 will not do
    advice = ask(pool, marks(BTC=100, ETH=10), RATIO_ONLY)

    assert [r.position.instrument.base for r in advice.reductions] == ["BTC"]


def test_an_odd_rest_below_the_lot_may_be_closed_whole():
    """1.8 of maintenance against 1: 0.0004… may stay, one lot would leave 0.0005."""
    held = long("BTC", "0.0015", 120000, tiers=flat("0.01"))

    (reduction,) = ask(a_pool(held, cash=1), marks(BTC=120000), RATIO_ONLY).reductions

    assert reduction.contracts == Decimal("0.0015")
    assert reduction.margin_ratio == 0
    assert reduction.adverse_move is None


def test_closing_a_hedge_past_its_turn_is_not_advised():
    """Net long 1: closing the long helps until the book is flat, then it hurts again."""
    held = long("BTC", 10, tiers=flat("0.01"))
    pool = a_pool(held, short("BTC", 9, tiers=flat("0.01")), cash=21)
    target = Target(ratio=Decimal("0.95"), distance=Decimal("0.05"))

    advice = ask(pool, marks(BTC=100), target)

    # at 95, L longs left: 21 − 5·(L − 9) against 0.95·(L + 9): L at most 57.45 ÷ 5.95
    assert {r.position.side.name: r.contracts for r in advice.reductions}["LONG"] == Decimal(
        "0.345"
    )


def test_the_best_of_two_pulls_is_found_between_the_ends():
    """Closing the short eases the ratio and spoils the distance: only a middle amount does."""
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")),
        short("BTC", 10, tiers=flat("0.01")),
        cash=40,
    )
    target = Target(ratio=Decimal("0.45"), distance=Decimal("0.05"))

    advice = ask(pool, marks(BTC=100), target)

    # now 20 of 40 = 50 %; 18 wanted: close 2, and then at 95: 40 − 10 against 17.1
    assert [r.contracts for r in advice.reductions] == [2, 2]


def test_a_tier_that_jumps_is_reached_by_the_lot_below_it():
    table = tiers((500, "0.01", 0), (None, "0.05", 0))
    pool = a_pool(long("BTC", 10, tiers=table), cash=11)

    (reduction,) = ask(pool, marks(BTC=100), RATIO_ONLY).reductions

    assert reduction.contracts == 5


def test_each_item_alone_does_it_and_a_step_less_would_not():
    pool = a_pool(
        long("BTC", 10, 110, tiers=flat("0.01"), taker_fee_rate=Decimal("0.0005")),
        short("ETH", 100, 9, tiers=flat("0.02")),
        cash=300,
    )
    known = marks(BTC=100, ETH=10)
    advice = ask(pool, known, BOTH)
    assert advice.top_up is not None
    assert len(advice.reductions) == 2
    step = Decimal("1e-8")

    def holds(changed: MarginPool) -> bool:
        move = adverse_move(changed, known)
        return requirement(changed, known).ratio <= BOTH.ratio and (
            move is None or -move >= BOTH.distance * (1 - Decimal("1e-15"))
        )

    assert holds(topped_up(pool, "USDT", advice.top_up.amount))
    assert not holds(topped_up(pool, "USDT", advice.top_up.amount - step))
    for reduction in advice.reductions:
        held = reduction.position
        at = mark(known[held.instrument.symbol].price)
        assert holds(reduced(pool, held, reduction.contracts, at))
        assert not holds(reduced(pool, held, reduction.contracts - held.instrument.lot, at))


def test_a_distance_beyond_all_of_the_price_asks_for_no_end_at_all():
    pool = a_pool(long("BTC", 10), cash=500)
    target = replace(BOTH, distance=Decimal(2))

    top_up = ask(pool, marks(BTC=100), target).top_up

    assert top_up is not None
    assert top_up.adverse_move is None


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
