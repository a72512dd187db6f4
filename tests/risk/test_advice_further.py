"""Advice for all in proportion, for pools in debt, and where the requirement is not ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import (
    Basis,
    Borrow,
    Target,
    TierMeasure,
    adverse_move,
)
from tests.build import a_pool, coins, flat, linear, long, marks, short, tiers
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


def test_of_a_reported_pool_a_position_with_tiers_is_known_by_itself():
    """
    Of 100 that are required 10 are this leg's own, at 2 × 0.5 % of 1,000; with 190 a half is 95.

    Closing 5 of 10 frees 5.
    """
    pool = a_pool(
        long("BTC", 10),
        cash=190,
        other_maintenance=Decimal(90),
        maintenance_factor=Decimal(2),
        basis=Basis.REPORTED,
    )

    (reduction,) = ask(pool, marks(BTC=100), RATIO_ONLY).reductions

    assert reduction.contracts == 5
    assert reduction.margin_ratio == Decimal("0.5")


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
