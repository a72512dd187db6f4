"""Waits that hosts asked for: a restart must not begin with what gets an address banned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.storage.columns import optional_time, time_text

if TYPE_CHECKING:
    import sqlite3

# Binance bans an address for three days at most (General Info, «IP limits»); a day to be sure.
_LONGEST = timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a host asked for; `asked_at` is None where that was not kept."""

    until: datetime
    asked_at: datetime | None


def wait(until: datetime | None, asked_at: datetime) -> Wait | None:
    """A wait until then, none where there is no end."""
    return None if until is None else Wait(until=until, asked_at=asked_at)


def keep(connection: sqlite3.Connection, host: str, wait: Wait | None) -> None:
    """Note a host's wait in place of an earlier one; None: it is over."""
    if wait is None:
        connection.execute("DELETE FROM quiet WHERE host = ?", (host,))
        return
    asked_at = None if wait.asked_at is None else time_text(wait.asked_at)
    connection.execute(
        "INSERT OR REPLACE INTO quiet (host, until, asked_at) VALUES (?, ?, ?)",
        (host, time_text(wait.until), asked_at),
    )


def asked(connection: sqlite3.Connection, now: datetime) -> dict[str, Wait | None]:
    """
    Every host's latest wait that is not known to be over.

    From now on none is longer than it was asked to be, however the clock was set since. One
    that is longer than any was written by a clock that was ahead: it is none.
    """
    found: dict[str, Wait | None] = {}
    for row in connection.execute("SELECT host, until, asked_at FROM quiet"):
        until, asked_at = datetime.fromisoformat(row["until"]), optional_time(row["asked_at"])
        if asked_at is not None:
            until = min(until, now + (until - asked_at))
        if until - now <= _LONGEST:
            found[str(row["host"])] = Wait(until=until, asked_at=asked_at and min(asked_at, now))
    return found
