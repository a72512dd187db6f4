"""
OKX's mark prices: by REST, and live on the public mark-price channel.

Knows frames and rows of marks; must not know accounts. A mark that is no number above 0 is
Malformed, never a price.

Source: OKX API guide, «Mark price channel», «Get mark price», «Connection», copies of July
2026: a push every 200 ms on a change and every 10 s without; 480 subscriptions an hour on a
connection; arguments of one request at most 64 KB; no data for 30 s closes the socket, and
only the text «ping» keeps it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from monitor.exchanges.okx.calls import all_marks, mark
from monitor.exchanges.okx.envelope import reading, rows
from monitor.exchanges.okx.errors import cleaned
from monitor.exchanges.okx.products import product_of
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import (
    FrameRead,
    Ignored,
    KeepAlive,
    Leave,
    MarksRead,
    MarkStream,
    Pong,
    Rejected,
    Subscribed,
)
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies, RestCall
    from monitor.risk.model import Instrument

HOST: Final = "wss://ws.okx.com:8443"
PATH: Final = "/ws/v5/public"
CHANNEL: Final = "mark-price"
PER_CONNECTION: Final = 400
PER_REQUEST: Final = 100  # some 6 KB of arguments
_FEW: Final = 5
KEEPALIVE: Final = KeepAlive(text="ping", seconds=20)
# A mark that stands is pushed every 10 s; two more for its way.
UNCHANGED_SECONDS: Final = 12.0
UPGRADE: Final = "64008"


def mark_calls(instruments: tuple[Instrument, ...]) -> tuple[RestCall, ...]:
    """The calls that bring these marks: one each for a few, else all of their kinds at once."""
    names = dict.fromkeys(instrument.exchange_symbol for instrument in instruments)
    if len(names) <= _FEW:
        return tuple(mark(product_of(name), name) for name in names)
    return tuple(all_marks(product) for product in dict.fromkeys(map(product_of, names)))


def read_marks(replies: Replies, instruments: tuple[Instrument, ...]) -> dict[str, Mark]:
    """
    The marks that the replies tell, by exchange symbol; those that they don't are left out.

    ``{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "84660.1", "ts": "1744…"}``

    Raises:
        Malformed: If a reply can't be read, or a mark is no number above 0.
    """
    names = {instrument.exchange_symbol for instrument in instruments}
    found: dict[str, Mark] = {}
    for call in dict.fromkeys(mark(product_of(name), name) for name in sorted(names)):
        reply = replies.find(call)
        if reply is None:
            continue
        with reading(call):
            for row in rows(reply):
                if (name := row.text("instId")) in names:
                    told = _mark(row)
                    found[name] = replace(told, at=reply.by_our_clock(told.at))
    return found


def _mark(row: Row) -> Mark:
    return Mark(price=row.positive("markPx"), at=row.time("ts"))


def mark_streams(instruments: tuple[Instrument, ...]) -> tuple[MarkStream, ...]:
    """The connections that bring these marks live; several where one may not ask for all."""
    names = sorted({instrument.exchange_symbol for instrument in instruments})
    return tuple(_stream(part) for part in _parts(names, PER_CONNECTION))


def _stream(names: tuple[str, ...]) -> MarkStream:
    return MarkStream(
        host=HOST,
        path=PATH,
        subscribe=tuple(_subscribe(part) for part in _parts(names, PER_REQUEST)),
        acks=len(names),
        symbols=frozenset(names),
        keepalive=KEEPALIVE,
    )


def _subscribe(names: tuple[str, ...]) -> str:
    args = [{"channel": CHANNEL, "instId": name} for name in names]
    return json.dumps({"op": "subscribe", "args": args}, separators=(",", ":"))


def _parts(names: list[str] | tuple[str, ...], most: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(names[start : start + most]) for start in range(0, len(names), most))


def read_frame(text: str | bytes) -> FrameRead:
    """
    What one frame of the public socket says.

    ``{"arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}, "data": [{"instType":
    "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "96000.5", "ts": "1790000000000"}]}``

    Raises:
        Malformed: If it is no frame of OKX's, or a mark in it is no number above 0.
    """
    if text in ("pong", b"pong"):
        return Pong()
    row = Row(parse_json(text, "frame"), "")
    if row.has("event"):
        return _event(row)
    channel = row.row("arg").text("channel")
    if channel != CHANNEL:
        return Ignored(what=f"channel {cleaned(channel)}")
    return MarksRead(marks={data.text("instId"): _mark(data) for data in row.rows("data")})


def _event(row: Row) -> FrameRead:
    event = row.text("event")
    code = cleaned(row.optional_text("code") or "")
    said = cleaned(row.optional_text("msg") or "")
    if event == "subscribe":
        return Subscribed()
    if event == "notice" and code == UPGRADE:
        return Leave(because="OKX is about to close this connection for an upgrade (64008)")
    if event in ("error", "channel-conn-count-error"):
        return Rejected(because=f"OKX says {code or event}: {said}".rstrip(": "))
    return Ignored(what=f"event {cleaned(event)}")
