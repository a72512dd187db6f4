"""
How hard moving marks can hit a pool at most: a bound, crude on purpose, never a figure.

It says when `evaluate` need not be asked again at once, because nothing that it could say
matters; what matters is then said by `evaluate`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.collateral import debt, price_of
from monitor.risk.evaluate import price_behind
from monitor.risk.model import ONE, ZERO, TierMeasure
from monitor.risk.tiers import jumping_edges

if TYPE_CHECKING:
    from monitor.risk.carried import CarriedMargin
    from monitor.risk.model import Collateral, Position, TierTable
    from monitor.risk.result import CollateralValue, PoolRisk, PositionRisk, Requirement

LARGEST_MOVE = Decimal("0.02")
"""Up to this fraction the bounds below hold; also the most that `leeway` gives."""

# What a move of at most 2 % makes of itself. An inverse contract loses m ÷ (1 − m) of its
# notional in coins, and these may be worth 1 + m; its notional in the unit grows to
# (1 + m) ÷ (1 − m).
_COINS = Decimal("1.03")
_LOST = Decimal("1.05")
_GROWN = Decimal("2.05")
# Legs tiered together by notional: their own rate, and twice it by what the others' deduction
# shrinks (their sum is at most twice the size that is tiered).
_TOGETHER = Decimal(3)


def sway(risk: PoolRisk) -> Decimal | None:
    """
    The most headroom, in the pool's unit, that a move of all marks costs per part moved.

    Each mark may go the way that hurts, by a fraction of up to `LARGEST_MOVE`, whether or not
    legs hedge each other. None where no such bound holds: maintenance jumps at an edge of
    notional tiers, or a debt's margin does within reach.
    """
    tables = [p.tiers for p in risk.pool.positions if p.tiers is not None]
    if any(t.measured_in is TierMeasure.NOTIONAL and any(jumping_edges(t)) for t in tables):
        return None
    total = sum((_grown(carried, risk) for carried in risk.pool.carried_margins), ZERO)
    for collateral, value in zip(risk.pool.collateral, risk.collateral, strict=True):
        legs = [p for p in risk.positions if p.position.instrument.settle == collateral.asset]
        if _may_jump(collateral, value, legs):
            return None
        factor = max(ONE, risk.pool.maintenance_factor)
        total += factor * _most_lost(collateral, value, legs, price_of(collateral, risk.marks))
    return total


def _grown(carried: CarriedMargin, risk: PoolRisk) -> Decimal:
    """What carried margin grows by at most: with its price, or against it."""
    return abs(carried.per_price) * price_behind(carried, risk.pool, risk.marks)


def _may_jump(collateral: Collateral, value: CollateralValue, legs: list[PositionRisk]) -> bool:
    """Whether the debt of this asset may cross an edge at which its margin jumps."""
    borrow = collateral.borrow
    if borrow is None or not legs:
        return False
    reach = sum((leg.notional for leg in legs), ZERO) * _COINS * LARGEST_MOVE
    amount = value.balance + value.unrealized_pnl
    least, most = debt(collateral, amount + reach), debt(collateral, amount - reach)
    return any(least <= edge <= most for edge in jumping_edges(borrow.tiers))


def _most_lost(
    collateral: Collateral, value: CollateralValue, legs: list[PositionRisk], price: Decimal
) -> Decimal:
    """The asset's part of the bound: its legs', and its own where its price floats."""
    borrow = collateral.borrow
    rate = max(collateral.rate_if_positive, collateral.rate_if_negative)
    charged = ZERO
    if borrow is not None:
        highest = _highest(borrow.tiers)
        charged = highest + (ONE + highest) * borrow.fee_rate
    lost = ZERO
    for leg in legs:
        position = leg.position
        grows = _GROWN * (_growth(position) + position.close_fee.rate_on_notional)
        lost += leg.notional * (_LOST * (ONE + charged) + grows) + position.close_fee.fixed
    if collateral.follows is not None:
        amount = abs(value.balance + value.unrealized_pnl)
        lost += amount + max(amount, value.debt) * charged
    return lost * price * rate


def _growth(position: Position) -> Decimal:
    """The most by which maintenance margin grows, in parts of what the notional grows by."""
    table = position.tiers
    if table is None:
        return ZERO
    together = table.group is not None and table.measured_in is TierMeasure.NOTIONAL
    return _highest(table) * (_TOGETHER if together else ONE)


def _highest(table: TierTable) -> Decimal:
    return max(tier.maintenance_rate for tier in table.tiers)


def leeway(
    risk: PoolRisk,
    driving: Requirement,
    at_ratio: Decimal = ONE,
    *,
    spending: Decimal | None = None,
) -> Decimal:
    """
    The fraction by which every mark may move, each its own way, with `at_ratio` out of reach.

    Args:
        driving: What the ladder goes by: the pool's own requirement, or a worse one that
            changes with it.
        spending: The most headroom that may be lost by it; None for no further bound.

    Between 0 (nothing is out of reach) and `LARGEST_MOVE`.
    """
    spare = at_ratio * driving.margin_balance - driving.maintenance_margin
    spare = spare if spending is None else min(spare, spending)
    hit = sway(risk) if spare > ZERO else None
    if hit is None:
        return ZERO
    return LARGEST_MOVE if hit <= ZERO else min(LARGEST_MOVE, spare / hit)
