"""Incidents and notifications for tests, with sane defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.alerts.incident import Incident, Step, Subject
from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification
from monitor.risk.model import PoolId

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """That many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def an_incident(name: str = "i1", account: str = "main", **changes: object) -> Incident:
    values: dict[str, object] = {
        "id": name,
        "account": account,
        "pool": PoolId(account=account, name="unified"),
        "subject": Subject.STANDING,
        "severity": Severity.WARNING,
        "worst_severity": Severity.WARNING,
        "rung": "warning",
        "opened_at": NOON,
        "changed_at": NOON,
    }
    return Incident(**(values | changes))  # type: ignore[arg-type] - given by the tests


def a_notification(name: str = "i1-1", incident: str = "i1", **changes: object) -> Notification:
    values: dict[str, object] = {
        "id": name,
        "incident_id": incident,
        "account": "main",
        "severity": Severity.WARNING,
        "step": Step.OPENED,
        "title": f"title of {name}",
        "body": f"body of {name}",
        "created_at": NOON,
        "useful_until": at(3600),
    }
    return Notification(**(values | changes))  # type: ignore[arg-type] - given by the tests
