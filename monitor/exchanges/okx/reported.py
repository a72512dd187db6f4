"""
What OKX itself says of a pool, turned to the core's way of saying it.

OKX's «maintenance margin ratio» is equity over (maintenance margin + liquidation fees): it
falls to 1 at liquidation; here it is turned round.

Source: OKX help, «Maintenance margin ratio» (futures and multi-currency mode); API guide,
«Get balance», «Get positions», copies of July 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.okx.remainders import sum_rows
from monitor.risk.model import ONE, ZERO, Reported

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.remainders import Remainder, Rows
    from monitor.exchanges.okx.rows import Coin, Totals

# Trailing zeros are cut on the wire: a ratio of few digits is not for that a coarse one.
_COARSEST = Decimal("0.0001")


def coin_reported(
    coin: Coin, rows: Rows | None, equity: Decimal, remainder: Remainder, at: datetime
) -> Reported | None:
    """
    What OKX says of a coin's own pool; None where it says nothing of risk.

    Args:
        equity: The pool's, by the balance's own words; what orders hold back still in it.
    """
    if coin.pnl is None or (not coin.maintenance and not coin.margin_ratio):
        return None
    needed = None
    if coin.maintenance is not None and rows is not None:
        needed = coin.maintenance + rows.fees
    held_back = remainder.held_back
    return _reported(equity - held_back, coin.margin_ratio, needed, coin.initial, at)


def account_reported(totals: Totals, rows: Rows | None, at: datetime) -> Reported | None:
    """What OKX says of the account's own pool, in USD; None where it says nothing."""
    balance = totals.adjusted_equity
    if balance is None:
        return None
    if _is_idle(totals, rows):
        return Reported(
            at=at,
            margin_balance=balance,
            maintenance_margin=ZERO,
            initial_margin=totals.initial,
            ratio=ZERO,
        )
    needed = None
    if totals.maintenance is not None and rows is not None:
        needed = totals.maintenance + rows.fees
    return _reported(balance, totals.margin_ratio, needed, totals.initial, at)


def _is_idle(totals: Totals, rows: Rows | None) -> bool:
    """Whether OKX holds nothing against the account, and nothing that it could is there."""
    told = totals.maintenance or totals.margin_ratio
    return not told and rows is not None and not rows.is_something


def isolated_reported(leg: Leg, at: datetime) -> Reported | None:
    """What OKX says of an isolated position, in its coin; None where its row does not tell."""
    rows = sum_rows((leg,), (), {leg.row.ccy: ONE})
    return row_reported(leg.row, None if rows is None else rows.needed, at)


def row_reported(row: Held, needed: Decimal | None, at: datetime) -> Reported | None:
    """The same by the row alone; `needed` serves where it tells no ratio."""
    if row.margin is None or row.pnl is None:
        return None
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
