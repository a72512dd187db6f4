"""
What OKX itself says of a pool, and the named part of it that our rules leave out.

OKX's «maintenance margin ratio» is equity over (maintenance margin + liquidation fees): it
falls to 1 at liquidation; here it is turned round. What our rules leave out are open orders
(their margin, their fees, coins that they hold back) and, in multi-currency mode, how
isolated margin is taken off the adjusted equity. Only where OKX shows such a thing is a
remainder taken over, and no more of it than that thing can explain: anything else is a
difference between them and us, and must show as one.

Source: OKX help, «Maintenance margin ratio» (futures and multi-currency mode); API guide,
«Get balance», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import ONE, ZERO, Reported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.rows import Coin, Totals

# Maintenance margin above that of the rows by less than this is a price that moved meanwhile.
_VISIBLE = Decimal("0.001")
# No order's fee is more than this part of its margin: the dearest fee (0.1 %) over the lowest
# maintenance rate (0.4 %).
_DEAREST_FEE = Decimal("0.25")
# Trailing zeros are cut on the wire: a ratio of few digits is not for that a coarse one.
_COARSEST = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """Amounts in the pool's unit that are taken over from OKX as constants."""

    balance: Decimal = ZERO
    maintenance: Decimal = ZERO
    initial: Decimal = ZERO

    @property
    def is_nothing(self) -> bool:
        return self == NOTHING


NOTHING = Remainder()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What the position rows of a pool add up to, in its unit; None where one does not tell."""

    maintenance: Decimal
    fees: Decimal
    initial: Decimal | None


def _rows(legs: Iterable[Leg], prices: Mapping[str, Decimal]) -> _Rows | None:
    maintenance = fees = ZERO
    initial: Decimal | None = ZERO
    for leg in legs:
        price, row, fee = prices[leg.row.ccy], leg.row, leg.fee
        if row.maintenance is None or fee is None:
            return None
        maintenance += row.maintenance * price
        fees += fee * price
        told = row.initial
        initial = None if initial is None or told is None else initial + told * price
    return _Rows(maintenance=maintenance, fees=fees, initial=initial)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    """What open orders need beyond the rows: margins in the pool's unit."""

    maintenance: Decimal
    initial: Decimal


def _orders(
    told: Decimal | None, initial: Decimal | None, rows: _Rows, *, frozen: Decimal
) -> _Orders | None:
    """None where nothing shows that there are any orders."""
    more = (told or ZERO) - rows.maintenance
    more_initial = None if initial is None or rows.initial is None else initial - rows.initial
    grown = more > _VISIBLE * (told or ZERO)
    if more_initial is not None:
        grown = grown and more_initial > _VISIBLE * (initial or ZERO)
    if not frozen and not grown:
        return None
    return _Orders(maintenance=max(more, ZERO), initial=max(more_initial or ZERO, ZERO))


def coin_remainder(coin: Coin, legs: tuple[Leg, ...]) -> Remainder:
    """
    What open orders take from a coin's own pool in futures mode.

    Their margin is OKX's less its rows'. Of their fees and of the coins that they hold back
    only the sum can be known: the fees are taken in proportion to the rows', the rest off
    the equity, so that the ratio is OKX's; never more than the orders hold back.
    """
    rows = _rows(legs, {coin.ccy: ONE})
    if rows is None:
        return NOTHING
    orders = _orders(coin.maintenance, coin.initial, rows, frozen=coin.frozen)
    if orders is None:
        return NOTHING
    fees = orders.maintenance * rows.fees / rows.maintenance if rows.maintenance else ZERO
    held_back = ZERO
    ratio = coin.margin_ratio
    if ratio is not None and ratio > ZERO and coin.pnl is not None:
        equity, needed = coin.cash + coin.pnl, rows.maintenance + orders.maintenance + rows.fees
        held_back = equity - ratio * (needed + fees)
        if held_back < ZERO:
            held_back, fees = ZERO, _within(equity / ratio - needed, ZERO, fees)
        held_back = min(held_back, max(coin.frozen, orders.initial))
    return Remainder(
        balance=-held_back,
        maintenance=orders.maintenance + fees,
        initial=orders.initial,
    )


def coin_reported(
    coin: Coin, legs: tuple[Leg, ...], remainder: Remainder, at: datetime
) -> Reported | None:
    """What OKX says of a coin's own pool; None where it says nothing of risk."""
    rows = _rows(legs, {coin.ccy: ONE})
    if coin.pnl is None or (not coin.maintenance and not coin.margin_ratio):
        return None
    balance = coin.cash + coin.pnl + remainder.balance
    needed = None
    if coin.maintenance is not None and rows is not None:
        needed = coin.maintenance + rows.fees
    return _reported(balance, coin.margin_ratio, needed, coin.initial, at)


def account_remainder(
    totals: Totals,
    coins: Iterable[Coin],
    legs: tuple[Leg, ...],
    prices: Mapping[str, Decimal],
    counted: Decimal,
) -> Remainder:
    """
    What open orders and isolated positions take from the multi-currency pool, in USD.

    Args:
        prices: USD per coin of every coin.
        counted: Our own discounted equity, at the coins and the PnL that the balance told.
    """
    rows = _rows(legs, prices)
    if rows is None or totals.adjusted_equity is None:
        return NOTHING
    frozen, isolated = totals.frozen, ZERO
    for coin in coins:
        frozen += coin.frozen * prices[coin.ccy]
        isolated += abs(coin.isolated_equity) * prices[coin.ccy]
    # The total also holds coins that have isolated margin alone; it may be left empty.
    isolated = max(isolated, abs(totals.isolated_equity))
    orders = _orders(totals.maintenance, totals.initial, rows, frozen=frozen)
    reach = frozen if orders is not None else ZERO
    offset = totals.adjusted_equity - counted
    balance = _within(offset, -(reach + isolated), isolated)
    if orders is None:
        return Remainder(balance=balance)
    return Remainder(
        balance=balance,
        maintenance=orders.maintenance + _order_fees(totals, rows, orders),
        initial=orders.initial,
    )


def _order_fees(totals: Totals, rows: _Rows, orders: _Orders) -> Decimal:
    """What OKX's ratio shows beyond margins and the rows' fees, as far as orders can cost it."""
    ratio, equity = totals.margin_ratio, totals.adjusted_equity
    if not ratio or ratio < ZERO or equity is None:
        return ZERO
    needed = rows.maintenance + orders.maintenance + rows.fees
    return _within(equity / ratio - needed, ZERO, _DEAREST_FEE * orders.maintenance)


def account_reported(
    totals: Totals, legs: tuple[Leg, ...], prices: Mapping[str, Decimal], at: datetime
) -> Reported | None:
    """What OKX says of the multi-currency pool, in USD; None where it says nothing."""
    balance = totals.adjusted_equity
    if balance is None:
        return None
    if not legs and not totals.maintenance and not totals.margin_ratio:
        return Reported(
            at=at,
            margin_balance=balance,
            maintenance_margin=ZERO,
            initial_margin=totals.initial,
            ratio=ZERO,
        )
    rows, needed = _rows(legs, prices), None
    if totals.maintenance is not None and rows is not None:
        needed = totals.maintenance + rows.fees
    return _reported(balance, totals.margin_ratio, needed, totals.initial, at)


def isolated_reported(leg: Leg, at: datetime) -> Reported | None:
    """What OKX says of an isolated position, in its coin; None where its row does not tell."""
    row = leg.row
    if row.margin is None or row.pnl is None:
        return None
    rows = _rows((leg,), {row.ccy: ONE})
    needed = None if rows is None else rows.maintenance + rows.fees
    return _reported(row.margin + row.pnl, row.margin_ratio, needed, None, at)


def _reported(
    balance: Decimal,
    ratio: Decimal | None,
    needed: Decimal | None,
    initial: Decimal | None,
    at: datetime,
) -> Reported | None:
    """
    Balance and requirement as OKX's ratio puts them.

    Where the ratio is empty or 0, which it also is on healthy rows, or no balance is left,
    the requirement is `needed` (its margins with the fees that we know of) and no ratio is
    given.
    """
    if ratio is None or ratio <= ZERO or balance <= ZERO:
        if needed is None:
            return None
        return Reported(
            at=at, margin_balance=balance, maintenance_margin=needed, initial_margin=initial
        )
    return Reported(
        at=at,
        margin_balance=balance,
        maintenance_margin=balance / ratio,
        initial_margin=initial,
        ratio=ONE / ratio,
        resolution=abs(balance / ratio) * min(_last_digit(ratio) / ratio, _COARSEST),
    )


def _last_digit(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return ONE.scaleb(exponent) if isinstance(exponent, int) else ZERO


def _within(number: Decimal, least: Decimal, most: Decimal) -> Decimal:
    return min(max(number, least), most)
