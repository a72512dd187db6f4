"""
How much may be told of a margin pool within an hour: sixteen messages, whatever they are about.

What is told of its account counts for each of its pools. Some things are told in any case: a
rung higher than any that was told within the hour, that a figure is stale or can't be given, and
the first word of what the exchange took or warned of. Each of them is set aside from the sixteen,
and so is what may follow an end: it costs two, itself and the next beginning. So a trouble whose
end can't be told any more stays open, and nothing begins in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step, Subject, Word
from monitor.risk.model import ONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.ladder import Ladder
    from monitor.risk.model import PoolId

MOST_AN_HOUR = 16
HOUR = timedelta(hours=1)
_SET_ASIDE = 6
"""Stale, blind, taken, warned of, the end after a liquidation and what opens after that."""
_LEAST = 2
_END = 2
"""What an end costs: itself, and the beginning that may follow it."""
_NEVER_IN_SILENCE = (Subject.STALE, Subject.BLIND)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A word, and what it was about."""

    pool: PoolId | None
    subject: Subject
    word: Word


class Allowance:
    """
    What was told within the last hour of one account and its pools.

    Args:
        incidents: Those of an earlier run: what they say of what was told counts.
    """

    def __init__(self, ladder: Ladder, incidents: Iterable[Incident] = ()) -> None:
        self._heights = {rung.name: place for place, rung in enumerate(ladder.ordered())}
        self._free = max(MOST_AN_HOUR - len(self._heights) - _SET_ASIDE, _LEAST)
        self._said: list[_Said] = []
        for incident in incidents:
            self._said += self._said_of(incident)
        self._said.sort(key=lambda said: said.word.at)

    def is_set_aside(self, transition: Transition) -> bool:
        """Whether a step is told however much was told before."""
        after, step = transition.after, transition.step
        if after.subject.has_rungs:
            if step is Step.RESOLVED:
                return self.may_tell_the_end(after, transition.at)
            is_higher = self._height(after) > self._highest(after.pool, transition.at)
            return step is Step.OPENED or (step is Step.ESCALATED and is_higher)
        if step is not Step.OPENED:
            return False
        if after.subject in _NEVER_IN_SILENCE:
            return True
        is_first = not any(
            said.subject is after.subject
            for said in self._lately(transition.at)
            if after.pool is None or said.pool in (None, after.pool)
        )
        return after.subject.ends_unsaid and is_first

    def may_tell_the_end(self, incident: Incident, at: datetime) -> bool:
        """Whether this would be the first end within the hour of what reached liquidation."""
        reached = incident.worst is not None and incident.worst >= ONE
        return reached and not any(
            said.word.step is Step.RESOLVED and said.pool == incident.pool and not said.word.cost
            for said in self._lately(at)
        )

    def has_room(self, pool: PoolId | None, at: datetime, cost: int = 1) -> bool:
        """Whether something that is not set aside may be told of a pool, or of its account."""
        return self._used(pool, at) + cost <= self._free

    def may_end(self, incident: Incident, at: datetime) -> bool:
        """Whether the end of an incident may be told, or need not be."""
        if incident.subject.ends_unsaid or self.may_tell_the_end(incident, at):
            return True
        return self.has_room(incident.pool, at, _END)

    def noted(self, transition: Transition) -> Incident:
        """This step is told; its incident with that word among those of the hour."""
        at, after = transition.at, transition.after
        cost = 1
        if self.is_set_aside(transition):
            cost = 0
        elif transition.step is Step.RESOLVED:
            cost = _END
        rung = max(after.alarms, key=self._height_of, default=None)
        word = Word(at=at, step=transition.step, cost=cost, rung=rung)
        said = _Said(pool=after.pool, subject=after.subject, word=word)
        self._said = [*self._lately(at), said]
        return replace(after, words=(*(w for w in after.words if at - w.at < HOUR), word))

    def used_up_until(self, pool: PoolId | None, at: datetime) -> datetime | None:
        """Until when the next end could not be told; None where it could."""
        if self.has_room(pool, at, _END):
            return None
        for said in self._lately(at):
            if said.word.cost and self.has_room(pool, said.word.at + HOUR, _END):
                return said.word.at + HOUR
        return at + HOUR

    def _used(self, pool: PoolId | None, at: datetime) -> int:
        costs: dict[PoolId | None, int] = {None: 0}
        for said in self._lately(at):
            costs[said.pool] = costs.get(said.pool, 0) + said.word.cost
        of_account = costs.pop(None)
        if pool is None:
            return of_account + max(costs.values(), default=0)
        return of_account + costs.get(pool, 0)

    def _lately(self, at: datetime) -> list[_Said]:
        return [said for said in self._said if at - said.word.at < HOUR]

    def _highest(self, pool: PoolId | None, at: datetime) -> int:
        lately = self._lately(at)
        return max((self._height_of(s.word.rung) for s in lately if s.pool == pool), default=-1)

    def _height(self, incident: Incident) -> int:
        return max(map(self._height_of, incident.alarms), default=-1)

    def _height_of(self, rung: str | None) -> int:
        """Its place on the ladder, -1 for none."""
        return -1 if rung is None else self._heights.get(rung, -1)

    def _said_of(self, incident: Incident) -> list[_Said]:
        """What an earlier run told; of an incident that noted no words, what it shows of them."""
        words, spoken_at = incident.words, incident.spoken_at
        if not words and spoken_at is not None:
            highest = max(incident.told, key=self._height_of, default=None)
            times = {incident.opened_at: (Step.OPENED, 0)}
            times.setdefault(spoken_at, (Step.ESCALATED, 1))
            if incident.resolved_at is not None and incident.was_alarm:
                times[incident.resolved_at] = (Step.RESOLVED, _END)
            words = tuple(
                Word(at=at, step=step, cost=cost, rung=highest)
                for at, (step, cost) in times.items()
            )
        return [_Said(pool=incident.pool, subject=incident.subject, word=word) for word in words]
