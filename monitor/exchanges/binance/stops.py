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
from monitor.exchanges.binance import calls, coin_calls, portfolio_calls
from monitor.exchanges.binance.account import Product, optional_answer
from monitor.exchanges.binance.contracts import product_of
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.binance.account import PositionRow
    from monitor.exchanges.call import Replies, RestCall

_STOP_TYPES = frozenset({"STOP", "STOP_MARKET", "TRAILING_STOP_MARKET"})
_BUYS = {"BUY": True, "SELL": False}


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
    """The open stop orders of one symbol, as known at `at`."""

    at: datetime
    orders: tuple[StopOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How one list words its orders."""

    type: str
    id: str
    closes: tuple[str, ...]


_ALGO = _Form(type="orderType", id="algoId", closes=("closePosition", "reduceOnly"))
_PLAIN = _Form(type="type", id="orderId", closes=("closePosition", "reduceOnly"))
_STRATEGY = _Form(type="strategyType", id="strategyId", closes=("reduceOnly",))


def _lists(symbol: str) -> tuple[tuple[RestCall, _Form], ...]:
    """Where a symbol's conditional orders may stand, portfolio margin's list first."""
    if product_of(symbol) is Product.COINM:
        return (
            (portfolio_calls.COINM_STOPS, _STRATEGY),
            (coin_calls.stop_call(symbol), _ALGO),
        )
    return ((portfolio_calls.USDM_STOPS, _ALGO), (calls.stop_call(symbol), _ALGO))


def read_stop_orders(replies: Replies, symbol: str) -> StopOrders | None:
    """A symbol's open stop orders; None where their list was not given or can't be read."""
    for call, form in _lists(symbol):
        reply = replies.find(call)
        body = optional_answer(replies, call)
        if reply is None or body is None:
            continue
        try:
            found = _read_orders(body, symbol, form)
        except Malformed:
            return None
        return StopOrders(at=reply.at, orders=found + _plain_stops(replies, symbol))
    return None


def _plain_stops(replies: Replies, symbol: str) -> tuple[StopOrder, ...]:
    """Stops that wait as plain orders: those placed before the algo service took them over."""
    side = coin_calls if product_of(symbol) is Product.COINM else calls
    try:
        return _read_orders(optional_answer(replies, side.plain_call(symbol)), symbol, _PLAIN)
    except Malformed:
        return ()


def _read_orders(body: object, symbol: str, form: _Form) -> tuple[StopOrder, ...]:
    rows = [row for row in rows_of(body, "openOrders") if row.text("symbol") == symbol]
    stops = [_read_order(row, form) for row in rows]
    return tuple(stop for stop in stops if stop is not None)


def _read_order(row: Row, form: _Form) -> StopOrder | None:
    if row.text(form.type) not in _STOP_TYPES:
        return None
    position_side = row.text("positionSide")
    buys = row.one_of("side", _BUYS)
    return StopOrder(
        id=row.text(form.id),
        symbol=row.text("symbol"),
        position_side=position_side,
        buys=buys,
        closes=_leads_out(row, form.closes, position_side, buys=buys),
    )


def _leads_out(row: Row, flags: tuple[str, ...], position_side: str, *, buys: bool) -> bool:
    """Whether an order can only close: by a flag of its own, in hedge mode by its direction."""
    if position_side == "BOTH":
        return any(row.boolean(flag) for flag in flags)
    return buys == (position_side == "SHORT")


def updated(stops: StopOrders, event: Row, at: datetime) -> StopOrders:
    """
    A symbol's stop orders after one ALGO_UPDATE; an event older than the list changes nothing.

    ``{"e": "ALGO_UPDATE", "E": …, "o": {"aid": 2148719, "o": "STOP_MARKET", "s": "BNBUSDT",
    "S": "SELL", "ps": "BOTH", "X": "NEW", "cp": false, "R": true, …}}``
    """
    if at < stops.at:
        return stops
    row = event.row("o")
    order_id = row.text("aid")
    others = tuple(stop for stop in stops.orders if stop.id != order_id)
    if row.text("X") != "NEW" or row.text("o") not in _STOP_TYPES:
        return StopOrders(at=at, orders=others)
    position_side = row.text("ps")
    buys = row.one_of("S", _BUYS)
    stop = StopOrder(
        id=order_id,
        symbol=row.text("s"),
        position_side=position_side,
        buys=buys,
        closes=_leads_out(row, ("cp", "R"), position_side, buys=buys),
    )
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
