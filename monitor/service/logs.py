"""
structlog set up for a daemon: JSON lines to stderr, plain words on a terminal, and no secrets.

Every line, those of libraries included, passes one redaction: configured secrets literally,
and whatever looks like a key, a signature or a token in an address. Tracebacks never show
local variables. Chatty libraries, whose DEBUG lines carry addresses with tokens, stay at
WARNING.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, TextIO
from urllib.parse import unquote

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"
WARNING = logging.WARNING
SHORTEST_SECRET = 4
SHORTEST_PART = 12
QUIET = ("ccxt", "apprise", "urllib3", "websockets", "aiohttp", "asyncio", "markdown")

_LOOKS_SECRET = re.compile(
    r"((?:signature|listenKey|apiKey|api_key|api_secret|secret|passphrase|token)"
    r"['\"]?\s*[=:]\s*['\"]?)[^\s&'\",}]+"
    r"|((?:X-MBX-APIKEY|OK-ACCESS-[A-Z]+|X-BAPI-[A-Z-]+)['\"]?\s*[=:]\s*['\"]?)[^\s&'\",}]+"
    r"|(Bearer\s+)[\w.~+/=-]+"
    r"|(/bot)\d+(?::|%3A)[\w-]+"
    r"|(/api/(?:v\d+/)?webhooks/\d+/)[\w-]+"
    r"|(/ws/)[A-Za-z0-9]{32,}"
    r"|([a-z][a-z0-9+.-]*://)[^\s/@'\"]+@",
    re.IGNORECASE,
)


class Redaction:
    """Takes secrets out of texts, at any depth of an event."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = {s for s in secrets if len(s) >= SHORTEST_SECRET}
        given |= {part for secret in given for part in _parts(secret)}
        # The longest first: one secret may hold another.
        kept = sorted(given, key=len, reverse=True)
        self._literal = re.compile("|".join(map(re.escape, kept))) if kept else None

    def text(self, text: str) -> str:
        if self._literal is not None:
            text = self._literal.sub(HIDDEN, text)
        return _LOOKS_SECRET.sub(_hide, text)

    def value(self, value: object) -> object:
        """The same value with every text in it redacted; other objects as their redacted text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item) for item in value]
        return self.text(str(value))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self.value(item) for key, item in event.items() if not key.startswith("_")} | {
            key: item for key, item in event.items() if key.startswith("_")
        }


def _parts(address: str) -> Iterable[str]:
    """What may be the secret of a secret address: others show it elsewhere than it stood there."""
    scheme, separator, rest = address.partition("://")
    if not (scheme and separator):
        return
    for part in re.split(r"[/:@?&=#]", rest):
        # A host is no secret; and of short words too many say something else as well.
        if len(part) >= SHORTEST_PART and "." not in part:
            yield part
            yield unquote(part)


def _hide(found: re.Match[str]) -> str:
    kept = next((group for group in found.groups() if group), "")
    return f"{kept}{HIDDEN}" + ("@" if found.group(0).endswith("@") else "")


def set_up(
    secrets: Iterable[str] = (), *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """From now on every log line of this process goes through here, to stderr or `stream`."""
    out = sys.stderr if stream is None else stream
    redaction = Redaction(secrets)
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    # format_exc_info prints the plain traceback: no local variables.
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redaction,
        _renderer(out),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(out: TextIO) -> Processor:
    if out.isatty():
        return structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback, colors=False
        )
    return structlog.processors.JSONRenderer(default=str)
