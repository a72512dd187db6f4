"""
Detection by distance: how far prices may truly move until the end, and what is told of it.

The times are those of rungs on ratio: a rung on distance is told with the mark that reaches it.
What an owner opened so near to its end is told calmly, as taken on, and is an alarm once half
of that distance is gone.
"""

from decimal import Decimal
from functools import partial
from typing import ClassVar

from monitor.alerts.incident import Incident, Step, Subject
from tests.hunt.detection import (
    MARKS_SECONDS,
    SLACK_SECONDS,
    NoFalseAlarm,
    due_by,
    from_rung,
    just_before,
    late_or_blind,
    standing,
    watched,
)
from tests.hunt.invariant import Invariant, Run, Stretch
from tests.hunt.record import Reach, Recorded

# What the wire cuts off marks and balances, in parts of a distance, and of the price.
ROUNDED = Decimal("0.98")
TICK = Decimal("0.00002")
WELL_ABOVE = Decimal("1.1")
HALF = Decimal("0.5")


class DistanceIsTold(Invariant):
    """A rung on distance that truly holds is told, or it is told that figures are late."""

    name = "Detection.distance"

    def __init__(self) -> None:
        super().__init__()
        self._stretches: dict[tuple[str, str, str], Stretch] = {}
        self._said: set[tuple[str, str, str, float]] = set()

    def look(self, found: Run) -> None:
        names = set(watched(found))
        for (account, pool), reaches in found.record.reaches.items():
            for rung, enter in found.ladder_on_distance:
                stretch = self._stretches.setdefault((account, pool, rung), Stretch())
                below = _surely(Decimal(str(enter)))
                stretch.advance(reaches, partial(_is_within, below))
                if stretch.since is None or account not in names:
                    continue
                since, missing = self._missing(found, account, pool, rung, stretch.since)
                due = due_by(found, account, since)
                said = account, pool, rung, since
                if not missing or found.now <= due or said in self._said:
                    continue
                if not late_or_blind(found, account):
                    self._said.add(said)
                    self.violated(
                        found,
                        f"{account}/{pool} is nearer than {rung} since {since:.1f} s, now at "
                        f"{reaches[-1].most:.5f}, due by {due:.1f} s, and {missing}",
                    )

    def _missing(
        self, found: Run, account: str, pool: str, rung: str, since: float
    ) -> tuple[float, str]:
        """What is not told, empty where all is; and since when it holds."""
        incident = standing(found, account, pool)
        if incident is None:
            return max(since, _resolved_at(found, account, pool)), "nobody was told"
        higher = from_rung(found.ladder_on_distance, rung)
        if higher & set(incident.alarms):
            return since, ""
        if not higher & set(incident.accepted):
            return since, f"told was {incident.told}"
        taken_on = _distance_taken_on(found, incident)
        half_gone = _since(found.record.reaches[account, pool], _surely(taken_on * HALF))
        if half_gone is None:
            return since, ""
        return half_gone, f"half of the {taken_on:.5f} that was taken on is gone"


class NoFalseDistance(NoFalseAlarm):
    """No rung on distance is told where the truth lay well above it for over a minute."""

    name = "Detection.no_false_distance"
    steps: ClassVar = frozenset({Step.OPENED, Step.ESCALATED, Step.TAKEN_ON})

    def judge(self, found: Run, step: Recorded, start: float, account: str, pool: str) -> None:
        nearest = found.record.nearest(account, pool, start, step.at)
        before = just_before(found, step)
        stood = set() if before is None else {*before.alarms, *before.accepted}
        for rung, enter in found.ladder_on_distance:
            is_new = rung in {*step.incident.alarms, *step.incident.accepted} - stood
            if is_new and nearest > Decimal(str(enter)) * WELL_ABOVE:
                self.violated(
                    found, f"{account}/{pool} told on {rung}, truth at least {nearest:.5f}"
                )


def _is_within(distance: Decimal, reach: Reach) -> bool:
    return reach.most <= distance


def _surely(distance: Decimal) -> Decimal:
    """A distance at or below which a pool is surely no farther than this from its end."""
    return distance * ROUNDED - TICK


def _since(reaches: list[Reach], below: Decimal) -> float | None:
    """Since when all are at or below; None where the latest is not."""
    since = None
    for reach in reversed(reaches):
        if reach.most > below:
            break
        since = reach.at
    return since


def _resolved_at(found: Run, account: str, pool: str) -> float:
    """
    When an alarm was last over there.

    What is left may be what the owner took on: that is noted with the next look, of which there
    is one a second.
    """
    ends = (
        step.at
        for step in reversed(found.record.steps)
        if step.step is Step.RESOLVED
        and step.incident.subject is Subject.STANDING
        and str(step.incident.pool) == f"{account}/{pool}"
    )
    return next(ends, 0.0)


def _distance_taken_on(found: Run, incident: Incident) -> Decimal:
    """
    The true distance at which the rungs of an incident were taken on, the least it may have been.

    Never above that which the incident has itself: what is read of the book, or of the marks,
    may have been older.
    """
    known = incident.accepted_distance or Decimal(0)
    for step in found.record.steps:
        same = step.incident
        if same.id == incident.id and same.accepted_distance == incident.accepted_distance:
            start = step.at - MARKS_SECONDS - SLACK_SECONDS
            pool = "" if incident.pool is None else incident.pool.name
            return min(known, found.record.nearest(incident.account, pool, start, step.at + 1))
    return known
