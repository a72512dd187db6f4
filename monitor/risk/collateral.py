"""
What one asset of a pool counts: its price, its haircut, a liability in full and its margin.

Knows one collateral entry at a time; must not know positions or pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import MissingMark
from monitor.risk.model import ONE, ZERO
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.risk.model import Collateral, HaircutStep, Mark


def price_of(collateral: Collateral, marks: Mapping[str, Mark]) -> Decimal:
    """
    The pool's unit per coin, moved along with the followed mark where the asset floats.

    Raises:
        MissingMark: If the followed symbol has no mark.
    """
    follows = collateral.follows
    if follows is None:
        return collateral.price
    mark = marks.get(follows.symbol)
    if mark is None:
        raise MissingMark(follows.symbol)
    return collateral.price * mark.price / follows.anchor_mark


def counted(amount: Decimal, steps: tuple[HaircutStep, ...]) -> Decimal:
    """
    The coins of a positive `amount` that count after the haircut, step by step like tax bands.

    Without steps all of it counts. What lies above a last step with an end counts nothing.

    Source: Bybit «Collateral value ratio», OKX «Discount rate tiers», read November 2026.
    """
    if not steps:
        return amount
    total = floor = ZERO
    for step in steps:
        top = amount if step.up_to is None else min(amount, step.up_to)
        if top > floor:
            total += (top - floor) * (ONE - step.haircut)
            floor = top
    return total


def worth(collateral: Collateral, amount: Decimal, price: Decimal) -> Decimal:
    """
    What `amount` coins count in the pool's unit; negative, and in full, for a liability.

    Source: Binance «Multi-assets mode» (bid rate for an asset, ask rate for a debt), OKX
    «Discounted equity» (no haircut on a liability), read November 2026.
    """
    if amount < ZERO:
        return amount * price * collateral.rate_if_negative
    return counted(amount, collateral.haircuts) * price * collateral.rate_if_positive


def debt(collateral: Collateral, amount: Decimal) -> Decimal:
    """
    The coins owed, never negative: what was borrowed outright, or all that `amount` lacks.

    What lies `beside` counts here, and nowhere else.

    Source: Bybit «Borrowed amount» (loans, and losses beyond the wallet), OKX «Liabilities» and
    «Liabilities due to unrealized loss», read November 2026. Whether a purely unrealized
    negative sum is charged like a loan is not published; reconciling would show it.
    """
    borrow = collateral.borrow
    if borrow is None:
        return max(-amount, ZERO)
    return max(borrow.loan, -amount - borrow.beside, ZERO)


def debt_maintenance(collateral: Collateral, owed: Decimal) -> Decimal:
    """
    Maintenance margin of `owed` coins, in coins: their tier's rate, and the fee on both.

    Source: OKX «Borrowing MMR» and «liquidation fee» (margin and fee are charged on the debt,
    the fee on debt plus margin), Bybit «Spot margin position tiers», read November 2026.
    """
    borrow = collateral.borrow
    if borrow is None or owed == ZERO:
        return ZERO
    margin = maintenance_margin(owed, owed, borrow.tiers)
    return margin + (owed + margin) * borrow.fee_rate


def haircut(collateral: Collateral, amount: Decimal, price: Decimal) -> Decimal:
    """The fraction of the amount's worth that does not count; the first coin's at amount 0."""
    if amount < ZERO:
        return ZERO
    if ZERO in (amount, price):
        first = collateral.haircuts[0].haircut if collateral.haircuts else ZERO
        return ONE - (ONE - first) * collateral.rate_if_positive
    return ONE - worth(collateral, amount, price) / (amount * price)
