"""
Mark prices: what to subscribe to, what its frames say, and the same by REST.

Knows Binance's market streams; must not know the account. A symbol that a frame leaves out
means nothing (TradFi symbols come in arrays of their own), and COIN-M elements (`st` 2) may
stand among the USDⓈ-M ones. Floating collateral has the price of its index.

Source: Binance «USDS Margined Futures, Websocket Market Streams: Mark Price Stream,
Multi-Assets Mode Asset Index, Live Subscribing/Unsubscribing», «COIN Margined Futures,
Websocket Market Streams: Mark Price Stream», «Mark Price (REST)», read November 2026.
"""

from __future__ import annotations

import json
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance import calls, coin_calls
from monitor.exchanges.binance.account import Product, answer
from monitor.exchanges.binance.cash import mark_call, premium_rows
from monitor.exchanges.binance.contracts import is_index, product_of
from monitor.exchanges.binance.indexes import Rates, has_indexes
from monitor.exchanges.payload import Row, parse_json, rows_of
from monitor.exchanges.port import (
    FrameRead,
    Ignored,
    MarksRead,
    MarkStream,
    Rejected,
    Subscribed,
    TablesMoved,
)
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import Replies, RestCall
    from monitor.risk.model import Instrument

HOST = "wss://fstream.binance.com"
# On an unrouted path a subscription is acknowledged and then nothing ever comes (2026-04-23).
PATH = "/market/ws"
COIN_HOST = "wss://dstream.binance.com"
COIN_PATH = "/ws"
_STREAMS_PER_MESSAGE = 200
_STREAMS_PER_CONNECTION = 999
_SYMBOLS_BY_ONE = 10
_COIN_MARGINED = "2"


class Source(Enum):
    """Where a price comes from live: each side's marks, or the index of collateral."""

    USDM = "usdm"
    COINM = "coinm"
    INDEX = "index"


_TOPICS = {
    Source.USDM: "markPrice@1s",
    Source.COINM: "markPrice@1s",
    Source.INDEX: "assetIndex",
}
_CONTRACTS = "!contractInfo"
_CONTRACT = "contractInfo"
_MARK = "markPriceUpdate"
_INDEX = "assetIndexUpdate"


def mark_calls(instruments: tuple[Instrument, ...]) -> tuple[RestCall, ...]:
    """One call per symbol, or one for all of a kind where that weighs less."""
    usdm = [i.exchange_symbol for i in instruments if _source(i) is Source.USDM]
    coinm = [i.exchange_symbol for i in instruments if _source(i) is Source.COINM]
    indexes = [i.base for i in instruments if _source(i) is Source.INDEX]
    many = len(usdm) > _SYMBOLS_BY_ONE
    return (
        *((calls.PREMIUM_INDEX,) if many else (calls.mark_call(symbol) for symbol in usdm)),
        *((replace(coin_calls.PREMIUM_INDEX, max_age_seconds=0),) if coinm else ()),
        *(
            (calls.ASSET_INDEX,)
            if len(indexes) > _SYMBOLS_BY_ONE
            else (calls.index_call(asset) for asset in indexes)
        ),
    )


def read_marks(replies: Replies, instruments: tuple[Instrument, ...]) -> Mapping[str, Mark]:
    """
    The marks of these instruments by exchange symbol, as far as a reply holds them.

    Raises:
        Malformed: If a reply for one of them can't be read.
    """
    marks = {}
    for instrument in instruments:
        symbol = instrument.exchange_symbol
        if is_index(instrument):
            rate = Rates(replies).of(instrument.base) if has_indexes(replies) else None
            if rate is not None:
                marks[symbol] = rate.mark
            continue
        call = mark_call(symbol)
        reply = replies.find(call)
        if reply is None:
            continue
        for row in premium_rows(answer(replies, call)):
            if row.text("symbol") == symbol:
                at = reply.by_our_clock(row.time("time"))
                marks[symbol] = Mark(price=row.positive("markPrice"), at=at)
    return marks


def _source(instrument: Instrument) -> Source:
    if is_index(instrument):
        return Source.INDEX
    coin = product_of(instrument.exchange_symbol) is Product.COINM
    return Source.COINM if coin else Source.USDM


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    """
    A connection for each side's symbols, up to 999, each by its own stream once a second.

    The indexes of collateral come with USDⓈ-M's marks, and so does what is announced of any
    contract: COIN-M's too since the engines were joined.
    """
    names = {
        i.exchange_symbol: f"{i.exchange_symbol.lower()}@{_TOPICS[_source(i)]}" for i in instruments
    }
    coinm = sorted(i.exchange_symbol for i in instruments if _source(i) is Source.COINM)
    usdm = sorted(names.keys() - set(coinm))
    return (
        *_streams(HOST, PATH, usdm, names, _CONTRACTS),
        *_streams(COIN_HOST, COIN_PATH, coinm, names),
    )


def _streams(
    host: str, path: str, symbols: list[str], names: Mapping[str, str], *beside: str
) -> tuple[MarkStream, ...]:
    parts = [
        symbols[start : start + _STREAMS_PER_CONNECTION]
        for start in range(0, len(symbols), _STREAMS_PER_CONNECTION)
    ]
    return tuple(
        _stream(host, path, part, [*(names[symbol] for symbol in part), *beside]) for part in parts
    )


def _stream(host: str, path: str, symbols: list[str], names: list[str]) -> MarkStream:
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
        host=host,
        path=path,
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
    if kind == _INDEX:
        return MarksRead(marks={row.text("s"): Mark(price=row.positive("i"), at=row.time("E"))})
    if kind == _CONTRACT:
        return _announced(row)
    if kind != _MARK:
        return Ignored(what=kind)
    coin = product_of(row.text("s")) is Product.COINM
    if row.optional_text("st") == _COIN_MARGINED and not coin:
        return Ignored(what="mark that is said to be of COIN-M under another name")
    return MarksRead(marks=dict([_read_mark(row)]))


def _announced(row: Row) -> FrameRead:
    """
    ``{"e": "contractInfo", "s": "IOTAUSDT", "cs": "TRADING", "bks": [{"bs": 1, "bnf": 0, "bnc":
    5000, "mmr": 0.01, "cf": 0, "mi": 21, "ma": 50}], "st": 1}``; brackets only where they changed.
    """
    if not row.has("bks"):
        return Ignored(what=_CONTRACT)
    symbol = row.text("s")
    return TablesMoved(symbol=symbol, because=f"Binance announced other brackets of {symbol}")


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
