"""
What Bybit itself says of the unified pool, how exactly, and what is taken over from it.

The balance that both account rates are measured against is margin balance − haircut loss +
order loss: available balance + initial margin, as long as anything is available.
`accountMMRate` is cut to four decimals, so it is shown and never divided by.

Source: Bybit glossary «Unified Trading Account», 2026-03-13; docs «Get Wallet Balance», 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit.moment import MOST_DRIFT
from monitor.risk.model import ZERO, Reported

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.legs import Leg
    from monitor.exchanges.bybit.rows import Coin, Totals

DIGIT = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainders:
    """
    The parts of Bybit's totals that are its open orders', in USD; 0 within the wire's digits.

    `balance` is negative: haircut loss of spot orders and order loss of contract orders.
    """

    balance: Decimal
    maintenance: Decimal
    initial: Decimal


def balance_of(totals: Totals) -> Decimal:
    """
    What both rates are measured against, in USD.

    With nothing available it can only be bounded: by the margin balance and the initial margin.
    """
    carried = totals.available + totals.initial_margin
    return carried if totals.available else min(totals.margin_balance, carried)


def anchored_remainders(account: Account) -> Remainders:
    """
    What open orders cost the account, at its REST reading.

    Haircut and order loss are, by definition, what the available balance lacks of margin
    balance − initial margin. Of the margins only what orders can account for is taken over:
    without any, Bybit's totals must come out by the rules alone, and an order's maintenance
    margin is never above its initial margin. Whatever else the totals hold stays a
    difference, for reconciling to show.
    """
    totals, coins = account.totals, account.anchor_coins
    ordered = sum((coin.order_im * coin.price for coin in coins), ZERO)
    positions = sum((coin.position_mm * coin.price for coin in coins), ZERO)
    digits = _slack((coin.position_mm, coin) for coin in coins)
    maintenance = _beyond(totals.maintenance_margin - positions, digits)
    balance = _beyond(balance_of(totals) - totals.margin_balance, 3 * DIGIT)
    return Remainders(
        balance=min(ZERO, balance),
        maintenance=min(max(ZERO, maintenance), ordered),
        initial=ordered,
    )


def _beyond(remainder: Decimal, digits: Decimal) -> Decimal:
    return remainder if abs(remainder) > digits else ZERO


def _slack(amounts: Iterable[tuple[Decimal, Coin]]) -> Decimal:
    """How far the wire's digits can take a sum of coin amounts in USD off a total."""
    return 2 * DIGIT + sum(
        (2 * DIGIT * c.price + 2 * abs(amount) * _index_error(c) for amount, c in amounts),
        ZERO,
    )


def _index_error(coin: Coin) -> Decimal:
    """How far off the index can be that `usdValue` ÷ `equity` gives, both of eight decimals."""
    if not coin.equity:
        return ZERO
    return (DIGIT + coin.price * DIGIT) / abs(coin.equity)


def reported(account: Account, legs: tuple[Leg, ...], at: datetime) -> Reported:
    """What Bybit's wallet reply says of the account, to be held against our figures."""
    totals = account.totals
    return Reported(
        at=at,
        margin_balance=balance_of(totals),
        maintenance_margin=totals.maintenance_margin,
        initial_margin=totals.initial_margin,
        ratio=totals.mm_rate,
        resolution=_resolution(account, legs),
    )


def _resolution(account: Account, legs: tuple[Leg, ...]) -> Decimal:
    """
    How far balance − maintenance may be off for no other reason than the wire itself.

    Digits of the totals, of every coin and its index, of every entry price; and what unrealized
    PnL moved between the two answers, wallet and positions, up to 20 bp of what is held.
    """
    prices = {coin.coin: coin.price for coin in account.coins}
    digits = 4 * DIGIT + _slack((coin.equity, coin) for coin in account.coins)
    digits += sum((leg.held.size * DIGIT * prices[leg.instrument.settle] for leg in legs), ZERO)
    drift = ZERO
    for coin in account.coins:
        mine = [leg for leg in legs if leg.instrument.settle == coin.coin]
        moved = sum((leg.held.unrealised_pnl for leg in mine), ZERO) - coin.unrealised_pnl
        gross = sum((leg.held.size * leg.mark.price for leg in mine), ZERO)
        drift += min(abs(moved), MOST_DRIFT * gross) * prices[coin.coin]
    return digits + drift
