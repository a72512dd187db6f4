"""
Who may call Bybit, and in which words it refuses.

Source: Bybit V5 "Integration guidance" and "Error codes" (2026-07-24); the HTTP status of a
refusal is 200 unless said otherwise, which the documentation calls its usual form.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

_AHEAD_MS = 1000
_DEFAULT_WINDOW = "5000"
MISSING = "Missing some parameters that must be filled in, please check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Exception):  # noqa: N818 - a refusal is what it is
    """Bybit's answer to a call that it does not carry out."""

    code: int
    message: str
    status: int = 200
    headers: Mapping[str, str] | None = None

    def response(self, at_ms: int) -> web.Response:
        body = {
            "retCode": self.code,
            "retMsg": self.message,
            "result": {},
            "retExtInfo": {},
            "time": at_ms,
        }
        return web.json_response(body, status=self.status, headers=self.headers)


def unknown_key(status: int = 200) -> Refused:
    return Refused(code=10003, message="API key is invalid.", status=status)


def expired_key() -> Refused:
    return Refused(code=33004, message="Your api key has expired.")


def no_permission() -> Refused:
    message = "Permission denied, please check your API key permissions."
    return Refused(code=10005, message=message)


def wrong_address() -> Refused:
    return Refused(
        code=10010, message="Unmatched IP, please check your API key's bound IP addresses."
    )


def server_error() -> Refused:
    return Refused(code=10016, message="Internal System Error.")


def parameter_error(message: str = "Request parameter error.") -> Refused:
    return Refused(code=10001, message=message)


def route_not_found() -> Refused:
    return Refused(code=10017, message="Route not found.", status=404)


def too_many(at_ms: int, seconds: str, status: int = 200) -> Refused:
    """The limit of the account; the headers say when it is over."""
    return Refused(
        code=10006,
        message="Too many visits. Exceeded the API Rate Limit.",
        status=status,
        headers={
            "Retry-After": seconds,
            "X-Bapi-Limit": "50",
            "X-Bapi-Limit-Status": "0",
            "X-Bapi-Limit-Reset-Timestamp": str(at_ms + int(float(seconds) * 1000)),
        },
    )


def check_signed(headers: Mapping[str, str], query: str, secret: str, at_ms: int) -> None:
    """
    See that a call is fresh and signed.

    Args:
        headers: Of the request.
        query: The query string as sent, still percent-encoded.
        secret: Of the key in the header.
        at_ms: The server's own time.

    Raises:
        Refused: 10002 outside the window, 10004 for a wrong signature.

    """
    sent = headers.get("X-BAPI-TIMESTAMP", "")
    window = headers.get("X-BAPI-RECV-WINDOW", _DEFAULT_WINDOW)
    if not sent.isdecimal() or not window.isdecimal():
        raise parameter_error(MISSING)
    if not at_ms - int(window) <= int(sent) < at_ms + _AHEAD_MS:
        raise Refused(
            code=10002,
            message=(
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{sent}],server_timestamp[{at_ms}],recv_window[{window}]"
            ),
        )
    origin = f"{sent}{headers['X-BAPI-API-KEY']}{window}{query}"
    if not hmac.compare_digest(digest(secret, origin), headers.get("X-BAPI-SIGN", "")):
        raise Refused(
            code=10004,
            message=f"error sign! origin_string[{origin}]",
        )


def digest(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
