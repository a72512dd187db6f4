"""
What must outlive the process: open incidents, messages to be delivered, samples.

Alerting never waits for the disk to be well. What is to be delivered is held in memory too;
what could not be written is written, in order, with the next write that succeeds. Samples are
not worth that: they are dropped first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from monitor.errors import StorageError
from monitor.storage import history, incidents, itself, outbox, quiet, watched
from monitor.storage.database import Corrupt
from monitor.storage.outbox import OutboxRow, Outcome
from monitor.storage.works import intelligible, key_of, saving, settling
from monitor.storage.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.alerts.incident import Incident
    from monitor.alerts.ladder import Severity
    from monitor.alerts.message import Notification
    from monitor.engine.effects import AccountAssessment
    from monitor.storage.writer import Key, Work

_SETTLED_KEPT_FOR = timedelta(days=30)
_INCIDENTS_KEPT_FOR = timedelta(days=365)
_RECENT = timedelta(hours=1)
# An exchange lists what it took for about a week.
_LISTED_FOR = timedelta(days=8)
_THIN_EVERY = timedelta(hours=1)


class Store:
    """
    The state of one process. `notices` are what a person must hear about its opening.

    It is the outbox that the courier works on.
    """

    def __init__(self, writer: Writer, notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        self._writer = writer
        self._rows: dict[tuple[str, str], OutboxRow] = {}
        self._open: dict[str, Incident] = {}
        self._told: set[str] = set()
        self._channels: frozenset[str] = frozenset()
        self._recent: tuple[Incident, ...] = ()
        self._watched: dict[str, datetime] = {}
        self._quiet: dict[str, quiet.Wait | None] = {}
        self._said: dict[str, datetime] = {}
        self._starts: frozenset[datetime] = frozenset()
        self._began_at: datetime | None = None
        self._sampled_at: dict[str, datetime] = {}
        self._thinned_at: datetime | None = None
        self._is_lack_told = False

    @property
    def trouble(self) -> str | None:
        """Why alerts don't outlive the process right now, None while they do."""
        return self._writer.trouble

    def load(self, at: datetime) -> None:
        """
        Take up what an earlier process left, and drop what is too old to be asked for.

        Raises:
            StorageError: If the file can't be read.
        """
        database = self._writer.database
        if database is None:
            return
        with database.reading() as connection, intelligible():
            rows = {key_of(row): row for row in outbox.unsettled(connection, at)}
            found = {incident.id: incident for incident in incidents.open_ones(connection, at)}
            self._channels |= outbox.channels(connection)
            self._told |= outbox.told_incidents(connection)
            listed = at - _LISTED_FOR
            self._recent = incidents.since(connection, at - _RECENT, of_taken=listed, now=at)
            self._watched = watched.accounts(connection) | self._watched
            self._quiet = quiet.asked(connection, at) | self._quiet
            self._said = itself.said(connection, at) | self._said
            self._starts = itself.starts(connection, at)
        # What came while there was no file goes after what an earlier process left in it.
        self._rows = rows | self._rows
        doubled = [i for i in found.values() if self._is_open_again(i)]
        self._open = found | self._open
        for incident in doubled:
            self.record(replace(incident, rung=None, changed_at=at, resolved_at=at), None)
        self._thin(at)

    def mend(self, at: datetime) -> tuple[str, ...]:
        """
        Try again what could not be written, or opened; what a person must hear of that.

        To be called every few seconds. Where a new file was begun, all that is known is in it.
        """
        writer, was_open = self._writer, self._writer.database is not None
        notices: tuple[str, ...] = ()
        try:
            aside = writer.mend(at)
            if not was_open and not writer.has_gaps:
                self.load(at)
        except StorageError:
            return notices
        if aside is not None:
            notices = (aside,)
        if writer.left_out is not None and not self._is_lack_told:
            self._is_lack_told = True
            notices = (*notices, f"{writer.left_out}: it does not outlive this process")
        if writer.has_gaps:
            writer.put_first(dict(self._everything()))
        if writer.has_gaps or writer.trouble is not None or not was_open:
            writer.has_gaps = not writer.flush() and writer.has_gaps
        if writer.trouble is None:
            self._mark_kept()
        return notices

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
        new = [row for row in rows if key_of(row) not in self._rows]
        self._rows |= {key_of(row): row for row in new}
        works = dict(map(self._adding, new))
        if incident is not None:
            self._open.pop(incident.id, None)
            if incident.is_open:
                self._open[incident.id] = incident
            works |= dict((saving(incident),))
        return self._write(works, new)

    def tell(
        self, notice: Notification, channels: Sequence[str], name: str, *, holds: bool = True
    ) -> bool:
        """
        As `record`, of the monitor itself. In the same transaction is kept that this was said by
        this `name`, or, where it no more `holds`, that it is over.
        """
        new = [OutboxRow(channel=channel, notification=notice) for channel in channels]
        self._rows |= {key_of(row): row for row in new}
        if holds:
            self._said[name] = notice.created_at
        else:
            self._said.pop(name, None)
        return self._write(dict((*map(self._adding, new), self._saying(name))), new)

    def said_at(self, name: str) -> datetime | None:
        """When this was told of the monitor itself, None where it was not or holds no more."""
        return self._said.get(name)

    def begin(self, at: datetime) -> None:
        """A process starts, and has not ended in order until `end_in_order`."""
        self._began_at = at
        self._starts = frozenset({at, *(each for each in self._starts if at - each < _RECENT)})
        self._write({("start",): lambda connection: itself.begin(connection, at, _RECENT)})

    def end_in_order(self) -> None:
        """This process ends as it should."""
        began = self._began_at
        if began is not None:
            self._starts -= {began}
            self._write({("start",): lambda connection: itself.end_in_order(connection, began)})

    def starts_since(self, at: datetime) -> int:
        """How often a process started since then that did not end in order; this one included."""
        return sum(started >= at for started in self._starts)

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
            self._watched[account] = at
            self._write({("watched", account): lambda c: watched.add(c, account, at)})

    def quiet_until(self, host: str) -> datetime | None:
        """Until when a host wanted to hear nothing, None where that is over or never was."""
        return wait.until if (wait := self._quiet.get(host)) else None

    def keep_quiet(self, host: str, until: datetime | None, at: datetime) -> None:
        """A host asked at `at` to hear nothing until then, also after a restart; None: over."""
        self._quiet[host] = wait = quiet.wait(until, at)
        self._write({("quiet", host): partial(quiet.keep, host=host, wait=wait)})

    def was_told(self, incident_id: str) -> bool:
        """Whether some channel delivered a message about this incident."""
        return incident_id in self._told

    # The outbox

    def is_open(self, incident_id: str) -> bool:
        """Whether this incident is open."""
        return incident_id in self._open

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
        # The news of the older ones stood in it, be they of its incident or of others.
        self._told.update(row.notification.incident_id for row in (*rows, *older))
        self._write(
            dict(settling(rows, Outcome.DELIVERED, at))
            | dict(settling(older, Outcome.SUPERSEDED, at))
        )

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
        self._rows[key_of(row)] = counted
        self._writer.attempt(lambda connection: outbox.note_failure(connection, counted, because))

    def forgive(self, channel: str) -> None:
        """No message of this channel is to blame for the tries that failed."""
        tried = [row for row in self.unsettled(channel) if row.attempts]
        self._rows |= {key_of(row): replace(row, attempts=0) for row in tried}
        if tried:
            self._writer.attempt(lambda connection: outbox.forgive(connection, channel))

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
            del self._rows[key_of(row)]
        if rows:
            self._settle(rows, Outcome.ABANDONED, at)
        return tuple(sorted({row.channel for row in rows}))

    # History

    def sample(self, assessment: AccountAssessment) -> None:
        """Keep a sample of each pool, if the account's last one is some seconds old."""
        if self.trouble is not None:
            return  # each try would cost a wait that alerts have a better use for
        last = self._sampled_at.get(assessment.account)
        if last is not None and assessment.at - last < history.EVERY:
            return
        self._sampled_at[assessment.account] = assessment.at
        samples = history.samples_of(assessment)
        self._writer.attempt(lambda connection: history.add(connection, samples))
        thinned = self._thinned_at
        if thinned is None or assessment.at - thinned >= _THIN_EVERY:
            self._thin(assessment.at)

    def close(self) -> None:
        """Write what is still unwritten, and give the state directory back. Again: nothing."""
        self._writer.close()

    # Writing

    def _settle(self, rows: Sequence[OutboxRow], outcome: Outcome, at: datetime) -> None:
        self._write(dict(settling(rows, outcome, at)))

    def _taken(self, channel: str, notification_ids: Sequence[str]) -> list[OutboxRow]:
        found = [self._rows.pop((each, channel), None) for each in notification_ids]
        return [row for row in found if row is not None]

    def _thin(self, at: datetime) -> None:
        last, self._thinned_at = self._thinned_at, at
        self._writer.attempt(lambda connection: history.thin(connection, at, last))
        self._writer.attempt(partial(outbox.forget_settled, before=at - _SETTLED_KEPT_FOR))
        self._writer.attempt(partial(incidents.forget, before=at - _INCIDENTS_KEPT_FOR))

    def _write(self, works: Mapping[Key, Work], new: Sequence[OutboxRow] = ()) -> bool:
        """Whether it was written; if not, it will be with the next write that succeeds."""
        was_in_trouble = self.trouble is not None
        if not self._writer.write(works):
            unkept = [key_of(row) for row in new]
            self._rows |= {key: replace(self._rows[key], is_kept=False) for key in unkept}
            return False
        if was_in_trouble:
            self._mark_kept()
        return True

    def _mark_kept(self) -> None:
        unkept = [row for row in self._rows.values() if not row.is_kept]
        self._rows |= {key_of(row): replace(row, is_kept=True) for row in unkept}

    def _adding(self, row: OutboxRow) -> tuple[Key, Work]:
        # As it is when it is written: tries may have been counted meanwhile.
        key = key_of(row)
        return ("row", *key), lambda c: outbox.add(c, self._rows.get(key, row))

    def _saying(self, name: str) -> tuple[Key, Work]:
        at = self._said.get(name)
        if at is None:
            return ("said", name), lambda connection: itself.unsay(connection, name)
        return ("said", name), lambda connection: itself.say(connection, name, at)

    def _is_open_again(self, incident: Incident) -> bool:
        """Whether the same trouble was opened anew while the file could not be read."""
        about = (incident.account, incident.pool, incident.subject)
        return incident.id not in self._open and any(
            (other.account, other.pool, other.subject) == about for other in self._open.values()
        )

    def _everything(self) -> Iterator[tuple[Key, Work]]:
        """All that a new file must hold."""
        yield from map(saving, self._open.values())
        yield from map(self._adding, self._rows.values())
        yield from map(self._saying, self._said)
        for account, at in self._watched.items():
            yield ("watched", account), partial(watched.add, account=account, at=at)
        for host, wait in self._quiet.items():
            yield ("quiet", host), partial(quiet.keep, host=host, wait=wait)
        began = self._began_at
        if began is not None:
            yield ("start",), lambda connection: itself.begin(connection, began, _RECENT)


def open_store(directory: Path, at: datetime) -> Store:
    """
    The state kept in a directory, taken up where the last process left it.

    A broken file is put aside, and an unusable one done without (but tried again, see `mend`):
    neither stops the monitor, both are told in `notices`.

    Raises:
        ConfigError: If another process uses the directory.
    """
    writer = Writer(directory)
    try:
        aside = writer.open(at)
        store = Store(writer, () if aside is None else (aside,))
        try:
            store.load(at)
        except Corrupt:
            aside = writer.put_aside(at)
            store = Store(writer, () if aside is None else (aside,))
            store.load(at)
    except StorageError as error:
        return Store(writer, (f"{error}; alerts don't outlive this process",))
    writer.has_gaps = False  # nothing was known yet that the new file would have to hold
    return store
