"""
What an answer of OKX means that is no plain answer: try again, don't, or unreadable.

Goes by OKX's own code, whatever the HTTP status, and by the status only where there is no
code. Says it in our own words: OKX's text is quoted only for codes without words of ours,
and only after everything that could be a secret is cut out of it.

Source: OKX API guide, «Error Code» (public, API class), copies of July 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from monitor.errors import ExchangeError, Limit, Malformed, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "okx"
SUCCESS: Final = "0"
_OK = 200
_UNAUTHORIZED = 401
_TOO_MANY = 429
_BLOCKED = (403, 451)
_SERVER_ERROR = 500
_LONGEST_QUOTE = 120

_AGAIN: Final[Mapping[str, str]] = {
    "50001": "OKX is under maintenance or temporarily unavailable",
    "50004": "OKX did not answer in time",
    "50005": "OKX's API is offline or unavailable",
    "50011": "OKX's rate limit was reached",
    "50013": "OKX is busy",
    "50026": "OKX has a system error",
    "50040": "OKX says that this was asked too often",
    "50061": "OKX's rate limit of the account was reached",
    # Documented for orders; should a read meet them, a moment later it will be answered.
    "50017": "OKX has frozen the position while auto-deleveraging is in progress",
    "50018": "OKX has frozen the position while auto-deleveraging is in progress",
    "50019": "OKX has frozen the account while auto-deleveraging is in progress",
    "50020": "OKX has frozen the position while a liquidation is in progress",
    "50021": "OKX has frozen the position while a liquidation is in progress",
    "50022": "OKX has frozen the account while a liquidation is in progress",
    "50023": "OKX has frozen the account while funding fees are charged",
}
# OKX counts over two seconds and names no time to wait.
_LIMITS: Final[Mapping[str, float]] = {"50011": 2.0, "50040": 2.0, "50061": 2.0}
_CLOCK: Final[Mapping[str, str]] = {
    "50102": "OKX refused our timestamp: the clocks differ by more than 30 s",
    "50112": "OKX could not read our timestamp",
}
_NEVER: Final[Mapping[str, str]] = {
    "50007": "the OKX account is blocked",
    "50008": "OKX does not know the user of this key",
    "50009": "OKX has suspended the account after a liquidation",
    "50030": "the key lacks the permission for this call: it needs «Read»",
    "50035": "OKX wants this key bound to an IP address",
    "50100": "OKX has frozen API access for this account",
    "50101": "the key belongs to the other environment (demo or live trading)",
    "50103": "the API key did not reach OKX: it is empty in the request",
    "50104": "the passphrase did not reach OKX: it is empty in the request",
    "50105": "the passphrase is wrong",
    "50106": "the signature did not reach OKX: it is empty in the request",
    "50107": "the timestamp did not reach OKX: it is empty in the request",
    "50110": "the key is not allowed from this IP address",
    "50111": "OKX refuses the API key",
    "50113": "OKX refuses the signature: the API secret is probably wrong",
    "50114": "OKX refuses the authorization of the key",
    "50119": "OKX does not know the API key: it may belong to another region (EEA: eea.okx.com, "
    "US: us.okx.com) or be deleted",
    "50120": "the key lacks the permission for this call: it needs «Read»",
    "50121": "OKX does not serve this IP address",
    "51024": "the OKX account is blocked",
}
# Our own request no longer fits: that is for us to mend, waiting won't.
_REQUEST: Final = frozenset(
    {"50002", "50006", "50014", "50015", "50016", "50024", "50025", "51000", "51001", "51002"}
    | {"51003", "51010", "51014", "51015"}
)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}\b")
# Whatever is long and unbroken (a key, a signature, an id), and what stands after such a name.
_SECRET = re.compile(
    r"(?i)(ok-access-[a-z]+|api-?key|secret|passphrase|sign(?:ature)?)(\"?\s*[:=]\s*)\S+"
    r"|(?=[A-Za-z+/=_-]*\d)[A-Za-z0-9+/=_-]{16,}|[A-Za-z0-9+/=_-]{24,}"
)


def read_error(status: int, headers: Mapping[str, str], body: object) -> ExchangeError | None:
    """
    What an answer means that brings no data; None where it is OKX's plain answer.

    Args:
        headers: By lower-case name; only ``retry-after`` is looked at.
        body: Parsed JSON, or the text where it was none.
    """
    if not isinstance(body, dict) or "code" not in body:
        return _without_code(status, headers, body)
    code = str(body["code"])
    if code != SUCCESS:
        return _by_code(code, status, headers, body.get("msg"))
    if not isinstance(body.get("data"), list):
        return Malformed("data", "a list", _kind(body.get("data")), exchange=NAME)
    return None


def _by_code(code: str, status: int, headers: Mapping[str, str], said: object) -> ExchangeError:
    place = f" (OKX code {cleaned(code)})"
    if code in _CLOCK:
        return Unreachable(
            _CLOCK[code] + place, exchange=NAME, clock_skew=True, status=status, code=code
        )
    if code in _AGAIN:
        return _unreachable(_AGAIN[code] + place, status, headers, code, _LIMITS.get(code))
    if code in _NEVER:
        because = _NEVER[code] + _address(code, said) + place
        return Refused(because, exchange=NAME, status=status, code=code)
    return _by_status(code, status, headers, f"{cleaned(code)} {cleaned(said)}".strip())


def _by_status(code: str, status: int, headers: Mapping[str, str], quoted: str) -> ExchangeError:
    """For a code without words of ours: the HTTP status decides, OKX's text is quoted."""
    if code not in _REQUEST and status in (_UNAUTHORIZED, *_BLOCKED):
        return Refused(f"OKX refuses: {quoted}", exchange=NAME, status=status, code=code)
    if code not in _REQUEST and (status == _TOO_MANY or status >= _SERVER_ERROR):
        return _unreachable(f"OKX answers HTTP {status}: {quoted}", status, headers, code)
    return Malformed("code", "0", quoted, exchange=NAME, code=code)


def _without_code(status: int, headers: Mapping[str, str], body: object) -> ExchangeError:
    if status == _OK:
        return Malformed("body", "OKX's JSON with code and data", _kind(body), exchange=NAME)
    if status == _UNAUTHORIZED:
        return Refused("OKX refuses the key (HTTP 401)", exchange=NAME, status=status)
    if status in _BLOCKED:
        because = (
            f"OKX's host blocks us (HTTP {status}): its firewall or a rule of its region "
            "does not let this address in"
        )
        return Refused(because, exchange=NAME, status=status)
    because = "OKX's rate limit was reached" if status == _TOO_MANY else "OKX is not available"
    return _unreachable(f"{because} (HTTP {status})", status, headers, None)


def _unreachable(
    because: str,
    status: int,
    headers: Mapping[str, str],
    code: str | None,
    least: float | None = None,
) -> Unreachable:
    return Unreachable(
        because,
        exchange=NAME,
        retry_after_seconds=_wait(headers) or least,
        status=status,
        code=code,
        limit=Limit.ACCOUNT if code in _LIMITS else None,
    )


def _wait(headers: Mapping[str, str]) -> float | None:
    """The seconds of ``retry-after``; None where it is absent or a date."""
    text = headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else None


def _address(code: str, said: object) -> str:
    """The IP address that OKX names when a key is not allowed from it."""
    found = _IP.search(said) if code == "50110" and isinstance(said, str) else None
    return f" {found.group()}" if found else ""


def cleaned(said: object) -> str:
    """What the exchange said, on one line, short, and without anything that could be a secret."""
    text = said if isinstance(said, str) else ""
    text = "".join(c if c.isprintable() else " " for c in text)
    text = _SECRET.sub("…", text)
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def _kind(body: object) -> str:
    """What came instead, never its text."""
    if isinstance(body, str):
        page = body.lstrip()[:1] == "<"
        return "a page" if page else ("an empty answer" if not body.strip() else "text")
    if body is None:
        return "null"
    if isinstance(body, dict):
        return "an object without code" if body else "{}"
    return "a list" if isinstance(body, list) else "a bare value"
