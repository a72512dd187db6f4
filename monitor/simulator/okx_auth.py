"""
Who may call OKX, and in which words it refuses.

Source: OKX API docs "REST authentication", "Login", "Error code" (2026-06 to 2026-07).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

_WINDOW_MS = 30_000
_MESSAGES: Mapping[str, tuple[int, str]] = {
    "50001": (503, "Service temporarily unavailable. Try again later"),
    "50011": (429, "Too Many Requests"),
    "50026": (500, "System error. Try again later"),
    "50030": (200, "You don't have permission to use this API endpoint"),
    "50035": (403, "This endpoint requires that APIKey must be bound to IP"),
    "50101": (401, "APIKey does not match current environment."),
    "50102": (401, "Timestamp request expired"),
    "50103": (401, 'Request header "OK-ACCESS-KEY" can\'t be empty.'),
    "50104": (401, 'Request header "OK-ACCESS-PASSPHRASE" can\'t be empty.'),
    "50105": (401, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.'),
    "50106": (401, 'Request header "OK-ACCESS-SIGN" can\'t be empty.'),
    "50107": (401, 'Request header "OK-ACCESS-TIMESTAMP" can\'t be empty.'),
    "50110": (401, "Your IP 127.0.0.1 is not included in your API key's IP whitelist."),
    "50111": (401, "Invalid OK-ACCESS-KEY"),
    "50112": (401, "Invalid OK-ACCESS-TIMESTAMP"),
    "50113": (401, "Invalid Sign"),
    "50114": (401, "Invalid Authority"),
    "50119": (401, "API key doesn't exist"),
    "50120": (200, "This API key doesn't have permission to use this function"),
}
_HEADERS = (
    ("OK-ACCESS-KEY", "50103"),
    ("OK-ACCESS-PASSPHRASE", "50104"),
    ("OK-ACCESS-SIGN", "50106"),
    ("OK-ACCESS-TIMESTAMP", "50107"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Exception):  # noqa: N818 - a refusal is what it is
    """OKX's answer to a call that it does not carry out."""

    code: str
    message: str
    status: int = 200
    headers: Mapping[str, str] | None = None

    def response(self) -> web.Response:
        body = {"code": self.code, "data": [], "msg": self.message}
        return web.json_response(body, status=self.status, headers=self.headers)


def refused(code: str) -> Refused:
    """The refusal with this code, in the words and with the status that belong to it."""
    status, message = _MESSAGES.get(code, (200, "Operation failed."))
    return Refused(code=code, message=message, status=status)


def too_many(seconds: str) -> Refused:
    status, message = _MESSAGES["50011"]
    return Refused(code="50011", message=message, status=status, headers={"Retry-After": seconds})


def parameter_error(name: str) -> Refused:
    return Refused(code="51000", message=f"Parameter {name} error", status=400)


def missing_parameter(name: str) -> Refused:
    return Refused(code="50014", message=f"Parameter {name} cannot be empty.", status=400)


def no_such_instrument() -> Refused:
    message = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
    return Refused(code="51001", message=message)


def sign(secret: str, text: str) -> str:
    """Base64 of the HMAC-SHA256 of a text."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def check_headers(headers: Mapping[str, str]) -> None:
    """
    See that the four headers are there and the key is for this environment.

    Raises:
        Refused: 50103 to 50107 for a missing one, 50101 for a demo request.

    """
    for name, code in _HEADERS:
        if not headers.get(name):
            raise refused(code)
    if headers.get("x-simulated-trading") == "1":
        raise refused("50101")


def check_signed(
    headers: Mapping[str, str], secret: str, passphrase: str, signed: str, at_ms: int
) -> None:
    """
    See that a call is fresh, signed and carries the passphrase.

    Args:
        headers: Of the request, already seen to be there.
        secret: Of the key.
        passphrase: Of the key.
        signed: Method, path with query as sent, and body.
        at_ms: The server's own time.

    Raises:
        Refused: 50112 and 50102 for the timestamp, 50105, 50113.

    """
    stamp = headers["OK-ACCESS-TIMESTAMP"]
    try:
        sent = datetime.fromisoformat(stamp)
    except ValueError:
        raise refused("50112") from None
    aware = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    if abs(at_ms - aware.timestamp() * 1000) > _WINDOW_MS:
        raise refused("50102")
    if headers["OK-ACCESS-PASSPHRASE"] != passphrase:
        raise refused("50105")
    if not hmac.compare_digest(sign(secret, stamp + signed), headers["OK-ACCESS-SIGN"]):
        raise refused("50113")


def login_error(arg: Mapping[str, object], secret: str, passphrase: str, at_ms: int) -> str | None:
    """The code with which a WebSocket login of a known key fails, or None."""
    stamp = str(arg.get("timestamp", ""))
    if not stamp.isdecimal():
        return "60004"
    if abs(at_ms - int(stamp) * 1000) > _WINDOW_MS:
        return "60006"
    if arg.get("passphrase") != passphrase:
        return "60024"
    right = sign(secret, f"{stamp}GET/users/self/verify")
    return None if hmac.compare_digest(right, str(arg.get("sign", ""))) else "60007"
