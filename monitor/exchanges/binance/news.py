"""
What an event of the account's stream is to the monitor: a change, a warning, something taken.

Knows the events that `updates.py` has no rows for; must not know margin rules. Binance's own
texts are not repeated where they could be of any form: words here are ours.

An order that Binance itself places is known by its client id: ``autoclose-…`` liquidates,
``adl_autoclose`` deleverages, ``settlement_autoclose-…`` and ``delivery_autoclose-…`` settle. It
is told once when it is placed, as a warning, and then fill by fill.

Source: Binance «Event: Order Update» and «Event: Margin Call» of USDⓈ-M and COIN-M, «Event:
Futures Order update» and «Event riskLevelChange» of Portfolio Margin, «Event: Conditional Order
Trigger Reject», «Event: User Data Stream Expired», read November 2026; the status
NEW_INSURANCE by the documentation of nautilus_trader's Binance adapter (seen on the wire).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.binance.contracts import settle_asset
from monitor.exchanges.binance.updates import BalancesMoved, LeverageSet, event_row, read_event
from monitor.exchanges.port import Ignored, TicketEnded, Told
from monitor.risk.model import ZERO
from monitor.risk.news import Cause, Taken, Warned

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.payload import Row
    from monitor.exchanges.port import AccountFrameRead, Frame

# The longer prefixes first: «adl_autoclose» has none of the others in front.
_OWN_ORDERS = (
    ("autoclose-", Cause.LIQUIDATION),
    ("adl_autoclose", Cause.ADL),
    ("settlement_autoclose-", Cause.SETTLEMENT),
    ("delivery_autoclose-", Cause.SETTLEMENT),
)
_OWN_STATES = {"NEW_INSURANCE": Cause.TAKEOVER, "NEW_ADL": Cause.ADL}
_DOINGS = {
    Cause.LIQUIDATION: "liquidates",
    Cause.ADL: "deleverages",
    Cause.SETTLEMENT: "settles",
    Cause.TAKEOVER: "takes over",
}
_CLOSES_LONG = {"SELL": True, "BUY": False}
_ENDED = frozenset({"listenKeyExpired", "eventStreamTerminated"})
# Events that change what only a reading tells: the margin mode, and of portfolio margin the
# cross margin wallet.
_ASKING = {
    "ACCOUNT_CONFIG_UPDATE": "the account's settings changed",
    "outboundAccountPosition": "the cross margin wallet changed",
    "balanceUpdate": "the cross margin wallet changed",
    "liabilityChange": "a debt changed",
    "openOrderLoss": "the loss of open orders changed",
}
# Levels of portfolio margin: what Binance does at each, and whether the end is near.
_LEVELS = {
    "MARGIN_CALL": ("it asks for more margin", False),
    "SUPPLY_MARGIN": ("it asks for more margin", False),
    "REDUCE_ONLY": ("it takes orders that reduce positions only", True),
    "ACTIVE_LIQUIDATION": ("it liquidates", True),
    "FORCE_LIQUIDATION": ("it liquidates", True),
    "BANKRUPTED": ("the equity is used up", True),
}
_NORMAL = "NORMAL"


def read_account_frame(frame: Frame) -> AccountFrameRead:
    """
    What a frame of an account's stream says.

    Raises:
        Malformed: If it is no event of such a stream, or lacks a datum that it must have.
    """
    event = read_event(frame.text, frame.path)
    at = event.at or frame.at
    if isinstance(event.says, BalancesMoved):
        return Told(changes=True, news=_settled(event.says, at))
    if isinstance(event.says, LeverageSet):
        return Told(changes=True)
    if event.kind in _ENDED:
        return TicketEnded()
    if event.kind in _ASKING:
        return Told(ask=_ASKING[event.kind])
    reader = _READERS.get(event.kind)
    if reader is None:
        return Ignored(what=event.kind)
    return reader(event_row(frame.text), at)


def _settled(moved: BalancesMoved, at: datetime) -> tuple[Warned, ...]:
    """The one reason of a balance that tells of a liquidation: its end."""
    if moved.reason != "INSURANCE_CLEAR":
        return ()
    assets = ", ".join(sorted(moved.cross_wallets)) or "the wallet"
    words = f"INSURANCE_CLEAR: Binance settled in {assets} what a liquidation left"
    return (Warned(at=at, words=words),)


def _called(row: Row, at: datetime) -> Told:
    """
    ``{"e": "MARGIN_CALL", "E": 1587727187525, "cw": "3.16812045", "p": [{"s": "ETHUSDT", "ps":
    "LONG", "pa": "1.327", "mt": "CROSSED", "iw": "0", "mp": "187.17127", "up": "-1.166074",
    "mm": "1.614445"}]}``
    """
    legs = row.rows("p")
    symbols = sorted({leg.text("s") for leg in legs})
    named = ", ".join(
        f"{leg.text('s')} {leg.text('ps').lower()} ({abs(leg.decimal('pa')):f})"
        for leg in legs
        if leg.decimal("pa")
    )
    warned = Warned(
        at=at,
        words=f"MARGIN_CALL: Binance asks for margin for {named or ', '.join(symbols)}",
        exchange_symbol=symbols[0] if len(symbols) == 1 else None,
    )
    return Told(news=(warned,))


def _level(row: Row, at: datetime) -> AccountFrameRead:
    """
    ``{"e": "riskLevelChange", "E": 1587727187525, "u": "1.99999999", "s": "MARGIN_CALL", "eq":
    "30.23416728", "ae": "30.23416728", "m": "15.11708371"}``; of a level that we don't know
    the worst is thought.
    """
    news = standing(row.text("s"), row.optional_decimal("u"), at)
    return Told(news=news) if news else Ignored(what="risk level NORMAL")


def standing(level: str, uni_mmr: Decimal | None, at: datetime) -> tuple[Warned, ...]:
    """What a portfolio's risk level (by REST its accountStatus) warns of; nothing if NORMAL."""
    if level == _NORMAL:
        return ()
    doing, is_critical = _LEVELS.get(level, ("a level that the monitor does not know", True))
    at_mmr = "" if uni_mmr is None else f" at uniMMR {uni_mmr:f}"
    words = f"risk level {_cut(level)}{at_mmr}: {doing}"
    return (Warned(at=at, words=words, is_critical=is_critical),)


def _fell(row: Row, at: datetime) -> Told:
    """``uniMMRDrop``, for which one has to ask; its fields are not published in full."""
    words = "uniMMRDrop: uniMMR fell" + (f" to {row.decimal('u'):f}" if row.has("u") else "")
    return Told(news=(Warned(at=at, words=words, is_critical=False),))


def _stop_changed(row: Row, at: datetime) -> Told:
    """ALGO_UPDATE; one that was triggered and then not taken protects nobody."""
    order = row.row("o")
    is_rejected = order.text("X") == "REJECTED"
    news = (_unplaced(order, "rm", at),) if is_rejected else ()
    return Told(changes=True, news=news, of_stops=True)


def _trigger_rejected(row: Row, at: datetime) -> Told:
    """
    ``{"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": 1685517224945, "T": 1685517224955, "or":
    {"s": "ETHUSDT", "i": 155618472834, "r": "Due to the order could not be filled …"}}``
    """
    return Told(news=(_unplaced(row.row("or"), "r", at),))


def _unplaced(order: Row, reason: str, at: datetime) -> Warned:
    symbol = order.text("s")
    why = order.optional_text(reason)
    said = f": {_cut(why)}" if why else ""
    words = f"Binance did not place the triggered conditional order of {symbol}{said}"
    return Warned(at=at, words=words, exchange_symbol=symbol, is_critical=False)


def _cut(text: str) -> str:
    """A text of Binance's in one short line."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable[:120]


def _of_order(row: Row, at: datetime) -> AccountFrameRead:
    news = _done_by(row.row("o"), at)
    return Told(news=news) if news else Ignored(what="an order of the owner's")


def _done_by(order: Row, at: datetime) -> tuple[Warned | Taken, ...]:
    """
    What an order of Binance's own did; nothing of one of the owner's.

    ``{"s": "BTCUSDT", "c": "autoclose-1", "S": "SELL", "o": "LIQUIDATION", "q": "0.001", "ap":
    "0", "x": "TRADE", "X": "FILLED", "i": 8886774, "l": "0.001", "L": "9910", "N": "USDT", "n":
    "0.12", "t": 7, "ps": "LONG", "rp": "-4.2"}``
    """
    cause = _cause(order)
    if cause is None:
        return ()
    filled = order.optional_decimal("l") or ZERO
    taken_over = cause is Cause.TAKEOVER
    if filled > ZERO or taken_over:
        return (_taken(order, cause, filled or order.decimal("q"), at),)
    if order.text("x") != "NEW":
        return ()
    return (_begun(order, cause, at),)


def _cause(order: Row) -> Cause | None:
    named = _OWN_STATES.get(order.text("X"))
    if named is not None:
        return named
    client_id = order.optional_text("c") or ""
    for prefix, cause in _OWN_ORDERS:
        if client_id.startswith(prefix):
            return cause
    return Cause.LIQUIDATION if order.text("o") == "LIQUIDATION" else None


def _begun(order: Row, cause: Cause, at: datetime) -> Warned:
    symbol = order.text("s")
    leg = "long" if order.one_of("S", _CLOSES_LONG) else "short"
    words = (
        f"Binance {_DOINGS[cause]} {symbol} {leg}: its own order of "
        f"{order.decimal('q'):f} ({cause.value})"
    )
    return Warned(at=at, words=words, exchange_symbol=symbol)


def _taken(order: Row, cause: Cause, contracts: Decimal, at: datetime) -> Taken:
    symbol = order.text("s")
    asset = order.optional_text("ma") or settle_asset(symbol)
    price = order.optional_decimal("L") or order.optional_decimal("ap")
    return Taken(
        id=_id(order),
        at=order.optional_time("T") or at,
        cause=cause,
        exchange_symbol=symbol,
        is_long=order.one_of("S", _CLOSES_LONG),
        contracts=contracts if contracts > ZERO else None,
        price=price if price is not None and price > ZERO else None,
        asset=asset,
        amount=_amount(order, asset),
    )


def _id(order: Row) -> str:
    """An order may be filled in parts, and each is told by itself."""
    trade = order.optional_text("t")
    fill = f" fill {trade}" if trade not in (None, "0") else ""
    return f"{order.text('s')} order {order.text('i')}{fill}"


def _amount(order: Row, asset: str | None) -> Decimal | None:
    """Realized profit less the fee, as far as that was taken in the same asset."""
    profit = order.optional_decimal("rp")
    if profit is None or asset is None:
        return None
    fee = order.optional_decimal("n") if order.optional_text("N") == asset else None
    return profit - (fee or ZERO)


_READERS: dict[str, Callable[[Row, datetime], AccountFrameRead]] = {
    "ALGO_UPDATE": _stop_changed,
    "CONDITIONAL_ORDER_TRIGGER_REJECT": _trigger_rejected,
    "ORDER_TRADE_UPDATE": _of_order,
    "MARGIN_CALL": _called,
    "riskLevelChange": _level,
    "RISK_LEVEL_CHANGE": _level,
    "uniMMRDrop": _fell,
}
