"""Maintenance margin that no mark moves: what a trade's debt in its own settle coin needs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from monitor.risk.evaluate import evaluate
from monitor.risk.what_if import moved, reduced
from tests.build import NOON, a_pool, long, marks

HALF = Decimal("0.5")


def held(**changes):
    """One BTC bought at 100 with debts that need 3."""
    position = long("BTC", contracts=1, entry=100)
    return a_pool(
        cash=20, positions=(replace(position, **{"fixed_maintenance": Decimal(3), **changes}),)
    )


def maintenance(pool, at):
    return evaluate(pool, at, NOON).requirement.maintenance_margin


def test_it_needs_no_tiers_and_no_mark_moves_it():
    pool, at = held(tiers=None), marks(BTC=100)

    assert maintenance(pool, at) == 3
    assert maintenance(*moved(pool, at, "BTC/USDT:USDT", Decimal(150))) == 3
    (leg,) = evaluate(pool, at, NOON).positions
    assert (leg.maintenance_margin, leg.above_last_tier) == (3, False)


def test_it_comes_on_top_of_what_the_tiers_say():
    pool, at = held(), marks(BTC=100)

    assert maintenance(pool, at) == 3 + maintenance(held(fixed_maintenance=Decimal(0)), at)


def test_it_shrinks_with_the_size():
    pool, at = held(tiers=None), marks(BTC=100)
    mark = at["BTC/USDT:USDT"]

    assert maintenance(reduced(pool, pool.positions[0], HALF, mark), at) == Decimal("1.5")
    assert maintenance(reduced(pool, pool.positions[0], Decimal(1), mark), at) == 0
