"""
What a portfolio's requirement is made of, so that it can move between two of Binance's readings.

At a reading it is Binance's own: 1.05 times accountMaintMargin. From there it moves by what
Binance publishes of it: each futures leg by its leverage tiers at the mark, each loan by the
price of its coin at one rate; what is left over (rounding, marks a moment apart) stands still.

Where that can't be said it is assumed, unverified, to grow with what it stands for: with the
marks of linear positions and the prices of coins owed, spread over them by worth; and never to
fall below what Binance said. A leg that climbs its tiers then needs more than was assumed: what
is advised may fall short by that. So it is without readable tiers, under PM Pro SPAN, whose
rule is its own, and where the legs by their tiers alone need more than Binance holds.

Source: Binance «Portfolio Margin Pro: Unified Maintenance Margin Ratio» (futures maintenance
margin and loans, each at the index; loans at 10 %, 8 % and 5 % with 3x, 5x and 10x), read
November 2026. That the plain program reckons alike is said by its API's field names alone.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from monitor.exchanges.binance.portfolio import Anchor
from monitor.risk.carried import CarriedMargin
from monitor.risk.collateral import price_of
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ZERO, Payoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitor.exchanges.binance.portfolio import Portfolio
    from monitor.risk.model import MarginPool, Mark
    from monitor.risk.result import PoolRisk

LIQUIDATION_MMR = Decimal("1.05")
# What the dearest loan needs, at 3x.
HIGHEST_LOAN_RATE = Decimal("0.1")
# The legs' sum may exceed Binance's by this much: its marks are of a moment before or after.
_A_MOMENT = Decimal("1.001")


def anchor(
    pool: MarginPool, portfolio: Portfolio, marks: Mapping[str, Mark], at: datetime
) -> Anchor:
    """
    What of Binance's figures is no sum of ours, at the marks of their reading.

    Args:
        pool: The account's, with the tiers that could be read, and nothing taken over yet.

    Raises:
        MissingMark: If a position or floating collateral has no mark.
    """
    whole, risk = portfolio.whole, evaluate(pool, marks, at)
    required = LIQUIDATION_MMR * whole.maintenance
    of_legs = risk.requirement.maintenance_margin
    has_tiers = all(p.tiers is not None for p in pool.positions)
    by_tiers = portfolio.has_formula and has_tiers and of_legs <= required * _A_MOMENT
    owed = _owed(risk, portfolio)
    margins = _loans(owed, required - of_legs) if by_tiers else _spread(risk, owed, required)
    bare = Anchor(balance=ZERO, maintenance=ZERO, margins=tuple(margins), is_by_tiers=by_tiers)
    ours = evaluate(with_anchor(pool, bare), marks, at).requirement
    return replace(
        bare,
        balance=whole.equity - ours.margin_balance,
        maintenance=required - ours.maintenance_margin,
    )


def with_anchor(pool: MarginPool, kept: Anchor) -> MarginPool:
    """
    The pool, in which legs may have tiers, with what Binance's figures held beside our sums.

    Carried margin of what is no longer there (a position closed since) stays as it was said.
    """
    there = {*pool.symbols(), *(c.asset for c in pool.collateral)}
    gone = (each for each in kept.margins if (each.symbol or each.asset) not in there)
    legs = tuple(p if kept.is_by_tiers else replace(p, tiers=None) for p in pool.positions)
    return replace(
        pool,
        positions=legs,
        other_balance=kept.balance,
        other_maintenance=kept.maintenance + sum((each.least for each in gone), ZERO),
        carried_margins=tuple(m for m in kept.margins if (m.symbol or m.asset) in there),
    )


class _Owed(NamedTuple):
    asset: str
    coins: Decimal
    price: Decimal


def _owed(risk: PoolRisk, portfolio: Portfolio) -> tuple[_Owed, ...]:
    """What was borrowed of each coin that has a price."""
    return tuple(
        _Owed(c.asset, portfolio.coins[c.asset].owed, price_of(c, risk.marks))
        for c in risk.pool.collateral
        if c.asset in portfolio.coins and portfolio.coins[c.asset].owed
    )


def _loans(owed: tuple[_Owed, ...], left: Decimal) -> Iterator[CarriedMargin]:
    """What is left beside the legs, as far as it can be the loans': all at one rate."""
    worth = sum((each.coins * each.price for each in owed), ZERO)
    if worth > ZERO and left > ZERO:
        rate = min(left / worth, LIQUIDATION_MMR * HIGHEST_LOAN_RATE)
        yield from (CarriedMargin(asset=each.asset, per_price=rate * each.coins) for each in owed)


def _spread(risk: PoolRisk, owed: tuple[_Owed, ...], required: Decimal) -> Iterator[CarriedMargin]:
    """
    The requirement over legs and loans, by what they are worth.

    None for an inverse leg: it is worth the same in USD whatever the mark.
    """
    prices = {c.asset: price_of(c, risk.marks) for c in risk.pool.collateral}
    legs = [(leg, leg.notional * prices[leg.position.instrument.settle]) for leg in risk.positions]
    whole = sum((worth for _, worth in legs), ZERO)
    whole += sum((each.coins * each.price for each in owed), ZERO)
    for leg, worth in legs:
        instrument, least = leg.position.instrument, required * worth / whole
        if instrument.payoff is Payoff.LINEAR:
            rate = least / leg.mark.price
            yield CarriedMargin(symbol=instrument.symbol, per_price=rate, least=least)
    for each in owed:
        rate = required * each.coins / whole
        yield CarriedMargin(asset=each.asset, per_price=rate, least=rate * each.price)
