"""
Bybit's private stream: how to log in and subscribe, and what its frames say.

One connection tells all of a unified account: positions, wallet, orders and fills of every
category. It is silent until something happens; nothing is sent on subscription, and nothing
that was missed comes again. `updates` applies the frames that change figures.

Source: docs «Connect» and the pages of the four private streams, read 2026-07. Answers:
``{"success": true, "ret_msg": "", "op": "auth", "conn_id": "…"}``, ``{"success": true,
"ret_msg": "", "op": "subscribe", "conn_id": "…"}``, ``{"req_id": "…", "op": "pong", "args":
["1675418560633"], "conn_id": "…"}``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.errors import REFUSALS
from monitor.exchanges.bybit.marks import HOST, KEEP_ALIVE
from monitor.exchanges.bybit.modes import refusal
from monitor.exchanges.bybit.news import (
    read_fill,
    shown,
    taken_by,
    unknown_kind,
    warned_by_order,
)
from monitor.exchanges.bybit.rows import is_held
from monitor.exchanges.bybit.standing import read_standing
from monitor.exchanges.bybit.updates import PRIVATE_PATH
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import (
    AccountStream,
    Ignored,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import AccountFrameRead, Credentials, Frame
    from monitor.risk.news import News

TOPICS = ("position", "wallet", "order", "execution")
# Bybit refuses a login whose time to live has run out on the way. One second, as its samples
# have it, is known to be too little (bybit-exchange/pybit#152, 2023-06).
LIFE = timedelta(seconds=10)
_SIGNED = "GET/realtime"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Bybit's words at a login that fails, each with the code that REST gives for the same. Seen in
# public threads and clients; there is no list of them.
_FOR_GOOD = (
    (re.compile(r"api key is invalid|invalid api.?key", re.IGNORECASE), "10003"),
    (re.compile(r"error sign|invalid sign|sign(ature)? (error|invalid)", re.IGNORECASE), "10004"),
    (re.compile(r"key (has |is )?expired", re.IGNORECASE), "33004"),
    (re.compile(r"permission", re.IGNORECASE), "10005"),
    (re.compile(r"unmatched ip|bound ip|ip (is )?not", re.IGNORECASE), "10010"),
    (re.compile(r"banned|suspended", re.IGNORECASE), "10008"),
)
# «Params Error» comes for a time to live that is not ahead of Bybit's clock
# (bybit-exchange/pybit#152, bybit-exchange/api-usage-examples#70).
_CLOCK = re.compile(r"params error|timestamp|expire", re.IGNORECASE)
_UNKNOWN_LOGIN = re.compile(r"not authorized|needs? auth|not.*login", re.IGNORECASE)
_LONGEST_QUOTE = 120
# What may be a key, a signature or an address, and is not shown.
_SECRET = re.compile(r"[A-Za-z0-9+/=]{16,}|\d{1,3}(\.\d{1,3}){3}|\[[^\]]*\]?")


def account_streams(replies: Replies) -> tuple[AccountStream, ...]:
    """The connection of a unified account 2.0; none of an account that is no such."""
    if replies.has(calls.INFO) and refusal(replies) is not None:
        return ()
    return (
        AccountStream(
            host=HOST,
            path=PRIVATE_PATH,
            is_told="positions, wallet, orders and fills",
            login=login,
            subscribe=(json.dumps({"req_id": "account", "op": "subscribe", "args": list(TOPICS)}),),
            acks=1,
            keepalive=KEEP_ALIVE,
        ),
    )


def login(credentials: Credentials, at: datetime) -> str:
    """The text that logs in, `at` by Bybit's clock."""
    expires = (at - _EPOCH + LIFE) // _MILLISECOND
    text = f"{_SIGNED}{expires}".encode()
    signature = hmac.new(credentials.api_secret.encode(), text, hashlib.sha256).hexdigest()
    return json.dumps(
        {"req_id": "login", "op": "auth", "args": [credentials.api_key, expires, signature]}
    )


def read_account_frame(frame: Frame) -> AccountFrameRead:
    """
    What a frame of the private connection says.

    Raises:
        Malformed: If it is none of the private stream's, or can't be read.
    """
    if frame.path is not None and not frame.path.split("?")[0].endswith(PRIVATE_PATH):
        raise Malformed("path", PRIVATE_PATH, frame.path)
    row = Row(parse_json(frame.text, "frame"), "")
    if not row.has("topic"):
        return _read_answer(row)
    kind = row.text("topic").partition(".")[0]
    if kind not in _TOPICS:
        return Ignored(what=shown(kind))
    return _TOPICS[kind](row, min(row.time("creationTime"), frame.at))


def _wallet(row: Row, _at: datetime) -> Told:
    row.rows("data")
    return Told(changes=True)


def _positions(row: Row, at: datetime) -> Told:
    news: list[News] = []
    for each in row.rows("data"):
        if is_held(each):
            news += read_standing(each).warnings(shown(each.text("symbol")), at)
    return Told(changes=True, news=tuple(news))


def _orders(row: Row, at: datetime) -> Told:
    news = [warned for each in row.rows("data") for warned in warned_by_order(each, at)]
    return Told(changes=True, news=tuple(dict.fromkeys(news)))


def _fills(row: Row, _at: datetime) -> Told | Ignored:
    """Fills change no figure by themselves: position and wallet frames come with them."""
    rows = row.rows("data")
    taken = taken_by(fill for each in rows if (fill := read_fill(each)) is not None)
    unknown = sorted({kind for each in rows if (kind := unknown_kind(each)) is not None})
    if taken:
        symbols = ", ".join(sorted({shown(each.exchange_symbol) for each in taken}))
        return Told(news=taken, ask=f"Bybit took positions in {symbols}")
    if unknown:
        return Told(ask=f"fills of a kind that is not known: {', '.join(unknown)}")
    return Ignored(what="execution")


_TOPICS: dict[str, Callable[[Row, datetime], Told | Ignored]] = {
    "position": _positions,
    "wallet": _wallet,
    "order": _orders,
    "execution": _fills,
}


def _read_answer(row: Row) -> AccountFrameRead:
    """An answer to one of our messages."""
    op, message = row.optional_text("op") or "", row.optional_text("ret_msg") or ""
    if row.has("pong") or op == "pong" or message == "pong":
        return Pong()
    if not row.has("success"):
        if op:
            return Ignored(what=shown(op))
        raise Malformed("topic", "a topic, or an answer to op", "neither")
    done = row.boolean("success")
    if op == "auth":
        return LoggedIn() if done else _not_admitted(row, message)
    if not done and _UNKNOWN_LOGIN.search(message):
        return NotAdmitted(because="Bybit does not know who subscribes", for_good=False)
    if not done:
        return Rejected(because=f"Bybit rejected the subscription: {_quoted(message)}")
    return Subscribed() if op == "subscribe" else Ignored(what=shown(op or "answer"))


def _not_admitted(row: Row, message: str) -> NotAdmitted:
    """A login that failed. Where its cause is not known, trying again may help."""
    code = row.optional_text("retCode") or row.optional_text("ret_code")
    if code not in REFUSALS:
        code = next((code for words, code in _FOR_GOOD if words.search(message)), None)
    if code is not None:
        return NotAdmitted(because=REFUSALS[code], for_good=True)
    if _CLOCK.search(message):
        because = "Bybit refused the time of the login: this host's clock is off, or the way to it"
        return NotAdmitted(because=f"{because} is slow ({_quoted(message)})", for_good=False)
    return NotAdmitted(because=f"Bybit refused the login: {_quoted(message)}", for_good=False)


def _quoted(message: str) -> str:
    """Bybit's own words without what may be a key, a signature or an address."""
    plain = "".join(c if c.isprintable() else " " for c in _SECRET.sub("…", message))
    return plain[:_LONGEST_QUOTE].strip() or "no reason given"
