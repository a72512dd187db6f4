"""What a person is told: a title and a body to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.alerts.incident import Step
    from monitor.alerts.ladder import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """
    One message, before it is given to channels.

    `id` is unique and stable (incident id and a count). `severity` is the one that channels
    choose by (for an end: the worst that the incident had). `step` is None for messages that
    belong to no incident's step. After `useful_until` nobody needs it any more.
    """

    id: str
    incident_id: str
    account: str
    severity: Severity
    step: Step | None
    title: str
    body: str
    created_at: datetime
    useful_until: datetime
