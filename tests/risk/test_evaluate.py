"""The pool as a whole: what it has, what it needs, and what is missing to say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.errors import MissingCollateral, MissingMark
from monitor.risk import Requirement, evaluate, requirement
from tests.build import (
    NOON,
    a_pool,
    coins,
    fee,
    flat,
    inverse,
    linear,
    long,
    mark,
    marks,
    short,
    tiers,
)


def test_it_adds_up_balance_initial_and_maintenance():
    pool = a_pool(
        long("BTC", 2, 100, tiers=flat("0.01")),
        short("ETH", 10, 50, tiers=flat("0.02"), initial_rate=Decimal("0.2")),
        cash=1000,
    )

    risk = evaluate(pool, marks(BTC=90, ETH=40), NOON)

    assert risk.requirement == Requirement(
        unit="USDT",
        margin_balance=1000 + 2 * (Decimal(90) - 100) + 10 * (Decimal(50) - 40),
        initial_margin=2 * 90 * Decimal("0.1") + 10 * 40 * Decimal("0.2"),
        maintenance_margin=2 * 90 * Decimal("0.01") + 10 * 40 * Decimal("0.02"),
    )
    assert risk.gross_notional == 2 * 90 + 10 * 40
    assert risk.requirement == requirement(pool, marks(BTC=90, ETH=40))


def test_a_leg_shows_its_own_figures_with_the_fee_to_close():
    pool = a_pool(long("BTC", 2, 100, tiers=flat("0.01"), close_fee=fee("0.3", "0.001")))

    leg = evaluate(pool, marks(BTC=90), NOON).positions[0]

    assert leg.notional == 180
    assert leg.unrealized_pnl == -20
    assert leg.maintenance_margin == 180 * Decimal("0.01") + Decimal("0.3") + Decimal("0.18")
    assert leg.initial_margin == 180 * Decimal("0.1") + Decimal("0.3") + Decimal("0.18")
    assert leg.mark == mark(90)
    assert not leg.above_last_tier


def test_an_unknown_initial_rate_counts_nothing_and_shows_as_none():
    pool = a_pool(long("BTC", 2, 100, initial_rate=None))

    risk = evaluate(pool, marks(BTC=100), NOON)

    assert risk.positions[0].initial_margin is None
    assert risk.requirement.initial_margin == 0


def test_what_the_exchange_alone_knows_is_added():
    pool = a_pool(
        cash=100,
        other_balance=Decimal(-7),
        other_maintenance=Decimal(3),
        other_initial=Decimal(4),
    )

    assert requirement(pool, {}) == Requirement(
        unit="USDT",
        margin_balance=Decimal(93),
        initial_margin=Decimal(4),
        maintenance_margin=Decimal(3),
    )


def test_a_requirement_is_valued_at_the_rate_of_a_liability():
    """Binance multi-assets: maintenance in an asset counts at its ask rate."""
    pool = a_pool(
        long("BTC", 1, 100, tiers=flat("0.01")),
        unit="USD",
        collateral=(coins("USDT", 50, 2, rates=("0.9", "1.1")),),
    )

    risk = evaluate(pool, marks(BTC=100), NOON)

    assert risk.requirement == Requirement(
        unit="USD",
        margin_balance=50 * 2 * Decimal("0.9"),
        initial_margin=10 * 2 * Decimal("1.1"),
        maintenance_margin=1 * 2 * Decimal("1.1"),
    )
    assert risk.gross_notional == 100 * 2


def test_profit_is_added_to_its_settle_asset_before_the_haircut():
    pool = a_pool(
        long(inverse("BTC"), 100, 50),
        unit="USD",
        collateral=(coins("BTC", -50, 100, rates=("0.9", "1.1")), coins("USDT", 7)),
    )

    risk = evaluate(pool, {"BTC/USD:BTC": mark(100)}, NOON)

    # 100 contracts of 100 USD: 10,000 × (1/50 − 1/100) = 100 BTC won, 50 of them owed
    assert risk.collateral[0].balance == -50
    assert risk.collateral[0].unrealized_pnl == 100
    assert risk.collateral[0].haircut == Decimal("0.1")
    assert risk.collateral[0].value == 50 * 100 * Decimal("0.9")
    assert risk.requirement.margin_balance == 50 * 100 * Decimal("0.9") + 7


def test_the_legs_of_a_group_stand_in_the_tier_of_its_larger_side():
    table = tiers((100, "0.01", 0), (None, "0.02", 1), group="BTC")
    pool = a_pool(
        long("BTC", 2, 100, tiers=table),
        short("BTC", 1, 100, tiers=table),
    )

    legs = evaluate(pool, marks(BTC=100), NOON).positions

    # the longs' 200 stand in the second tier: 200 × 2 % − 1; the shorts pay as half of that
    assert legs[0].maintenance_margin == 200 * Decimal("0.02") - 1
    assert legs[1].maintenance_margin == 100 * Decimal("0.02") - Decimal("0.5")


def test_a_size_above_the_last_cap_keeps_its_rule_and_is_flagged():
    pool = a_pool(long("BTC", 2, 100, tiers=tiers((100, "0.01", 0), (150, "0.02", 1))))

    leg = evaluate(pool, marks(BTC=100), NOON).positions[0]

    assert leg.above_last_tier
    assert leg.maintenance_margin == 200 * Decimal("0.02") - 1


def test_the_oldest_mark_is_told_over_positions_and_floating_collateral():
    pool = a_pool(
        long("ETH"),
        collateral=(coins("USDT", 1), coins("BTC", 1, follows=("BTC", "BTC/USDT:USDT", 100))),
    )
    early = NOON - timedelta(seconds=9)
    known = {**marks(ETH=100, SOL=1), "BTC/USDT:USDT": mark(100, early)}

    assert evaluate(pool, known, NOON).oldest_mark_at == early
    assert evaluate(a_pool(), {}, NOON).oldest_mark_at is None


def test_a_missing_mark_is_an_error_that_names_the_symbol():
    with pytest.raises(MissingMark, match="ETH/USDT:USDT"):
        evaluate(a_pool(long("BTC"), long("ETH")), marks(BTC=100), NOON)


def test_a_missing_mark_of_floating_collateral_is_an_error_too():
    pool = a_pool(collateral=(coins("BTC", 1, follows=("BTC", "BTC/USDT:USDT", 100)),))

    with pytest.raises(MissingMark, match="BTC/USDT:USDT"):
        evaluate(pool, {}, NOON)


def test_a_settle_asset_without_collateral_entry_is_an_error():
    pool = replace(a_pool(long(linear("BTC", settle="USDC"))), collateral=(coins("USDT", 1),))

    with pytest.raises(MissingCollateral, match="USDC"):
        evaluate(pool, {"BTC/USDC:USDC": mark(100)}, NOON)
