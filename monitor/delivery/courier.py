"""
From the outbox to the channels: one worker for each, so that none delays another.

A message is settled after the receiver took it: a crash in between repeats it, the other
order would lose it. The courier knows neither what a message means nor how it is stored.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.alerts.ladder import Severity
from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.delivery.channel import Channel

log = structlog.get_logger()

_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_DEAD_FOR_SECONDS = 3600.0
_JITTER = 0.25
_ATTEMPTS_PER_ROUND = 5


class Letter(Protocol):
    """
    One message for one channel. `attempts` counts the failed ones; before `not_before` the
    receiver wants to hear nothing.
    """

    @property
    def notification(self) -> Notification: ...
    @property
    def attempts(self) -> int: ...
    @property
    def not_before(self) -> datetime | None: ...


class Outbox(Protocol):
    """What the courier needs of the place where messages wait. Nothing here may fail."""

    def unsettled(self, channel: str) -> Sequence[Letter]:
        """The channel's messages still to be delivered, in the order in which they came."""

    def delivered(
        self, channel: str, notification_id: str, superseded: Sequence[str], at: datetime
    ) -> None:
        """The channel took this message, and with it these older ones of its incident."""

    def expired(self, channel: str, notification_ids: Sequence[str], at: datetime) -> None:
        """Nobody needs these any more."""

    def failed(
        self, channel: str, notification_id: str, because: str, not_before: datetime | None
    ) -> None:
        """An attempt failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A channel and the least severity that it is there for."""

    channel: Channel
    min_severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDied:
    """A channel refused for good; it is tried again once an hour."""

    channel: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRevived:
    """A channel that had refused for good takes messages again."""

    channel: str


class Courier:
    """
    Carries messages until they arrive.

    Args:
        now: The time, for expiry and for the receivers' own waits.
        jitter: A random fraction in [0, 1), so that many senders don't come back as one.
        on_change: Hears of channels that die and revive; it must not raise.
    """

    def __init__(
        self,
        outbox: Outbox,
        routes: Sequence[Route],
        *,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
        on_change: Callable[[ChannelDied | ChannelRevived], None] = lambda _: None,
    ) -> None:
        self._routes = tuple(routes)
        self._workers = {
            route.channel.name: _Worker(route.channel, outbox, now, jitter, on_change)
            for route in routes
        }

    def addressees(self, notification: Notification) -> tuple[str, ...]:
        """The channels that a message of this severity is for."""
        return tuple(
            route.channel.name
            for route in self._routes
            if notification.severity.rank >= route.min_severity.rank
        )

    def wake(self, *, urgent: bool = False) -> None:
        """Rows were recorded: look at once. What is urgent waits for no back-off of ours."""
        for worker in self._workers.values():
            worker.wake(urgent=urgent)

    def dead_channels(self) -> frozenset[str]:
        """The channels that refuse for good, as far as is known."""
        return frozenset(name for name, worker in self._workers.items() if worker.is_dead)

    async def run(self) -> None:
        """Deliver until cancelled, beginning with what an earlier process left."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers.values():
                tasks.create_task(worker.run(), name=f"courier {worker.name}")

    async def drain(self) -> None:
        """
        Until no worker has anything that it could send now.

        What a channel in trouble could not take stays in the outbox for the next start.
        """
        await asyncio.gather(*(worker.idle.wait() for worker in self._workers.values()))


class _Worker:
    """Carries the messages of one channel, one after the other."""

    def __init__(
        self,
        channel: Channel,
        outbox: Outbox,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
        on_change: Callable[[ChannelDied | ChannelRevived], None],
    ) -> None:
        self.name = channel.name
        self.is_dead = False
        self.idle = asyncio.Event()
        self._channel = channel
        self._outbox = outbox
        self._now = now
        self._jitter = jitter
        self._on_change = on_change
        self._failures = 0
        self._rests = False
        self._news = asyncio.Event()
        self._urgent_news = asyncio.Event()

    def wake(self, *, urgent: bool) -> None:
        if not self._rests:
            self.idle.clear()
        self._news.set()
        if urgent:
            self._urgent_news.set()

    async def run(self) -> None:
        await self._rest(self._receivers_wait())
        while True:
            self._news.clear()
            self._urgent_news.clear()
            letter = self._next()
            if letter is None:
                self.idle.set()
                await self._news.wait()
                continue
            self.idle.clear()
            await self._carry(letter.notification)

    def _next(self) -> Letter | None:
        """What goes first: the critical, then the oldest; of an incident only the newest."""
        self._drop_expired()
        letters = self._outbox.unsettled(self.name)
        newest = {
            letter.notification.incident_id or letter.notification.id: letter for letter in letters
        }
        return min(newest.values(), key=_turn, default=None)

    def _drop_expired(self) -> None:
        now = self._now()
        expired = [
            letter.notification.id
            for letter in self._outbox.unsettled(self.name)
            if letter.notification.useful_until < now
        ]
        if expired:
            log.error("notification.expired", channel=self.name, notifications=expired)
            self._outbox.expired(self.name, expired, now)

    async def _carry(self, notification: Notification) -> None:
        try:
            await self._channel.send(notification)
        except DeliveryError as error:
            await self._bear(notification, error)
        else:
            self._settle(notification)

    def _settle(self, notification: Notification) -> None:
        self._outbox.delivered(
            self.name, notification.id, self._superseded_by(notification), self._now()
        )
        if self._failures:
            log.info("channel.recovered", channel=self.name, failures=self._failures)
        self._failures = 0
        log.info("notification.delivered", channel=self.name, notification=notification.id)
        if self.is_dead:
            self.is_dead = False
            self._on_change(ChannelRevived(channel=self.name))

    def _superseded_by(self, notification: Notification) -> list[str]:
        if not notification.incident_id:
            return []
        # What came in while this one was under way is newer: it stays.
        ids = [
            letter.notification.id
            for letter in self._outbox.unsettled(self.name)
            if letter.notification.incident_id == notification.incident_id
        ]
        return ids[: ids.index(notification.id)] if notification.id in ids else []

    async def _bear(self, notification: Notification, error: DeliveryError) -> None:
        asked = error.retry_after_seconds
        not_before = None if asked is None else self._now() + timedelta(seconds=asked)
        self._outbox.failed(self.name, notification.id, str(error), not_before)
        self._failures += 1
        if self._failures == 1 or (error.permanent and not self.is_dead):
            log.warning("notification.refused", channel=self.name, because=str(error))
        if error.permanent and not self.is_dead:
            self.is_dead = True
            self._on_change(ChannelDied(channel=self.name, because=str(error)))
        if error.permanent or asked is not None:
            await self._rest(_DEAD_FOR_SECONDS if asked is None else asked)
        else:
            await self._back_off()

    async def _rest(self, seconds: float) -> None:
        """The receiver's own wait: kept to, whatever happens meanwhile."""
        if seconds <= 0:
            return
        self._rests = True
        self.idle.set()
        await asyncio.sleep(seconds)
        self._rests = False

    def _receivers_wait(self) -> float:
        asked = [
            (letter.not_before - self._now()).total_seconds()
            for letter in self._outbox.unsettled(self.name)
            if letter.not_before is not None
        ]
        return max(asked, default=0.0)

    async def _back_off(self) -> None:
        """Our own wait, doubled each time; cut short by a new critical message."""
        self.idle.set()
        wait = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(self._failures - 1, 10))
        try:
            async with asyncio.timeout(wait * (1 - _JITTER * self._jitter())):
                await self._urgent_news.wait()
        except TimeoutError:
            return


def _turn(letter: Letter) -> tuple[int, int, datetime]:
    # One that is refused again and again lets the others go first after some attempts.
    notification = letter.notification
    rounds = letter.attempts // _ATTEMPTS_PER_ROUND
    return rounds, -notification.severity.rank, notification.created_at
