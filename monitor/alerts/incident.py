"""A trouble with a beginning and an end, and the steps that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Severity
    from monitor.risk.model import PoolId


class Subject(Enum):
    """What an incident is about."""

    RATIO = "ratio"
    LIQUIDATION_NEAR = "liquidation near"
    STALE = "stale"
    BLIND = "blind"
    DISAGREES = "disagrees"
    KEY_TOO_POWERFUL = "key too powerful"


class Step(Enum):
    OPENED = "opened"
    ESCALATED = "escalated"
    EASED = "eased"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """
    One trouble of one pool, or of a whole account (`pool` None).

    `id` is short and stable: it stands in every message. `rung` is the rung stood on now
    (None for subjects without rungs). `worst` is the peak ratio (or the least distance) so
    far. `worst_severity` decides who hears of the end. `because` says in words what is wrong.
    `openings` are the times at which it opened anew within the last hour, this one included.
    """

    id: str
    account: str
    pool: PoolId | None
    subject: Subject
    severity: Severity
    worst_severity: Severity
    rung: str | None
    opened_at: datetime
    changed_at: datetime
    worst: Decimal | None = None
    worst_at: datetime | None = None
    spoken_at: datetime | None = None
    resolved_at: datetime | None = None
    because: str = ""
    openings: tuple[datetime, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of an incident: what it was (None when it opens), what it is, when."""

    step: Step
    before: Incident | None
    after: Incident
    at: datetime
