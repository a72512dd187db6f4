"""Which accounts were ever watched: a key that worked before is not turned away now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


def accounts(connection: sqlite3.Connection) -> frozenset[str]:
    """The accounts whose figures were once given."""
    return frozenset(str(row["account"]) for row in connection.execute("SELECT * FROM watched"))


def note(connection: sqlite3.Connection, account: str, at: datetime) -> None:
    connection.execute("INSERT OR IGNORE INTO watched VALUES (?, ?)", (account, time_text(at)))
