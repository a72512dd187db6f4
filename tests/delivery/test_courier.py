"""From the outbox to channels: nothing lost, nothing twice, nobody waits for another."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from monitor.alerts.ladder import Severity
from monitor.delivery import courier as courier_module
from monitor.delivery.courier import Courier
from monitor.delivery.digest import UNKEPT
from monitor.errors import DeliveryError
from monitor.storage.store import Store, open_store
from tests.alerting import NOON, a_notification, an_incident, at
from tests.fakes.channel import FakeChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.alerts.message import Notification


class Hands:
    """A clock moved by hand, or along with the loop where `runs`."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@asynccontextmanager
async def delivering(
    store: Store, clock: Hands, *channels: FakeChannel, **told: object
) -> AsyncIterator[Courier]:
    courier = Courier(
        channels=channels,
        outbox=store,
        now=clock,
        jitter=lambda _: 0.01,
        **told,  # type: ignore[arg-type]  # callbacks of the test
    )
    task = asyncio.create_task(courier.run())
    try:
        yield courier
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def put(store: Store, name: str, incident: str = "i1", *channels: str, **changes: object) -> None:
    notification = a_notification(name, incident, **changes)
    store.record(an_incident(incident), notification, channels or ("phone",))


async def test_a_recorded_message_is_delivered_at_once_and_settled(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    async with delivering(store, clock, phone) as courier:
        await asyncio.sleep(0)
        put(store, "m1")
        courier.wake()
        await phone.until_taken(1)
        await courier.drain()
        assert store.unsettled("phone") == ()
    store.close()


async def test_what_a_crash_left_is_delivered_after_the_start(tmp_path: Path, clock: Hands) -> None:
    store = open_store(tmp_path, NOON)
    put(store, "m1")
    store.close()
    again, phone = open_store(tmp_path, NOON), FakeChannel()
    async with delivering(again, clock, phone):
        await phone.until_taken(1)
    assert phone.taken == ["m1"]
    again.close()


async def test_what_a_crash_left_goes_as_one_for_it_may_have_gone_as_one_f71(
    tmp_path: Path, clock: Hands
) -> None:
    store = open_store(tmp_path, NOON)
    for name in ("a", "b", "c"):
        put(store, f"{name}-1", name)
    store.close()
    again, phone = open_store(tmp_path, NOON), FakeChannel()
    async with delivering(again, clock, phone) as courier:
        await phone.until_taken(1)
        put(again, "d-1", "d")
        courier.wake()
        await phone.until_taken(2)
    assert phone.taken == ["a-1", "d-1"]
    assert again.unsettled("phone") == ()
    again.close()


async def test_a_digest_is_settled_under_the_id_that_it_carries(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    for name in ("z", "y", "x", "w", "v", "u"):
        put(store, f"{name}-1", name, account=name)
    clock.now += timedelta(seconds=1)
    async with delivering(store, clock, phone) as courier:
        await phone.until_taken(1)
        await courier.drain()
    assert phone.taken == ["u-1"]
    with store._writer.database.reading() as connection:
        row = connection.execute("SELECT notification_id FROM outbox WHERE outcome = 'delivered'")
        assert [found[0] for found in row] == ["u-1"]
    store.close()


class Reading(FakeChannel):
    """Remembers what it was to say."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[str] = []

    async def send(self, notification: Notification) -> None:
        self.bodies.append(notification.body)
        await super().send(notification)


async def test_each_of_two_monitors_signs_its_messages_f83(tmp_path: Path, clock: Hands) -> None:
    store, phone = open_store(tmp_path, NOON), Reading()
    put(store, "m1")
    async with delivering(store, clock, phone, instance="home"):
        await phone.until_taken(1)
    assert phone.bodies == ["body of m1\n\nFrom the monitor 'home'."]
    store.close()


async def test_a_message_that_is_on_no_disk_says_so_f58(tmp_path: Path, clock: Hands) -> None:
    (tmp_path / "state").touch()
    store, phone = open_store(tmp_path / "state", NOON), Reading()
    async with delivering(store, clock, phone) as courier:
        put(store, "m1")
        courier.wake()
        await phone.until_taken(1)
        (tmp_path / "state").unlink()
        store.mend(NOON)
        put(store, "m2", "i2")
        courier.wake()
        await phone.until_taken(2)
    assert UNKEPT in phone.bodies[0]
    assert UNKEPT not in phone.bodies[1]
    store.close()


async def test_a_channel_that_refused_before_the_start_is_news_when_it_takes_again(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone, back = open_store(tmp_path, NOON), FakeChannel(), []
    put(store, "m1")
    async with delivering(store, clock, phone, refused=["phone"], on_taken=back.append):
        await phone.until_taken(1)
    assert back == ["phone"]
    store.close()


async def test_of_one_incident_only_the_newest_goes_and_stands_for_the_others(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    put(store, "opened", created_at=at(0))
    put(store, "escalated", created_at=at(1), severity=Severity.CRITICAL)
    put(store, "other", "i2", created_at=at(2))
    async with delivering(store, clock, phone) as courier:
        await phone.until_taken(2)
        await courier.drain()
    assert phone.taken == ["escalated", "other"]
    assert store.unsettled("phone") == ()
    store.close()


async def test_the_gravest_goes_first_then_the_oldest(tmp_path: Path, clock: Hands) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    put(store, "info", "a", severity=Severity.INFO, created_at=at(0))
    put(store, "late critical", "b", severity=Severity.CRITICAL, created_at=at(2))
    put(store, "early critical", "c", severity=Severity.CRITICAL, created_at=at(1))
    async with delivering(store, clock, phone):
        await phone.until_taken(3)
    assert phone.taken == ["early critical", "late critical", "info"]
    store.close()


async def test_a_failure_is_tried_again_until_it_is_taken(tmp_path: Path, clock: Hands) -> None:
    store = open_store(tmp_path, NOON)
    phone = FakeChannel("phone", DeliveryError("down"), DeliveryError("down"))
    put(store, "m1")
    async with delivering(store, clock, phone):
        await phone.until_tried(1)
        for tries in (2, 3):
            clock.now += timedelta(seconds=1)
            await phone.until_tried(tries)
        await phone.until_taken(1)
    assert phone.taken == ["m1"]
    store.close()


async def test_a_message_that_comes_while_another_is_sent_is_not_lost_in_its_settling(
    tmp_path: Path, clock: Hands
) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    phone.hold = asyncio.Event()
    put(store, "opened", created_at=at(0))
    async with delivering(store, clock, phone) as courier:
        await asyncio.sleep(0.05)
        assert phone.tries == 1
        put(store, "escalated", created_at=at(1), severity=Severity.CRITICAL)
        courier.wake()
        phone.hold.set()
        await phone.until_taken(2)
    assert phone.taken == ["opened", "escalated"]
    store.close()


async def test_the_receivers_own_wait_is_kept_even_over_a_restart(
    tmp_path: Path, clock: Hands
) -> None:
    store = open_store(tmp_path, NOON)
    phone = FakeChannel("phone", DeliveryError("slow down", retry_after_seconds=30))
    put(store, "m1")
    async with delivering(store, clock, phone):
        await phone.until_tried(1)
        await asyncio.sleep(0)
    store.close()
    again, patient = open_store(tmp_path, NOON), FakeChannel()
    clock.now += timedelta(seconds=29)
    async with delivering(again, clock, patient) as courier:
        await courier.drain()
        assert patient.tries == 0
        clock.now += timedelta(seconds=2)
        courier.wake()
        await patient.until_taken(1)
    again.close()


async def test_a_channel_that_refuses_for_good_is_told_once_and_tried_again_in_an_hour(
    tmp_path: Path, clock: Hands
) -> None:
    store = open_store(tmp_path, NOON)
    gone = DeliveryError("the receiver answered with HTTP 404", permanent=True)
    phone, refused, back = FakeChannel("phone", gone, gone), [], []
    put(store, "m1", useful_until=at(86400))
    told = {
        "on_refused": lambda channel, because: refused.append((channel, because)),
        "on_taken": back.append,
    }
    async with delivering(store, clock, phone, **told) as courier:
        await phone.until_tried(1)
        await courier.drain()
        clock.now += timedelta(minutes=59)
        courier.wake()
        await courier.drain()
        assert phone.tries == 1
        clock.now += timedelta(minutes=1)
        courier.wake()
        await phone.until_tried(2)
        await courier.drain()
        clock.now += timedelta(minutes=59)
        courier.wake()
        await courier.drain()
        assert phone.taken == []
        assert phone.tries == 2
        clock.now += timedelta(minutes=1)
        courier.wake()
        await phone.until_taken(1)
    assert refused == [("phone", "the receiver answered with HTTP 404")]
    assert back == ["phone"]
    store.close()


async def test_a_channel_that_hangs_delays_no_other(tmp_path: Path, clock: Hands) -> None:
    store, phone, mail = open_store(tmp_path, NOON), FakeChannel("phone"), FakeChannel("mail")
    phone.hold = asyncio.Event()
    put(store, "m1", "i1", "phone", "mail")
    async with delivering(store, clock, phone, mail):
        await mail.until_taken(1)
        assert phone.taken == []
    store.close()


async def test_what_nobody_needs_any_more_is_settled_unsent(tmp_path: Path, clock: Hands) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    store.record(None, a_notification("old", useful_until=at(-1)), ("phone",))
    put(store, "new", "i2")
    async with delivering(store, clock, phone) as courier:
        await phone.until_taken(1)
        await courier.drain()
    assert phone.taken == ["new"]
    assert store.unsettled("phone") == ()
    store.close()


async def test_waits_grow_to_a_minute(tmp_path: Path, clock: Hands) -> None:
    asked: list[float] = []
    store = open_store(tmp_path, NOON)
    phone = FakeChannel("phone", *(DeliveryError("down") for _ in range(8)))
    put(store, "m1")

    def jitter(seconds: float) -> float:
        asked.append(seconds)
        return seconds

    courier = Courier(channels=[phone], outbox=store, now=clock, jitter=jitter)
    task = asyncio.create_task(courier.run())
    for tries in range(1, 9):
        await phone.until_tried(tries)
        clock.now += timedelta(seconds=courier_module.LONGEST_WAIT_SECONDS)
        courier.wake()
    await phone.until_taken(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asked == [1, 2, 4, 8, 16, 32, 60, 60]
    store.close()


async def test_messages_of_no_incident_stand_for_no_other(tmp_path: Path, clock: Hands) -> None:
    store, phone = open_store(tmp_path, NOON), FakeChannel()
    for number, name in enumerate(("a drill", "a dead channel")):
        notification = a_notification(name, "", created_at=at(number))
        store.record(None, notification, ("phone",))
    async with delivering(store, clock, phone) as courier:
        await phone.until_taken(2)
        await courier.drain()
    assert phone.taken == ["a drill", "a dead channel"]
    store.close()


async def test_a_message_that_alone_is_refused_lets_the_others_through(
    tmp_path: Path,
) -> None:
    class Picky(FakeChannel):
        refused: ClassVar[list[str]] = []

        async def send(self, notification: Notification) -> None:
            if notification.id == "poison":
                self.refused.append(notification.id)
                self.failures = [DeliveryError("HTTP 400")]
            await super().send(notification)

    store, phone = open_store(tmp_path, NOON), Picky()
    put(store, "poison", "a", severity=Severity.CRITICAL)
    put(store, "fine", "b")
    loop = asyncio.get_running_loop()
    courier = Courier(
        channels=[phone],
        outbox=store,
        now=lambda: at(loop.time() - start),
        jitter=lambda _: 0.001,
    )
    start = loop.time()
    task = asyncio.create_task(courier.run())
    await phone.until_taken(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert phone.taken == ["fine"]
    assert phone.refused[:5] == ["poison"] * 5
    assert [row.notification.id for row in store.unsettled("phone")] == ["poison"]
    store.close()
