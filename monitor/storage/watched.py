"""Accounts of which a figure was given once: a restart must not leave them unwatched."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3


def add(connection: sqlite3.Connection, account: str, at: datetime) -> None:
    """Note the first time; later ones change nothing."""
    connection.execute("INSERT OR IGNORE INTO watched VALUES (?, ?)", (account, time_text(at)))


def accounts(connection: sqlite3.Connection) -> dict[str, datetime]:
    """Every account that was ever watched, and since when."""
    rows = connection.execute("SELECT account, since FROM watched")
    return {str(row["account"]): datetime.fromisoformat(row["since"]) for row in rows}
