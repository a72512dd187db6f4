"""Liveness: when trouble is over all is well again, and one part's trouble is no other's."""

from datetime import timedelta

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.engine.effects import State
from tests.hunt.detection import watched
from tests.hunt.invariant import Invariant, Run
from tests.hunt.plan import CHANNEL_FAULTS
from tests.hunt.record import Recorded

FRESH_SECONDS = 60.0
OUTBOX_SECONDS = 120.0
DELIVERED_SECONDS = 1.5
GATHERED_SECONDS = 11.5
MINUTE = 62.0
RETRY_SECONDS = 70.0
MOST_WAITING = 400
MOST_TASKS = 40
MOST_TASKS_AN_ACCOUNT = 60


class FreshAgain(Invariant):
    """Every account is fresh within a minute after the last fault and all waits."""

    name = "Liveness.fresh"

    def look(self, found: Run) -> None:
        if found.now < max(found.trouble_until(), 0.0) + FRESH_SECONDS:
            return
        for account in watched(found):
            shown = found.record.board.get(account)
            if shown is None or shown[1].state is not State.FRESH:
                state = "unseen" if shown is None else f"{shown[1].state.value} {shown[1].because}"
                self.violated(found, f"{account} is {state}, long after the last fault")


class OutboxEmpties(Invariant):
    """
    The outbox is empty within two minutes after the last fault.

    But for what is told after them and is gathered: that leaves within a minute.
    """

    name = "Liveness.outbox"

    def look(self, found: Run) -> None:
        store, daemon = found.life.store, found.life.daemon
        if store is None or daemon is None:
            return
        if found.now < found.trouble_until() + OUTBOX_SECONDS:
            return
        gathered_from = daemon.now() - timedelta(seconds=MINUTE)
        for channel in found.receivers:
            rows = store.unsettled(channel)
            waiting = sum(row.notification.created_at < gathered_from for row in rows)
            faults = [f.kind for f in found.record.faults if f.where == channel]
            if "permanent" not in faults and waiting:
                self.violated(found, f"{waiting} messages still wait for {channel}")


class NoChannelDelaysAnother(Invariant):
    """A channel that is well gets its message at once, however others fare."""

    name = "Liveness.isolation"

    def finish(self, found: Run) -> None:
        for channel, receiver in found.receivers.items():
            arrived = {a.notification.id: a.at for a in reversed(receiver.arrivals)}
            told = [s for s in found.record.steps if s.notification is not None]
            for step in told:
                message = step.notification
                at = arrived.get(message.id) if message is not None else None
                if at is None or self._had_trouble(found, channel, step.at, at):
                    continue
                if at - step.at > self._most(told, step):
                    self.violated(found, f"{channel}: {at - step.at:.1f} s for «{message}»"[:200])

    @staticmethod
    def _most(told: list[Recorded], step: Recorded) -> float:
        """What follows others within a minute is gathered; what is critical first not for long."""
        before = [s for s in told if step.at - MINUTE <= s.at <= step.at and s is not step]
        if not before:
            return DELIVERED_SECONDS
        own = [s for s in before if s.incident.id == step.incident.id and s.at < step.at]
        was_critical = any(s.incident.severity is Severity.CRITICAL for s in own)
        is_critical = step.incident.severity is Severity.CRITICAL
        is_first = is_critical and not was_critical and step.step is not Step.RESOLVED
        return GATHERED_SECONDS if is_first else MINUTE

    @staticmethod
    def _had_trouble(found: Run, channel: str, start: float, end: float) -> bool:
        faults = found.record.active(start - RETRY_SECONDS, end)
        own = [f for f in faults if f.kind in CHANNEL_FAULTS and f.where == channel]
        process = [f for f in faults if f.kind in {"kill", "stop", "suspend", "blocked"}]
        disk = [f for f in faults if f.kind.startswith("disk")]
        died = [at for at, _ in found.record.ends if start - RETRY_SECONDS <= at <= end]
        return bool(own or process or disk or died)


class Bounded(Invariant):
    """Queues, tasks and connections stay few."""

    name = "Liveness.bounded"

    def look(self, found: Run) -> None:
        daemon, store = found.life.daemon, found.life.store
        if daemon is None or store is None:
            return
        waiting = sum(len(task._mailbox) for task in daemon._tasks.values())
        rows = sum(store.backlog().values())
        tasks, most = found.life.pending(), MOST_TASKS + MOST_TASKS_AN_ACCOUNT * len(daemon._tasks)
        wires = sum(len(link.wires) for link in found.host.loop.network.links.values())
        for what, count, limit in (
            ("events wait", waiting, MOST_WAITING),
            ("messages wait", rows, MOST_WAITING),
            ("tasks run", tasks, most),
            ("connections are open", wires, most),
        ):
            if count > limit:
                self.violated(found, f"{count} {what}")


class NoBug(Invariant):
    """No part of the monitor dies of a fault of its own."""

    name = "Liveness.no_bug"

    def finish(self, found: Run) -> None:
        for line in found.log.bugs:
            self.violated(found, line[:3000])
        for at, how in found.record.ends:
            if how.startswith("died"):
                self.violated(found, f"at {at:.1f} s the process {how}")


class NoSecret(Invariant):
    """What was planted as a secret is found nowhere."""

    name = "Secrecy.canaries"

    def finish(self, found: Run) -> None:
        for line in found.log.leaks:
            self.violated(found, f"in the log: {line[:300]}")
        texts = [
            ("a message", f"{a.notification.title}\n{a.notification.body}")
            for receiver in found.receivers.values()
            for a in receiver.arrivals
        ]
        state = found.folder / "state"
        texts += [
            (path.name, path.read_bytes().decode("latin-1"))
            for path in sorted(state.iterdir())
            if path.is_file()
        ]
        for where, text in texts:
            for secret in found.log.secrets:
                if secret in text:
                    self.violated(found, f"in {where}")
