"""
Whether anybody is told of a step, and the reason either way.

«Why was I not told?» always has an answer: one of the words of `QuietReason`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.alerts.incident import Condition, Incident, Transition


class SpeakReason(Enum):
    OPENED = "it opened"
    TAKEN_ON = "what was opened stands there"
    ESCALATED = "it got worse"
    RESOLVED = "it is over"
    REPEATED = "it still holds"


class QuietReason(Enum):
    EASED = "easing is not told, only the end is"
    TOO_SOON = "the same was told not long ago"
    TOO_OFTEN = "the like was told often enough this hour"
    ACCEPTED = "it stands where it was opened, which is no alarm"
    UNHEARD = "nothing more was heard of it, which says nothing"


_USUALLY: Mapping[Step, SpeakReason | QuietReason] = {
    Step.OPENED: SpeakReason.OPENED,
    Step.TAKEN_ON: SpeakReason.TAKEN_ON,
    Step.NOTED: QuietReason.ACCEPTED,
    Step.ESCALATED: SpeakReason.ESCALATED,
    Step.EASED: QuietReason.EASED,
    Step.RESOLVED: SpeakReason.RESOLVED,
    Step.REPEATED: SpeakReason.REPEATED,
}

_OF_RIGHTS = (Subject.KEY_TOO_POWERFUL, Subject.KEY_LACKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    How long before the same may be said again.

    `repeat_critical_after`: reminders of what is critical and holds still, and the least time
    before an incident that eased is told to be back on a rung that was told before.
    `repeat_key_after`: reminders of a key with too many rights, or too few.
    """

    repeat_critical_after: timedelta = timedelta(minutes=30)
    repeat_key_after: timedelta = timedelta(days=1)

    def decide(self, transition: Transition) -> SpeakReason | QuietReason:
        """Whether a step is told. What is new always is; what was told before, now and then."""
        if transition.step is Step.ESCALATED:
            return self._escalated(transition)
        if transition.step is Step.RESOLVED and transition.after.subject.ends_unsaid:
            return QuietReason.UNHEARD
        if transition.step is Step.RESOLVED and not _was_alarm(transition):
            return QuietReason.ACCEPTED
        return _USUALLY[transition.step]

    def is_due(self, incident: Incident, condition: Condition, at: datetime) -> bool:
        """Whether it is time to say again that this condition holds."""
        wait = self._wait(incident, condition)
        spoken_at = incident.spoken_at or incident.opened_at
        return wait is not None and at - spoken_at >= wait

    def _wait(self, incident: Incident, condition: Condition) -> timedelta | None:
        if incident.subject in _OF_RIGHTS:
            return self.repeat_key_after
        return self.repeat_critical_after if condition.severity is Severity.CRITICAL else None

    def _escalated(self, transition: Transition) -> SpeakReason | QuietReason:
        before = transition.before
        if before is None or not set(transition.after.told) <= set(before.told):
            return SpeakReason.ESCALATED
        if before.spoken_at is None:
            return SpeakReason.ESCALATED
        if transition.at - before.spoken_at >= self.repeat_critical_after:
            return SpeakReason.ESCALATED
        return QuietReason.TOO_SOON


def _was_alarm(transition: Transition) -> bool:
    return transition.before is None or transition.before.was_alarm
