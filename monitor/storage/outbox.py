"""
Messages to be delivered, and what became of them.

A row is one message for one channel. It is written in the transaction of its incident and
settled after the channel took it: a crash in between repeats a message, the other order would
lose one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from monitor.storage.database import Database

_COLUMNS = (
    "number, notification_id, incident_id, account, severity, step, title, message, "
    "created_at, useful_until"
)


def add(
    connection: sqlite3.Connection, notification: Notification, channels: Sequence[str]
) -> None:
    """One row for each channel; within the caller's transaction. A second time does nothing."""
    connection.executemany(
        "INSERT OR IGNORE INTO outbox (channel, notification_id, incident_id, account, severity,"
        " step, title, message, created_at, useful_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                channel,
                notification.id,
                notification.incident_id,
                notification.account,
                notification.severity.value,
                None if notification.step is None else notification.step.value,
                notification.title,
                notification.body,
                notification.created_at.isoformat(),
                notification.useful_until.isoformat(),
            )
            for channel in channels
        ],
    )


class Outbox:
    """What the courier takes from and settles; every call is one durable transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, notification: Notification, channels: Sequence[str]) -> None:
        """A message that belongs to no incident of an account (a dead channel, say)."""
        with self._database.transaction() as connection:
            add(connection, notification, channels)

    def waiting(self, channel: str) -> tuple[tuple[int, Notification], ...]:
        """Rows of a channel that are not settled, oldest first, each with its number."""
        rows = self._database.connection.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE channel = ? AND state = 'waiting'"  # noqa: S608 - a constant
            " ORDER BY number",
            (channel,),
        )
        return tuple((row[0], _notification(row[1:])) for row in rows)

    def settle(self, numbers: Iterable[int], state: str, at: datetime, because: str = "") -> None:
        """These rows are done with: delivered, superseded, expired or refused."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE outbox SET state = ?, settled_at = ?, because = ?,"
                " attempts = attempts + (? = 'delivered') WHERE number = ?",
                [(state, at.isoformat(), because, state, number) for number in numbers],
            )

    def note_attempt(self, number: int, because: str) -> None:
        """A try that failed; the row waits on."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, because = ? WHERE number = ?",
                (because, number),
            )


def _notification(row: Sequence[str]) -> Notification:
    notification_id, incident_id, account, severity, step, title, message, created, until = row
    return Notification(
        id=notification_id,
        incident_id=incident_id,
        account=account,
        severity=Severity(severity),
        step=None if step is None else Step(step),
        title=title,
        body=message,
        created_at=datetime.fromisoformat(created),
        useful_until=datetime.fromisoformat(until),
    )
