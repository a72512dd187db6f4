"""
What a reply of Binance means that is no plain answer, by Binance's own code and HTTP status.

Knows codes and statuses; must not know which call was made. Sentences are our own: Binance's
texts may hold an address or an echo of the request, so of them only the caller's IP (which
the owner needs) and, for unknown codes, a cut form is shown.

Source: Binance «USDS Margined Futures, Error Code» and «General Info: HTTP Return Codes, IP
Limits», read November 2026.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Limit, Malformed, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

# The shortest ban that Binance gives; a ban whose end can't be told from the headers.
_SHORTEST_BAN_SECONDS = 120.0
_SHOWN_CHARACTERS = 120
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BANNED_UNTIL = re.compile(r"until (\d{13})\b")
_CALLER = re.compile(r"request ip:\s*([0-9a-fA-F.:]{2,45})")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{16,}")

_BUSY = {
    -1000: "met an unknown error",
    -1001: "lost the connection inside",
    -1004: "is too busy",
    -1006: "got an unexpected answer inside",
    -1007: "ran into a time-out inside",
    -1008: "is overloaded and turns requests away",
    -1016: "is shutting this service down",
    -1125: "does not know this listen key: a new one is needed",
}
_REFUSED = {
    -1002: "the key may not make this request",
    -1005: "this IP address is not on Binance's list of those allowed to ask",
    -1022: "the signature does not fit: check the API secret",
    -1109: "the futures account is not active or does not exist",
    -2008: "the API key is unknown",
    -2014: "the API key has not the form of a Binance key: check that it was copied whole",
    -2017: "the API key is locked for this kind of request",
    -4109: "the futures account is inactive: open the Futures page once, or deposit",
    -5000: "this endpoint has been retired",
}
_BLOCKED = {
    401: "the key is refused",
    403: "Binance's firewall blocks this IP address",
    451: "Binance does not serve the region of this IP address",
}
_KEY_REFUSED = (
    "the key is refused{where}: the IP address is not on the key's list, or «Enable Reading» "
    "is not ticked, or the key is older than the futures account, or portfolio margin was "
    "switched on"
)


def read_error(status: int, headers: Mapping[str, str], body: object) -> ExchangeError | None:
    """
    What a reply means that is no plain answer; None for a plain one.

    Args:
        status: HTTP status.
        headers: By lower-case name.
        body: Parsed JSON, or the text where it was none.
    """
    code = _code(body)
    message = _message(body)
    if status == 418:  # noqa: PLR2004 - Binance's status for a ban
        return _banned(headers, message)
    if status == 429 or code == -1003:  # noqa: PLR2004
        return _limited(status, headers, message)
    if code is not None and code < 0:
        return _by_code(status, headers, code, message)
    if "maintenance" in message.lower() and code is None and _is_only_message(body):
        return Unreachable("Binance is under maintenance", status=status)
    return _by_status(status, headers, body)


def _code(body: object) -> int | None:
    code = body.get("code") if isinstance(body, dict) else None
    if isinstance(code, bool):
        return None
    if isinstance(code, str) and re.fullmatch(r"-?\d{1,6}", code):
        return int(code)
    return code if isinstance(code, int) else None


def _message(body: object) -> str:
    message = body.get("msg") if isinstance(body, dict) else None
    return message if isinstance(message, str) else ""


def _is_only_message(body: object) -> bool:
    return isinstance(body, dict) and set(body) <= {"msg", "code"}


def _banned(headers: Mapping[str, str], message: str) -> Unreachable:
    """418: this address is shut out, for 2 minutes to 3 days."""
    until = _ban_end(message)
    waits = [_retry_after(headers), _seconds_until(until, headers)]
    known = [wait for wait in waits if wait is not None]
    ending = f" until {until:%Y-%m-%d %H:%M:%S} UTC" if until is not None else ""
    return Unreachable(
        f"Binance has banned this IP address{ending} for asking too often",
        status=418,
        code="-1003",
        retry_after_seconds=max(known, default=_SHORTEST_BAN_SECONDS),
        limit=Limit.ADDRESS,
    )


def _limited(status: int, headers: Mapping[str, str], message: str) -> Unreachable:
    if _ban_end(message) is not None:
        return _banned(headers, message)
    return Unreachable(
        "the request limit of this IP address is used up",
        status=status,
        code="-1003",
        retry_after_seconds=_retry_after(headers),
        limit=Limit.ADDRESS,
    )


def _ban_end(message: str) -> datetime | None:
    found = _BANNED_UNTIL.search(message)
    return _EPOCH + timedelta(milliseconds=int(found.group(1))) if found else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"\d{1,7}(\.\d+)?", text) else None


def _seconds_until(end: datetime | None, headers: Mapping[str, str]) -> float | None:
    """The time left by Binance's own clock, which the Date header tells."""
    try:
        now = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    if end is None or now.tzinfo is None:
        return None
    return max(0.0, (end - now).total_seconds())


def _by_code(
    status: int, headers: Mapping[str, str], code: int, message: str
) -> Unreachable | Refused:
    word = str(code)
    if code == -1021:  # noqa: PLR2004
        return Unreachable(
            "the clock of this machine and Binance's are too far apart",
            status=status,
            code=word,
            clock_skew=True,
        )
    if code == -2015:  # noqa: PLR2004
        found = _CALLER.search(message)
        where = f" from this IP address ({found.group(1)})" if found else ""
        return Refused(_KEY_REFUSED.format(where=where), status=status, code=word)
    if code in _REFUSED:
        return Refused(_REFUSED[code], status=status, code=word)
    if code in _BUSY:
        return Unreachable(
            f"Binance {_BUSY[code]}",
            status=status,
            code=word,
            retry_after_seconds=_retry_after(headers),
        )
    said = f"Binance answered with error {word}" + (f" («{_cut(message)}»)" if message else "")
    if status >= 500:  # noqa: PLR2004 - HTTP's own border
        return Unreachable(said, status=status, code=word)
    return Refused(said, status=status, code=word)


def _cut(message: str) -> str:
    """The exchange's text without long words (keys, signatures) and without control characters."""
    printable = "".join(character if character.isprintable() else " " for character in message)
    return _LONG_WORD.sub("…", printable)[:_SHOWN_CHARACTERS]


def _by_status(status: int, headers: Mapping[str, str], body: object) -> ExchangeError | None:
    if status in _BLOCKED:
        return Refused(f"{_BLOCKED[status]} (HTTP {status})", status=status)
    if status >= 500 or status in (404, 408):  # noqa: PLR2004
        return Unreachable(
            f"Binance answers with HTTP {status}",
            status=status,
            retry_after_seconds=_retry_after(headers),
        )
    if status >= 400:  # noqa: PLR2004
        return Refused(f"Binance rejects the request (HTTP {status})", status=status)
    if status >= 300:  # noqa: PLR2004
        return Unreachable(f"Binance's address redirects elsewhere (HTTP {status})", status=status)
    if not isinstance(body, (dict, list)):
        found = "a page or text" if isinstance(body, str) and body.strip() else "nothing"
        return Malformed("body", "JSON of Binance", found)
    return None
