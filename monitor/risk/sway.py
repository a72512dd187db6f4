"""
How hard moving marks can hit a pool at most: a bound, crude on purpose, never a figure.

It says when `evaluate` need not be asked again at once, because nothing that it could say
matters; what matters is then said by `evaluate`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.collateral import price_of
from monitor.risk.model import ONE, ZERO, TierMeasure
from monitor.risk.tiers import jumping_edges

if TYPE_CHECKING:
    from monitor.risk.result import PoolRisk, Requirement

LARGEST_MOVE = Decimal("0.02")
"""Up to this fraction the bounds below hold; also the most that `leeway` gives."""

# Parts of the notional: what is lost, at a debt's rate (at most 1.1) and with what a move of
# 2 % makes of itself (inverse contracts, PnL in a coin that falls), and what maintenance grows
# by, at a rate below 1 and the same debt's rate: 1.1 × 1.03 + 1.1 × 1.02 < 2.5.
_PER_NOTIONAL = Decimal("2.5")
_PER_COIN = Decimal("1.2")


def sway(risk: PoolRisk) -> Decimal | None:
    """
    The most headroom, in the pool's unit, that a move of all marks costs per part moved.

    Each mark may go the way that hurts, by a fraction of up to `LARGEST_MOVE`, whether or not
    legs hedge each other. None where no such bound holds: maintenance jumps at a tier's edge,
    or a debt that is charged may begin.
    """
    if any(collateral.borrow is not None for collateral in risk.pool.collateral):
        return None
    tables = [p.tiers for p in risk.pool.positions if p.tiers is not None]
    if any(t.measured_in is TierMeasure.NOTIONAL and any(jumping_edges(t)) for t in tables):
        return None
    floating = sum(
        (
            abs(value.balance + value.unrealized_pnl) * price_of(collateral, risk.marks)
            for collateral, value in zip(risk.pool.collateral, risk.collateral, strict=True)
            if collateral.follows is not None
        ),
        ZERO,
    )
    return risk.gross_notional * _PER_NOTIONAL + floating * _PER_COIN


def leeway(risk: PoolRisk, driving: Requirement, at_ratio: Decimal = ONE) -> Decimal:
    """
    The fraction by which every mark may move, each its own way, with `at_ratio` out of reach.

    Args:
        driving: What the ladder goes by: the pool's own requirement, or a worse one that
            changes with it.

    Between 0 (nothing is out of reach) and `LARGEST_MOVE`.
    """
    spare = at_ratio * driving.margin_balance - driving.maintenance_margin
    hit = sway(risk) if spare > ZERO else None
    if hit is None:
        return ZERO
    return LARGEST_MOVE if hit <= ZERO else min(LARGEST_MOVE, spare / hit)
