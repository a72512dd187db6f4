"""Durability: what is decided is on disk before it leaves, and nothing of it is lost."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from monitor.alerts.incident import Step, Subject
from monitor.alerts.message import Notification
from monitor.storage.database import FILE_NAME
from tests.hunt.detection import LYING_FAULTS
from tests.hunt.invariant import Invariant, Run

CALM_SECONDS = 60.0
EDGES = tuple(Decimal(text) for text in ("0.77", "0.8", "0.87", "0.9", "1"))
NEAR_AN_EDGE = Decimal("0.006")


class RowBeforeByte(Invariant):
    """No byte leaves before its row is durable, unless it was said that storage fails."""

    name = "Durability.row_before_byte"

    def begin(self, found: Run) -> None:
        def before(channel: str, notification: Notification) -> None:
            store = found.life.store
            if store is None or store.trouble is not None:
                return
            if not _has_row(found, channel, notification.id):
                self.violated(found, f"{channel}: «{notification.title}» left without a row")

        found.life.before_send.append(before)


def _has_row(found: Run, channel: str, notification_id: str) -> bool:
    path = found.folder / "state" / FILE_NAME
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT 1 FROM outbox WHERE notification_id = ? AND channel = ?",
            (notification_id, channel),
        )
        return rows.fetchone() is not None
    finally:
        connection.close()


class NothingIsLost(Invariant):
    """Every message that was committed arrives, or one that stands for it does."""

    name = "Durability.nothing_is_lost"

    def finish(self, found: Run) -> None:
        written = found.record.written()
        spoken = [s.notification for s in found.record.steps if s.notification is not None]
        for channel, receiver in found.receivers.items():
            if any(f.kind == "permanent" and f.where == channel for f in found.record.faults):
                continue
            texts = [(a.at, a.notification) for a in receiver.arrivals]
            for step in found.record.steps:
                message = step.notification
                if message is None or not (step.is_durable or step.process == found.life.number):
                    continue
                same = [m for m in spoken if m.incident_id == message.incident_id]
                if not any(at >= step.at and _tells(n, message, same, written) for at, n in texts):
                    self.violated(found, f"{channel}: «{message.title}» never arrived")


def _tells(
    arrived: Notification,
    message: Notification,
    same: Iterable[Notification],
    written: Mapping[str, float],
) -> bool:
    """Whether what arrived is this message or a later of the `same` incident, or lists one."""
    if arrived.incident_id == message.incident_id:
        return written[arrived.id] >= written[message.id]
    if not arrived.title[:1].isdigit():
        return False
    later = (each for each in same if written[each.id] >= written[message.id])
    if any(each.title in arrived.body for each in later):
        return True
    name = message.title.split(":")[-1].split(" at ")[0].split(" is ")[0].split(",")[0]
    return name.strip() in arrived.body


class FewDuplicates(Invariant):
    """At most one message comes twice for a crash and channel, or for a send that hung."""

    name = "Durability.duplicates"

    def finish(self, found: Run) -> None:
        crashes = sum(how != "stopped" for _, how in found.record.ends)
        for channel, receiver in found.receivers.items():
            counted = Counter(a.notification.id for a in receiver.arrivals)
            twice = sum(n - 1 for n in counted.values())
            if twice > crashes + receiver.ambiguous:
                self.violated(found, f"{channel}: {twice} duplicates, {crashes} crashes")


class NeverLowerAfterHigher(Invariant):
    """
    Of one incident an older message never comes after a newer one.

    By the world's clock: the machine's may be set back between them.
    """

    name = "Durability.order"

    def finish(self, found: Run) -> None:
        written = found.record.written()
        for channel, receiver in found.receivers.items():
            newest: dict[str, Notification] = {}
            for arrival in receiver.arrivals:
                message = arrival.notification
                if not message.incident_id:
                    continue  # the monitor speaks of itself
                last = newest.get(message.incident_id)
                if last is not None and written[message.id] < written[last.id]:
                    self.violated(found, f"{channel}: «{message.title}» after «{last.title}»")
                else:
                    newest[message.incident_id] = message


class RestartIsQuiet(Invariant):
    """A start with the truth as it was says nothing new."""

    name = "Durability.restart_is_quiet"

    def finish(self, found: Run) -> None:
        for (ended, _), started in zip(found.record.ends, found.record.starts[1:], strict=False):
            for step in found.record.steps:
                if step.notification is None or not started <= step.at <= started + CALM_SECONDS:
                    continue
                if step.incident.subject not in {Subject.STANDING, Subject.STALE, Subject.BLIND}:
                    continue
                if step.step is not Step.REPEATED and self._is_unchanged(found, step, ended):
                    self.violated(
                        found,
                        f"«{step.notification.title}» {step.at - started:.1f} s after a start",
                    )

    @staticmethod
    def _is_unchanged(found: Run, step: object, ended: float) -> bool:
        incident, until = step.incident, step.at  # type: ignore[attr-defined] # a Recorded
        start = ended - CALM_SECONDS
        account = incident.account
        others = [
            fault
            for fault in found.faults_on(account, 0.0, until)
            if found.waited(fault) >= start - CALM_SECONDS
            and (fault.kind not in {"kill", "stop"} or fault.kind in LYING_FAULTS)
        ]
        changed = found.record.changed_at.get(account, -1e9)
        if others or changed > start or _has_another_hour(found, step, ended):
            return False
        if any(
            s.incident.account == account and start <= s.at <= ended for s in found.record.steps
        ):
            return False
        return all(
            _is_still(found, account, pool, start, until) for pool in found.record.pools(account)
        )


def _has_another_hour(found: Run, step: object, ended: float) -> bool:
    """
    Whether an end that had no room within the hour has some by the clock that the start found.

    A process counts by the time that it began with; the one after it by the clock as it was set.
    """
    begun = max(at for at in found.record.starts if at <= ended)
    was_set = any(f.kind == "wall_step" for f in found.record.active(begun, ended))
    return was_set and step.step is Step.RESOLVED  # type: ignore[attr-defined] # a Recorded


def _is_still(found: Run, account: str, pool: str, start: float, end: float) -> bool:
    low = found.record.lowest(account, pool, start, end)
    high = found.record.highest(account, pool, start, end)
    # A pool with nothing left stands at no figure: twice that is no movement.
    if high != low and high - low > NEAR_AN_EDGE:
        return False
    return not any(low - NEAR_AN_EDGE < edge < high + NEAR_AN_EDGE for edge in EDGES)
