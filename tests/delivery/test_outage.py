"""A channel that is away for long: what waits stays of use, and comes in a few messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import DeliveryError
from monitor.storage.store import open_store
from tests.alerting import NOON, an_incident, at
from tests.delivery.test_courier import Hands, delivering, put
from tests.fakes.channel import FakeChannel

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.alerts.message import Notification


@pytest.fixture
def clock() -> Hands:
    return Hands()


async def test_of_an_open_incident_the_newest_message_is_of_use_for_as_long_as_it_is_open_f61(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    put(store, "opened", useful_until=at(-2))
    put(store, "escalated", useful_until=at(-1))
    put(store, "over", "i2", useful_until=at(-1))
    store.record(an_incident("i2", resolved_at=NOON), None)
    async with delivering(store, clock, phone) as courier:
        await phone.until_taken(1)
        await courier.drain()
    assert phone.taken == ["escalated"]
    assert store.unsettled("phone") == ()
    with store._writer.database.reading() as connection:
        rows = connection.execute("SELECT outcome FROM outbox ORDER BY id").fetchall()
    assert [row[0] for row in rows] == ["expired", "delivered", "expired"]
    store.close()


class Outage(FakeChannel):
    """Takes nothing for so many tries."""

    def __init__(self, tries: int) -> None:
        super().__init__("phone", *(DeliveryError("down") for _ in range(tries)))
        self.titles: list[str] = []

    async def send(self, notification: Notification) -> None:
        await super().send(notification)
        self.titles.append(notification.title)


@pytest.mark.parametrize(
    ("tries", "messages"), [(4, 1), (5, 3), (9, 2), (40, 2), (61, 2), (150, 2)]
)
async def test_after_an_outage_however_long_twelve_come_in_a_few_messages(
    tmp_path: Path, clock: Hands, tries: int, messages: int
) -> None:
    """After five tries the first may be to blame itself: it waits until others were taken."""
    store, phone = open_store(tmp_path, NOON), Outage(tries)
    for number in range(12):
        put(store, f"m{number:02}", f"i{number}", account=f"a{number}", created_at=at(number))
    clock.now = at(12)
    async with delivering(store, clock, phone) as courier:
        for tried in range(1, tries + 1):
            await phone.until_tried(tried)
            clock.now += timedelta(seconds=60)
            courier.wake()
        await phone.until_taken(1)
        async with asyncio.timeout(5):
            while store.unsettled("phone"):
                clock.now += timedelta(seconds=10)
                courier.wake()
                await asyncio.sleep(0)
    assert len(phone.taken) == messages
    store.close()


async def test_a_message_that_alone_is_refused_is_not_forgiven_by_those_that_pass(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path, NOON)
    for name, tries in (("poison", 5), ("fine", 0), ("failed before", 1)):
        put(store, name, name)
        for _ in range(tries):
            store.failed("phone", name, "HTTP 400", None)
    assert [row.attempts for row in store.unsettled("phone")] == [5, 0, 1]
    store.forgive("phone")
    assert [row.attempts for row in store.unsettled("phone")] == [0, 0, 0]
    store.close()
    again = open_store(tmp_path, NOON)
    assert [row.attempts for row in again.unsettled("phone")] == [0, 0, 0]
    again.close()


@pytest.mark.parametrize(("until", "again_at"), [(365 * 86400, 0), (40, -1800)])
async def test_a_wait_by_a_clock_that_was_wrong_is_none_after_a_restart_f56(
    tmp_path: Path, clock: Hands, until: float, again_at: float
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    put(store, "m1")
    store.failed("phone", "m1", "slow down", at(until))
    store.close()
    again = open_store(tmp_path, at(again_at))
    clock.now = at(again_at)
    async with delivering(again, clock, phone):
        await phone.until_taken(1)
    again.close()


async def test_a_fault_of_ours_stops_neither_other_messages_nor_other_channels_f78(
    tmp_path: Path, clock: Hands
) -> None:
    class Odd(FakeChannel):
        async def send(self, notification: Notification) -> None:
            if notification.id == "odd":
                self.tries += 1
                self.news.set()
                raise LookupError("a fault")
            await super().send(notification)

    store, phone, mail = open_store(tmp_path, NOON), Odd("phone"), FakeChannel("mail")
    put(store, "odd", "i1", "phone", "mail")
    put(store, "fine", "i2", "phone", "mail", created_at=at(1))
    async with delivering(store, clock, phone, mail) as courier:
        await mail.until_taken(2)
        for tried in range(1, 6):
            await phone.until_tried(tried)
            clock.now += timedelta(seconds=60)
            courier.wake()
        await phone.until_taken(1)
    assert phone.taken == ["fine"]
    assert [row.notification.id for row in store.unsettled("phone")] == ["odd"]
    store.close()
