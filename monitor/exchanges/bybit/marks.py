"""
Marks of Bybit's contracts and USD indices of coins: by REST and by the public ticker streams.

A stream sends one snapshot and then deltas of what changed; a delta that leaves the mark out
says that it still holds. Frames, shortened (docs «Ticker» stream, read 2026-07): ``{"topic":
"tickers.BTCUSDT", "type": "snapshot", "data": {"symbol": "BTCUSDT", "markPrice": "66666.60", …},
"cs": 9532239429, "ts": 1760325052630}``, ``{"topic": "tickers.AAVEUSDT", "type": "delta", "data":
{"symbol": "AAVEUSDT", "bid1Price": "112.89"}, "cs": 78039939929, "ts": 1709210212704}``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.collateral import ticker_mark
from monitor.exchanges.bybit.index import coin_of, index_of, is_index, spot_symbol
from monitor.exchanges.bybit.rows import INVERSE, LINEAR, SPOT
from monitor.exchanges.payload import Row, as_decimal, parse_json
from monitor.exchanges.port import (
    Ignored,
    KeepAlive,
    MarksRead,
    MarkStream,
    Pong,
    Rejected,
    Subscribed,
)
from monitor.risk.model import ZERO, Mark, Payoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.port import FrameRead
    from monitor.risk.model import Instrument

HOST = "wss://stream.bybit.com"
PUBLIC = "/v5/public/"
KEEP_ALIVE = KeepAlive(text='{"req_id":"ping","op":"ping"}', seconds=20)
# «The args array's length for one public connection may not exceed 21,000 characters.»
ARGS_CHARACTERS = 21_000
TOPICS_PER_REQUEST = 10
_TICKERS = "tickers."
_MARK, _INDEX = "markPrice", "usdIndexPrice"
_EMPTY = b'""'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = msgspec.Raw(b"")


class _Ticker(msgspec.Struct):
    symbol: str = ""
    markPrice: msgspec.Raw = _NOTHING  # noqa: N815 - the wire's name
    usdIndexPrice: msgspec.Raw = _NOTHING  # noqa: N815 - the wire's name


class _Frame(msgspec.Struct):
    topic: str = ""
    type: str = ""
    ts: int | str = ""
    data: msgspec.Raw = _NOTHING


_frames = msgspec.json.Decoder(_Frame)
_tickers = msgspec.json.Decoder(_Ticker)


def mark_calls(instruments: tuple[Instrument, ...]) -> tuple[RestCall, ...]:
    """One ticker call per contract: a whole category is hundreds of rows."""
    return tuple(_ticker_of(instrument) for instrument in instruments)


def _ticker_of(instrument: Instrument) -> RestCall:
    return calls.ticker(_wire_symbol(instrument), _category(instrument))


def _wire_symbol(instrument: Instrument) -> str:
    """What Bybit calls the market whose ticker carries this mark."""
    return spot_symbol(instrument.base) if is_index(instrument) else instrument.exchange_symbol


def _category(instrument: Instrument) -> str:
    if is_index(instrument):
        return SPOT
    return INVERSE if instrument.payoff is Payoff.INVERSE else LINEAR


def read_marks(replies: Replies, instruments: tuple[Instrument, ...]) -> Mapping[str, Mark]:
    """
    Marks by exchange symbol, each of the time at which Bybit answered.

    Raises:
        MissingReply: If a ticker is not there, or no longer listed.
        Malformed: If a mark is no number above 0.
    """
    marks: dict[str, Mark] = {}
    for instrument in instruments:
        call = _ticker_of(instrument)
        key = _INDEX if is_index(instrument) else _MARK
        mark = ticker_mark(replies, _wire_symbol(instrument), _category(instrument), key)
        if mark is None:
            raise MissingReply("no mark was given for this symbol", call=call.request)
        marks[instrument.exchange_symbol] = mark
    return marks


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    """
    As many connections as the tickers of these contracts need, ten topics to a request.

    Linear and inverse contracts have streams of their own; a coin's index comes with its spot
    ticker.
    """
    topics: dict[str, dict[str, str]] = {LINEAR: {}, INVERSE: {}, SPOT: {}}
    for instrument in instruments:
        topic = _TICKERS + _wire_symbol(instrument)
        topics[_category(instrument)][topic] = instrument.exchange_symbol
    return tuple(
        _stream(PUBLIC + category, part, heard)
        for category, heard in topics.items()
        for part in _by_connection(sorted(heard))
    )


def _by_connection(topics: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for topic in topics:
        if len(json.dumps([*part, topic])) > ARGS_CHARACTERS:
            yield part
            part = []
        part.append(topic)
    if part:
        yield part


def _stream(path: str, topics: list[str], heard: Mapping[str, str]) -> MarkStream:
    """Args: heard: Topic → the exchange symbol whose marks it brings."""
    batches = [
        topics[start : start + TOPICS_PER_REQUEST]
        for start in range(0, len(topics), TOPICS_PER_REQUEST)
    ]
    return MarkStream(
        host=HOST,
        path=path,
        subscribe=tuple(
            json.dumps({"req_id": str(number), "op": "subscribe", "args": batch})
            for number, batch in enumerate(batches, start=1)
        ),
        acks=len(batches),
        symbols=frozenset(heard[topic] for topic in topics),
        keepalive=KEEP_ALIVE,
    )


def read_frame(text: str | bytes) -> FrameRead:
    """
    What a frame of a public connection says.

    Raises:
        Malformed: If it can't be read, or a mark is no number above 0.
    """
    try:
        frame = _frames.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_answer(text)
    if frame.topic.startswith(_TICKERS):
        return _read_ticker(frame)
    return Ignored(what=frame.topic.partition(".")[0]) if frame.topic else _read_answer(text)


def _read_ticker(frame: _Frame) -> MarksRead | Ignored:
    try:
        ticker = _tickers.decode(frame.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("data", "a ticker object") from error
    symbol = ticker.symbol
    if not symbol or frame.topic != _TICKERS + symbol:
        raise Malformed("data.symbol", f"the symbol of {frame.topic[:60]}", symbol[:60])
    at = _time(frame.ts)
    if ticker.usdIndexPrice and not ticker.markPrice:
        return _read_index(symbol, ticker.usdIndexPrice, at)
    if ticker.markPrice:
        return MarksRead(marks={symbol: Mark(price=_price(ticker.markPrice, _MARK), at=at)})
    if frame.type != "delta":
        raise Malformed("data.markPrice", "a mark in a snapshot", "nothing")
    return MarksRead(marks={}, confirmed={symbol: at})


def _read_index(symbol: str, told: msgspec.Raw, at: datetime) -> MarksRead | Ignored:
    """The index in a spot ticker; a coin that is no collateral has none, and says so by ""."""
    coin = coin_of(symbol)
    if coin is None or bytes(told) == _EMPTY:
        return Ignored(what="spot ticker")
    mark = Mark(price=_price(told, _INDEX), at=at)
    return MarksRead(marks={index_of(coin).exchange_symbol: mark})


def _price(told: msgspec.Raw, key: str) -> Decimal:
    price = as_decimal(parse_json(bytes(told), f"data.{key}"), f"data.{key}")
    if price <= ZERO:
        raise Malformed(f"data.{key}", "a number above 0", str(price))
    return price


def _time(stamp: int | str) -> datetime:
    number = as_decimal(stamp, "ts")
    if number <= ZERO or number != number.to_integral_value() or number > Decimal(10**14):
        raise Malformed("ts", "a time in ms", str(stamp)[:40])
    return _EPOCH + timedelta(milliseconds=int(number))


def _read_answer(text: str | bytes) -> FrameRead:
    """An answer to one of our messages: pong, acknowledgement, rejection."""
    body = parse_json(text, "frame")
    row = Row(body, "")
    message = row.optional_text("ret_msg") or ""
    if row.has("pong") or row.optional_text("op") == "pong" or message == "pong":
        return Pong()
    if row.has("success") and not row.boolean("success"):
        return Rejected(because=f"Bybit rejected a subscription: {message[:200]}")
    if row.optional_text("type") == "COMMAND_RESP":
        return _command_answer(row)
    if row.optional_text("op") == "subscribe" and row.has("success"):
        return Subscribed()
    if row.has("topic"):
        raise Malformed("topic", "a ticker that can be read", row.text("topic")[:60])
    return Ignored(what=row.optional_text("op") or "answer")


def _command_answer(row: Row) -> Subscribed | Rejected:
    failed = row.row("data").raw("failTopics")
    if failed:
        topics = ", ".join(map(str, failed if isinstance(failed, list) else [failed]))
        return Rejected(because=f"Bybit rejected the topics {topics[:200]}")
    return Subscribed()
