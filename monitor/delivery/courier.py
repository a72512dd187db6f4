"""
From the outbox to the channels: one worker for each, so that none delays another.

A worker takes the most pressing waiting row, sends it, and settles it after the channel took
it. Of one incident only the newest message is sent: those before it are superseded, their
news is in it. What can't be delivered is tried again, ever slower, for as long as it is of use.
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.delivery.channel import Channel

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
REFUSED_SECONDS = 3600.0
TRIES_IN_A_ROW = 5


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


def jittered(seconds: float) -> float:
    """Between half of it and all of it, so that channels do not try in step."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Courier:
    """
    Delivers what waits, for ever.

    `on_refused(channel, because)` is told once when a channel refuses for good, so that the
    owner hears of it elsewhere; `on_taken(channel)` when it takes messages again.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        *,
        channels: Sequence[Channel],
        outbox: Outbox,
        now: Callable[[], datetime],
        on_refused: Callable[[str, str], None] = lambda _channel, _because: None,
        on_taken: Callable[[str], None] = lambda _channel: None,
        jitter: Callable[[float], float] = jittered,
    ) -> None:
        self._workers = [
            _Worker(channel, outbox, now, on_refused, on_taken, jitter) for channel in channels
        ]

    def wake(self) -> None:
        """Rows were added: look at once."""
        for worker in self._workers:
            worker.wake()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run())

    async def drain(self) -> None:
        """Until no worker has anything that it could send now."""
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
        jitter: Callable[[float], float],
    ) -> None:
        self.idle = asyncio.Event()
        self._channel = channel
        self._outbox = outbox
        self._now = now
        self._on_refused = on_refused
        self._on_taken = on_taken
        self._jitter = jitter
        self._news = asyncio.Event()
        self._failures = 0
        self._refused = False
        self._rest_until: datetime | None = None

    def wake(self) -> None:
        self.idle.clear()
        self._news.set()

    async def run(self) -> None:
        while True:
            self._news.clear()
            waiting = self._of_use()
            message = self._most_pressing(waiting)
            rest = self._rest(waiting)
            if message is not None and rest <= 0:
                self.idle.clear()
                await self._deliver(message, waiting)
                continue
            self.idle.set()
            await self._wait(rest if message is not None else None)

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
        late = [row.notification.id for row in waiting if row.notification.useful_until < now]
        if not late:
            return waiting
        self._outbox.expired(self._channel.name, late, now)
        log.error("notification.expired", channel=self._channel.name, notifications=late)
        return self._outbox.unsettled(self._channel.name)

    def _most_pressing(self, waiting: Sequence[Waiting]) -> Notification | None:
        """Of each incident its newest message; of those the gravest, then the oldest."""
        newest = {_about(row.notification): row for row in waiting}
        first = min(newest.values(), key=_turn, default=None)
        return None if first is None else first.notification

    async def _deliver(self, message: Notification, waiting: Sequence[Waiting]) -> None:
        try:
            await self._channel.send(message)
        except DeliveryError as error:
            self._failed(message, error)
            return
        superseded = [
            row.notification.id
            for row in waiting
            if _about(row.notification) == _about(message) and row.notification.id != message.id
        ]
        # Settled after the send: a crash in between repeats a message, the other order would
        # lose one.
        self._outbox.delivered(self._channel.name, message.id, superseded, self._now())
        if self._failures:
            log.info("channel.restored", channel=self._channel.name)
        if self._refused:
            self._on_taken(self._channel.name)
        self._failures, self._refused, self._rest_until = 0, False, None
        log.info("notification.delivered", channel=self._channel.name, notification=message.id)

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


def _about(message: Notification) -> str:
    """What a message is news of: its incident, or, where it belongs to none, only itself."""
    return message.incident_id or message.id


def _turn(row: Waiting) -> tuple[int, int, datetime]:
    # A message that alone is refused, again and again, lets the others go first.
    message = row.notification
    return row.attempts // TRIES_IN_A_ROW, -message.severity.rank, message.created_at
