"""
Marks of Bybit's contracts: by REST tickers, and live by the public ticker streams.

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
from typing import TYPE_CHECKING, cast

import msgspec

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.collateral import ticker_mark
from monitor.exchanges.bybit.rows import INVERSE, LINEAR
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

    from monitor.exchanges.port import FrameRead, Replies, RestCall
    from monitor.risk.model import Instrument

HOST = "wss://stream.bybit.com"
PUBLIC = "/v5/public/"
KEEP_ALIVE = KeepAlive(text='{"req_id":"ping","op":"ping"}', seconds=20)
# «The args array's length for one public connection may not exceed 21,000 characters.»
ARGS_CHARACTERS = 21_000
TOPICS_PER_REQUEST = 10
_TICKERS = "tickers."
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
    return calls.ticker(instrument.exchange_symbol, _category(instrument))


def _category(instrument: Instrument) -> str:
    return INVERSE if instrument.payoff is Payoff.INVERSE else LINEAR


def read_marks(replies: Replies, instruments: tuple[Instrument, ...]) -> Mapping[str, Mark]:
    """
    Marks by exchange symbol.

    Raises:
        MissingReply: If a ticker is not there, or no longer listed.
        Malformed: If a mark is no number above 0.
    """
    marks: dict[str, Mark] = {}
    for instrument in instruments:
        mark = ticker_mark(replies, instrument.exchange_symbol, _category(instrument))
        if mark is None:
            call = _ticker_of(instrument)
            raise MissingReply("no mark was given for this symbol", call=call.request)
        marks[instrument.exchange_symbol] = mark
    return marks


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    """
    As many connections as the tickers of these contracts need, ten topics to a request.

    Linear and inverse contracts have streams of their own.
    """
    topics: dict[str, set[str]] = {}
    for instrument in instruments:
        of_category = topics.setdefault(_category(instrument), set())
        of_category.add(_TICKERS + instrument.exchange_symbol)
    return tuple(
        _stream(PUBLIC + category, part)
        for category in sorted(topics, reverse=True)
        for part in _by_connection(sorted(topics[category]))
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


def _stream(path: str, topics: list[str]) -> MarkStream:
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
        symbols=frozenset(topic.removeprefix(_TICKERS) for topic in topics),
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
    if ticker.usdIndexPrice and not ticker.markPrice:
        return Ignored(what="spot ticker")
    symbol = ticker.symbol
    if not symbol or frame.topic != _TICKERS + symbol:
        raise Malformed("data.symbol", f"the symbol of {frame.topic[:60]}", symbol[:60])
    at = _time(frame.ts)
    if ticker.markPrice:
        price = as_decimal(parse_json(bytes(ticker.markPrice), "data.markPrice"), "data.markPrice")
        if price <= ZERO:
            raise Malformed("data.markPrice", "a number above 0", str(price))
        return MarksRead(marks={symbol: Mark(price=price, at=at)})
    if frame.type != "delta":
        raise Malformed("data.markPrice", "a mark in a snapshot", "nothing")
    return MarksRead(marks={}, confirmed={symbol: at})


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
        topics = ", ".join(str(topic) for topic in cast("list[object]", failed))
        return Rejected(because=f"Bybit rejected the topics {topics[:200]}")
    return Subscribed()
