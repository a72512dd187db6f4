"""
Open stop orders → which position is protected.

Knows order rows and the ALGO_UPDATE event; must not know margin. A take-profit protects
nothing, and a stop that could open a position (neither reduce-only nor close-all in one-way
mode) is an entry, not a protection.

Source: Binance «Current All Algo Open Orders (USER_DATA)», «Event: Algo Order Update»,
«Current All Open Orders (USER_DATA)», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.account import PLAIN_ORDERS, STOP_ORDERS, optional_answer
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.binance.account import PositionRow
    from monitor.exchanges.port import Replies

_STOP_TYPES = frozenset({"STOP", "STOP_MARKET", "TRAILING_STOP_MARKET"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrder:
    """
    A conditional order that waits. `closes` means that it can only make a position smaller.

    `buys` is its direction; `position_side` BOTH, LONG or SHORT.
    """

    id: str
    symbol: str
    position_side: str
    buys: bool
    closes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrders:
    """Every open stop order of the account, as known at `at`."""

    at: datetime
    orders: tuple[StopOrder, ...]


def read_stop_orders(replies: Replies) -> StopOrders | None:
    """The account's open stop orders; None where the list was not given or can't be read."""
    reply = replies.find(STOP_ORDERS)
    body = optional_answer(replies, STOP_ORDERS)
    if reply is None or body is None:
        return None
    try:
        rows = rows_of(body, "openAlgoOrders")
        stops = [_read_order(row, "orderType", "algoId") for row in rows]
    except Malformed:
        return None
    return StopOrders(
        at=reply.at, orders=tuple(stop for stop in stops if stop) + _plain_stops(replies)
    )


def _plain_stops(replies: Replies) -> tuple[StopOrder, ...]:
    """Stops that wait as plain orders: those placed before the algo service took them over."""
    try:
        rows = rows_of(optional_answer(replies, PLAIN_ORDERS), "openOrders")
        stops = [_read_order(row, "type", "orderId") for row in rows]
    except Malformed:
        return ()
    return tuple(stop for stop in stops if stop)


def _read_order(row: Row, type_key: str, id_key: str) -> StopOrder | None:
    if row.text(type_key) not in _STOP_TYPES:
        return None
    position_side = row.text("positionSide")
    only_closes = row.boolean("closePosition") or row.boolean("reduceOnly")
    return _stop(row.text(id_key), row, position_side, only_closes, row.text("side"))


def _stop(  # noqa: PLR0913, PLR0917 - the parts of one order
    order_id: str, row: Row, position_side: str, only_closes: bool, side: str, key: str = "symbol"
) -> StopOrder:
    buys = side == "BUY"
    closes = only_closes if position_side == "BOTH" else buys == (position_side == "SHORT")
    return StopOrder(
        id=order_id,
        symbol=row.text(key),
        position_side=position_side,
        buys=buys,
        closes=closes,
    )


def updated(stops: StopOrders | None, event: Row, at: datetime) -> StopOrders | None:
    """
    The stop orders after one ALGO_UPDATE; None stays None, for one order says nothing of others.

    ``{"e": "ALGO_UPDATE", "E": …, "o": {"aid": 2148719, "o": "STOP_MARKET", "s": "BNBUSDT",
    "S": "SELL", "ps": "BOTH", "X": "NEW", "cp": false, "R": true, …}}``
    """
    if stops is None:
        return None
    row = event.row("o")
    order_id = row.text("aid")
    others = tuple(stop for stop in stops.orders if stop.id != order_id)
    if row.text("X") != "NEW" or row.text("o") not in _STOP_TYPES:
        return StopOrders(at=at, orders=others)
    only_closes = row.boolean("cp") or row.boolean("R")
    stop = _stop(order_id, row, row.text("ps"), only_closes, row.text("S"), key="s")
    return StopOrders(at=at, orders=(*others, stop))


def has_stop_loss(stops: StopOrders | None, position: PositionRow) -> bool | None:
    """
    Whether a stop order protects a position.

    None where the list was not given, or where none is found in a list that is older than the
    position's last change: the stop may have been placed since.
    """
    if stops is None:
        return None
    if any(_protects(stop, position) for stop in stops.orders):
        return True
    changed_at = position.updated_at
    return None if changed_at is not None and changed_at > stops.at else False


def _protects(stop: StopOrder, position: PositionRow) -> bool:
    return (
        stop.symbol == position.symbol
        and stop.position_side == position.side
        and stop.buys == (position.amount < ZERO)
        and stop.closes
    )
