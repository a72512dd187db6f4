"""
The incidents of one account: the latest of each subject and pool, and what becomes of them.

It carries conditions to the state machine, its steps to the policy, and what is to be told to
the message; the effect holds all three.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.alerts.incident import (
    OPENINGS_AT_MOST,
    OPENINGS_WITHIN,
    OUTAGES_AT_MOST,
    Step,
    Transition,
    happened,
    step,
)
from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.alerts.message import write
from monitor.alerts.policy import QuietReason, SpeakReason
from monitor.engine.allowance import Allowance
from monitor.engine.effects import IncidentChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Condition, Incident, Subject
    from monitor.alerts.policy import Policy
    from monitor.risk.model import PoolId


_OFTEN = QuietReason.TOO_OFTEN


class Casebook:
    """Every incident that is open, and those over for less than an hour (they count openings)."""

    def __init__(
        self,
        policy: Policy,
        incidents: Iterable[Incident] = (),
        *,
        allowance: Allowance | None = None,
    ) -> None:
        incidents = tuple(incidents)
        self._policy = policy
        self._allowance = allowance or Allowance(DEFAULT_LADDER, incidents)
        self._taken_on: dict[PoolId | None, tuple[datetime, ...]] = {}
        self._latest: dict[tuple[PoolId | None, Subject], Incident] = {}
        for incident in sorted(incidents, key=lambda each: (each.is_open, each.opened_at)):
            self._latest[incident.pool, incident.subject] = incident
            for word in incident.words:
                if word.step is Step.TAKEN_ON:
                    known = self._taken_on.get(incident.pool, ())
                    self._taken_on[incident.pool] = (*known, word.at)

    def open(self, pool: PoolId | None, subject: Subject) -> Incident | None:
        """The open incident of this subject and pool, None where there is none."""
        incident = self._latest.get((pool, subject))
        return incident if incident is not None and incident.is_open else None

    def latest(self, pool: PoolId | None, subject: Subject) -> Incident | None:
        """The latest incident of this subject and pool, open or over; None: never one, or long."""
        return self._latest.get((pool, subject))

    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(incident for incident in self._latest.values() if incident.is_open)

    def consider(  # noqa: PLR0913 - each is a fact of its own
        self,
        key: tuple[PoolId | None, Subject],
        condition: Condition | None,
        at: datetime,
        *,
        may_ease: bool,
        facts: Callable[[], Facts],
        is_final: bool = False,
        may_repeat: bool = True,
    ) -> IncidentChanged | None:
        """
        What becomes of an incident, given what holds now; None where nothing does.

        `may_ease` and `is_final` are those of `step`. Without `may_repeat` it is not said that
        it holds still, however long ago that was said last.
        """
        before = self._latest.get(key)
        may_end = before is None or self._allowance.may_end(before, at)
        transition = step(
            before, condition, at, may_ease=may_ease, is_final=is_final, may_end=may_end
        )
        if transition is None and before is not None and before.is_open and condition is not None:
            before = before.noted(condition, at)
            self._latest[key] = before
            if may_repeat and self._policy.is_due(before, condition, at):
                transition = Transition(step=Step.REPEATED, before=before, after=before, at=at)
        if transition is None or not self._is_its_time(transition):
            return None
        change = self._change(transition, facts)
        self._latest[key] = change.incident
        return change

    def happened(
        self, condition: Condition, at: datetime, *, facts: Callable[[], Facts]
    ) -> IncidentChanged:
        """What is to be told of something that is over as soon as it is told."""
        key = condition.pool, condition.subject
        transition = happened(self._latest.get(key), condition, at)
        too_often = len(transition.after.openings) > OUTAGES_AT_MOST
        too_often |= not self._allowance.has_room(condition.pool, at)
        change = self._quiet(transition, _OFTEN) if too_often else self._change(transition, facts)
        self._latest[key] = change.incident
        return change

    def has_room(self, pool: PoolId | None, at: datetime) -> bool:
        """Whether more may be told of a pool, or of the account, than what is graver."""
        return self._allowance.has_room(pool, at)

    def forget_old(self, at: datetime) -> None:
        """Drops what is over for so long that it counts for nothing any more."""
        for key, incident in list(self._latest.items()):
            over = incident.resolved_at
            if over is not None and at - over > OPENINGS_WITHIN:
                del self._latest[key]

    def _change(self, transition: Transition, facts: Callable[[], Facts]) -> IncidentChanged:
        reason = self._policy.decide(transition)
        if reason is QuietReason.TOO_SOON and self._allowance.is_set_aside(transition):
            reason = SpeakReason.ESCALATED  # a milder one was told not long ago
        if reason is SpeakReason.TAKEN_ON and not self._may_tell_opening(transition):
            reason = QuietReason.TOO_OFTEN
        if isinstance(reason, SpeakReason) and not self._may_tell(transition):
            reason = QuietReason.TOO_OFTEN
        if isinstance(reason, QuietReason):
            return self._quiet(transition, reason)
        spoken = replace(transition.after, spoken_at=transition.at)
        after = self._allowance.noted(replace(transition, after=spoken))
        transition = replace(transition, after=after)
        until = self._allowance.used_up_until(after.pool, transition.at)
        return IncidentChanged(
            incident=after, transition=transition, notification=write(transition, facts(), until)
        )

    def _may_tell(self, transition: Transition) -> bool:
        """Whether the hour has room for it; the end of something was let happen where it has."""
        if transition.step is Step.RESOLVED or self._allowance.is_set_aside(transition):
            return True
        return self._allowance.has_room(transition.after.pool, transition.at)

    def _is_its_time(self, transition: Transition) -> bool:
        """What lasts and can't be told of begins, and is said to hold, when it can."""
        waits = transition.step in (Step.OPENED, Step.REPEATED)
        return not waits or self._may_tell(transition)

    @staticmethod
    def _quiet(transition: Transition, reason: QuietReason) -> IncidentChanged:
        return IncidentChanged(
            incident=transition.after,
            transition=transition,
            notification=None,
            quiet_because=reason.value,
        )

    def _may_tell_opening(self, transition: Transition) -> bool:
        """Whether so few openings were told of this pool lately that this one may be as well."""
        pool, at = transition.after.pool, transition.at
        recent = [t for t in self._taken_on.get(pool, ()) if at - t < OPENINGS_WITHIN]
        may = len(recent) < OPENINGS_AT_MOST
        self._taken_on[pool] = (*recent, at) if may else tuple(recent)
        return may
