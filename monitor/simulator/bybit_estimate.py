"""
The liquidation price that Bybit's position list shows in cross margin: an estimate, not the end.

Source: recomputed to eight decimals on a wire message of 2025-10.
"""

from decimal import Decimal

from monitor.simulator.bybit_account import ZERO
from monitor.simulator.bybit_ledger import AccountFigures, PositionFigures


def estimated_liquidation_price(
    all_figures: AccountFigures, mine: PositionFigures
) -> Decimal | None:
    """
    The price that the position list shows: room by size, a settle coin taken as one dollar.

    None where it lies outside the price limits, for an inverse contract (no published rule
    for cross), and for the smaller leg of a hedge, which can't be the one that triggers.
    """
    if mine.instrument.category == "inverse":
        return None
    net = _net_size(all_figures, mine)
    if net <= 0:
        return None
    room = all_figures.carrying - all_figures.maintenance_margin
    sign = 1 if mine.position.side == "Buy" else -1
    price = mine.mark - sign * room / net
    inside = mine.instrument.least_price <= price <= mine.instrument.greatest_price
    return price if inside else None


def _net_size(all_figures: AccountFigures, mine: PositionFigures) -> Decimal:
    opposite = sum(
        (
            other.position.size
            for other in all_figures.positions
            if other.position.symbol == mine.position.symbol
            and other.position.side != mine.position.side
        ),
        ZERO,
    )
    return mine.position.size - opposite
