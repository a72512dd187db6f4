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
    """
    What an incident is about.

    `STANDING` is a pool on the ladder, by whatever measure. `MODE`, `TIERS`, `DRIFT` and
    `SHRUNK` are events rather than troubles: they are over as soon as they are told. `TAKEN` is
    what the exchange took, `WARNED` its own warning: both end when nothing more is heard of them.
    """

    STANDING = "standing"
    STALE = "stale"
    BLIND = "blind"
    DISAGREES = "disagrees"
    PREDICTION = "prediction"
    KEY_TOO_POWERFUL = "key too powerful"
    KEY_LACKS = "key lacks a right"
    KEY_ENDS = "key expires"
    MODE = "mode"
    TIERS = "tiers"
    TAKEN = "taken"
    WARNED = "warned"
    DRIFT = "drift"
    SHRUNK = "shrunk"

    @property
    def has_rungs(self) -> bool:
        return self is Subject.STANDING

    @property
    def ends_unsaid(self) -> bool:
        """Whether its end is only that nothing more was heard, which is no news."""
        return self in (Subject.TAKEN, Subject.WARNED)


class Step(Enum):
    """
    `TAKEN_ON`: the owner opened what stands on a rung already, which is no alarm. `NOTED`:
    that is known and needs no word. `REPEATED`: nothing changed, but it is time to say again
    that it holds.
    """

    OPENED = "opened"
    TAKEN_ON = "taken on"
    NOTED = "noted"
    ESCALATED = "escalated"
    EASED = "eased"
    RESOLVED = "resolved"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """
    What is wrong right now, of one pool or of the whole account (`pool` None).

    `reasons` are the words for which somebody is told once each: a rung's name, a pool's id, a
    refusal. Of a pool on the ladder: `rung` is the one that speaks for all, `alarms` are those
    reached, `accepted` those that its owner took on with an opening (at `accepted_distance`
    from liquidation); `is_taken_on` says that this is news. `value` is the margin ratio,
    `distance` the adverse move left, positive (None: none ends it).
    """

    account: str
    pool: PoolId | None
    subject: Subject
    severity: Severity
    because: str = ""
    reasons: tuple[str, ...] = ()
    rung: str | None = None
    alarms: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    accepted_distance: Decimal | None = None
    is_taken_on: bool = False
    value: Decimal | None = None
    distance: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """
    One message about an incident, as it counts among those of an hour.

    `cost` is how many it counts for, 0 for what is told in any case; `rung` the highest that
    the pool stood on.
    """

    at: datetime
    step: Step
    cost: int
    rung: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """
    One trouble of one pool, or of a whole account (`pool` None).

    `id` is short and stable: it stands in every message. `rung`, `alarms` and `accepted` are
    those of the condition that holds now (None or empty for subjects without rungs); of one
    that is over `accepted` is what was left of it: no alarm, but where the pool stood. `worst`
    is the peak ratio so far, `nearest` the least distance. `worst_severity` decides who hears
    of the end. `because` says in words what is wrong. `openings` are the times at which an
    alarm opened anew within the last hour, this one included. `told` are the reasons for
    which it was spoken of already; none where it was never an alarm. `words` are the messages
    about it within the hour before the last of them.
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
    nearest: Decimal | None = None
    nearest_at: datetime | None = None
    spoken_at: datetime | None = None
    resolved_at: datetime | None = None
    because: str = ""
    openings: tuple[datetime, ...] = ()
    told: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    accepted_distance: Decimal | None = None
    words: tuple[Word, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def was_alarm(self) -> bool:
        """Whether there ever was more to it than what its owner took on."""
        return not self.subject.has_rungs or bool(self.told)

    def stays_open(self, at: datetime) -> bool:
        """Whether it may not be resolved yet: it opened too often within the hour."""
        recent = [opening for opening in self.openings if at - opening < OPENINGS_WITHIN]
        return len(recent) >= (OPENINGS_AT_MOST if self.subject.has_rungs else OUTAGES_AT_MOST)

    def noted(self, condition: Condition, at: datetime) -> Incident:
        """The same with the worst ratio and the least distance, where those of now are worse."""
        found, value, distance = self, condition.value, condition.distance
        if value is not None and (self.worst is None or value > self.worst):
            found = replace(found, worst=value, worst_at=at)
        if distance is not None and (self.nearest is None or distance < self.nearest):
            found = replace(found, nearest=distance, nearest_at=at)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of an incident: what it was (None when it opens), what it is, when."""

    step: Step
    before: Incident | None
    after: Incident
    at: datetime


def step(  # noqa: PLR0913 - each is a fact of its own
    before: Incident | None,
    condition: Condition | None,
    at: datetime,
    *,
    may_ease: bool,
    is_final: bool = False,
    may_end: bool = True,
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
        may_end: Whether its end may be told now; else it stays open until it may.
    """
    if before is None or not before.is_open:
        return None if condition is None else _opened(before, condition, at)
    if condition is None:
        return _ended(before, at, is_final=is_final, may_end=may_end) if may_ease else None
    if before.subject.has_rungs:
        return _on_ladder(before, condition, at, may_ease=may_ease, may_end=may_end)
    if _has_new_reason(before, condition):
        return _moved(Step.ESCALATED, before, condition, at)
    return None


def happened(before: Incident | None, condition: Condition, at: datetime) -> Transition:
    """The one step of what is no trouble that lasts: opened and over at once."""
    transition = _opened(before, condition, at)
    return replace(transition, after=replace(transition.after, resolved_at=at))


def _on_ladder(
    before: Incident, condition: Condition, at: datetime, *, may_ease: bool, may_end: bool
) -> Transition | None:
    """A rung reached that was not stood on escalates, whichever; one that is left eases."""
    if set(condition.alarms) - set(before.alarms):
        return _moved(Step.ESCALATED, before, condition, at)
    if set(condition.accepted) - {*before.accepted, *before.alarms}:
        kind = Step.TAKEN_ON if condition.is_taken_on else Step.NOTED
        return _moved(kind, before, condition, at)
    if not may_ease:
        return None
    if before.was_alarm and not condition.alarms:
        # All that is left is what its owner took on: the alarm is over.
        return _ended(before, at, is_final=False, may_end=may_end, left=condition)
    if (condition.alarms, condition.accepted) != (before.alarms, before.accepted):
        return _moved(Step.EASED, before, condition, at)
    return None


def _has_new_reason(before: Incident, condition: Condition) -> bool:
    # Of an incident whose reasons were not kept all count as told.
    if not before.told:
        return False
    new = set(condition.reasons) - set(before.told)
    if WHOLE_ACCOUNT in before.told and condition.because not in new:
        return False
    return bool(new)


def _is_calm(condition: Condition) -> bool:
    """Whether nothing holds but what the owner took on."""
    return condition.subject.has_rungs and not condition.alarms


def _opened(before: Incident | None, condition: Condition, at: datetime) -> Transition:
    earlier = () if before is None else before.openings
    recent = tuple(o for o in earlier if at - o < OPENINGS_WITHIN)
    kind = Step.OPENED
    if _is_calm(condition):
        kind = Step.TAKEN_ON if condition.is_taken_on else Step.NOTED
    after = Incident(
        id=_identity(condition, at, before),
        account=condition.account,
        pool=condition.pool,
        subject=condition.subject,
        severity=condition.severity,
        worst_severity=condition.severity,
        rung=condition.rung,
        opened_at=at,
        changed_at=at,
        because=condition.because,
        openings=recent if _is_calm(condition) else (*recent, at),
        told=condition.reasons,
        alarms=condition.alarms,
        accepted=condition.accepted,
        accepted_distance=condition.accepted_distance,
    )
    return Transition(step=kind, before=None, after=after.noted(condition, at), at=at)


def _moved(kind: Step, before: Incident, condition: Condition, at: datetime) -> Transition:
    opens = before.subject.has_rungs and condition.alarms and not before.told
    recent = tuple(o for o in before.openings if at - o < OPENINGS_WITHIN)
    after = replace(
        before,
        severity=condition.severity,
        worst_severity=max(
            before.worst_severity, condition.severity, key=lambda severity: severity.rank
        ),
        rung=condition.rung,
        changed_at=at,
        because=condition.because,
        openings=(*recent, at) if opens else before.openings,
        told=(*before.told, *(r for r in condition.reasons if r not in before.told)),
        alarms=condition.alarms,
        accepted=condition.accepted,
        accepted_distance=condition.accepted_distance,
    )
    return Transition(step=kind, before=before, after=after.noted(condition, at), at=at)


def _ended(
    before: Incident,
    at: datetime,
    *,
    is_final: bool,
    may_end: bool,
    left: Condition | None = None,
) -> Transition | None:
    """`left` is what holds still though it is no alarm."""
    accepted = () if left is None else left.accepted
    is_over = may_end and (is_final or not before.stays_open(at))
    if is_over or not before.was_alarm:
        after = replace(
            before,
            rung=None,
            alarms=(),
            # Noted anew with the next look; a process that is killed before that knows it by this.
            accepted=accepted,
            accepted_distance=None if left is None else left.accepted_distance,
            changed_at=at,
            resolved_at=at,
        )
        return Transition(step=Step.RESOLVED, before=before, after=after, at=at)
    if not before.alarms and accepted == before.accepted:
        return None
    after = replace(
        before,
        rung=None if left is None else left.rung,
        alarms=(),
        accepted=accepted,
        severity=Severity.INFO,
        changed_at=at,
    )
    return Transition(step=Step.EASED, before=before, after=after, at=at)


def _identity(condition: Condition, at: datetime, before: Incident | None) -> str:
    """
    Eight letters and digits, the same for the same trouble opened at the same time.

    Where it opened at this very instant before, its former id counts as well: an id is never
    used twice, or the second message would pass for the first.
    """
    place = condition.account if condition.pool is None else str(condition.pool)
    text = f"{place} {condition.subject.value} {at.isoformat()}"
    if before is not None and before.opened_at == at:
        text += f" {before.id}"
    return b32encode(hashlib.sha256(text.encode()).digest()[:5]).decode().lower()
