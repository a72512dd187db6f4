"""Messages to be delivered, one row per channel, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification
from monitor.storage.columns import optional_time, optional_time_text, time_text, writable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

# No receiver is left alone for longer: see LONGEST_WAIT_SECONDS of the channels.
_LONGEST = timedelta(hours=1)
_ADD = """
INSERT INTO outbox (notification_id, channel, incident_id, account, severity, step, title, body,
  created_at, useful_until, attempts, not_before)
VALUES (:notification_id, :channel, :incident_id, :account, :severity, :step, :title, :body,
  :created_at, :useful_until, :attempts, :not_before)
ON CONFLICT (notification_id, channel) DO NOTHING
"""


class Outcome(Enum):
    """Why nothing more is to be done for a row."""

    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """
    One message for one channel, not settled yet; the two of them name it.

    `attempts` counts the failed ones; before `not_before` the receiver wants to hear nothing.
    `is_kept`: whether it would outlive the process; `is_left`: whether an earlier one left it.
    """

    channel: str
    notification: Notification
    attempts: int = 0
    not_before: datetime | None = None
    is_kept: bool = True
    is_left: bool = False


def add(connection: sqlite3.Connection, row: OutboxRow) -> None:
    """Queue a message for a channel; a second time changes nothing."""
    notification = row.notification
    connection.execute(
        _ADD,
        {
            "notification_id": notification.id,
            "channel": row.channel,
            "incident_id": notification.incident_id,
            "account": notification.account,
            "severity": notification.severity.value,
            "step": None if notification.step is None else notification.step.value,
            "title": writable(notification.title),
            "body": writable(notification.body),
            "created_at": time_text(notification.created_at),
            "useful_until": time_text(notification.useful_until),
            "attempts": row.attempts,
            "not_before": optional_time_text(row.not_before),
        },
    )


def unsettled(connection: sqlite3.Connection, at: datetime) -> tuple[OutboxRow, ...]:
    """
    The rows that are still to be delivered, in the order in which they came.

    A wait that lasts longer than any that is kept was written by a clock that was wrong: none.
    So is one of a message from after `at`: since then the clock was set back.
    """
    rows = connection.execute("SELECT * FROM outbox WHERE settled_at IS NULL ORDER BY id")
    return tuple(_without_odd_wait(_row(row), at) for row in rows)


def settle(
    connection: sqlite3.Connection, rows: Iterable[OutboxRow], outcome: Outcome, at: datetime
) -> None:
    """Note that nothing more is to be done for these rows."""
    connection.executemany(
        "UPDATE outbox SET settled_at = ?, outcome = ?"
        " WHERE notification_id = ? AND channel = ? AND settled_at IS NULL",
        [(time_text(at), outcome.value, row.notification.id, row.channel) for row in rows],
    )


def note_failure(connection: sqlite3.Connection, row: OutboxRow, because: str) -> None:
    """Write down the failed attempt that this row has counted by now."""
    connection.execute(
        "UPDATE outbox SET attempts = ?, last_error = ?, not_before = ?"
        " WHERE notification_id = ? AND channel = ?",
        (
            row.attempts,
            writable(because),
            optional_time_text(row.not_before),
            row.notification.id,
            row.channel,
        ),
    )


def forgive(connection: sqlite3.Connection, channel: str) -> None:
    """Count no more the failed attempts of what waits for this channel."""
    connection.execute(
        "UPDATE outbox SET attempts = 0 WHERE channel = ? AND settled_at IS NULL", (channel,)
    )


def told_incidents(connection: sqlite3.Connection) -> frozenset[str]:
    """The open incidents of which some channel delivered a message, by itself or in another."""
    rows = connection.execute(
        "SELECT DISTINCT incident_id FROM outbox WHERE outcome IN ('delivered', 'superseded')"
        " AND incident_id IN (SELECT id FROM incidents WHERE resolved_at IS NULL)"
    )
    return frozenset(str(row["incident_id"]) for row in rows)


def channels(connection: sqlite3.Connection) -> frozenset[str]:
    """Every channel that has, or lately had, a message."""
    rows = connection.execute("SELECT DISTINCT channel FROM outbox")
    return frozenset(str(row["channel"]) for row in rows)


def forget_settled(connection: sqlite3.Connection, *, before: datetime) -> None:
    """Drop rows that were settled before this, but for those about what is open still."""
    connection.execute(
        "DELETE FROM outbox WHERE settled_at < ?"
        " AND incident_id NOT IN (SELECT id FROM incidents WHERE resolved_at IS NULL)",
        (time_text(before),),
    )


def _without_odd_wait(row: OutboxRow, at: datetime) -> OutboxRow:
    if row.not_before is None:
        return row
    is_odd = row.not_before - at > _LONGEST or row.notification.created_at > at
    return replace(row, not_before=None) if is_odd else row


def _row(row: sqlite3.Row) -> OutboxRow:
    return OutboxRow(
        channel=row["channel"],
        notification=Notification(
            id=row["notification_id"],
            incident_id=row["incident_id"],
            account=row["account"],
            severity=Severity(row["severity"]),
            step=None if row["step"] is None else Step(row["step"]),
            title=row["title"],
            body=row["body"],
            created_at=datetime.fromisoformat(row["created_at"]),
            useful_until=datetime.fromisoformat(row["useful_until"]),
        ),
        attempts=row["attempts"],
        not_before=optional_time(row["not_before"]),
        is_left=True,
    )
