"""Incidents on disk, so that a restart neither forgets nor repeats."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.alerts.incident import Incident, Step, Subject, Word
from monitor.alerts.ladder import Severity
from monitor.risk.model import PoolId
from monitor.storage.columns import (
    optional_decimal,
    optional_decimal_text,
    optional_time,
    optional_time_text,
    time_text,
    writable,
)

if TYPE_CHECKING:
    import sqlite3

_SAVE = """
INSERT INTO incidents (id, account, pool, subject, severity, worst_severity, rung, opened_at,
  changed_at, worst, worst_at, nearest, nearest_at, spoken_at, resolved_at, because, openings,
  told, alarms, accepted, accepted_distance, words)
VALUES (:id, :account, :pool, :subject, :severity, :worst_severity, :rung, :opened_at,
  :changed_at, :worst, :worst_at, :nearest, :nearest_at, :spoken_at, :resolved_at, :because,
  :openings, :told, :alarms, :accepted, :accepted_distance, :words)
ON CONFLICT (id) DO UPDATE SET severity = excluded.severity,
  worst_severity = excluded.worst_severity, rung = excluded.rung,
  changed_at = excluded.changed_at, worst = excluded.worst, worst_at = excluded.worst_at,
  nearest = excluded.nearest, nearest_at = excluded.nearest_at,
  spoken_at = excluded.spoken_at, resolved_at = excluded.resolved_at,
  because = excluded.because, openings = excluded.openings, told = excluded.told,
  alarms = excluded.alarms, accepted = excluded.accepted,
  accepted_distance = excluded.accepted_distance, words = excluded.words
"""


def save(connection: sqlite3.Connection, incident: Incident) -> None:
    """Write an incident as it is now, over what was known of it."""
    if incident.pool is not None and incident.pool.account != incident.account:
        raise ValueError(f"incident {incident.id} is about a pool of another account")
    connection.execute(
        _SAVE,
        {
            "id": incident.id,
            "account": incident.account,
            "pool": None if incident.pool is None else incident.pool.name,
            "subject": incident.subject.value,
            "severity": incident.severity.value,
            "worst_severity": incident.worst_severity.value,
            "rung": incident.rung,
            "opened_at": time_text(incident.opened_at),
            "changed_at": time_text(incident.changed_at),
            "worst": optional_decimal_text(incident.worst),
            "worst_at": optional_time_text(incident.worst_at),
            "nearest": optional_decimal_text(incident.nearest),
            "nearest_at": optional_time_text(incident.nearest_at),
            "spoken_at": optional_time_text(incident.spoken_at),
            "resolved_at": optional_time_text(incident.resolved_at),
            "because": writable(incident.because),
            "openings": " ".join(time_text(at) for at in incident.openings),
            "told": json.dumps(incident.told),
            "alarms": json.dumps(incident.alarms),
            "accepted": json.dumps(incident.accepted),
            "accepted_distance": optional_decimal_text(incident.accepted_distance),
            "words": json.dumps(
                [(time_text(w.at), w.step.value, w.cost, w.rung) for w in incident.words]
            ),
        },
    )


def open_ones(connection: sqlite3.Connection, now: datetime) -> tuple[Incident, ...]:
    """The open incidents of all accounts, the oldest first; none of them from after `now`."""
    rows = connection.execute(
        "SELECT * FROM incidents WHERE resolved_at IS NULL ORDER BY opened_at, id"
    )
    return tuple(_not_ahead(_incident(row), now) for row in rows)


def since(
    connection: sqlite3.Connection,
    at: datetime,
    *,
    of_taken: datetime | None = None,
    now: datetime | None = None,
) -> tuple[Incident, ...]:
    """
    Every incident that was open at this time or later, the oldest first.

    Of those about what an exchange took, every one since `of_taken` where that is given: for
    as long as it lists that, they say what was told.
    """
    rows = connection.execute(
        "SELECT * FROM incidents WHERE resolved_at IS NULL OR resolved_at >= ?"
        " OR (subject = ? AND resolved_at >= ?) ORDER BY opened_at, id",
        (time_text(at), Subject.TAKEN.value, time_text(of_taken or at)),
    )
    return tuple(_not_ahead(_incident(row), now) for row in rows)


def forget(connection: sqlite3.Connection, *, before: datetime) -> None:
    """Drop what was over before this."""
    connection.execute("DELETE FROM incidents WHERE resolved_at < ?", (time_text(before),))


def _not_ahead(incident: Incident, now: datetime | None) -> Incident:
    """
    The same, as if what was written by a clock that was ahead had come just now.

    Else no reminder of it would come before that time, and no end.
    """
    if now is None or max(incident.opened_at, incident.changed_at, *incident.openings) <= now:
        return incident
    spoken_at, resolved_at = incident.spoken_at, incident.resolved_at
    return replace(
        incident,
        opened_at=min(incident.opened_at, now),
        changed_at=min(incident.changed_at, now),
        spoken_at=None if spoken_at is None else min(spoken_at, now),
        resolved_at=None if resolved_at is None else min(resolved_at, now),
        openings=tuple(min(opening, now) for opening in incident.openings),
        words=tuple(replace(word, at=min(word.at, now)) for word in incident.words),
    )


def _incident(row: sqlite3.Row) -> Incident:
    pool = row["pool"]
    return Incident(
        id=row["id"],
        account=row["account"],
        pool=None if pool is None else PoolId(account=row["account"], name=pool),
        subject=Subject(row["subject"]),
        severity=Severity(row["severity"]),
        worst_severity=Severity(row["worst_severity"]),
        rung=row["rung"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        changed_at=datetime.fromisoformat(row["changed_at"]),
        worst=optional_decimal(row["worst"]),
        worst_at=optional_time(row["worst_at"]),
        nearest=optional_decimal(row["nearest"]),
        nearest_at=optional_time(row["nearest_at"]),
        spoken_at=optional_time(row["spoken_at"]),
        resolved_at=optional_time(row["resolved_at"]),
        because=row["because"],
        openings=tuple(datetime.fromisoformat(text) for text in row["openings"].split()),
        told=tuple(json.loads(row["told"])),
        alarms=tuple(json.loads(row["alarms"])),
        accepted=tuple(json.loads(row["accepted"])),
        accepted_distance=optional_decimal(row["accepted_distance"]),
        words=tuple(
            Word(at=datetime.fromisoformat(at), step=Step(step), cost=cost, rung=rung)
            for at, step, cost, rung in json.loads(row["words"] or "[]")
        ),
    )
