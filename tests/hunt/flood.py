"""Flood: few messages, however wild the market; and each receiver's own pace is kept."""

from monitor.alerts.incident import Step, Subject
from tests.hunt.invariant import Invariant, Run
from tests.hunt.record import Recorded

HOUR = 3600.0
MOST_AN_HOUR = 16
MOST_OPENINGS = 2
FIRST_MINUTE = 60.0
SINGLY = 5


def _most_within(times: list[float], seconds: float) -> int:
    """The most of these times that lie within any stretch of so many seconds."""
    times = sorted(times)
    return max((sum(a <= b < a + seconds for b in times) for a in times), default=0)


class FewAnHour(Invariant):
    """At most sixteen messages for each pool, channel and hour."""

    name = "Flood.sixteen_an_hour"

    def finish(self, found: Run) -> None:
        of = {s.incident.id: s.incident for s in found.record.steps}
        for channel, receiver in found.receivers.items():
            pools: dict[str, list[float]] = {}
            for arrival in receiver.arrivals:
                incident = of.get(arrival.notification.incident_id)
                if incident is not None:
                    place = str(incident.pool or incident.account)
                    pools.setdefault(place, []).append(arrival.at)
            for place, times in pools.items():
                if (most := _most_within(times, HOUR)) > MOST_AN_HOUR:
                    self.violated(found, f"{channel}: {most} messages of {place} in an hour")


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
                if (most := _most_within(at, HOUR)) > MOST_OPENINGS:
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
    """N pools in a crash give at most N + 2 messages in the first minute; over five a digest."""

    name = "Flood.crash"

    def finish(self, found: Run) -> None:
        for channel, receiver in found.receivers.items():
            steps = {
                s.notification.id: s
                for s in found.record.steps
                if s.notification is not None and _is_told_standing(s)
                # What its owner opened himself is no part of a crash.
                if s.step in {Step.OPENED, Step.ESCALATED}
            }
            told = [a for a in receiver.arrivals if a.notification.id in steps]
            for first in told:
                window = [a for a in told if first.at <= a.at < first.at + FIRST_MINUTE]
                pools = {str(steps[a.notification.id].incident.pool) for a in window}
                if len(pools) > 1 and len(window) > len(pools) + 2:
                    self.violated(found, f"{channel}: {len(window)} messages of {len(pools)} pools")
                    break


class PaceIsKept(Invariant):
    """A receiver that asked for quiet hears nothing before that is over."""

    name = "Flood.pace"

    def look(self, found: Run) -> None:
        for channel, receiver in found.receivers.items():
            if receiver.too_soon:
                self.violated(found, f"{channel}: a message before its wait was over")
                receiver.too_soon.clear()
