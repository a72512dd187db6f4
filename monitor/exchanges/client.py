"""
I/O. ccxt made to read as we want: the one file that uses it.

ccxt signs and speaks HTTP; everything it would make of an answer is taken out of its hands.
Its JSON reader is replaced (numbers keep their digits, and what is not JSON stays visible as
text), and so is its error table: the exchange's own `read_error` sees every answer, so that a
page answered with HTTP 200 is an error and never «no positions». Redirects are not followed, and
nothing is read without end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from monitor.errors import Malformed, Unreachable
from monitor.exchanges import trouble
from monitor.exchanges.ccxt_classes import CLASSES, BaseError, RequestTimeout
from monitor.exchanges.payload import MAX_BODY_BYTES, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.exchanges.port import Credentials, Exchange

_CHUNK_BYTES = 65_536


@dataclass(slots=True)
class Answer:
    """
    An answer on its way through ccxt: what the body says; status and headers once known.

    Header names are lower case.
    """

    body: object
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


class Bounded(aiohttp.ClientResponse):
    """An answer that is read no further than 16 MiB, unpacked: what is longer is an error."""

    async def read(self) -> bytes:
        if self._body is None:
            self._body = await self._bounded()
        return self._body

    async def _bounded(self) -> bytes:
        parts: list[bytes] = []
        left = MAX_BODY_BYTES
        async for part in self.content.iter_chunked(_CHUNK_BYTES):
            left -= len(part)
            if left < 0:
                self.close()
                raise Malformed("body", f"at most {MAX_BODY_BYTES} bytes", "more")
            parts.append(part)
        return b"".join(parts)


def _read_body(text: str) -> object:
    try:
        return parse_json(text)
    except Malformed:
        return text


def client_class(exchange: Exchange) -> type[Any]:
    """ccxt's class for this exchange with our own reading of answers."""
    parent: type[Any] = CLASSES[exchange.client]

    def parse(_: object, text: str) -> Answer:
        return Answer(_read_body(text))

    def judge(_: object, *answer: Any) -> None:
        status, _reason, _url, _method, headers, _text, parsed = answer[:7]
        parsed.status = status
        lower = {name.lower(): value for name, value in headers.items()}
        parsed.headers = lower
        error = exchange.read_error(status, lower, parsed.body)
        if error is not None:
            raise error

    def connect(client: Any, *lazily: Any, **how: Any) -> None:
        parent.open(client, *lazily, **how)
        if client.session is not None and not client.session.trace_configs:
            # The session that ccxt made gives its connector to one that answers as we want.
            client.session.detach()
            client.session = aiohttp.ClientSession(
                connector=client.tcp_connector,
                trust_env=client.aiohttp_trust_env,
                trace_configs=[_staying_here()],
                response_class=Bounded,
            )

    return type(
        f"Reading{parent.__name__}",
        (parent,),
        {
            "parse_json": parse,
            "handle_errors": judge,
            "handle_http_status_code": _accept,
            "open": connect,
        },
    )


def _accept(_: object, *_answer: object) -> None:
    """Nothing is left to say after `judge`."""


def _staying_here() -> aiohttp.TraceConfig:
    """Refuses redirects: what a request is signed with would go wherever they lead."""

    async def refuse(*_: object) -> None:
        raise Unreachable("the address redirects elsewhere, which is not followed")

    staying = aiohttp.TraceConfig()
    staying.on_request_redirect.append(refuse)
    staying.freeze()
    return staying


def redirected(urls: object, base: str) -> Any:
    """ccxt's URL table with scheme and host of every address replaced by `base`, paths kept."""
    if isinstance(urls, dict):
        return {name: redirected(value, base) for name, value in urls.items()}
    if isinstance(urls, str):
        return base.rstrip("/") + urlsplit(urls.replace("{hostname}", "hostname")).path
    return urls


def built(
    exchange: Exchange,
    credentials: Credentials | None,
    *,
    now: Callable[[], datetime],
    rest_url: str | None,
    timeout_seconds: float,
) -> Any:
    """
    A client that signs for one account; without credentials only public calls can be made.

    Args:
        rest_url: Where all of its hosts are instead; None for the exchange's own.
    """
    secrets: dict[str, Any] = {}
    if credentials is not None:
        secrets = {
            "apiKey": credentials.api_key,
            "secret": credentials.api_secret,
            "password": credentials.passphrase,
        }
    client = client_class(exchange)(
        {
            **secrets,
            # One queue for all calls would make a poll wait behind a slow, heavy call.
            "enableRateLimit": False,
            "timeout": int(timeout_seconds * 1000),
            "aiohttp_trust_env": True,
            "options": {"timeDifference": 0},
        }
    )
    # Neither is looked at, and both would keep whole answers and headers in memory.
    client.enableLastHttpResponse = client.enableLastJsonResponse = False
    client.enableLastResponseHeaders = False
    client.timeout_on_exit = 0
    # Its own would be the wall clock: after a step of that every stamp would be refused.
    client.milliseconds = lambda: round(now().timestamp() * 1000)
    if rest_url is not None:
        client.urls["api"] = redirected(client.urls["api"], rest_url)
    return client


def why_failed(error: Exception, timeout_seconds: float) -> str:
    """What kept an answer away, without ccxt's own text, which may hold a signed address."""
    if isinstance(error, RequestTimeout):
        return f"no answer within {timeout_seconds:.0f} s"
    if isinstance(error, BaseError):
        cause = error.__cause__
        why = f" ({type(cause).__name__})" if cause is not None else ""
        return trouble.words(error) or f"the connection failed{why}"
    return f"the call failed ({type(error).__name__})"
