"""
The open orders: which positions they protect, and which of them need margin.

A position is protected by a stop on itself, or by a waiting order that closes it.

Partial and whole-position stops, trailing stops, plain conditional orders that only reduce,
and Bybit's own «MMR close order» all count; where they would trigger is not looked at.

Source: docs «Get Open & Closed Orders», enum `stopOrderType`, read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing
from monitor.exchanges.bybit.rows import INVERSE, LINEAR, read_order
from monitor.risk.model import ZERO, Side

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.bybit.rows import Held, Order
    from monitor.exchanges.call import Replies

_STOPS = frozenset({"StopLoss", "PartialStopLoss", "TrailingStop", "MmRateClose"})
_CONDITIONAL = "Stop"
_RISES, _FALLS = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrders:
    """
    The open orders, linear and inverse, of the settle coins that are known.

    `known` holds USDT, USDC and the word inverse, as far as their lists were there; `at` is
    when the oldest of them was answered, None where none was.
    """

    orders: tuple[Order, ...] = ()
    known: frozenset[str] = frozenset()
    at: datetime | None = None

    def knows(self, settle: str) -> bool:
        """Whether the list of the orders that settle in this coin was there."""
        return (settle if settle in calls.SETTLE_COINS else INVERSE) in self.known

    def with_margin(self) -> tuple[Order, ...]:
        """Those that would open something."""
        return tuple(order for order in self.orders if order.needs_margin)

    def beside(self, held: Held) -> Decimal:
        """What would be opened beside this leg, on its side of its symbol, in its settle coin."""
        return sum(
            (
                order.value
                for order in self.with_margin()
                if (order.symbol, order.side, order.idx) == (held.symbol, held.side, held.idx)
            ),
            ZERO,
        )

    def protect(self, held: Held, settle: str) -> bool | None:
        """Whether anything closes this leg on its losing side; None where nothing is known."""
        if held.has_own_stop:
            return True
        if not self.knows(settle):
            return None
        return any(_protects(order, held) for order in self.orders)


def read_orders(replies: Replies) -> OpenOrders:
    """
    The open orders of every settle coin whose list is there, as far as its pages are.

    No figure depends on them: a list that can't be read is as good as none.
    """
    known: set[str] = set()
    found: dict[str, Order] = {}
    times: list[datetime] = []
    for settle, call in {**calls.ORDERS, INVERSE: calls.INVERSE_ORDERS}.items():
        category = INVERSE if settle == INVERSE else LINEAR
        try:
            listed = listing(replies, call)
            orders = [read_order(row, category) for row in listed.rows]
        except ExchangeError:
            continue
        known.add(settle)
        times.append(listed.at)
        found |= {order.order_id: order for order in orders if order.is_open}
    return OpenOrders(
        orders=tuple(found.values()), known=frozenset(known), at=min(times, default=None)
    )


def _protects(order: Order, held: Held) -> bool:
    if not order.is_waiting or order.symbol != held.symbol:
        return False
    if order.idx != held.idx or order.closes is not held.side:
        return False
    if order.stop_kind in _STOPS:
        return True
    losing = _FALLS if held.side is Side.LONG else _RISES
    return (
        order.stop_kind == _CONDITIONAL and order.only_reduces and order.trigger_direction == losing
    )
