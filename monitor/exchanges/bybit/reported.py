"""
What Bybit itself says of the unified pool, and how exactly.

Source: Bybit glossary «Unified Trading Account», 2026-03-13; docs «Get Wallet Balance», 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.bybit.moment import MOST_DRIFT
from monitor.exchanges.bybit.remainders import DIGIT, balance_of, slack
from monitor.risk.model import ONE, ZERO, Reported

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.legs import Leg
    from monitor.exchanges.bybit.rows import Totals


def reported(
    account: Account,
    totals: Totals,
    legs: tuple[Leg, ...],
    prices: dict[str, Decimal],
    at: datetime,
) -> Reported:
    """
    What Bybit's wallet reply says of the account, to be held against our figures.

    Args:
        prices: The USD index of every coin of the pool.
    """
    return Reported(
        at=at,
        margin_balance=balance_of(totals),
        maintenance_margin=totals.maintenance_margin,
        initial_margin=totals.initial_margin,
        ratio=totals.mm_rate,
        resolution=_resolution(account, legs, prices),
    )


def _resolution(account: Account, legs: tuple[Leg, ...], prices: dict[str, Decimal]) -> Decimal:
    """
    How far balance − maintenance may be off for no other reason than the wire itself.

    Digits of the totals, of every coin and its index, of every entry price; and what unrealized
    PnL moved between the two answers, wallet and positions, up to 20 bp of what is held.
    """
    digits = 4 * DIGIT + slack((coin.equity, coin) for coin in account.coins)
    for leg in legs:
        step = ONE if leg.held.is_inverse else leg.held.size
        digits += step * DIGIT * prices[leg.instrument.settle]
    drift = ZERO
    for coin in account.coins:
        mine = [leg for leg in legs if leg.instrument.settle == coin.coin]
        moved = sum((leg.held.unrealised_pnl for leg in mine), ZERO) - coin.unrealised_pnl
        gross = sum((leg.notional for leg in mine), ZERO)
        drift += min(abs(moved), MOST_DRIFT * gross) * prices.get(coin.coin, ZERO)
    return digits + drift
