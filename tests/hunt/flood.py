"""Flood: few messages, however wild the market; and each receiver's own pace is kept."""

from collections.abc import Iterable

from monitor.alerts.incident import Incident, Step, Subject
from tests.hunt.invariant import Invariant, Run
from tests.hunt.receivers import Arrival
from tests.hunt.record import Recorded

HOUR = 3600.0
MOST_AN_HOUR = 16
MOST_OPENINGS = 2
FIRST_MINUTE = 60.0
BEYOND = 2
LATEST = 600.0


def _most_within(times: list[float], seconds: float) -> int:
    """The most of these times that lie within any stretch of so many seconds."""
    times = sorted(times)
    return max((sum(a <= b < a + seconds for b in times) for a in times), default=0)


def _most_in_an_hour(found: Run, times: list[float]) -> int:
    """
    The most of these times within an hour by the clock that the machine had.

    A start after the clock was set on by an hour finds everything before it an hour old.
    """
    on = [f.at for f in found.record.faults if f.kind == "wall_step" and float(f.value or 0) > 0]
    cuts = [min((s for s in found.record.starts if s > at), default=float("inf")) for at in on]
    hours: dict[int, list[float]] = {}
    for time in times:
        hours.setdefault(sum(cut <= time for cut in cuts), []).append(time)
    return max((_most_within(part, HOUR) for part in hours.values()), default=0)


class FewAnHour(Invariant):
    """At most sixteen messages for each pool, channel and hour, those of its account with them."""

    name = "Flood.sixteen_an_hour"

    def finish(self, found: Run) -> None:
        of = {s.incident.id: s.incident for s in found.record.steps}
        for channel, receiver in found.receivers.items():
            pools: dict[str, list[float]] = {}
            # One that came twice is one: of those Durability.duplicates speaks.
            for arrival in {a.notification.id: a for a in receiver.arrivals}.values():
                incident = of.get(arrival.notification.incident_id)
                if incident is not None:
                    for place in self._places(found, incident):
                        pools.setdefault(place, []).append(arrival.at)
            for place, times in pools.items():
                if (most := _most_in_an_hour(found, times)) > MOST_AN_HOUR:
                    self.violated(found, f"{channel}: {most} messages of {place} in an hour")

    @staticmethod
    def _places(found: Run, incident: Incident) -> list[str]:
        """What is told of an account is told of each of its pools."""
        if incident.pool is not None:
            return [str(incident.pool)]
        return [f"{incident.account}/{pool}" for pool in found.record.pools(incident.account)]


class OscillationIsQuiet(Invariant):
    """One pool's ladder is told to open at most twice an hour, and to be over at most twice."""

    name = "Flood.oscillation"

    def finish(self, found: Run) -> None:
        for step in (Step.OPENED, Step.RESOLVED):
            times: dict[str, list[float]] = {}
            for each in found.record.steps:
                if each.step is step and _is_told_standing(each) and self._counts(found, each):
                    times.setdefault(str(each.incident.pool), []).append(each.at)
            for pool, at in times.items():
                if (most := _most_in_an_hour(found, at)) > MOST_OPENINGS:
                    self.violated(found, f"{pool}: {most} times {step.value} within an hour")

    @staticmethod
    def _counts(found: Run, step: Recorded) -> bool:
        """The end of a pool that holds nothing any more is told, however often it opened."""
        pool = step.incident.pool
        if pool is None:
            return False
        truths = found.record.truth.get((pool.account, pool.name), [])
        return not any(not sample.stakes for sample in truths if sample.at <= step.at)


def _is_told_standing(step: Recorded) -> bool:
    return step.incident.subject is Subject.STANDING and step.notification is not None


class CrashIsShort(Invariant):
    """N pools in a crash give at most N + 2 messages in the first minute."""

    name = "Flood.crash"

    def finish(self, found: Run) -> None:
        steps = {s.notification.id: s for s in found.record.steps if s.notification is not None}
        for channel in found.receivers:
            # An end counts as a message, and its pool among the pools.
            told = crash_messages(found, channel, with_ends=True)
            named = [_named(found, steps[a.notification.id], a) for a in told]
            for first, start in enumerate(told):
                last = first
                while last + 1 < len(told) and is_same_minute(start, told[last + 1]):
                    last += 1
                most = len(_incidents(named[first : last + 1])) + BEYOND
                if last + 1 - first <= most or is_excused(found, channel, start.at):
                    continue
                said = f"{last + 1 - first} messages of {most - BEYOND} troubles in a minute"
                self.violated(found, f"{channel}: {said}")
                break


def crash_messages(found: Run, channel: str, *, with_ends: bool = False) -> list[Arrival]:
    """What tells of rungs: what an owner opened himself is no part of a crash."""
    steps = {s.notification.id: s for s in found.record.steps if s.notification is not None}
    return [
        arrival
        for arrival in found.receivers[channel].arrivals
        if (step := steps.get(arrival.notification.id)) is not None
        and (is_about_a_rung(step) or (with_ends and _is_told_end(step)))
    ]


def is_about_a_rung(step: Recorded) -> bool:
    """Whether it tells that a pool came to a rung, or to a higher one."""
    return _is_told_standing(step) and step.step in {Step.OPENED, Step.ESCALATED}


def _is_told_end(step: Recorded) -> bool:
    return _is_told_standing(step) and step.step is Step.RESOLVED


def is_excused(found: Run, channel: str, start: float) -> bool:
    """A message that was taken, and failed for all its sender knows, comes again."""
    faults = found.record.active(start, start + FIRST_MINUTE)
    return any(f.kind == "ambiguous" and f.where == channel for f in faults)


def is_same_minute(first: Arrival, later: Arrival) -> bool:
    """A process that was killed can't know what it sent."""
    return later.process == first.process and later.at < first.at + FIRST_MINUTE


def listed(arrival: Arrival) -> set[str]:
    """The titles that a digest lists beside its first, without the word that they are late."""
    lines = arrival.notification.body.splitlines()
    return {
        line.removeprefix("• ").partition(" (LATE, of ")[0]
        for line in lines
        if line.startswith("• ")
    }


def names_of(found: Run, arrival: Arrival) -> set[str]:
    """The incidents that a message tells of, by their ids."""
    titles = listed(arrival)
    others = {
        step.incident.id
        for step in found.record.steps
        if step.notification is not None
        and step.at <= arrival.at
        and step.notification.title in titles
    }
    return {arrival.notification.incident_id, *others}


def _named(found: Run, own: Recorded, arrival: Arrival) -> list[Recorded]:
    """What a message tells of: that under whose id it came, and where it is a digest all others."""
    titles = listed(arrival)
    others = [
        step
        for step in found.record.steps
        if step.notification is not None
        and arrival.at - LATEST <= step.at <= arrival.at
        and step.notification.title in titles
    ]
    return [own, *others]


def _incidents(named: Iterable[Iterable[Recorded]]) -> set[str]:
    return {step.incident.id for steps in named for step in steps}


class PaceIsKept(Invariant):
    """A receiver that asked for quiet hears nothing before that is over."""

    name = "Flood.pace"

    def look(self, found: Run) -> None:
        for channel, receiver in found.receivers.items():
            if receiver.too_soon:
                self.violated(found, f"{channel}: a message before its wait was over")
                receiver.too_soon.clear()
