"""
A trouble with a beginning and an end, and the steps that it takes.

`step` is the whole state machine: what is open, and what is wrong now, to the next step. It
knows neither figures nor words, and not whether anybody is told.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.risk.model import PoolId

WHOLE_ACCOUNT = "account"
"""The reason that covers every pool of an account."""

OPENINGS_AT_MOST = 2
"""So often one trouble may open within `OPENINGS_WITHIN`; the last stays open till that is over."""

OUTAGES_AT_MOST = 6
"""
The same for subjects without rungs. They can't flap at a threshold: each has outlasted its budget
before it is told, and whoever was told that figures are missing wants to hear that they are back.
"""

OPENINGS_WITHIN = timedelta(hours=1)


class Subject(Enum):
    """What an incident is about."""

    RATIO = "ratio"
    LIQUIDATION_NEAR = "liquidation near"
    STALE = "stale"
    BLIND = "blind"
    DISAGREES = "disagrees"
    KEY_TOO_POWERFUL = "key too powerful"

    @property
    def has_rungs(self) -> bool:
        return self in (Subject.RATIO, Subject.LIQUIDATION_NEAR)


class Step(Enum):
    """`REPEATED`: nothing changed, but it is time to say again that it holds."""

    OPENED = "opened"
    ESCALATED = "escalated"
    EASED = "eased"
    RESOLVED = "resolved"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    What is wrong right now, of one pool or of the whole account (`pool` None).

    `rung` is the rung stood on, `order` the names of all rungs of this subject, the mildest
    first. `value` is the ratio, or the distance left. `reasons` are the words for which
    somebody is told once each: a rung's name, a pool's id, a refusal.
    """

    account: str
    pool: PoolId | None
    subject: Subject
    severity: Severity
    rung: str | None = None
    order: tuple[str, ...] = ()
    value: Decimal | None = None
    because: str = ""
    reasons: tuple[str, ...] = ()

    def place(self, rung: str | None) -> int:
        """How high a rung stands, from 0; −1 for none and for one that is no more."""
        return self.order.index(rung) if rung in self.order else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """
    One trouble of one pool, or of a whole account (`pool` None).

    `id` is short and stable: it stands in every message. `rung` is the rung stood on now
    (None for subjects without rungs). `worst` is the peak ratio (or the least distance) so
    far. `worst_severity` decides who hears of the end. `because` says in words what is wrong.
    `openings` are the times at which it opened anew within the last hour, this one included.
    `told` are the reasons for which it was spoken of already.
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
    told: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def stays_open(self, at: datetime) -> bool:
        """Whether it may not be resolved yet: it opened too often within the hour."""
        recent = [opening for opening in self.openings if at - opening < OPENINGS_WITHIN]
        return len(recent) >= (OPENINGS_AT_MOST if self.subject.has_rungs else OUTAGES_AT_MOST)

    def noted(self, value: Decimal | None, at: datetime) -> Incident:
        """The same with `worst` raised to `value`, where that is worse."""
        if value is None or (self.worst is not None and not self._is_worse(value, self.worst)):
            return self
        return replace(self, worst=value, worst_at=at)

    def _is_worse(self, value: Decimal, than: Decimal) -> bool:
        return value < than if self.subject is Subject.LIQUIDATION_NEAR else value > than


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of an incident: what it was (None when it opens), what it is, when."""

    step: Step
    before: Incident | None
    after: Incident
    at: datetime


def step(
    before: Incident | None,
    condition: Condition | None,
    at: datetime,
    *,
    may_ease: bool,
    is_final: bool = False,
) -> Transition | None:
    """
    The step that an incident takes, None where nothing changes.

    Args:
        before: The latest incident of this subject and pool, open or resolved; None: never one.
        condition: What holds now; None: nothing is wrong.
        may_ease: Whether what is known is good enough to believe that things got better.
            They may get worse on any data.
        is_final: What it was about is gone (a pool without positions): that is told at once,
            however often it opened; what opens after that is another trouble.
    """
    if before is None or not before.is_open:
        return None if condition is None else _opened(before, condition, at)
    if condition is None:
        return _ended(before, at, is_final=is_final) if may_ease else None
    place, stood = condition.place(condition.rung), condition.place(before.rung)
    if place > stood or _has_new_reason(before, condition):
        return _moved(Step.ESCALATED, before, condition, at)
    if place < stood and may_ease:
        return _moved(Step.EASED, before, condition, at)
    return None


def _has_new_reason(before: Incident, condition: Condition) -> bool:
    # Of rungs the place decides; of an incident whose reasons were not kept all count as told.
    if before.subject.has_rungs or not before.told:
        return False
    new = set(condition.reasons) - set(before.told)
    if WHOLE_ACCOUNT in before.told and condition.because not in new:
        return False
    return bool(new)


def _opened(before: Incident | None, condition: Condition, at: datetime) -> Transition:
    earlier = () if before is None else before.openings
    after = Incident(
        id=_identity(condition, at, earlier.count(at)),
        account=condition.account,
        pool=condition.pool,
        subject=condition.subject,
        severity=condition.severity,
        worst_severity=condition.severity,
        rung=condition.rung,
        opened_at=at,
        changed_at=at,
        because=condition.because,
        openings=(*(o for o in earlier if at - o < OPENINGS_WITHIN), at),
        told=condition.reasons,
    )
    return Transition(step=Step.OPENED, before=None, after=after.noted(condition.value, at), at=at)


def _moved(kind: Step, before: Incident, condition: Condition, at: datetime) -> Transition:
    after = replace(
        before,
        severity=condition.severity,
        worst_severity=max(
            before.worst_severity, condition.severity, key=lambda severity: severity.rank
        ),
        rung=condition.rung,
        changed_at=at,
        because=condition.because,
        told=(*before.told, *(r for r in condition.reasons if r not in before.told)),
    )
    return Transition(step=kind, before=before, after=after.noted(condition.value, at), at=at)


def _ended(before: Incident, at: datetime, *, is_final: bool) -> Transition | None:
    if is_final or not before.stays_open(at):
        after = replace(before, rung=None, changed_at=at, resolved_at=at)
        return Transition(step=Step.RESOLVED, before=before, after=after, at=at)
    if before.rung is None:
        return None
    after = replace(before, rung=None, severity=Severity.INFO, changed_at=at)
    return Transition(step=Step.EASED, before=before, after=after, at=at)


def _identity(condition: Condition, at: datetime, again: int) -> str:
    """
    Eight letters and digits, the same for the same trouble opened at the same time.

    `again` is how often it opened before at this very instant: an id is never used twice, or
    the second message would pass for the first.
    """
    place = condition.account if condition.pool is None else str(condition.pool)
    text = f"{place} {condition.subject.value} {at.isoformat()}" + (f" {again}" if again else "")
    return b32encode(hashlib.sha256(text.encode()).digest()[:5]).decode().lower()
