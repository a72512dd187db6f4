"""
Detection: what is true at the exchange is told in time, and nothing that is not.

The times are the issue's: a rung that holds for two seconds is told within one more while all
is well, within a budget and five seconds under faults, within the poll interval and one second
where the account itself changed, within ten seconds after a start.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import ClassVar

from monitor.alerts.incident import Incident, Step, Subject
from monitor.engine.effects import State
from tests.hunt.invariant import Invariant, Run, Stretch
from tests.hunt.plan import LYING_FAULTS
from tests.hunt.record import Recorded, Sample
from tests.hunt.world import rounded_text

HOLDS_SECONDS = 2.0
WELL_SECONDS = 1.0
MARKS_SECONDS, ACCOUNT_SECONDS, GRACE_SECONDS = 15.0, 60.0, 5.0
START_SECONDS = 10.0
READING_SECONDS = 2.0
RECOVERY_SECONDS = 30.0
SLACK_SECONDS = 1.5
# An exchange publishes at least so often where a price moves.
TICK_SECONDS = 0.5
# What an exchange cuts off its figures, and what is rounded on the wire.
WIRE = Decimal("0.001")
HALF_A_POINT = Decimal("0.005")
LOOK_BACK_SECONDS = 70.0
END = Decimal("0.95")


def is_exact(found: Run, account: str) -> bool:
    return next(each.is_exact for each in found.plan.accounts if each.name == account)


def watched(found: Run) -> Iterator[str]:
    """The accounts that the present process has been told to watch."""
    if not found.life.is_down and found.life.store is not None:
        yield from (account.name for account in found.plan.accounts)


def late_or_blind(found: Run, account: str) -> bool:
    """Whether it is told that this account's figures are late, or none can be given."""
    store = found.life.store
    return store is not None and any(
        incident.subject in {Subject.STALE, Subject.BLIND}
        for incident in store.open_incidents(account)
    )


def standing(found: Run, account: str, pool: str) -> Incident | None:
    store = found.life.store
    for incident in store.open_incidents(account) if store is not None else ():
        of_pool = incident.pool is not None and incident.pool.name == pool
        if incident.subject is Subject.STANDING and of_pool:
            return incident
    return None


def began_at(found: Run) -> float:
    """When the present process, or its waking, began."""
    return max([*found.record.starts[-1:], *found.record.wakes[-1:]], default=0.0)


def due_by(found: Run, account: str, since: float) -> float:
    """Until when what truly stands since then must be told, or that figures are late."""
    start = began_at(found)
    faults = found.faults_on(account, min(since, found.now) - RECOVERY_SECONDS, found.now)
    trouble = [fault for fault in faults if fault.kind not in {"kill", "stop"}]
    due = since + HOLDS_SECONDS + WELL_SECONDS
    if trouble:
        due = since + HOLDS_SECONDS + MARKS_SECONDS + GRACE_SECONDS + SLACK_SECONDS
    never_read = bool(trouble) and found.record.read_at.get(account, 0.0) < start
    if start > since - START_SECONDS or never_read:
        # A process that never could read an account says so when its budget is used up.
        wait = ACCOUNT_SECONDS + GRACE_SECONDS if trouble else START_SECONDS
        due = max(due, start + wait + SLACK_SECONDS)
    changed = found.record.changed_at.get(account)
    if changed is not None and changed > since - found.plan.poll_seconds - 5:
        wait = ACCOUNT_SECONDS + GRACE_SECONDS if trouble else found.plan.poll_seconds + 1
        due = max(due, changed + wait + READING_SECONDS)
    if not is_exact(found, account):
        due = max(due, since + found.plan.poll_seconds + READING_SECONDS + 1)
        due += ACCOUNT_SECONDS if trouble else 0
    return due + 0.5


def from_rung(ladder: Sequence[tuple[str, float]], rung: str) -> set[str]:
    """The names of a rung and of those that come after it."""
    names = [name for name, _ in ladder]
    return set(names[names.index(rung) :])


def just_before(found: Run, step: Recorded) -> Incident | None:
    """The incident of a step as it was before it; None where the step opened it."""
    before = None
    for earlier in found.record.steps:
        if earlier is step:
            break
        if earlier.incident.id == step.incident.id:
            before = earlier.incident
    return before


def _stands(least: Decimal, sample: Sample) -> bool:
    return sample.stakes and sample.ratio >= least


class RungIsTold(Invariant):
    """A rung that truly holds is told, or it is told that figures are late."""

    name = "Detection.rung"

    def __init__(self) -> None:
        super().__init__()
        self._stretches: dict[tuple[str, str, str], Stretch] = {}

    def look(self, found: Run) -> None:
        names = set(watched(found))
        for (account, pool), samples in found.record.truth.items():
            for rung, enter in found.ladder_on_ratio:
                stretch = self._stretches.setdefault((account, pool, rung), Stretch())
                threshold = Decimal(str(enter)) + WIRE
                stretch.advance(samples, partial(_stands, threshold))
                if stretch.since is None or account not in names:
                    continue
                due = due_by(found, account, stretch.since)
                if found.now > due and not self._is_told(found, account, pool, rung):
                    self.violated(
                        found,
                        f"{account}/{pool} stands above {rung} since {stretch.since:.1f} s, "
                        f"due by {due:.1f} s, and nobody was told",
                    )
                    stretch.since = found.now + 600

    @staticmethod
    def _is_told(found: Run, account: str, pool: str, rung: str) -> bool:
        if late_or_blind(found, account):
            return True
        incident = standing(found, account, pool)
        if incident is None:
            return False
        higher = from_rung(found.ladder_on_ratio, rung)
        return bool(higher & {*incident.alarms, *incident.accepted})


class EndIsTold(Invariant):
    """A mark that brings a pool to 95 % or more is told, be it for one tick."""

    name = "Detection.end"

    def __init__(self) -> None:
        super().__init__()
        self._looked: dict[tuple[str, str], int] = {}

    def look(self, found: Run) -> None:
        names = set(watched(found))
        for (account, pool), samples in found.record.truth.items():
            looked = self._looked.get((account, pool), 0)
            ripe = [s for s in samples[looked:] if s.at <= found.now - WELL_SECONDS - 0.5]
            self._looked[account, pool] = looked + len(ripe)
            if account not in names or not is_exact(found, account):
                continue
            ends = (s for s in reversed(ripe) if s.ratio >= END and s.stakes)
            last = next((s for s in ends if self._is_well(found, account, s)), None)
            if last is not None:
                self._see(found, account, pool, last.at)

    @staticmethod
    def _is_well(found: Run, account: str, sample: Sample) -> bool:
        changed = found.record.changed_at.get(account, -1000.0)
        return (
            not found.faults_on(account, sample.at - 3 * RECOVERY_SECONDS, found.now)
            and began_at(found) < sample.at - RECOVERY_SECONDS
            and changed < sample.at - found.plan.poll_seconds - 3
        )

    def _see(self, found: Run, account: str, pool: str, at: float) -> None:
        for step in reversed(found.record.steps):
            incident = step.incident
            if incident.pool is None or str(incident.pool) != f"{account}/{pool}":
                continue
            if incident.subject is Subject.TAKEN and step.notification is not None:
                return  # that it was liquidated at that very mark says more than any rung
            if incident.subject is Subject.STANDING:
                if step.at > at and not incident.told:
                    continue  # the alarm is over: what is left is what its owner took on
                highest = found.ladder_on_ratio[-1][0]
                if highest not in {*incident.told, *incident.accepted}:
                    self.violated(found, f"{account}/{pool}: 95 % or more, told {incident.told}")
                return
        self.violated(found, f"{account}/{pool} stood at 95 % or more, and nothing was recorded")


class FreshOrTold(Invariant):
    """Every pool is fresh or its lateness is told; nothing old is shown as fresh."""

    name = "Detection.fresh_or_told"

    def begin(self, found: Run) -> None:
        super().begin(found)
        self._first: dict[tuple[str, float], float] = {}

    def look(self, found: Run) -> None:
        for account in watched(found):
            ages = self._ages(found, account)
            told = late_or_blind(found, account)
            for what, age, budget in ages:
                if age > budget + GRACE_SECONDS + SLACK_SECONDS and not told:
                    self.violated(found, f"{account}: {what} is {age:.1f} s old and nobody is told")
            shown = found.record.board.get(account)
            if shown is None or found.now - shown[0] > SLACK_SECONDS:
                if found.now - began_at(found) > START_SECONDS and not told:
                    self.violated(found, f"{account} is not evaluated, and nobody is told")
                continue
            if shown[1].state is State.FRESH:
                for what, age, budget in ages:
                    if age > budget + SLACK_SECONDS + READING_SECONDS:
                        self.violated(found, f"{account} is shown fresh, {what} is {age:.1f} s old")

    def _ages(self, found: Run, account: str) -> list[tuple[str, float, float]]:
        """
        What the figures need: its words, its age by what arrived, and its budget.

        Which marks an account needs a process knows from its first reading on.
        """
        start = began_at(found)
        read = found.record.read_at.get(account, 0.0)
        view = found.now - max(read, start)
        ages = [("the account view", view, ACCOUNT_SECONDS)]
        if read < start:
            return ages
        first = self._first.setdefault((account, start), read)
        known = found.plan.poll_seconds + READING_SECONDS + MARKS_SECONDS
        for (owner, symbol), since in found.record.held_since.items():
            if owner == account:
                heard = found.record.heard.get((account, symbol), 0.0)
                late = found.now - max(heard, since + known, first + READING_SECONDS)
                ages.append((f"the mark of {symbol}", late, MARKS_SECONDS))
        return ages


class StaleDrives(Invariant):
    """Where live marks are silent and REST answers, the rungs are driven all the same."""

    name = "Detection.stale_drives"
    SECONDS = 45.0

    def look(self, found: Run) -> None:
        for account in watched(found):
            store = found.life.store
            if store is None or not is_exact(found, account):
                continue
            subjects = {i.subject: i for i in store.open_incidents(account)}
            if Subject.STALE not in subjects or Subject.BLIND in subjects:
                continue
            if not self._rest_answers(found, account):
                continue
            for (owner, pool), samples in found.record.truth.items():
                if owner == account and samples[-1].stakes:
                    self._judge(found, account, pool)

    def _rest_answers(self, found: Run, account: str) -> bool:
        start = found.now - self.SECONDS
        silent = {"stall", "silent_symbol", "refuse", "garbage", "frames_dropped", "bad_marks"}
        faults = found.faults_on(account, start, found.now)
        changed = found.record.changed_at.get(account, -1e9)
        return all(f.kind in silent for f in faults) and max(began_at(found), changed) < start

    def _judge(self, found: Run, account: str, pool: str) -> None:
        lowest = found.record.lowest(account, pool, found.now - self.SECONDS, found.now)
        incident = standing(found, account, pool)
        alarms = set() if incident is None else {*incident.alarms, *incident.accepted}
        names = [name for name, _ in found.ladder_on_ratio]
        for rung, enter in found.ladder_on_ratio:
            if lowest >= Decimal(str(enter)) + WIRE and not alarms & set(
                names[names.index(rung) :]
            ):
                self.violated(found, f"{account}/{pool} stale, at {lowest:.4f}, not on {rung}")


class ResolvedIsTrue(Invariant):
    """Nothing is called resolved on stale or unconfirmed data, nor before it is."""

    name = "Detection.resolved"

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        # A look ago: what was older than that is no news since.
        self._heard: dict[str, float] = {}

    def look(self, found: Run) -> None:
        for step in found.record.steps[self._looked :]:
            if step.step is Step.RESOLVED and step.notification is not None:
                self._judge(found, step)
        self._looked = len(found.record.steps)
        self._heard = {each.name: found.last_heard(each.name) for each in found.plan.accounts}

    def _judge(self, found: Run, step: Recorded) -> None:
        incident = step.incident
        account = incident.account
        if incident.subject is Subject.STANDING and incident.pool is not None:
            self._judge_standing(found, step, incident.pool.name)
            return
        if incident.subject not in {Subject.STALE, Subject.BLIND}:
            return
        view = step.at - max(found.record.read_at.get(account, 0.0), 0.0)
        if incident.subject is Subject.BLIND and view > ACCOUNT_SECONDS + READING_SECONDS:
            self.violated(found, f"{account}: blindness resolved on a view of {view:.1f} s")

    def _judge_standing(self, found: Run, step: Recorded, pool: str) -> None:
        account, told = step.incident.account, step.incident.told
        faults = found.faults_on(account, step.at - LOOK_BACK_SECONDS, step.at)
        lies = [
            fault for fault in faults if fault.kind in LYING_FAULTS and fault.kind != "empty_list"
        ]
        latest = found.record.latest(account, pool)
        if latest is None or not latest.stakes or lies or not is_exact(found, account):
            return
        span = MARKS_SECONDS + SLACK_SECONDS
        changed = found.record.changed_at.get(account, -1e9)
        if changed > step.at - ACCOUNT_SECONDS:
            return
        since = max(step.at - span, self._heard.get(account, 0.0) - TICK_SECONDS)
        lowest = found.record.lowest(account, pool, since, step.at)
        for rung, enter in found.ladder_on_ratio:
            if rung in told and lowest > Decimal(str(enter)):
                self.violated(found, f"{account}/{pool} resolved, never below {lowest:.4f} lately")
                return
        for (owner, symbol), since in found.record.held_since.items():
            heard = found.record.heard.get((owner, symbol), 0.0)
            if owner == account and step.at - max(heard, since) > MARKS_SECONDS + SLACK_SECONDS:
                self.violated(found, f"{account}/{pool} resolved while {symbol} was silent")


class NoFalseAlarm(Invariant):
    """No rung is told where the truth lay half a point below it for over a minute."""

    name = "Detection.no_false_alarm"
    steps: ClassVar = frozenset({Step.OPENED, Step.ESCALATED})

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0

    def look(self, found: Run) -> None:
        for step in found.record.steps[self._looked :]:
            incident = step.incident
            if (
                step.step in self.steps
                and step.notification is not None
                and incident.subject is Subject.STANDING
                and incident.pool is not None
                and is_exact(found, incident.account)
            ):
                start = step.at - LOOK_BACK_SECONDS
                faults = found.faults_on(incident.account, start - ACCOUNT_SECONDS, step.at)
                if not any(fault.kind in LYING_FAULTS for fault in faults):
                    self.judge(found, step, start, incident.account, incident.pool.name)
        self._looked = len(found.record.steps)

    def judge(self, found: Run, step: Recorded, start: float, account: str, pool: str) -> None:
        highest = found.record.highest(account, pool, start, step.at)
        earlier = just_before(found, step)
        before = () if earlier is None else earlier.alarms
        for rung, enter in found.ladder_on_ratio:
            is_new = rung in step.incident.alarms and rung not in before
            if is_new and highest < Decimal(str(enter)) - HALF_A_POINT:
                self.violated(
                    found, f"{account}/{pool} told on {rung}, truth at most {highest:.4f}"
                )


class NoBadMark(Invariant):
    """No mark takes part that the exchange never had: nor zero, negative, NaN or unknown."""

    name = "Detection.no_bad_mark"

    def look(self, found: Run) -> None:
        for account, (at, assessment) in found.record.board.items():
            if at < found.now - 1:
                continue
            exchange = found.exchange_of(account)
            for pool in assessment.pools:
                for leg in pool.risk.positions:
                    price = leg.mark.price
                    symbol = leg.position.instrument.exchange_symbol
                    known = found.record.marks.get((exchange, symbol), {})
                    if not (price.is_finite() and price > 0):
                        self.violated(found, f"{account}: the mark of {symbol} is {price}")
                    elif (account, symbol) not in found.record.held_since:
                        continue  # closed or taken over, and not read yet
                    elif rounded_text(price) not in known and is_exact(found, account):
                        self.violated(found, f"{account}: {symbol} never had the mark {price}")
