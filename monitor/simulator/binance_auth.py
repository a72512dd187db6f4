"""
Who may call Binance, and in which words it refuses.

A signed call carries `timestamp` (and `recvWindow`), percent-encoded, and ends with
`signature`: HMAC-SHA256 of what was sent before it. Source: API documentation, "Endpoint
Security Type", "SIGNED Endpoint Security", "Error Codes".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from aiohttp import web

from monitor.simulator.binance_quotes import milliseconds

_DEFAULT_WINDOW = 5000
_MAX_WINDOW = 60000
_AHEAD = 1000
_ENCODED = re.compile(r"[A-Za-z0-9\-._~%=&+*'()!,:;@/?\[\]{}\"$]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Exception):  # noqa: N818 - a refusal is what it is
    """Binance's answer to a call that it does not carry out."""

    status: int
    code: int
    message: str
    headers: Mapping[str, str] | None = None

    def response(self) -> web.Response:
        body = {"code": self.code, "msg": self.message}
        return web.json_response(body, status=self.status, headers=self.headers)


def bad_key_format() -> Refused:
    return Refused(status=401, code=-2014, message="API-key format invalid.")


def not_permitted(ip: str = "127.0.0.1") -> Refused:
    """The one answer to an unknown key, a wrong address and a missing permission."""
    message = f"Invalid API-key, IP, or permissions for action, request ip: {ip}"
    return Refused(status=401, code=-2015, message=message)


def too_many(seconds: str, limit: int = 2400) -> Refused:
    message = (
        f"Too many requests; current limit of IP(127.0.0.1) is {limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    return Refused(status=429, code=-1003, message=message, headers={"Retry-After": seconds})


def banned(seconds: str, at: datetime) -> Refused:
    until = milliseconds(at) + int(float(seconds) * 1000)
    message = (
        f"Way too many requests; IP(127.0.0.1) banned until {until}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return Refused(status=418, code=-1003, message=message, headers={"Retry-After": seconds})


def unknown_path(path: str, method: str) -> Refused:
    return Refused(status=404, code=-5000, message=f"Path {path}, Method {method} is invalid")


def not_a_portfolio() -> Refused:
    message = "Request ID is not a Portfolio Margin Account."
    return Refused(status=400, code=-21001, message=message)


def missing_parameter(name: str) -> Refused:
    message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return Refused(status=400, code=-1102, message=message)


def unknown_symbol() -> Refused:
    return Refused(status=400, code=-1121, message="Invalid symbol.")


def unknown_listen_key() -> Refused:
    return Refused(status=400, code=-1125, message="This listenKey does not exist.")


def check_signed(payload: str, secret: str, at: datetime) -> dict[str, str]:
    """
    Give the parameters of a signed call, or raise why it is refused.

    Args:
        payload: Query string and body as sent, not decoded.
        secret: Of the key that was given in the header.
        at: The server's own time.

    Raises:
        Refused: With Binance's code.

    """
    sent, _, signature = payload.rpartition("signature=")
    sent = sent.removesuffix("&")
    parameters = dict(parse_qsl(sent, keep_blank_values=True))
    timestamp = _whole(parameters, "timestamp", None)
    window = _whole(parameters, "recvWindow", _DEFAULT_WINDOW)
    if not signature:
        raise missing_parameter("signature")
    if window > _MAX_WINDOW:
        raise Refused(status=400, code=-1131, message="recvWindow must be less than 60000")
    now = milliseconds(at)
    if timestamp >= now + _AHEAD:
        message = f"Timestamp for this request was {_AHEAD}ms ahead of the server's time."
        raise Refused(status=400, code=-1021, message=message)
    if now - timestamp > window:
        message = "Timestamp for this request is outside of the recvWindow."
        raise Refused(status=400, code=-1021, message=message)
    expected = hmac.new(secret.encode(), sent.encode(), hashlib.sha256).hexdigest()
    # What is not percent-encoded is refused since 2026, even where the bytes would match.
    if not (hmac.compare_digest(expected, signature) and _ENCODED.fullmatch(sent)):
        raise Refused(status=400, code=-1022, message="Signature for this request is not valid.")
    return parameters


def _whole(parameters: Mapping[str, str], name: str, default: int | None) -> int:
    text = parameters.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal():
        raise missing_parameter(name)
    return int(text)
