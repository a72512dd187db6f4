"""Liveness: when trouble is over all is well again, and one part's trouble is no other's."""

from monitor.engine.effects import State
from tests.hunt.detection import watched
from tests.hunt.invariant import Invariant, Run
from tests.hunt.plan import CHANNEL_FAULTS

FRESH_SECONDS = 60.0
OUTBOX_SECONDS = 120.0
DELIVERED_SECONDS = 1.5
GATHERED_SECONDS = 11.0
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

    What is told after them leaves at once, or is gathered for a while: only a channel for which
    something has waited for longer than that, at each look, is one that does not empty.
    """

    name = "Liveness.outbox"

    def begin(self, found: Run) -> None:
        super().begin(found)
        self._since: dict[str, float] = {}

    def look(self, found: Run) -> None:
        store = found.life.store
        if store is None or found.now < found.trouble_until() + OUTBOX_SECONDS:
            self._since.clear()
            return
        for channel, waiting in store.backlog().items():
            faults = [f.kind for f in found.record.faults if f.where == channel]
            if not waiting or "permanent" in faults:
                self._since.pop(channel, None)
            elif found.now - self._since.setdefault(channel, found.now) > GATHERED_SECONDS:
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
                before = [s for s in told if step.at - 62 <= s.at <= at]
                most = GATHERED_SECONDS if len(before) > 5 else DELIVERED_SECONDS
                if at - step.at > most:
                    self.violated(found, f"{channel}: {at - step.at:.1f} s for «{message}»"[:200])

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
