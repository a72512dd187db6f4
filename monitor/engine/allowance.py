"""
How much may be told of a margin pool within an hour: sixteen messages, whatever they are about.

What is told of its account counts for each of its pools. Some things are told in any case: a
rung higher than any that was told within the hour, that a figure is stale or can't be given, and
the first word of what the exchange took or warned of. Each of them is set aside from the sixteen,
and so is what may follow an end: it costs two, itself and the next beginning. So a trouble whose
end can't be told any more stays open, and nothing begins in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step, Subject
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
    """`cost` is 0 for what is set aside; `height` that of the highest rung, -1 for none."""

    at: datetime
    pool: PoolId | None
    subject: Subject
    step: Step
    cost: int
    height: int = -1


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
            self._remember(incident)
        self._said.sort(key=lambda said: said.at)

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
            said.step is Step.RESOLVED and said.pool == incident.pool and said.cost == 0
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

    def note(self, transition: Transition) -> None:
        """This step is told."""
        at, after = transition.at, transition.after
        cost = 1
        if self.is_set_aside(transition):
            cost = 0
        elif transition.step is Step.RESOLVED:
            cost = _END
        self._said = [
            *self._lately(at),
            _Said(
                at=at,
                pool=after.pool,
                subject=after.subject,
                step=transition.step,
                cost=cost,
                height=self._height(after),
            ),
        ]

    def used_up_until(self, pool: PoolId | None, at: datetime) -> datetime | None:
        """Until when the next end could not be told; None where it could."""
        if self.has_room(pool, at, _END):
            return None
        for said in self._lately(at):
            if said.cost and self.has_room(pool, said.at + HOUR, _END):
                return said.at + HOUR
        return at + HOUR

    def _used(self, pool: PoolId | None, at: datetime) -> int:
        costs: dict[PoolId | None, int] = {None: 0}
        for said in self._lately(at):
            costs[said.pool] = costs.get(said.pool, 0) + said.cost
        of_account = costs.pop(None)
        if pool is None:
            return of_account + max(costs.values(), default=0)
        return of_account + costs.get(pool, 0)

    def _lately(self, at: datetime) -> list[_Said]:
        return [said for said in self._said if at - said.at < HOUR]

    def _highest(self, pool: PoolId | None, at: datetime) -> int:
        lately = self._lately(at)
        return max((said.height for said in lately if said.pool == pool), default=-1)

    def _height(self, incident: Incident) -> int:
        return max((self._heights.get(name, -1) for name in incident.alarms), default=-1)

    def _remember(self, incident: Incident) -> None:
        """An incident tells when it opened, ended, and was last spoken of, and of which rungs."""
        height = max((self._heights.get(name, -1) for name in incident.told), default=-1)
        times = {incident.opened_at: (Step.OPENED, 0)}
        if incident.spoken_at is not None:
            times.setdefault(incident.spoken_at, (Step.ESCALATED, 1))
        if incident.resolved_at is not None and incident.was_alarm:
            times[incident.resolved_at] = (Step.RESOLVED, _END)
        for at, (step, cost) in times.items():
            self._said.append(
                _Said(
                    at=at,
                    pool=incident.pool,
                    subject=incident.subject,
                    step=step,
                    cost=cost,
                    height=height,
                )
            )
