"""
Notional and unrealized PnL of one position at one mark price, both in its settle asset.

Knows the two payoffs, linear and inverse; must not know tiers, collateral or pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from monitor.risk.model import ONE, Payoff

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.risk.model import Position


def notional(position: Position, mark_price: Decimal) -> Decimal:
    """
    The position's size valued at the mark, never negative.

    Source: Binance «Liquidation protocols» (USDⓈ-M and COIN-M), OKX «Trading account:
    position value», Bybit «Maintenance margin calculation», read November 2026.
    """
    face = position.contracts * position.instrument.contract_size
    match position.instrument.payoff:
        case Payoff.LINEAR:
            return face * mark_price
        case Payoff.INVERSE:
            return face / mark_price
        case payoff:
            assert_never(payoff)


def unrealized_pnl(position: Position, mark_price: Decimal) -> Decimal:
    """
    What the position has won (positive) or lost (negative) since its entry, valued at the mark.

    An inverse long wins face × (1 ÷ entry − 1 ÷ mark) coins, so its loss grows without bound
    as the mark falls, while what it can win is bounded.
    """
    instrument = position.instrument
    face = position.side.sign * position.contracts * instrument.contract_size
    match instrument.payoff:
        case Payoff.LINEAR:
            return face * (mark_price - position.entry_price)
        case Payoff.INVERSE:
            return face * (ONE / position.entry_price - ONE / mark_price)
        case payoff:
            assert_never(payoff)
