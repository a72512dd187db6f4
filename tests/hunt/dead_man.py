"""
Liveness of the dead man's switch: it pings while all is well or told, and only then.

What is hidden is told from the exchanges' and receivers' side: how old is what the daemon heard,
and whether word of that arrived anywhere. What is well is told from the outside as well, so that
between the two there are moments of which nothing is asked.
"""

from monitor.alerts.incident import Incident, Step, Subject
from monitor.engine.effects import State
from tests.hunt.detection import GRACE_SECONDS, SLACK_SECONDS, START_SECONDS, FreshOrTold, began_at
from tests.hunt.flood import names_of
from tests.hunt.invariant import Invariant, Run
from tests.hunt.receivers import Ping, Pings

# What a ping may take that gets no answer, and the seconds that are looked at.
ANSWER_SECONDS = 10.0
LOOK_SECONDS = 2.0
DRAINS_SECONDS = 300.0
FAILS_SECONDS = 300.0
LATE_SECONDS = 10.0
_LATE = frozenset({Subject.STALE, Subject.BLIND})


class _Watching(Invariant):
    """What each of them has to know."""

    def begin(self, found: Run) -> None:
        super().begin(found)
        self._ages = FreshOrTold()
        self._ages.begin(found)
        self._not_fresh: dict[str, float] = {}

    def hidden(self, found: Run) -> str:
        """What nobody may know of, for certain; empty where there is nothing."""
        for account in (each.name for each in found.plan.accounts):
            because = self._trouble(found, account)
            if because and not _is_told(found, account, in_doubt=True):
                return because
        return _stuck(found, DRAINS_SECONDS + LOOK_SECONDS)

    def _trouble(self, found: Run, account: str) -> str:
        for what, age, budget in self._ages._ages(found, account):
            if age > budget + GRACE_SECONDS + SLACK_SECONDS:
                return f"{account}: {what} is {age:.1f} s old and nobody was told"
        since = self._not_fresh.get(account)
        is_late = since is not None and found.now - since > LOOK_SECONDS
        # It may have become fresh since it was last looked at, a moment ago.
        if is_late and not is_shown_fresh(found, account):
            return f"{account} is not fresh since {since:.1f} s and nobody was told"
        return ""

    def note(self, found: Run) -> None:
        """Once a second: which accounts are not shown as fresh, and since when."""
        for account in (each.name for each in found.plan.accounts):
            self._ages._ages(found, account)
            if is_shown_fresh(found, account):
                self._not_fresh.pop(account, None)
            else:
                self._not_fresh.setdefault(account, found.now)


def is_shown_fresh(found: Run, account: str) -> bool:
    shown = found.record.board.get(account)
    return (
        shown is not None and found.now - shown[0] <= LATE_SECONDS and shown[1].state is State.FRESH
    )


def _is_told(found: Run, account: str, *, in_doubt: bool) -> bool:
    """
    Whether word arrived that this account's figures are late, or, where there are none, of that.

    Args:
        in_doubt: What to take one for that is a moment old, or was quiet for a reason.
    """
    store = found.life.store
    late = [i for i in store.open_incidents(account) if i.subject in _LATE] if store else []
    gravest = [incident for incident in late if incident.subject is Subject.BLIND] or late
    return any(_has_arrived(found, incident, in_doubt=in_doubt) for incident in gravest)


def _has_arrived(found: Run, incident: Incident, *, in_doubt: bool) -> bool:
    """Whether the newest that was to be told of it came, be it in a digest."""
    news = [
        step.at
        for step in found.record.steps
        if step.incident.id == incident.id
        and step.notification is not None
        and step.step in {Step.OPENED, Step.ESCALATED}
        and step.at <= found.now - LOOK_SECONDS
    ]
    if not news:
        return in_doubt
    return any(
        arrival.at >= news[-1] and incident.id in names_of(found, arrival)
        for receiver in found.receivers.values()
        for arrival in reversed(receiver.arrivals)
    )


def _stuck(found: Run, seconds: float) -> str:
    """Which channel's messages wait for longer than this."""
    store, daemon = found.life.store, found.life.daemon
    if store is None or daemon is None:
        return ""
    for channel in found.receivers:
        for row in store.unsettled(channel):
            age = (daemon.now() - row.notification.created_at).total_seconds()
            if age > seconds:
                return f"a message waits for {channel} since {age:.0f} s"
    return ""


class PingComes(_Watching):
    """While all has been well, or told, a ping comes in each of its intervals."""

    name = "Liveness.ping_comes"

    def __init__(self) -> None:
        super().__init__()
        self._well_since: float | None = None

    def look(self, found: Run) -> None:
        self.note(found)
        if not self._is_well(found):
            self._well_since = None
            return
        if self._well_since is None:
            self._well_since = found.now
        start = found.now - (Pings.SECONDS + ANSWER_SECONDS + LOOK_SECONDS)
        if start > self._well_since and not _pings(found, start, failed=False):
            self.violated(found, f"no ping since {start:.1f} s, and all is well or told")
            self._well_since = found.now

    def _is_well(self, found: Run) -> bool:
        now = found.now
        if found.life.is_down or now - began_at(found) < START_SECONDS:
            return False
        in_the_way = {"no_dns", "suspend", "blocked", "disk_locked", "kill", "stop"}
        faults = found.record.active(now - LOOK_SECONDS, now)
        if any(f.kind in in_the_way or f.where == "ping" for f in faults):
            return False
        if _stuck(found, DRAINS_SECONDS - LOOK_SECONDS) or self._is_news(found):
            return False
        names = [each.name for each in found.plan.accounts]
        return all(
            is_shown_fresh(found, name) or _is_told(found, name, in_doubt=False) for name in names
        )

    @staticmethod
    def _is_news(found: Run) -> bool:
        """Whether word that figures are late may be under way still: till then none need come."""
        since = found.now - LOOK_SECONDS
        for step in reversed(found.record.steps):
            if step.at < since:
                return False
            if step.incident.subject in _LATE:
                return True
        return False


class PingStops(_Watching):
    """No ping while a pool is neither fresh nor told, messages don't leave, or nothing runs."""

    name = "Liveness.ping_stops"

    def begin(self, found: Run) -> None:
        super().begin(found)

        def asked(ping: Ping) -> None:
            woke_at = max(found.record.wakes, default=-1000.0)
            # One that was on its way when the machine was suspended arrives as it wakes.
            if ping.failed or found.now - woke_at < ANSWER_SECONDS:
                return
            if found.life.is_down and found.now - found.record.ends[-1][0] > 1:
                self.violated(found, "a ping, and no process runs")
            elif not found.life.is_down and (because := self.hidden(found)):
                self.violated(found, f"a ping, and {because}")

        found.pings.on_ping.append(asked)

    def look(self, found: Run) -> None:
        self.note(found)


class PingFails(_Watching):
    """Trouble of five minutes that nobody knows of is said outright, and so is an orderly stop."""

    name = "Liveness.ping_fails"

    def __init__(self) -> None:
        super().__init__()
        self._since: float | None = None
        self._ends = 0

    def look(self, found: Run) -> None:
        self.note(found)
        self._look_at_ends(found)
        is_up = not found.life.is_down and found.now - began_at(found) > START_SECONDS
        if not (is_up and self.hidden(found)) or self._is_unheard(found, LOOK_SECONDS):
            self._since = None
            return
        if self._since is None:
            self._since = found.now
        due = self._since + FAILS_SECONDS + 2 * (Pings.SECONDS + ANSWER_SECONDS) + LOOK_SECONDS
        if found.now > due and not self._is_said(found, self._since):
            self.violated(found, f"trouble since {self._since:.1f} s, and no word of failure")
            self._since = found.now

    @staticmethod
    def _is_said(found: Run, since: float) -> bool:
        """Whether a failure was said since then, or before it with no word of health after it."""
        asked = found.pings.asked
        return _pings(found, since, failed=True) or (bool(asked) and asked[-1].failed)

    def _look_at_ends(self, found: Run) -> None:
        for at, how in found.record.ends[self._ends :]:
            if found.now < at + LOOK_SECONDS:
                return
            self._ends += 1
            if how != "stopped" or self._is_unheard(found, ANSWER_SECONDS + LOOK_SECONDS):
                continue
            if not _pings(found, at - ANSWER_SECONDS, failed=True):
                self.violated(found, f"stopped in order at {at:.1f} s, and no word of it")

    @staticmethod
    def _is_unheard(found: Run, seconds: float) -> bool:
        """Whether no ping may get through, or no process gets to it."""
        in_the_way = {"no_dns", "suspend", "blocked", "disk_locked", "kill"}
        faults = found.record.active(found.now - seconds, found.now)
        return any(f.kind in in_the_way or f.where == "ping" for f in faults)


def _pings(found: Run, start: float, *, failed: bool) -> bool:
    """Whether one came since then."""
    return any(ping.at >= start and ping.failed is failed for ping in reversed(found.pings.asked))
