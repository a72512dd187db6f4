"""
What Bybit took of a position, and orders by which it takes: from fills, orders and the log.

A fill names its order, and the transaction log does too: so what was taken is told once per
order, whichever of the two brings it. Fills that are not all of their order are told one by one.
What the figures make of it comes with wallet and position rows, not from here.

Not taken is what a position pays or is paid while it stays: funding, and the settlement of a
USDC contract's profit every eight hours (`SessionSettlePnL`).

Sources: docs «Execution» and «Order» streams, «Get Transaction Log», enums `execType`,
`createType`, `cancelType`, `type(uta-translog)`, read 2026-07. A fill, shortened:
``{"category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderId": "f6e3…", "execId":
"7e2a…", "execQty": "0.5", "orderQty": "0.5", "execPrice": "70000", "execFee": "19.25",
"execPnl": "-15000", "execType": "BustTrade", "createType": "CreateByTakeOver_PassThrough",
"execTime": "1672364174443"}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import result_of
from monitor.exchanges.bybit.rows import INVERSE, LINEAR, OPTION, SPOT, settle_of
from monitor.risk.model import ZERO
from monitor.risk.news import Cause, Taken, Warned

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.call import Replies
    from monitor.exchanges.payload import Row
    from monitor.risk.news import News

_BY_ORDER = {
    "CreateByLiq": Cause.LIQUIDATION,
    "CreateByTakeOver_PassThrough": Cause.TAKEOVER,
    # As one client spells it.
    "CreateByTakeOver_PassThroughIf": Cause.TAKEOVER,
    "CreateByAdl_PassThrough": Cause.ADL,
    "CreateBySettle": Cause.SETTLEMENT,
    "CreateByAdminClosing": Cause.SETTLEMENT,
}
_BY_FILL = {
    "BustTrade": Cause.TAKEOVER,
    "AdlTrade": Cause.ADL,
    "Delivery": Cause.SETTLEMENT,
    "Settle": Cause.SETTLEMENT,
    "ForwardSplitSettle": Cause.SETTLEMENT,
    "ReverseSplitSettle": Cause.SETTLEMENT,
    "CorporateAction": Cause.SETTLEMENT,
}
# The owner's own doing, or money alone.
_OWN = frozenset(
    {"Trade", "Funding", "BlockTrade", "MovePosition", "FutureSpread"}
    | {"SessionSettlePnL", "Dividend"}
)
_BY_BOOKING = {
    "LIQUIDATION": Cause.LIQUIDATION,
    "ADL": Cause.ADL,
    "DELIVERY": Cause.SETTLEMENT,
}
_ORDERED = {
    Cause.LIQUIDATION: "Bybit reduces {symbol} to lower its maintenance margin: a laddered "
    "liquidation ({what})",
    Cause.TAKEOVER: "Bybit takes {symbol} over at the bankruptcy price ({what})",
    Cause.ADL: "Bybit auto-deleverages {symbol} ({what})",
    Cause.SETTLEMENT: "Bybit closes {symbol} by an order of its own ({what})",
}
_CANCELLED = {
    "CancelByPrepareLiq": "Bybit cancels orders of {symbol} to prevent a liquidation ({what})",
    "CancelAllBeforeLiq": "Bybit cancels all orders before a liquidation ({what}, {symbol})",
    "CancelByPrepareAdl": "Bybit cancels orders of {symbol} before auto-deleveraging ({what})",
    "CancelAllBeforeAdl": "Bybit cancels orders of {symbol} before auto-deleveraging ({what})",
    "CancelByPmTrialMmOverEquity": "Bybit cancels orders: the portfolio's maintenance margin is "
    "above its equity ({what}, {symbol})",
}
_LONGEST_WORD = 40
_CATEGORIES = (LINEAR, INVERSE, OPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """
    A part of a position that went by an order of Bybit's.

    `order_qty` is how much the whole order was for, `amount` what it changed the wallet by;
    both None where it is not told.
    """

    order: str
    id: str
    at: datetime
    cause: Cause
    symbol: str
    category: str
    is_long: bool | None
    qty: Decimal | None
    order_qty: Decimal | None
    price: Decimal | None
    amount: Decimal | None


def taken_by(fills: Iterable[Fill]) -> tuple[Taken, ...]:
    """What was taken, one item an order; an order that they don't fill is told by its fills."""
    by_order: dict[tuple[str, str], list[Fill]] = {}
    for fill in dict.fromkeys(fills):
        by_order.setdefault((fill.symbol, fill.order or fill.id), []).append(fill)
    return tuple(each for part in by_order.values() for each in _taken(part))


def _taken(fills: list[Fill]) -> tuple[Taken, ...]:
    wanted = fills[0].order_qty
    whole = _sum(fill.qty for fill in fills)
    if wanted is not None and whole is not None and whole < wanted:
        return tuple(_one(fill.id, [fill]) for fill in fills)
    return (_one(fills[0].order or fills[0].id, fills),)


def _one(name: str, fills: list[Fill]) -> Taken:
    first = fills[0]
    return Taken(
        id=name,
        at=max(fill.at for fill in fills),
        cause=first.cause,
        exchange_symbol=first.symbol,
        is_long=first.is_long,
        contracts=_sum(fill.qty for fill in fills),
        price=_mean_price(fills),
        asset=settle_of(first.symbol, first.category),
        amount=_sum(fill.amount for fill in fills),
    )


def _sum(numbers: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; None where one of them is not told."""
    total = ZERO
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _mean_price(fills: list[Fill]) -> Decimal | None:
    """Weighed by size; of an inverse contract, whose size is in USD, by the coins it is worth."""
    told = [(fill.qty, fill.price) for fill in fills if fill.qty and fill.price]
    if len(told) < len(fills):
        return None
    prices = {price for _, price in told}
    if len(prices) == 1:
        return prices.pop()
    size = sum((qty for qty, _ in told), ZERO)
    if fills[0].category == INVERSE:
        return size / sum((qty / price for qty, price in told), ZERO)
    return sum((qty * price for qty, price in told), ZERO) / size


def read_fill(row: Row) -> Fill | None:
    """
    A row of the execution stream that Bybit brought about; None of the owner's own.

    `execPnl` is without fees, `execFee` positive where paid; tax stands in `extraFees`.

    Raises:
        Malformed: If one that Bybit brought about can't be read.
    """
    category = row.optional_text("category") or LINEAR
    cause = _cause(row)
    if cause is None or category not in _CATEGORIES:
        return None
    symbol = row.text("symbol")
    closed = row.optional_decimal("closedSize")
    return Fill(
        order=row.optional_text("orderId") or "",
        id=row.text("execId"),
        at=row.time("execTime"),
        cause=cause,
        symbol=symbol,
        category=category,
        is_long=_was_long(row),
        qty=closed or row.optional_decimal("execQty") or None,
        order_qty=row.optional_decimal("orderQty") or None,
        price=_above_zero(row, "execPrice"),
        amount=_amount(row, settle_of(symbol, category)),
    )


def unknown_kind(row: Row) -> str | None:
    """The kind of a fill where it is none that is known; None where it is."""
    kind = row.optional_text("execType")
    known = kind is None or kind in _OWN or kind in _BY_FILL
    return None if known or kind is None else shown(kind)


def _cause(row: Row) -> Cause | None:
    by_order = _BY_ORDER.get(row.optional_text("createType") or "")
    return by_order or _BY_FILL.get(row.optional_text("execType") or "")


def _was_long(row: Row) -> bool | None:
    """Whether it was a long that was closed: a Sell closes one."""
    return {"Sell": True, "Buy": False}.get(row.optional_text("side") or "")


def _above_zero(row: Row, key: str) -> Decimal | None:
    number = row.optional_decimal(key)
    return number if number is not None and number > ZERO else None


def _amount(row: Row, settle: str) -> Decimal | None:
    """Profit less fees and tax; None where the profit is not told."""
    profit = row.optional_decimal("execPnl")
    if profit is None:
        return None
    taxes = row.raw("extraFees") if row.has("extraFees") else ()
    taxed = ZERO
    if isinstance(taxes, list):
        rows = row.rows("extraFees")
        taxed = sum(
            (each.decimal("fee") for each in rows if each.optional_text("feeCoin") == settle), ZERO
        )
    return profit - (row.optional_decimal("execFee") or ZERO) - taxed


def warned_by_order(row: Row, at: datetime) -> tuple[Warned, ...]:
    """What an order row says of Bybit's own doing; nothing of the owner's own orders."""
    if (row.optional_text("category") or LINEAR) == SPOT:
        return ()
    symbol = shown(row.text("symbol"))
    created, cancelled = row.optional_text("createType"), row.optional_text("cancelType")
    words: str | None = None
    if created in _BY_ORDER:
        words = _ORDERED[_BY_ORDER[created]].format(symbol=symbol, what=created)
    elif cancelled in _CANCELLED:
        words = _CANCELLED[cancelled].format(symbol=symbol, what=cancelled)
    if words is None:
        return ()
    return (Warned(at=at, words=words, exchange_symbol=symbol),)


def news_of(account: Account) -> tuple[News, ...]:
    """How Bybit treats the positions held, where it is out of the usual, and what it took."""
    warned = (leg.standing.warnings(leg.symbol, leg.mark_at) for leg in account.held)
    return (*(each for told in warned for each in told), *taken_of_log(account.replies))


def taken_of_log(replies: Replies) -> tuple[Taken, ...]:
    """
    What the transaction log lists as taken; nothing where it was not asked for, or not given.

    No figure depends on it: a line that can't be read is left out.
    """
    reply = replies.find(calls.BOOKINGS)
    if reply is None:
        return ()
    try:
        rows = result_of(reply).rows("list")
    except ExchangeError:
        return ()
    return taken_by(fill for fill in map(_booked, rows) if fill is not None)


def _booked(row: Row) -> Fill | None:
    try:
        cause = _BY_BOOKING.get(row.optional_text("type") or "")
        if cause is None or not row.has("symbol") or row.optional_text("category") == SPOT:
            return None
        return Fill(
            order=row.optional_text("orderId") or "",
            id=row.optional_text("tradeId") or row.text("id"),
            at=row.time("transactionTime"),
            cause=cause,
            symbol=row.text("symbol"),
            category=row.optional_text("category") or LINEAR,
            is_long=_was_long(row),
            qty=_above_zero(row, "qty"),
            order_qty=None,
            price=_above_zero(row, "tradePrice"),
            amount=row.optional_decimal("change"),
        )
    except ExchangeError:
        return None


def shown(word: str) -> str:
    """A word that came from outside, fit to be shown."""
    kept = "".join(c for c in word if c.isalnum() or c in "_-.")
    return kept[:_LONGEST_WORD] or "?"
