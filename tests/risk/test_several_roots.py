"""
The nearest of several ends, held against looking at a thousand prices on the way.

Debts that begin or jump, haircuts, groups and legs without tiers: pools in which slack turns
more than once, so that a search which takes one root for the nearest goes wrong.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.risk import (
    MarginPool,
    Mark,
    adverse_move,
    liquidation_prices,
    moved,
    requirement,
    shifted,
    shifted_adversely,
    uniform_move,
)
from tests.risk.strategies import dented, indebted

D = Decimal
ONE = D(1)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
Case = tuple[MarginPool, dict[str, Mark]]
POOLS = st.one_of(indebted(), dented())
# Factors of the mark: 0.5 % apart near today, farther apart far out.
DOWN = [ONE - D(n) / 200 for n in range(1, 200)]
UP = [ONE + D(n) / 200 for n in range(1, 200)] + [D(n) / 2 for n in range(4, 20)]


def first(factors: list[D], reaches) -> D | None:
    return next((f for f in factors if reaches(f)), None)


def check(found: D | None, seen: D | None, reaches) -> None:
    """`found` (a factor) is where it ends, and no nearer factor that was looked at ends it."""
    if seen is not None:
        assert found is not None
        assert abs(found - 1) <= abs(seen - 1)
    if found is not None:
        beyond = found * (ONE + D("1e-12") * (1 if found > 1 else -1))
        assert reaches(beyond) or reaches(found)


@settings(max_examples=150)
@given(case=POOLS)
def test_no_price_that_a_scan_looks_at_ends_it_nearer_than_the_solved_one(case: Case):
    pool, known = case
    if requirement(pool, known).reaches(ONE):
        return
    symbol = pool.positions[0].instrument.symbol
    now = known[symbol].price

    def reaches(factor: D) -> bool:
        return requirement(*moved(pool, known, symbol, now * factor)).reaches(ONE)

    found = liquidation_prices(pool, known, symbol)
    solved = [p / now for p in (found.nearest, found.other) if p is not None]
    check(next((f for f in solved if f < 1), None), first(DOWN, reaches), reaches)
    check(next((f for f in solved if f > 1), None), first(UP, reaches), reaches)


@settings(max_examples=100)
@given(case=POOLS)
def test_no_common_move_that_a_scan_looks_at_ends_it_nearer(case: Case):
    pool, known = case
    if requirement(pool, known).reaches(ONE):
        return

    def reaches(factor: D) -> bool:
        return requirement(*shifted(pool, known, factor - 1)).reaches(ONE)

    found = uniform_move(pool, known)
    seen = [f for f in (first(DOWN, reaches), first(UP, reaches)) if f is not None]
    check(
        None if found is None else 1 + found,
        min(seen, key=lambda f: abs(f - 1), default=None),
        reaches,
    )


@settings(max_examples=100)
@given(case=POOLS)
def test_no_adverse_move_that_a_scan_looks_at_ends_it_nearer(case: Case):
    pool, known = case
    if requirement(pool, known).reaches(ONE):
        return

    def reaches(factor: D) -> bool:
        ways = (
            shifted_adversely(pool, known, 1 - factor, with_collateral=counted)
            for counted in (False, True)
        )
        return any(requirement(*way).reaches(ONE) for way in ways)

    found = adverse_move(pool, known)
    if found is not None and found <= -1:
        assert first(DOWN, reaches) is None  # only a pool of shorts ends beyond all of the price
        return
    check(None if found is None else 1 + found, first(DOWN, reaches), reaches)
