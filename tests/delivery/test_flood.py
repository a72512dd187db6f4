"""A crash over many pools: the first is told at once, those that follow gathered, none lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.ladder import Severity
from monitor.delivery.courier import Courier
from monitor.delivery.pacing import (
    ACCOUNTS_AT_MOST,
    GATHER,
    GATHER_CRITICAL,
    POOLS_AT_MOST,
    SAME_INSTANT,
)
from monitor.errors import DeliveryError
from monitor.storage.store import open_store
from tests.alerting import NOON, a_notification, an_incident
from tests.fakes.channel import FakeChannel

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitor.alerts.message import Notification
    from monitor.storage.store import Store


class Phone(FakeChannel):
    """Keeps whole messages."""

    def __init__(self, *failures: DeliveryError) -> None:
        super().__init__("phone", *failures)
        self.messages: list[Notification] = []

    async def send(self, notification: Notification) -> None:
        await super().send(notification)
        self.messages.append(notification)


class Stage:
    """A courier on a clock moved by hand."""

    def __init__(self, folder: Path, *failures: DeliveryError) -> None:
        self.now = NOON
        self.store: Store = open_store(folder, NOON)
        self.phone = Phone(*failures)
        self.courier = Courier(
            channels=[self.phone],
            outbox=self.store,
            now=self._clock,
            standing=lambda message: f"{message.account} is fresh",
            jitter=lambda _: 0.0,
        )

    def _clock(self) -> datetime:
        return self.now

    async def __aenter__(self) -> Stage:  # noqa: PYI034 - a test's own
        self._task = asyncio.create_task(self.courier.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.store.close()

    def put(
        self, number: int, severity: Severity = Severity.WARNING, account: str = "main"
    ) -> None:
        message = a_notification(
            f"m{number:02}",
            f"i{number:02}",
            severity=severity,
            created_at=self.now,
            account=account,
            news=severity,
        )
        self.store.record(an_incident(f"i{number:02}"), message, ("phone",))
        self.courier.wake()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def later(self, wait: timedelta) -> None:
        self.now += wait
        self.courier.wake()
        await self.settle()

    def waiting(self) -> list[str]:
        return [row.notification.id for row in self.store.unsettled("phone")]


async def test_twelve_pools_at_once_are_one_message_that_names_them_all(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(12):
            stage.put(number, Severity.CRITICAL if number == 7 else Severity.WARNING)
        await stage.settle()
        assert stage.phone.messages == []
        await stage.later(SAME_INSTANT)
        (message,) = stage.phone.messages
        assert message.title == "12 messages in one. title of m07"
        named = [f"m{n:02}" in message.title + message.body for n in range(12)]
        assert all(named)
        assert stage.waiting() == []


async def test_the_first_of_a_minute_goes_at_once_and_the_rest_are_gathered(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(5):
            stage.put(number)
            await stage.later(timedelta(milliseconds=100))
        assert stage.phone.taken == ["m00"]
        await stage.later(GATHER)
        assert stage.phone.messages[-1].title == "4 messages in one. title of m01"
        assert len(stage.phone.messages) == 2
        assert stage.waiting() == []


async def test_each_that_is_critical_goes_at_once_up_to_a_flood(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(POOLS_AT_MOST + 4):
            stage.put(number, Severity.CRITICAL)
            await stage.later(timedelta(milliseconds=100))
        assert stage.phone.taken == [f"m{n:02}" for n in range(POOLS_AT_MOST)]
        await stage.later(GATHER_CRITICAL)
        assert stage.phone.messages[-1].title == f"4 messages in one. title of m{POOLS_AT_MOST:02}"
        assert len(stage.phone.messages) == POOLS_AT_MOST + 1
        assert stage.waiting() == []


async def test_the_sixth_account_within_a_minute_waits_for_others(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(ACCOUNTS_AT_MOST + 2):
            stage.put(number, Severity.CRITICAL, account=f"a{number}")
            await stage.later(timedelta(milliseconds=100))
        assert len(stage.phone.messages) == ACCOUNTS_AT_MOST
        await stage.later(GATHER_CRITICAL)
        assert stage.phone.messages[-1].title == "2 messages in one. title of m05"


@pytest.mark.parametrize(
    ("severity", "gather"), [(Severity.CRITICAL, GATHER_CRITICAL), (Severity.WARNING, GATHER)]
)
async def test_what_is_critical_is_gathered_for_a_moment_only(
    tmp_path: Path, severity: Severity, gather: timedelta
) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(POOLS_AT_MOST):
            stage.put(number, Severity.CRITICAL)
            await stage.later(timedelta(0))
        stage.put(20, severity)
        await stage.later(gather - timedelta(milliseconds=1))
        assert len(stage.phone.messages) == POOLS_AT_MOST
        await stage.later(timedelta(milliseconds=1))
        assert stage.phone.taken[-1] == "m20"


async def test_fifty_pools_within_a_minute_come_in_few_messages_and_lose_none(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(50):
            stage.put(number)
            await stage.later(timedelta(seconds=1))
        first_minute = len(stage.phone.messages)
        await stage.later(GATHER)
        assert first_minute <= 6  # one each ten seconds
        said = "\n".join(f"{m.title}\n{m.body}" for m in stage.phone.messages)
        assert [n for n in range(50) if f"title of m{n:02}" not in said] == []
        assert stage.waiting() == []


async def test_a_rung_that_waits_stands_for_the_lower_one_and_is_as_urgent(
    tmp_path: Path,
) -> None:
    """The milder rung that comes last must not hold back the word that the pool is critical."""
    async with Stage(tmp_path) as stage:
        stage.put(1)
        stage.put(2)
        await stage.settle()
        stage.put(3, Severity.CRITICAL)
        await stage.settle()
        for name, news in (("very near", Severity.CRITICAL), ("warning", Severity.WARNING)):
            message = a_notification(
                name, "i01", severity=Severity.CRITICAL, created_at=stage.now, news=news
            )
            stage.store.record(an_incident("i01"), message, ("phone",))
        stage.courier.wake()
        await stage.later(GATHER)
        assert stage.phone.taken[-1] == "warning"
        assert stage.waiting() == []


async def test_a_minute_of_calm_later_a_message_goes_at_once_again(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(12):
            stage.put(number)
        await stage.later(SAME_INSTANT)
        await stage.later(timedelta(seconds=61))
        stage.put(12)
        await stage.settle()
        assert stage.phone.taken[1:] == ["m12"]


async def test_a_refused_batch_waits_whole(tmp_path: Path) -> None:
    async with Stage(tmp_path, DeliveryError("HTTP 429", retry_after_seconds=30.0)) as stage:
        for number in range(12):
            stage.put(number)
        await stage.later(SAME_INSTANT)
        assert len(stage.waiting()) == 12
        await stage.later(timedelta(seconds=29))
        assert stage.phone.messages == []
        await stage.later(timedelta(seconds=1))
        (message,) = stage.phone.messages
        assert message.title.startswith("12 messages in one.")
        assert stage.waiting() == []


async def test_a_stop_does_not_wait_for_more(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for number in range(2):
            stage.put(number)
            await stage.later(timedelta(0))
        assert stage.phone.taken == ["m00"]
        async with asyncio.timeout(5):
            await stage.courier.drain()
        assert stage.phone.taken == ["m00", "m01"]
        assert stage.waiting() == []


async def test_a_message_that_comes_late_says_how_things_stand(tmp_path: Path) -> None:
    async with Stage(tmp_path, DeliveryError("down", retry_after_seconds=600.0)) as stage:
        stage.put(1)
        await stage.settle()
        await stage.later(timedelta(seconds=600))
        (message,) = stage.phone.messages
        assert message.body.startswith("LATE: written 10 min ago")
        assert "Now: main is fresh." in message.body
