"""
OKX's sockets for an account: the way in, and what a frame of theirs says.

Knows logins, acknowledgements, notices and which channel tells of what; must not know a book:
what a frame changes is `updates`' affair.

Source: OKX API guide, «WebSocket: Connect, Login, Subscribe, Notification», «WebSocket error
codes», «Account channel», «Positions channel», «Balance and position channel», «Position risk
warning», «Algo orders channel», copies of July 2026: no data for 30 s closes a socket, only
the text «ping» keeps it; a login's timestamp holds for 30 s; 30 connections at most for one
channel of an account, told after the subscription's acknowledgement.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Final

from monitor.errors import Refused, Unreachable
from monitor.exchanges.okx import news
from monitor.exchanges.okx.errors import SUCCESS, cleaned, read_error
from monitor.exchanges.okx.marks import HOST, KEEPALIVE, UPGRADE
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import (
    AccountFrameRead,
    AccountStream,
    Ignored,
    Leave,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Credentials, Frame

PRIVATE: Final = "/ws/v5/private"
BUSINESS: Final = "/ws/v5/business"
_PRIVATE_ARGS: Final = (
    {"channel": "account"},
    {"channel": "positions", "instType": "ANY"},
    {"channel": "balance_and_position"},
    {"channel": "liquidation-warning", "instType": "ANY"},
)
_STOPS: Final = "orders-algo"
_BUSINESS_ARGS: Final = ({"channel": _STOPS, "instType": "ANY"},)
# The account repeats itself about every 5 s: four repetitions missed are no chance.
_SILENT_SECONDS: Final = 20.0
_CLOSES: Final[Mapping[int, str]] = {4007: "the API key was changed or deleted"}
_CHANGES: Final = frozenset({"account", "positions", _STOPS})
_AGAIN: Final[Mapping[str, str]] = {
    "60004": "OKX could not read the login's timestamp",
    "60006": "OKX refused the login's timestamp: the clocks differ by more than 30 s",
    "60011": "OKX wants a login first",
    "63999": "OKX could not log us in: an internal error",
}
_NEVER: Final[Mapping[str, str]] = {
    "60001": "the API key did not reach OKX: it is empty in the login",
    "60002": "the signature did not reach OKX: it is empty in the login",
    "60003": "the passphrase did not reach OKX: it is empty in the login",
    "60005": "OKX refuses the API key",
    "60007": "OKX refuses the signature: the API secret is probably wrong",
    "60009": "OKX refuses the login",
    "60024": "the passphrase is wrong",
    "60032": "OKX does not know the API key: it may belong to another region or be deleted",
}
# Said of a second login on one connection; the first one holds.
_LOGGED_IN_ALREADY: Final = ("60010", "60031")
_OK: Final = 200


def account_streams(_replies: Replies) -> tuple[AccountStream, ...]:
    """The two connections that tell an account of any mode: its state, and its stop orders."""
    return (
        _stream(
            PRIVATE,
            _PRIVATE_ARGS,
            "balances, positions and OKX's own warnings",
            silent_seconds=_SILENT_SECONDS,
        ),
        _stream(BUSINESS, _BUSINESS_ARGS, "stop orders", silent_seconds=None),
    )


def _stream(
    path: str, args: tuple[dict[str, str], ...], is_told: str, *, silent_seconds: float | None
) -> AccountStream:
    return AccountStream(
        host=HOST,
        path=path,
        is_told=is_told,
        login=login,
        subscribe=(_dumps({"op": "subscribe", "args": list(args)}),),
        acks=len(args),
        keepalive=KEEPALIVE,
        silent_seconds=silent_seconds,
        ends_for_good=_CLOSES,
    )


def login(credentials: Credentials, at: datetime) -> str:
    """
    The text that logs a connection in, `at` by OKX's clock. A secret.

    ``{"op": "login", "args": [{"apiKey": "…", "passphrase": "…", "timestamp": "1704876947",
    "sign": "…"}]}``; signed is the timestamp (in whole seconds) with the method and path of an
    invented call.
    """
    stamp = str(int(at.timestamp()))
    signed = f"{stamp}GET/users/self/verify".encode()
    digest = hmac.digest(credentials.api_secret.encode(), signed, hashlib.sha256)
    arg = {
        "apiKey": credentials.api_key,
        "passphrase": credentials.passphrase,
        "timestamp": stamp,
        "sign": base64.b64encode(digest).decode(),
    }
    return _dumps({"op": "login", "args": [arg]})


def _dumps(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


def read_account_frame(frame: Frame) -> AccountFrameRead:
    """
    What one frame of these sockets says.

    A channel that is not known is ignored; so is a count of connections, which OKX tells
    unasked.

    Raises:
        Malformed: If it is no frame of OKX's, or news in it can't be read.
    """
    if frame.text.strip() == "pong":
        return Pong()
    row = Row(parse_json(frame.text, "frame"), "")
    if row.has("event"):
        return _event(row)
    channel = row.row("arg").text("channel")
    if channel in _CHANGES:
        return Told(changes=True, of_stops=channel == _STOPS)
    if channel == "balance_and_position":
        return _traded(row, frame)
    if channel == "liquidation-warning":
        return Told(news=tuple(news.warned(data, frame.at) for data in row.rows("data")))
    return Ignored(what=f"channel {cleaned(channel)}")


def _traded(row: Row, frame: Frame) -> Told:
    read = [news.event(data, frame.at) for data in row.rows("data")]
    asks = [ask for _, ask in read if ask is not None]
    return Told(
        changes=True,
        news=tuple(item for found, _ in read for item in found),
        ask=asks[0] if asks else None,
    )


def _event(row: Row) -> AccountFrameRead:
    """
    A word about the connection.

    ``{"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"}``,
    ``{"event": "error", "code": "60009", "msg": "Login failed.", "connId": "a4d3ae55"}``,
    ``{"event": "channel-conn-count-error", "channel": "positions", "connCount": "30", …}``
    """
    event, code = row.text("event"), cleaned(row.optional_text("code") or "")
    said = cleaned(row.optional_text("msg") or "")
    if event == "login" and code == SUCCESS:
        return LoggedIn()
    if event == "subscribe":
        return Subscribed()
    if event == "notice" and code == UPGRADE:
        return Leave(because="OKX is about to close this connection for an upgrade (64008)")
    if event in {"error", "login"}:
        return _refused(code, said)
    if event == "channel-conn-count-error":
        channel = cleaned(row.optional_text("channel") or "a channel")
        return Rejected(
            because=f"OKX serves {channel} on no more connections of this account: 30 at most"
        )
    return Ignored(what=f"event {cleaned(event)}")


def _refused(code: str, said: str) -> AccountFrameRead:
    place = f" (OKX code {code})"
    if code in _LOGGED_IN_ALREADY:
        return Ignored(what="event error: logged in already")
    if code in _AGAIN:
        return NotAdmitted(because=_AGAIN[code] + place, for_good=False)
    if code in _NEVER:
        return NotAdmitted(because=_NEVER[code] + place, for_good=True)
    # Codes of REST come here too: of an address that is not allowed, of a blocked account.
    match read_error(_OK, {}, {"code": code, "msg": said}):
        case Refused() as error:
            return NotAdmitted(because=error.because, for_good=True)
        case Unreachable() as error:
            return NotAdmitted(because=error.because, for_good=False)
        case _:
            return Rejected(because=f"OKX says {code}: {said}".rstrip(": "))
