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
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.delivery.channel import Channel

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
REFUSED_SECONDS = 3600.0

Row = tuple[int, "Notification"]


class Outbox(Protocol):
    """Where messages wait; every call is durable when it returns."""

    def waiting(self, channel: str) -> Sequence[Row]:
        """Rows of a channel that are not settled, oldest first, each with its number."""

    def settle(self, numbers: Iterable[int], state: str, at: datetime, because: str = "") -> None:
        """These rows are done with: delivered, superseded or expired."""

    def note_attempt(self, number: int, because: str) -> None:
        """A try that failed; the row waits on."""


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
            row = self._next()
            rest = self._rest()
            if row is not None and rest <= 0:
                await self._deliver(row)
                continue
            self.idle.set()
            await self._wait(rest if row is not None else None)

    def _rest(self) -> float:
        """Seconds to leave the channel alone still."""
        if self._rest_until is None:
            return 0.0
        return (self._rest_until - self._now()).total_seconds()

    async def _wait(self, seconds: float | None) -> None:
        """Until there is news, or for so long."""
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait((news,), timeout=seconds)
        finally:
            news.cancel()

    def _next(self) -> Row | None:
        """The most pressing row that is still of use; the others of its incident are settled."""
        waiting = self._outbox.waiting(self._channel.name)
        now = self._now()
        expired = [number for number, message in waiting if message.useful_until < now]
        newest = {message.incident_id: number for number, message in waiting}
        superseded = [
            number
            for number, message in waiting
            if newest[message.incident_id] != number and number not in expired
        ]
        if expired:
            self._outbox.settle(expired, "expired", now)
            log.error("notification.expired", channel=self._channel.name, count=len(expired))
        if superseded:
            self._outbox.settle(superseded, "superseded", now)
        settled = {*expired, *superseded}
        left = [row for row in waiting if row[0] not in settled]
        return min(left, key=lambda row: (-row[1].severity.rank, row[0]), default=None)

    async def _deliver(self, row: Row) -> None:
        number, message = row
        try:
            await self._channel.send(message)
        except DeliveryError as error:
            self._failed(number, message, error)
            return
        # Settled after the send: a crash in between repeats a message, the other order would
        # lose one.
        self._outbox.settle([number], "delivered", self._now())
        if self._failures:
            log.info("channel.restored", channel=self._channel.name)
        if self._refused:
            self._on_taken(self._channel.name)
        self._failures, self._refused, self._rest_until = 0, False, None
        log.info("notification.delivered", channel=self._channel.name, notification=message.id)

    def _failed(self, number: int, message: Notification, error: DeliveryError) -> None:
        because = str(error)
        self._outbox.note_attempt(number, because)
        self._failures += 1
        if self._failures == 1 or (error.permanent and not self._refused):
            log.warning(
                "notification.refused",
                channel=self._channel.name,
                notification=message.id,
                because=because,
                permanent=error.permanent,
            )
        if error.permanent and not self._refused:
            self._refused = True
            self._on_refused(self._channel.name, because)
        self._rest_until = self._now() + timedelta(seconds=self._pause(error))

    def _pause(self, error: DeliveryError) -> float:
        """How long to leave the channel alone after a failure."""
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        if error.permanent:
            return REFUSED_SECONDS
        doubled = FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 10)
        return self._jitter(min(doubled, LONGEST_WAIT_SECONDS))
