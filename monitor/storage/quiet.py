"""Waits that hosts asked for: a restart must not begin with what gets an address banned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3

# Binance bans an address for three days at most (General Info, «IP limits»); a day to be sure.
_LONGEST = timedelta(days=4)


def keep(connection: sqlite3.Connection, host: str, until: datetime) -> None:
    """Note the end of a host's wait, in place of an earlier one."""
    connection.execute("INSERT OR REPLACE INTO quiet VALUES (?, ?)", (host, time_text(until)))


def asked(connection: sqlite3.Connection, now: datetime) -> dict[str, datetime]:
    """
    Every host's latest wait, whether it is over or not.

    One that is longer than any was written by a clock that was ahead: it is none.
    """
    rows = connection.execute("SELECT host, until FROM quiet")
    waits = {str(row["host"]): datetime.fromisoformat(row["until"]) for row in rows}
    return {host: until for host, until in waits.items() if until - now <= _LONGEST}
