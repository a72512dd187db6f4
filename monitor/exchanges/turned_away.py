"""
What a host says that does not let a WebSocket connection in: in words, and for how long.

Knows statuses and headers; must not know sockets, calls or exchanges.

Source: RFC 9110 section 10.2.3, Retry-After, read November 2026.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BANNED = 418
# Of these the wait that is asked for is kept to.
_LONGEST_SECONDS = {
    403: 3600.0,
    # Binance bans an address for three days at most (General Info, «IP limits»).
    BANNED: 3 * 86400.0,
    429: 3600.0,
}
_WORDS = {
    403: "the exchange's firewall turns this address away",
    BANNED: "the exchange has banned this address",
    429: "too many connections or requests from this address",
}


def words(status: int) -> str:
    """What a refusal of this status means, for people."""
    meaning = _WORDS.get(status)
    return f"HTTP {status}" if meaning is None else f"{meaning}, HTTP {status}"


def wait_seconds(status: int, headers: Mapping[str, str]) -> float | None:
    """
    For how long the host asks for no other try; None where it asks for none that makes sense.

    Never longer than a ban may be, or than an hour where it is none: a nonsense of the host's
    must not keep the live feeds away for ever. A date counts by the host's own clock.
    """
    longest, asked = _LONGEST_SECONDS.get(status), headers.get("Retry-After", "").strip()
    if longest is None:
        return None
    seconds = _seconds(asked) or _until(asked, headers.get("Date", ""))
    return None if seconds is None or seconds <= 0 else min(seconds, longest)


def _seconds(asked: str) -> float | None:
    return float(asked) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", asked) else None


def _until(date: str, now: str) -> float | None:
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None
