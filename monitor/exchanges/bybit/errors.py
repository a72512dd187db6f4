"""
Bybit's failures → the error tree: by its own `retCode`, else by the HTTP status.

Texts are our own. Bybit's `retMsg` is never passed on whole: its «error sign» answer repeats
the key, and an answer about a wrong IP names the host's address.

Source: docs «Error Codes» and «Rate Limit», read 2026-07.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.errors import Limit, Malformed, Refused, Unreachable
from monitor.exchanges.bybit.envelope import says_no_such_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.errors import ExchangeError

_IP_LIMIT_SECONDS = 600.0
_UID_LIMIT_SECONDS = 1.0
_LONGEST_WAIT = timedelta(minutes=30).total_seconds()
_OK = 200
_CLIENT_ERRORS = 400
_SERVER_ERRORS = 500

_CLOCK = {
    "10002": "Bybit refused the time stamp of the call: this host's clock is off, or the answer "
    "took too long",
    "-1": "the call took too long: Bybit says that it expired",
}
_LIMITS = {
    "10006": "Bybit's rate limit of this account is used up",
    "10018": "Bybit's rate limit of this IP address is used up",
    "10429": "Bybit is overloaded and asks to slow down",
    "429": "Bybit is overloaded and asks to slow down",
}
# Whose limit it is; an overload of Bybit's own is nobody's.
_WHOSE = {"10006": Limit.ACCOUNT, "10018": Limit.ADDRESS}
_TROUBLES = {
    "10000": "Bybit's server timed out",
    "10016": "Bybit's server has an error, restarts or is under maintenance",
}
REFUSALS = {
    "10003": "Bybit does not know the API key: it is wrong, deleted, or of another site "
    "(main, testnet, demo or a regional one)",
    "10004": "Bybit refused the signature: the API secret does not belong to this key",
    "10005": "the API key lacks a permission that this call needs: let it read Unified Trading "
    "(orders, positions) and wallet at Bybit's API management",
    "10007": "Bybit refused the login of this API key",
    "10008": "Bybit has banned or suspended this account",
    "10009": "Bybit does not serve this account's region from this host",
    "10010": "the API key is bound to other IP addresses than this host's: add this host's "
    "address to the key at Bybit's API management",
    "10024": "Bybit refuses the account for compliance reasons",
    "10027": "Bybit has banned this account from trading",
    "10028": "this call is only for unified trading accounts, and this account is none",
    "10029": "the symbol is not on the API key's list",
    "100028": "this call is not for unified trading accounts",
    "33004": "the API key has expired: make a new one at Bybit's API management",
    "-2015": "the API key has expired: make a new one at Bybit's API management",
}
_STATUSES = {
    401: "Bybit refused the API key (HTTP 401)",
    451: "Bybit does not serve this host's region (HTTP 451)",
}
_BLOCKED_PAGE = re.compile(r"cloudfront|country|region|restricted", re.IGNORECASE)
_LIMIT_PAGE = re.compile(r"too frequent|rate limit|too many", re.IGNORECASE)


def read_error(status: int, headers: Mapping[str, str], body: object) -> ExchangeError | None:
    """
    What an answer means that is no plain answer, None where it is one.

    `headers` have lower-case names; `body` is parsed JSON, or the text where it is none.
    """
    code = _code(body)
    headers = _with_time(headers, body)
    if code == "0" and status == _OK:
        return None
    if status == _OK and says_no_such_symbol(body):
        return None
    if code is not None and code != "0":
        return _by_code(code, status, headers)
    return _by_status(status, headers, body)


def _with_time(headers: Mapping[str, str], body: object) -> Mapping[str, str]:
    """The headers with Bybit's own time among them, which some answers give in the body only."""
    if "timenow" in headers or not isinstance(body, dict):
        return headers
    return {**headers, "timenow": str(body.get("time", ""))}


def _code(body: object) -> str | None:
    if not isinstance(body, dict):
        return None
    code = body.get("retCode")
    if isinstance(code, bool) or not isinstance(code, (int, str)):
        return None
    return str(code)


def _by_code(code: str, status: int, headers: Mapping[str, str]) -> ExchangeError:
    if code in _CLOCK:
        return Unreachable(_CLOCK[code], clock_skew=True, status=status, code=code)
    if code in _LIMITS:
        return _limited(_LIMITS[code], headers, _UID_LIMIT_SECONDS, status, code)
    if code in _TROUBLES or status >= _SERVER_ERRORS:
        because = _TROUBLES.get(code, f"Bybit's server failed (HTTP {status})")
        return Unreachable(because, status=status, code=code)
    if code in REFUSALS:
        return Refused(f"{REFUSALS[code]} (retCode {code})", status=status, code=code)
    return Malformed("retCode", "0, or a code that is known", code)


def _by_status(status: int, headers: Mapping[str, str], body: object) -> ExchangeError:
    page = body if isinstance(body, str) else ""
    if status == _OK:
        return Malformed("body", "Bybit's JSON with a retCode", _kind(body))
    if status == 403:  # noqa: PLR2004 - three meanings, told apart by the page
        return _forbidden(page, headers)
    if status in _STATUSES:
        return Refused(_STATUSES[status], status=status)
    if status in (418, 429):
        return _limited(
            f"Bybit asks to slow down (HTTP {status})", headers, _UID_LIMIT_SECONDS, status
        )
    if status >= _SERVER_ERRORS or status < _CLIENT_ERRORS:
        return Unreachable(f"Bybit does not answer the call (HTTP {status})", status=status)
    return Malformed("HTTP status", "200", str(status))


def _forbidden(page: str, headers: Mapping[str, str]) -> ExchangeError:
    """403 is the limit per IP (at least ten minutes of silence), or a blocked country."""
    if _BLOCKED_PAGE.search(page) and not _LIMIT_PAGE.search(page):
        return Refused("Bybit does not serve this host's region (HTTP 403)", status=403)
    because = "Bybit's rate limit of this IP address is used up, or the address is blocked"
    return _limited(f"{because} (HTTP 403)", headers, _IP_LIMIT_SECONDS, 403)


def _limited(
    because: str,
    headers: Mapping[str, str],
    least: float,
    status: int,
    code: str | None = None,
) -> Unreachable:
    return Unreachable(
        because,
        retry_after_seconds=_wait(headers, least),
        status=status,
        code=code,
        limit=_WHOSE.get(code or ""),
    )


def _wait(headers: Mapping[str, str], least: float) -> float:
    """Seconds to wait: Retry-After, else until the limit's reset, else `least`."""
    after = _number(headers.get("retry-after"))
    if after is not None:
        return min(max(after, least), _LONGEST_WAIT)
    reset = _number(headers.get("x-bapi-limit-reset-timestamp"))
    now = _number(headers.get("timenow"))
    if reset is None or now is None:
        return least
    return min(max((reset - now) / 1000, least), _LONGEST_WAIT)


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\d{1,15}(\.\d{1,6})?", text.strip()):
        return None
    return float(text)


def _kind(body: object) -> str:
    if isinstance(body, str):
        return "an HTML page" if "<" in body else "text" if body else "nothing"
    return "null" if body is None else f"a {type(body).__name__} without one"
