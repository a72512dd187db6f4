"""What the monitor remembers of itself: how its lives ended, and what it said about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3

# What is dated further ahead was written by a clock that was wrong.
_FAR = timedelta(days=1)


def begin(connection: sqlite3.Connection, at: datetime, kept_for: timedelta) -> None:
    """Note a start; it stays until the process ends in order, and is forgotten when it is old."""
    connection.execute("DELETE FROM starts WHERE at < ?", (time_text(at - kept_for),))
    connection.execute("INSERT OR IGNORE INTO starts VALUES (?)", (time_text(at),))


def end_in_order(connection: sqlite3.Connection, at: datetime) -> None:
    """The process that started at this time ends as it should."""
    connection.execute("DELETE FROM starts WHERE at = ?", (time_text(at),))


def starts(connection: sqlite3.Connection, now: datetime) -> frozenset[datetime]:
    """When a process started that has not ended in order; none from far ahead of `now`."""
    rows = connection.execute("SELECT at FROM starts WHERE at <= ?", (time_text(now + _FAR),))
    return frozenset(datetime.fromisoformat(row["at"]) for row in rows)


def say(connection: sqlite3.Connection, name: str, at: datetime) -> None:
    """A notice of this name was given."""
    connection.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, time_text(at)))


def unsay(connection: sqlite3.Connection, name: str) -> None:
    """What the notice of this name said holds no more."""
    connection.execute("DELETE FROM said WHERE name = ?", (name,))


def said(connection: sqlite3.Connection, now: datetime) -> dict[str, datetime]:
    """When which notice was given last; `now` where that lies far ahead."""
    rows = connection.execute("SELECT name, at FROM said")
    given = {str(row["name"]): datetime.fromisoformat(row["at"]) for row in rows}
    return {name: now if at - now > _FAR else at for name, at in given.items()}
