"""
What a unified account in cross margin may hold that the rules here don't cover: it is named.

Source: Bybit glossary «Unified Trading Account», 2026-03-13: coin equity = wallet balance − spot
borrowing + unrealized PnL + option value.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Unmodelled
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Coin, Held

_DIGITS = Decimal("0.000001")


def refuse_unmodelled(account: Account) -> None:
    """Raises Unmodelled naming every holding that no rule here covers; else nothing."""
    reasons = [_named(held) for held in account.foreign]
    for coin in account.coins:
        reasons += _reasons(coin)
    if reasons:
        raise Unmodelled("the account holds what is not modelled: " + "; ".join(reasons))


def _named(held: Held) -> str:
    kinds = {"inverse": "inverse contract", "option": "option"}
    return (
        f"{held.symbol} ({kinds.get(held.category, held.category)}, {held.side.value} {held.size})"
    )


def _reasons(coin: Coin) -> list[str]:
    """Why a coin's margin can't be computed: borrowing, a negative equity, options."""
    if coin.borrowed > ZERO:
        return [f"{coin.borrowed} {coin.coin} borrowed"]
    if coin.equity < ZERO:
        return [f"a negative equity of {coin.equity} {coin.coin}, which Bybit treats as borrowed"]
    unexplained = coin.equity - coin.wallet_balance - coin.unrealised_pnl
    if abs(unexplained) > _DIGITS:
        amount = f"{unexplained} {coin.coin}"
        return [f"{amount} of equity beyond wallet balance and unrealized PnL (options)"]
    return []
