"""
The capture file: one account as the exchange told it, without secrets and ids.

Format ``margin-monitor-capture/1``; numbers keep the digits that the exchange sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from monitor.errors import Malformed
from monitor.exchanges.call import Reply
from monitor.exchanges.payload import Row, parse_json, rows_of
from monitor.exchanges.port import Frame

FORMAT = "margin-monitor-capture/1"
FEEDS = ("marks", "account")
MAX_CAPTURE_BYTES = 64 * 1024 * 1024

# Names of ids and of what tells whose account this is; their values become placeholders.
_IDS = re.compile(
    r"^(uid|memberId|mainUid|userID|userId|parentUid|subUid|inviterID|affiliateID|apiKey|note|label|ip|ips|"
    r"email|roleType|tradeGroupId|id_|(actual|client|parent)?[aA]lgoId|(client)?[oO]rderId|"
    r"orderLinkId|clientOrderId|clientAlgoId|actualOrderId|ordId|clOrdId|algoClOrdId|tag|posId|"
    r"tradeId|billId|attachAlgoId|attachAlgoClOrdId|newClientOrderId|listenKey|caid|aid|secret)$"
)
_KEY_ANSWER = "/v5/user/query-api"
# The lines of this log are named by the account's own number.
_LOG_ANSWER = "/v5/account/transaction-log"

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    exchange: str
    account: str
    at: datetime
    replies: tuple[Reply, ...]
    frames: tuple[Frame, ...] = ()


class _Placeholders:
    """The same id gives the same placeholder, within one file."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, value: object) -> object:
        if value in ("", None, "0", 0) or isinstance(value, bool):
            return value
        if isinstance(value, list):
            return [self.of(item) for item in value]
        number = self._seen.setdefault(str(value), len(self._seen) + 1)
        return number if isinstance(value, int) else str(number)

    def clean(self, value: object) -> object:
        """The value with every id replaced, at any depth."""
        if isinstance(value, dict):
            return {
                key: self.of(item)
                if _IDS.match(key) and not isinstance(item, dict)
                else self.clean(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        return value


def write_capture(capture: Capture) -> bytes:
    """The file's text: JSON, indented, one account."""
    places = _Placeholders()
    data = {
        "format": FORMAT,
        "exchange": capture.exchange,
        "account": capture.account,
        "at": _text(capture.at),
        "replies": [
            {
                "request": reply.request,
                "status": reply.status,
                "body": _without_key(reply, places),
            }
            for reply in capture.replies
        ],
        "frames": [
            {"feed": f.feed, "path": f.path, "at": _text(f.at), "text": _clean_text(f.text, places)}
            for f in capture.frames
        ],
    }
    return msgspec.json.format(_encoder.encode(data), indent=1) + b"\n"


def _without_key(reply: Reply, places: _Placeholders) -> object:
    """
    The body without ids, those too that only their place makes one.

    Bybit answers with the key's own id and name where it is asked about the key, and names the
    lines of an account's log by the account's number.
    """
    body = places.clean(reply.body)
    result = body.get("result") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(result, dict):
        return body
    if reply.path == _KEY_ANSWER:
        return {**body, "result": {**result, "id": "1", "apiKey": "", "note": "", "ips": []}}
    if reply.path == _LOG_ANSWER and isinstance(result.get("list"), list):
        lines = [_without_id(line, places) for line in result["list"]]
        return {**body, "result": {**result, "list": lines}}
    return body


def _without_id(line: object, places: _Placeholders) -> object:
    return (
        {**line, "id": places.of(line["id"])} if isinstance(line, dict) and "id" in line else line
    )


def _clean_text(text: str, places: _Placeholders) -> str:
    try:
        return _encoder.encode(places.clean(parse_json(text))).decode()
    except Malformed:
        return text


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_capture(text: bytes) -> Capture:
    """
    What a capture file holds.

    Raises:
        Malformed: With the place in the file and what was expected there.
    """
    if len(text) > MAX_CAPTURE_BYTES:
        raise Malformed("file", f"at most {MAX_CAPTURE_BYTES} bytes", str(len(text)))
    try:
        data: object = msgspec.json.Decoder(float_hook=Decimal).decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Malformed("file", "a capture file in JSON", str(error)[:80]) from error
    root = Row(data, "")
    if root.raw("format") != FORMAT:
        raise Malformed("format", f"'{FORMAT}'", repr(root.raw("format"))[:60])
    at = _time(root, "at")
    frames = rows_of(root.raw("frames"), "frames") if root.has("frames") else ()
    return Capture(
        exchange=root.text("exchange"),
        account=root.text("account"),
        at=at,
        replies=tuple(_reply(row, at) for row in root.rows("replies")),
        frames=tuple(_frame(row, at) for row in frames),
    )


def _reply(row: Row, at: datetime) -> Reply:
    request = row.text("request")
    if not re.match(r"^(GET|POST) /\S*$", request):
        raise Malformed(row.at("request"), "method, path and query", repr(request)[:60])
    return Reply(
        request=request,
        status=row.integer("status") if row.has("status") else 200,
        body=row.raw("body"),
        at=_time(row, "at") if row.has("at") else at,
    )


def _frame(row: Row, at: datetime) -> Frame:
    feed = row.text("feed")
    if feed not in FEEDS:
        raise Malformed(row.at("feed"), "'marks' or 'account'", repr(feed)[:60])
    return Frame(
        feed=feed,
        text=row.text("text"),
        at=_time(row, "at") if row.has("at") else at,
        path=row.optional_text("path"),
    )


def _time(row: Row, key: str) -> datetime:
    text = row.text(key)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(row.at(key), "a time in ISO 8601", repr(text)[:60]) from error
    if at.tzinfo is None:
        raise Malformed(row.at(key), "a time with its zone", repr(text)[:60])
    return at.astimezone(UTC)
