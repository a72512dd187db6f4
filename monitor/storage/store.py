"""
What must outlive the process: open incidents, messages to be delivered, samples.

Alerting never waits for the disk to be well. What is to be delivered is held in memory too;
what could not be written is written, in order, with the next write that succeeds. Samples are
not worth that: they are dropped first.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.errors import StorageError
from monitor.storage import history, incidents, outbox, quiet, watched
from monitor.storage.database import (
    FILE_NAME,
    Corrupt,
    Database,
    Lock,
    move_aside,
    open_database,
    take_lock,
)
from monitor.storage.outbox import OutboxRow, Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.alerts.incident import Incident
    from monitor.alerts.ladder import Severity
    from monitor.alerts.message import Notification
    from monitor.engine.effects import AccountAssessment

    Work = Callable[[sqlite3.Connection], None]

_PATIENCE_MILLISECONDS = 5000
_IN_TROUBLE_MILLISECONDS = 100  # so that a locked file doesn't hold up the loop again and again
_SETTLED_KEPT_FOR = timedelta(days=30)
_RECENT = timedelta(hours=1)
# An exchange lists what it took for about a week.
_LISTED_FOR = timedelta(days=8)
_THIN_EVERY = timedelta(hours=1)


class Store:
    """
    The state of one process. `notices` are what a person must hear about its opening.

    It is the outbox that the courier works on.
    """

    def __init__(
        self, database: Database | None, lock: Lock | None, notices: tuple[str, ...] = ()
    ) -> None:
        self.notices = notices
        self._database = database
        self._lock = lock
        self._trouble = None if database is not None else (notices or ("there is no file",))[-1]
        self._unwritten: list[Work] = []
        self._rows: dict[tuple[str, str], OutboxRow] = {}
        self._open: dict[str, Incident] = {}
        self._told: set[str] = set()
        self._channels: frozenset[str] = frozenset()
        self._recent: tuple[Incident, ...] = ()
        self._watched: set[str] = set()
        self._quiet: dict[str, datetime] = {}
        self._sampled_at: dict[str, datetime] = {}
        self._thinned_at: datetime | None = None

    @property
    def trouble(self) -> str | None:
        """Why alerts don't outlive the process right now, None while they do."""
        return self._trouble

    def load(self, at: datetime) -> None:
        """
        Take up what an earlier process left, and drop what is too old to be asked for.

        Raises:
            StorageError: If the file can't be read.
        """
        if self._database is None:
            return
        with self._database.reading() as connection, _intelligible():
            self._rows = {_key(row): row for row in outbox.unsettled(connection)}
            self._open = {incident.id: incident for incident in incidents.open_ones(connection)}
            self._channels = outbox.channels(connection)
            self._told = set(outbox.told_incidents(connection))
            self._recent = incidents.since(connection, at - _RECENT, of_taken=at - _LISTED_FOR)
            self._watched = watched.accounts(connection)
            self._quiet = quiet.asked(connection)
        self._write(lambda connection: outbox.forget_settled(connection, at, _SETTLED_KEPT_FOR))
        self._thin(at)

    # Incidents and messages

    def record(
        self,
        incident: Incident | None,
        notification: Notification | None,
        channels: Sequence[str] = (),
    ) -> bool:
        """
        Keep an incident and its message, one row for each channel, in one transaction.

        Returns whether both outlive the process; they are delivered in any case.
        """
        rows = [OutboxRow(channel=c, notification=notification) for c in channels if notification]
        for row in rows:
            self._rows.setdefault(_key(row), row)
        if incident is not None and incident.is_open:
            self._open[incident.id] = incident
        elif incident is not None:
            self._open.pop(incident.id, None)

        def work(connection: sqlite3.Connection) -> None:
            if incident is not None:
                incidents.save(connection, incident)
            for row in rows:
                outbox.add(connection, row)

        return self._write(work)

    def open_incidents(self, account: str) -> tuple[Incident, ...]:
        """The account's open incidents, the oldest first."""
        found = [incident for incident in self._open.values() if incident.account == account]
        return tuple(sorted(found, key=lambda incident: incident.opened_at))

    def kept_incidents(self, account: str) -> tuple[Incident, ...]:
        """
        What an engine starts with, the oldest first: incidents that were open when the state
        was loaded, and those resolved within the hour before; about what an exchange took,
        within the eight days before.
        """
        return tuple(incident for incident in self._recent if incident.account == account)

    def was_watched(self, account: str) -> bool:
        """Whether a figure of this account was ever given."""
        return account in self._watched

    def note_watched(self, account: str, at: datetime) -> None:
        """A figure of this account was given."""
        if account not in self._watched:
            self._watched.add(account)
            self._write(lambda connection: watched.add(connection, account, at))

    def quiet_until(self, host: str) -> datetime | None:
        """Until when a host wanted to hear nothing, None where it never asked for that."""
        return self._quiet.get(host)

    def keep_quiet(self, host: str, until: datetime) -> None:
        """A host wants to hear nothing until then, also after a restart."""
        self._quiet[host] = until
        self._write(lambda connection: quiet.keep(connection, host, until))

    def was_told(self, incident_id: str) -> bool:
        """Whether some channel delivered a message about this incident."""
        return incident_id in self._told

    # The outbox

    def unsettled(self, channel: str) -> tuple[OutboxRow, ...]:
        """The channel's messages still to be delivered, in the order in which they came."""
        return tuple(row for row in self._rows.values() if row.channel == channel)

    def backlog(self) -> Mapping[str, int]:
        """How many messages wait, by channel."""
        return Counter(row.channel for row in self._rows.values())

    def delivered(
        self, channel: str, notification_id: str, superseded: Sequence[str], at: datetime
    ) -> None:
        """Settle a message that the channel took, and the older ones that it stands for."""
        rows = self._taken(channel, [notification_id])
        older = self._taken(channel, superseded)
        self._told.update(row.notification.incident_id for row in rows)

        def work(connection: sqlite3.Connection) -> None:
            outbox.settle(connection, rows, Outcome.DELIVERED, at)
            outbox.settle(connection, older, Outcome.SUPERSEDED, at)

        self._write(work)

    def expired(self, channel: str, notification_ids: Sequence[str], at: datetime) -> None:
        """Settle messages that nobody needs any more."""
        self._settle(self._taken(channel, notification_ids), Outcome.EXPIRED, at)

    def failed(
        self, channel: str, notification_id: str, because: str, not_before: datetime | None
    ) -> None:
        """Count a failed attempt."""
        row = self._rows.get((notification_id, channel))
        if row is None:
            return
        counted = replace(row, attempts=row.attempts + 1, not_before=not_before)
        self._rows[_key(row)] = counted
        self._try(lambda connection: outbox.note_failure(connection, counted, because))

    def pass_on(self, channels: Mapping[str, Severity]) -> None:
        """
        Messages that wait for channels which are configured no more wait for new ones as well.

        `channels` are those configured, each with the least severity that it takes. New are
        those that never had a message: a channel that was renamed, say.
        """
        new = {name: least for name, least in channels.items() if name not in self._channels}
        strays = [row.notification for row in self._rows.values() if row.channel not in channels]
        for stray in strays:
            rank = stray.severity.rank
            self.record(None, stray, [name for name, least in new.items() if least.rank <= rank])

    def keep_channels(self, channels: Sequence[str], at: datetime) -> tuple[str, ...]:
        """The channels that had messages waiting but are configured no more; those are settled."""
        rows = [row for row in self._rows.values() if row.channel not in channels]
        for row in rows:
            del self._rows[_key(row)]
        if rows:
            self._settle(rows, Outcome.ABANDONED, at)
        return tuple(sorted({row.channel for row in rows}))

    # History

    def sample(self, assessment: AccountAssessment) -> None:
        """Keep a sample of each pool, if the account's last one is some seconds old."""
        last = self._sampled_at.get(assessment.account)
        if last is not None and assessment.at - last < history.EVERY:
            return
        self._sampled_at[assessment.account] = assessment.at
        samples = history.samples_of(assessment)
        self._try(lambda connection: history.add(connection, samples))
        thinned = self._thinned_at
        if thinned is None or assessment.at - thinned >= _THIN_EVERY:
            self._thin(assessment.at)

    def close(self) -> None:
        """Write what is still unwritten, and give the state directory back. Again: nothing."""
        self._try(lambda _: None)
        if self._database is not None:
            self._database.close()
        if self._lock is not None:
            self._lock.release()
        self._database, self._lock = None, None

    # Writing

    def _settle(self, rows: Sequence[OutboxRow], outcome: Outcome, at: datetime) -> None:
        self._write(lambda connection: outbox.settle(connection, rows, outcome, at))

    def _taken(self, channel: str, notification_ids: Sequence[str]) -> list[OutboxRow]:
        found = [self._rows.pop((each, channel), None) for each in notification_ids]
        return [row for row in found if row is not None]

    def _thin(self, at: datetime) -> None:
        last, self._thinned_at = self._thinned_at, at
        self._try(lambda connection: history.thin(connection, at, last))

    def _write(self, work: Work) -> bool:
        """Whether it was written; if not, it will be with the next write that succeeds."""
        written = self._try(work)
        if not written and self._database is not None:
            self._unwritten.append(work)
        return written

    def _try(self, work: Work) -> bool:
        if self._database is None:
            return False
        try:
            with self._database.transaction() as connection:
                for earlier in self._unwritten:
                    earlier(connection)
                work(connection)
            self._unwritten.clear()
            if self._trouble is not None:
                self._database.wait_for_others(_PATIENCE_MILLISECONDS)
                self._trouble = None
        except StorageError as error:
            if self._trouble is None:
                self._database.wait_for_others(_IN_TROUBLE_MILLISECONDS)
            self._trouble = str(error)
            return False
        return True


def open_store(directory: Path, at: datetime) -> Store:
    """
    The state kept in a directory, taken up where the last process left it.

    A broken file is put aside, and an unusable one done without: neither stops the monitor,
    both are told in `notices`.

    Raises:
        ConfigError: If another process uses the directory.
    """
    try:
        lock = take_lock(directory)
    except StorageError as error:
        return Store(None, None, (f"{error}; alerts don't outlive this process",))
    path = directory / FILE_NAME
    try:
        try:
            return _opened(path, lock, at)
        except Corrupt:
            aside = move_aside(path, at)
            notice = (
                f"the state was broken and is kept as {aside.name}: history lost, monitoring on"
            )
            return _opened(path, lock, at, notice)
    except StorageError as error:
        return Store(None, lock, (f"{error}; alerts don't outlive this process",))


def _opened(path: Path, lock: Lock, at: datetime, *notices: str) -> Store:
    database = open_database(path)
    store = Store(database, lock, notices)
    try:
        store.load(at)
    except StorageError:
        database.close()
        raise
    return store


@contextmanager
def _intelligible() -> Iterator[None]:
    """A row that makes no sense is damage, however sound the file: it must not end the start."""
    try:
        yield
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise Corrupt(f"the state holds what can't be read: {error}") from error


def _key(row: OutboxRow) -> tuple[str, str]:
    return row.notification.id, row.channel
