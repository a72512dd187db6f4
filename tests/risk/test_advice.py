"""What brings a pool back: exact amounts, what each item leaves, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import (
    Advice,
    MarginMode,
    MarginPool,
    Mark,
    Target,
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


def test_closing_a_part_of_an_isolated_position_frees_its_margin_too():
    """
    100 BTC on 300, 3 % of maintenance above 5,000 of notional (100 less), 1 % below.

    Now 200 of 300. Of n BTC 3 n − 100 of 3 n: a half where n = 66.67, so 33.4 of 100 are to be
    closed, at lots of 0.1.
    """
    table = tiers((5000, "0.01", 0), (None, "0.03", 100))
    held = long(linear("BTC", lot="0.1"), 100, 100, tiers=table)
    pool = a_pool(held, cash=300, margin_mode=MarginMode.ISOLATED)
    known = marks(BTC=100)

    advice = ask(pool, known, RATIO_ONLY)

    assert [r.contracts for r in advice.reductions] == [Decimal("33.4")]
    # 66.6 left: 199.8 − 100 of maintenance, 199.8 of margin.
    assert advice.reductions[0].margin_ratio == Decimal("99.8") / Decimal("199.8")
    assert advice.all_in_proportion is None


def test_an_isolated_position_of_one_tier_is_closed_or_backed():
    """6 of 10, 60 %: any part left stands at 60 % again."""
    held = long("BTC", 10, 100, tiers=flat("0.006"))
    pool = a_pool(held, cash=10, margin_mode=MarginMode.ISOLATED)

    advice = ask(pool, marks(BTC=100), RATIO_ONLY)

    assert [(r.contracts, r.margin_ratio) for r in advice.reductions] == [(10, 0)]
    assert advice.top_up is not None
    assert advice.top_up.amount == 2
