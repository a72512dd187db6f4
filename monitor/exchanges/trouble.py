"""
Which kind of trouble with the network kept an answer away: in words that name no address.

Knows exceptions of sockets, TLS and names; must not know calls or exchanges.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES_FAIL = "DNS: the host's name can't be looked up"


def words(error: BaseException) -> str | None:
    """What happened, where it was TLS or the name; None for anything else."""
    found = None
    for each in _chain(error):
        if isinstance(each, socket.gaierror):
            return NAMES_FAIL
        # OpenSSL's own word (expired, self-signed, another host's): aiohttp hides it inside.
        told = getattr(each, "verify_message", None) or getattr(each, "reason", None)
        if isinstance(each, ssl.SSLError) and told:
            return f"TLS: {str(told).replace('_', ' ')}"
        if isinstance(each, ssl.SSLError):
            found = "TLS: the certificate does not hold"
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was made of: causes, contexts, and aiohttp's inner ones."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (getattr(each, name, None) for name in ("certificate_error", "os_error"))
        waiting += [i for i in inner if isinstance(i, BaseException)]
        waiting += [each.__context__, each.__cause__]
