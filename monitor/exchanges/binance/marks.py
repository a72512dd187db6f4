"""
Mark prices: what to subscribe to, what its frames say, and the same by REST.

Knows Binance's market streams; must not know the account. A symbol that a frame leaves out
means nothing (TradFi symbols come in arrays of their own), and COIN-M elements (`st` 2) may
stand among the USDⓈ-M ones.

Source: Binance «USDS Margined Futures, Websocket Market Streams: Mark Price Stream, Live
Subscribing/Unsubscribing», «Mark Price (REST)», read November 2026.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.account import answer
from monitor.exchanges.binance.calls import FUTURES_BUDGET
from monitor.exchanges.payload import Row, parse_json, rows_of
from monitor.exchanges.port import (
    FrameRead,
    Ignored,
    MarksRead,
    MarkStream,
    Rejected,
    RestCall,
    Subscribed,
)
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.port import Replies
    from monitor.risk.model import Instrument

HOST = "wss://fstream.binance.com"
# On an unrouted path a subscription is acknowledged and then nothing ever comes (2026-04-23).
PATH = "/market/ws"
_STREAMS_PER_MESSAGE = 200
_STREAMS_PER_CONNECTION = 1000
_SYMBOLS_BY_ONE = 10
_COIN_MARGINED = "2"

PREMIUM_INDEX = RestCall(
    implicit="fapiPublicGetPremiumIndex",
    path="/fapi/v1/premiumIndex",
    weight=10,
    budget=FUTURES_BUDGET,
    optional=True,
)


def mark_call(symbol: str) -> RestCall:
    """The mark of one symbol by REST."""
    return RestCall(
        implicit=PREMIUM_INDEX.implicit,
        path=PREMIUM_INDEX.path,
        query=(("symbol", symbol),),
        weight=1,
        budget=FUTURES_BUDGET,
        optional=True,
    )


def mark_calls(instruments: tuple[Instrument, ...]) -> tuple[RestCall, ...]:
    """One call per symbol, or one for all where that weighs less."""
    if len(instruments) > _SYMBOLS_BY_ONE:
        return (PREMIUM_INDEX,)
    return tuple(mark_call(instrument.exchange_symbol) for instrument in instruments)


def read_marks(replies: Replies, instruments: tuple[Instrument, ...]) -> Mapping[str, Mark]:
    """
    The marks of these instruments by exchange symbol, as far as a reply holds them.

    Raises:
        Malformed: If a reply for one of them can't be read.
    """
    marks = {}
    for instrument in instruments:
        symbol = instrument.exchange_symbol
        call = mark_call(symbol)
        if not replies.has(call):
            continue
        body = answer(replies, call)
        rows = (Row(body, "premiumIndex"),) if isinstance(body, dict) else None
        for row in rows or rows_of(body, "premiumIndex"):
            if row.text("symbol") == symbol:
                marks[symbol] = Mark(price=row.positive("markPrice"), at=row.time("time"))
    return marks


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    """One connection for up to 1,000 symbols, each by its own stream, once a second."""
    symbols = sorted({instrument.exchange_symbol for instrument in instruments})
    return tuple(
        _stream(symbols[start : start + _STREAMS_PER_CONNECTION])
        for start in range(0, len(symbols), _STREAMS_PER_CONNECTION)
    )


def _stream(symbols: list[str]) -> MarkStream:
    names = [f"{symbol.lower()}@markPrice@1s" for symbol in symbols]
    messages = tuple(
        json.dumps(
            {
                "method": "SUBSCRIBE",
                "params": names[start : start + _STREAMS_PER_MESSAGE],
                "id": start // _STREAMS_PER_MESSAGE + 1,
            }
        )
        for start in range(0, len(names), _STREAMS_PER_MESSAGE)
    )
    return MarkStream(
        host=HOST,
        path=PATH,
        subscribe=messages,
        acks=len(messages),
        symbols=frozenset(symbols),
    )


def read_frame(text: str | bytes) -> FrameRead:
    """
    What a frame of the market stream says, combined (``{"stream", "data"}``) or bare.

    ``{"e": "markPriceUpdate", "E": 1562305380000, "s": "BTCUSDT", "p": "11794.15000000",
    "i": "11784.62659091", "r": "0.00038167", "T": 1562306400000, "st": 1}``

    Raises:
        Malformed: If it is no JSON, or a mark that can't be one. Of an array only if no
            element can be read: one symbol's nonsense must not blind the others.
    """
    value = parse_json(text, "frame")
    if isinstance(value, dict) and "stream" in value and "data" in value:
        value = value["data"]
    if isinstance(value, list):
        return _read_array(rows_of(value, "frame"))
    row = Row(value, "frame")
    if row.has("e"):
        return _read_event(row)
    return _read_answer(row)


def _read_event(row: Row) -> FrameRead:
    kind = row.text("e")
    if kind != "markPriceUpdate":
        return Ignored(what=kind)
    if row.optional_text("st") == _COIN_MARGINED:
        return Ignored(what="mark of a COIN-M symbol")
    return MarksRead(marks=dict([_read_mark(row)]))


def _read_mark(row: Row) -> tuple[str, Mark]:
    return row.text("s"), Mark(price=row.positive("p"), at=row.time("E"))


def _read_array(rows: tuple[Row, ...]) -> FrameRead:
    marks: dict[str, Mark] = {}
    unreadable: list[Malformed] = []
    for row in rows:
        try:
            said = _read_event(row)
        except Malformed as error:
            unreadable.append(error)
            continue
        if isinstance(said, MarksRead):
            marks |= said.marks
    if unreadable and not marks:
        raise unreadable[0]
    return MarksRead(marks=marks) if marks else Ignored(what="array without marks of ours")


def _read_answer(row: Row) -> FrameRead:
    """``{"result": null, "id": 1}``, or ``{"error": {"code": 2, "msg": "…"}, "id": 1}``."""
    if row.has("error"):
        error = row.row("error")
        return Rejected(because=f"Binance rejected the subscription (error {error.text('code')})")
    if row.has("code"):
        return Rejected(because=f"Binance rejected the subscription (error {row.text('code')})")
    if row.raw("result") is None:
        return Subscribed()
    return Ignored(what="answer to a question")
