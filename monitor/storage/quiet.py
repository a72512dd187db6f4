"""Waits that hosts asked for: a restart must not begin with what gets an address banned."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3


def keep(connection: sqlite3.Connection, host: str, until: datetime) -> None:
    """Note the end of a host's wait, in place of an earlier one."""
    connection.execute("INSERT OR REPLACE INTO quiet VALUES (?, ?)", (host, time_text(until)))


def asked(connection: sqlite3.Connection) -> dict[str, datetime]:
    """Every host's latest wait, whether it is over or not."""
    rows = connection.execute("SELECT host, until FROM quiet")
    return {str(row["host"]): datetime.fromisoformat(row["until"]) for row in rows}
