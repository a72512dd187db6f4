"""
Flood, by digests: over five pools are told as one, and what is gathered is lost for nobody.

F-85: one message a pool, of over five pools a digest.
"""

from tests.hunt.flood import (
    FIRST_MINUTE,
    crash_messages,
    is_about_a_rung,
    is_excused,
    is_same_minute,
    listed,
    names_of,
)
from tests.hunt.invariant import Invariant, Run
from tests.hunt.living import NoChannelDelaysAnother
from tests.hunt.receivers import Arrival
from tests.hunt.record import Recorded

POOLS_AT_MOST = 5
BURST_SECONDS = 1.0
MORE = "… and "


class ManyAreGathered(Invariant):
    """
    Of over five pools that are told of within a minute at most five come singly.

    Of those that open within one second all but these come in one digest. What left while no
    more than five of them had opened is no such digest, singly or together: who sent it could not
    know of the others.
    """

    name = "Flood.digest"

    def finish(self, found: Run) -> None:
        for channel in found.receivers:
            told = crash_messages(found, channel)
            for first, start in enumerate(told):
                if self._is_over(found, channel, told[first:], start):
                    break
            for burst in _bursts(found):
                self._judge_burst(found, channel, burst)

    def _is_over(self, found: Run, channel: str, told: list[Arrival], start: Arrival) -> bool:
        minute = [each for each in told if is_same_minute(start, each)]
        pools = set().union(*(names_of(found, each) for each in minute))
        singly = [each for each in minute if not listed(each)]
        alone = {each.notification.incident_id for each in singly}
        if len(pools) <= POOLS_AT_MOST or len(alone) <= POOLS_AT_MOST:
            return False
        if is_excused(found, channel, start.at):
            return False
        said = f"of {len(pools)} pools in a minute {len(alone)} came singly from {start.at:.1f} s"
        self.violated(found, f"{channel}: {said}")
        return True

    def _judge_burst(self, found: Run, channel: str, burst: list[Recorded]) -> None:
        start, end = burst[0].at, burst[-1].at + FIRST_MINUTE
        if NoChannelDelaysAnother._had_trouble(found, channel, start, end):
            return
        ids = {step.incident.id for step in burst}
        digests: list[Arrival] = []
        for arrival in found.receivers[channel].arrivals:
            named = names_of(found, arrival) & ids if arrival.at >= start else set()
            opened = {step.incident.id for step in burst if step.at <= arrival.at}
            if named and _lists_in_part(arrival):
                named |= opened & ids
            if named and listed(arrival) and len(opened) > POOLS_AT_MOST:
                digests.append(arrival)
            ids -= named
        if len(digests) > 1:
            times = ", ".join(f"{each.at:.1f}" for each in digests)
            said = f"{len(burst)} pools opened at {start:.1f} s, told by digests of {times} s"
            self.violated(found, f"{channel}: {said}")


def _bursts(found: Run) -> list[list[Recorded]]:
    """The pools that come to rungs within one second, where they are more than five."""
    opened = [
        step for step in found.record.steps if is_about_a_rung(step) and step.step.value == "opened"
    ]
    bursts: list[list[Recorded]] = []
    for step in opened:
        if bursts and step.at - bursts[-1][0].at <= BURST_SECONDS:
            bursts[-1].append(step)
        else:
            bursts.append([step])
    return [each for each in bursts if len({s.incident.id for s in each}) > POOLS_AT_MOST]


class NobodyIsLeftOut(Invariant):
    """Each rung that is told of arrives in a message of its own or in a digest, and in time."""

    name = "Flood.named"

    def finish(self, found: Run) -> None:
        told = [step for step in found.record.steps if step.notification is not None]
        for channel, receiver in found.receivers.items():
            if any(f.kind == "permanent" and f.where == channel for f in found.record.faults):
                continue
            names = [(each, names_of(found, each)) for each in receiver.arrivals]
            for step in told:
                if is_about_a_rung(step) and (step.is_durable or step.process == found.life.number):
                    self._judge(found, channel, told, step, names)

    def _judge(
        self,
        found: Run,
        channel: str,
        told: list[Recorded],
        step: Recorded,
        names: list[tuple[Arrival, set[str]]],
    ) -> None:
        latest = step.at + NoChannelDelaysAnother._most(told, step)
        at = next((a.at for a, ids in names if a.at >= step.at and self._tells(a, ids, step)), None)
        title = step.notification.title if step.notification is not None else ""
        if at is None:
            self.violated(found, f"{channel}: «{title}» of {step.at:.1f} s is in no message")
        elif at > latest and not NoChannelDelaysAnother._had_trouble(found, channel, step.at, at):
            self.violated(found, f"{channel}: «{title}» of {step.at:.1f} s came at {at:.1f} s")

    @staticmethod
    def _tells(arrival: Arrival, ids: set[str], step: Recorded) -> bool:
        if step.incident.id in ids:
            return True
        return _lists_in_part(arrival)


def _lists_in_part(arrival: Arrival) -> bool:
    """Whether it tells of more than a digest lists: they are counted, and the status has them."""
    return any(title.startswith(MORE) for title in listed(arrival))
