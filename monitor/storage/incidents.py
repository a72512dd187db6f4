"""Incidents on disk, so that a restart neither forgets nor repeats."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.incident import Incident, Subject
from monitor.alerts.ladder import Severity
from monitor.risk.model import PoolId

if TYPE_CHECKING:
    import sqlite3


def save(connection: sqlite3.Connection, incident: Incident) -> None:
    """The incident as it is now; within the caller's transaction."""
    connection.execute(
        "INSERT INTO incidents (id, account, opened_at, resolved_at, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at, body = excluded.body",
        (
            incident.id,
            incident.account,
            incident.opened_at.isoformat(),
            _time_text(incident.resolved_at),
            json.dumps(_written(incident)),
        ),
    )


def kept_incidents(
    connection: sqlite3.Connection, account: str, since: datetime
) -> tuple[Incident, ...]:
    """What an engine starts with, oldest first: open ones, and those resolved after `since`."""
    rows = connection.execute(
        "SELECT body FROM incidents WHERE account = ? AND (resolved_at IS NULL OR resolved_at > ?)"
        " ORDER BY opened_at",
        (account, since.isoformat()),
    )
    return tuple(_read(json.loads(body)) for (body,) in rows)


def _written(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "account": incident.account,
        "pool": None if incident.pool is None else incident.pool.name,
        "subject": incident.subject.value,
        "severity": incident.severity.value,
        "worst_severity": incident.worst_severity.value,
        "rung": incident.rung,
        "opened_at": incident.opened_at.isoformat(),
        "changed_at": incident.changed_at.isoformat(),
        "worst": None if incident.worst is None else str(incident.worst),
        "worst_at": _time_text(incident.worst_at),
        "spoken_at": _time_text(incident.spoken_at),
        "resolved_at": _time_text(incident.resolved_at),
        "because": incident.because,
        "openings": [at.isoformat() for at in incident.openings],
        "told": list(incident.told),
    }


def _read(body: dict[str, str]) -> Incident:
    pool = body["pool"]
    worst = body["worst"]
    return Incident(
        id=body["id"],
        account=body["account"],
        pool=None if pool is None else PoolId(account=body["account"], name=pool),
        subject=Subject(body["subject"]),
        severity=Severity(body["severity"]),
        worst_severity=Severity(body["worst_severity"]),
        rung=body["rung"],
        opened_at=datetime.fromisoformat(body["opened_at"]),
        changed_at=datetime.fromisoformat(body["changed_at"]),
        worst=None if worst is None else Decimal(worst),
        worst_at=_time(body["worst_at"]),
        spoken_at=_time(body["spoken_at"]),
        resolved_at=_time(body["resolved_at"]),
        because=body["because"],
        openings=tuple(datetime.fromisoformat(at) for at in body["openings"]),
        told=tuple(body["told"]),
    )


def _time_text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
