"""Accounts of which a figure was given once: a restart must not leave them unwatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


def add(connection: sqlite3.Connection, account: str, at: datetime) -> None:
    """Note the first time; later ones change nothing."""
    connection.execute("INSERT OR IGNORE INTO watched VALUES (?, ?)", (account, time_text(at)))


def accounts(connection: sqlite3.Connection) -> set[str]:
    """Every account that was ever watched."""
    return {str(row["account"]) for row in connection.execute("SELECT account FROM watched")}
