"""
From the outbox to the channels: one worker for each, so that none delays another.

A worker takes the most pressing waiting row, sends it, and settles it after the channel took
it. Of one incident only the newest message is sent: those before it are superseded, their
news is in it. What can't be delivered is tried again, ever slower, for as long as it is of use.
What follows within a minute is gathered and sent as one, as `pacing` has it; a message that
comes late says so, and how things stand now.
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.delivery.digest import as_of_now, as_unkept, combined, digest, gravity, signed
from monitor.delivery.pacing import Pace
from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.delivery.channel import Channel

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
REFUSED_SECONDS = 3600.0
TRIES_IN_A_ROW = 5
LATE_AFTER = timedelta(seconds=60)


class Waiting(Protocol):
    """A message for one channel, not settled yet."""

    @property
    def notification(self) -> Notification: ...

    @property
    def attempts(self) -> int:
        """How often it failed."""

    @property
    def not_before(self) -> datetime | None:
        """Before this the receiver wants to hear nothing."""

    @property
    def is_kept(self) -> bool:
        """Whether it would outlive the process."""

    @property
    def is_left(self) -> bool:
        """Whether an earlier process left it."""


class Outbox(Protocol):
    """Where messages wait; what a call says is kept, durably where the disk allows it."""

    def unsettled(self, channel: str) -> Sequence[Waiting]:
        """The channel's messages still to be delivered, in the order in which they came."""

    def delivered(
        self, channel: str, notification_id: str, superseded: Sequence[str], at: datetime
    ) -> None:
        """Settle a message that the channel took, and the older ones that it stands for."""

    def expired(self, channel: str, notification_ids: Sequence[str], at: datetime) -> None:
        """Settle messages that nobody needs any more."""

    def failed(
        self, channel: str, notification_id: str, because: str, not_before: datetime | None
    ) -> None:
        """A try that failed; the message waits on."""

    def forgive(self, channel: str) -> None:
        """No message of this channel is to blame for the tries that failed."""

    def is_open(self, incident_id: str) -> bool:
        """Whether the incident is open: news of it are of use for as long as it is."""


def jittered(seconds: float) -> float:
    """Between half of it and all of it, so that channels do not try in step."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Courier:
    """
    Delivers what waits, for ever.

    `standing(message)` says how its account stands now, None where that is unknown; a message
    that comes late carries it. `on_refused(channel, because)` is told once when a channel
    refuses for good, so that the owner hears of it elsewhere; `on_taken(channel)` when it takes
    messages again, which is news as well of those that had `refused` before this process began.
    With an `instance` each message ends with this name of the monitor.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        *,
        channels: Sequence[Channel],
        outbox: Outbox,
        now: Callable[[], datetime],
        on_refused: Callable[[str, str], None] = lambda _channel, _because: None,
        on_taken: Callable[[str], None] = lambda _channel: None,
        standing: Callable[[Notification], str | None] = lambda _message: None,
        refused: Collection[str] = (),
        instance: str = "",
        jitter: Callable[[float], float] = jittered,
    ) -> None:
        self._workers = [
            _Worker(channel, outbox, now, on_refused, on_taken, standing, jitter)
            for channel in channels
        ]
        for worker in self._workers:
            worker.was_refused = worker.name in refused
            worker.instance = instance

    def wake(self) -> None:
        """Rows were added: look at once."""
        for worker in self._workers:
            worker.wake()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run())

    async def drain(self) -> None:
        """Until no worker has anything that it could send now; nothing is gathered any more."""
        for worker in self._workers:
            worker.hurry()
        await asyncio.gather(*(worker.idle.wait() for worker in self._workers))


class _Worker:
    """One channel's deliveries, one after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - the courier's own parts
        self,
        channel: Channel,
        outbox: Outbox,
        now: Callable[[], datetime],
        on_refused: Callable[[str, str], None],
        on_taken: Callable[[str], None],
        standing: Callable[[Notification], str | None],
        jitter: Callable[[float], float],
    ) -> None:
        self.idle = asyncio.Event()
        self.name = channel.name
        self.was_refused = False
        self.instance = ""
        self._channel = channel
        self._outbox = outbox
        self._now = now
        self._on_refused = on_refused
        self._on_taken = on_taken
        self._standing = standing
        self._jitter = jitter
        self._pace = Pace()
        self._news = asyncio.Event()
        self._failures = 0
        self._refused = False
        self._hurries = False
        self._gathers = False
        self._rest_until: datetime | None = None

    def wake(self) -> None:
        self.idle.clear()
        self._news.set()

    def hurry(self) -> None:
        """What is gathered goes out now, and from here on at once."""
        self._hurries = True
        if self._gathers:
            self.wake()

    async def run(self) -> None:
        while True:
            self._news.clear()
            waiting = self._of_use()
            batch, gathering = self._next(waiting)
            rest = self._rest(waiting)
            gathering = 0.0 if self._hurries else gathering
            self._gathers = rest <= 0 < gathering
            rest = max(rest, gathering)
            if batch and rest <= 0:
                self.idle.clear()
                await self._deliver(batch, waiting)
                continue
            self.idle.set()
            await self._wait(rest if batch else None)

    def _rest(self, waiting: Sequence[Waiting]) -> float:
        """Seconds to leave the channel alone still, those asked for before a restart included."""
        times = [row.not_before for row in waiting if row.not_before is not None]
        until = max([*times, *([self._rest_until] if self._rest_until else [])], default=None)
        return 0.0 if until is None else (until - self._now()).total_seconds()

    async def _wait(self, seconds: float | None) -> None:
        """Until there is news, or for so long."""
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait((news,), timeout=seconds)
        finally:
            news.cancel()

    def _of_use(self) -> Sequence[Waiting]:
        """What waits; messages that nobody needs any more are settled."""
        waiting = self._outbox.unsettled(self._channel.name)
        now = self._now()
        newest = {row.notification.about: row for row in waiting}
        late = [
            row.notification.id
            for row in waiting
            if row.notification.useful_until < now
            and not (
                row is newest[row.notification.about]
                and self._outbox.is_open(row.notification.incident_id)
            )
        ]
        if not late:
            return waiting
        self._outbox.expired(self._channel.name, late, now)
        log.error("notification.expired", channel=self._channel.name, notifications=late)
        return self._outbox.unsettled(self._channel.name)

    def _next(self, waiting: Sequence[Waiting]) -> tuple[Sequence[Notification], float]:
        """
        What goes out next, and in how many seconds: of each incident its newest message.

        What is refused time and again goes alone, after all others. What an earlier process
        left goes as one: if it had sent all that as one, unmarked, one is repeated.
        """
        said = combined(row.notification for row in waiting)
        newest = {row.notification.id: row for row in waiting if row.notification.id in said}
        turns = sorted(newest.values(), key=lambda row: _turn(row, said[row.notification.id]))
        willing = [row for row in turns if row.attempts < TRIES_IN_A_ROW] or turns[:1]
        if self._failures >= TRIES_IN_A_ROW:
            # Where several were to go as one and don't get through, one alone may.
            return [said[row.notification.id] for row in turns[:1]], 0.0
        if not willing:
            return (), 0.0
        if willing[0].is_left:
            willing = [row for row in willing if row.is_left]
            return [said[row.notification.id] for row in willing], 0.0
        return self._pace.next([said[row.notification.id] for row in willing], self._now())

    async def _deliver(self, batch: Sequence[Notification], waiting: Sequence[Waiting]) -> None:
        message, told = batch[0], {each.about for each in batch}
        try:
            await self._channel.send(self._worded(batch, waiting))
        except DeliveryError as error:
            self._failed(message, error)
            return
        except Exception:  # our own: it must stop neither the other channels nor the watching
            log.exception("channel.died", channel=self._channel.name, notification=message.id)
            self._failed(message, DeliveryError("a fault of the monitor itself"))
            return
        superseded = [
            row.notification.id
            for row in waiting
            if row.notification.about in told and row.notification.id != message.id
        ]
        # Settled after the send: a crash in between repeats a message, the other order would
        # lose one.
        self._outbox.delivered(self._channel.name, message.id, superseded, self._now())
        again = any(row.attempts and row.notification.id == message.id for row in waiting)
        if again or sum(row.attempts >= TRIES_IN_A_ROW for row in waiting) > 1:
            # What failed before is taken now, or several failed: it was the channel, not they.
            self._outbox.forgive(self._channel.name)
        self._pace.sent(batch, self._now())
        if self._failures:
            log.info("channel.restored", channel=self._channel.name)
        if self._refused or self.was_refused:
            self.was_refused = False
            self._on_taken(self._channel.name)
        self._failures, self._refused, self._rest_until = 0, False, None
        log.info("notification.delivered", channel=self._channel.name, notification=message.id)

    def _worded(self, batch: Sequence[Notification], waiting: Sequence[Waiting]) -> Notification:
        now = self._now()
        told = digest([as_of_now(m, now, self._standing(m), LATE_AFTER) for m in batch])
        unkept = {row.notification.id for row in waiting if not row.is_kept}
        told = as_unkept(told) if any(m.id in unkept for m in batch) else told
        return signed(told, self.instance) if self.instance else told

    def _failed(self, message: Notification, error: DeliveryError) -> None:
        because = str(error)
        self._failures += 1
        if self._failures == 1 or (error.permanent and not self._refused):
            log.warning(
                "notification.refused",
                channel=self._channel.name,
                notification=message.id,
                because=because,
                permanent=error.permanent,
            )
        asked = error.retry_after_seconds
        until = self._now() + timedelta(seconds=self._pause(error))
        # Only a wait that the receiver asked for outlives a restart.
        not_before = until if asked is not None else None
        self._outbox.failed(self._channel.name, message.id, because, not_before)
        self._rest_until = until
        if error.permanent and not self._refused:
            self._refused = True
            self._on_refused(self._channel.name, because)

    def _pause(self, error: DeliveryError) -> float:
        """How long to leave the channel alone after a failure."""
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        if error.permanent:
            return REFUSED_SECONDS
        doubled = FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 10)
        return self._jitter(min(doubled, LONGEST_WAIT_SECONDS))


def _turn(row: Waiting, message: Notification) -> tuple[int, int, int, datetime, str]:
    # A message that alone is refused, again and again, lets the others go first. Of equals the
    # same one goes first as in a digest, which is delivered under that one's id.
    return row.attempts // TRIES_IN_A_ROW, *gravity(message)
