"""From the outbox to the channels, in virtual time: nothing lost, nothing delayed by others."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.ladder import Severity
from monitor.delivery.courier import ChannelDied, ChannelRevived, Courier, Route
from monitor.errors import DeliveryError
from monitor.storage import open_store
from tests.alerting import NOON, a_notification, at
from tests.fakes.channel import FakeChannel
from tests.virtual_time import now, run, seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from monitor.alerts.message import Notification
    from monitor.storage import Store

BUSY = DeliveryError("HTTP 500")
GONE = DeliveryError("HTTP 404", permanent=True)


def asked_to_wait(wait: float) -> DeliveryError:
    return DeliveryError("HTTP 429", retry_after_seconds=wait)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, NOON)
    yield opened
    opened.close()


class Post:
    """A courier at work on a store, and what it told of its channels."""

    def __init__(self, store: Store, *routes: Route, jitter: float = 0.0) -> None:
        self.changes: list[tuple[float, ChannelDied | ChannelRevived]] = []
        self.store = store
        self.courier = Courier(
            store,
            routes,
            now=now,
            jitter=lambda: jitter,
            on_change=lambda change: self.changes.append((seconds(), change)),
        )

    def record(self, *notifications: Notification) -> None:
        for notification in notifications:
            self.store.record(None, notification, self.courier.addressees(notification))
            self.courier.wake(urgent=notification.severity is Severity.CRITICAL)


@asynccontextmanager
async def at_work(
    store: Store, *channels: FakeChannel | Route, jitter: float = 0.0
) -> AsyncIterator[Post]:
    routes = [c if isinstance(c, Route) else Route(channel=c) for c in channels]
    post = Post(store, *routes, jitter=jitter)
    task = asyncio.create_task(post.courier.run())
    yield post
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_recorded_message_goes_out_at_once(store: Store) -> None:
    phone = FakeChannel()

    async def story() -> None:
        async with at_work(store, phone) as post:
            await asyncio.sleep(5)
            post.record(a_notification())
            await asyncio.sleep(0.001)

    run(story())

    assert phone.taken == [(5, "i1-1")]
    assert store.backlog() == {}
    assert store.was_told("i1")


def test_it_is_settled_only_after_the_channel_took_it(store: Store) -> None:
    phone = FakeChannel(answers=deque([3.0]))

    async def story() -> list[int]:
        async with at_work(store, phone) as post:
            post.record(a_notification())
            await asyncio.sleep(2.9)
            before = store.backlog()["phone"]
            await asyncio.sleep(0.2)
            return [before, store.backlog()["phone"]]

    assert run(story()) == [1, 0]


def test_what_a_crash_left_is_picked_up(store: Store, tmp_path: Path) -> None:
    store.record(None, a_notification(), ["phone"])
    store.close()
    again = open_store(tmp_path, at(1))
    phone = FakeChannel()

    async def story() -> None:
        async with at_work(again, phone):
            await asyncio.sleep(1)

    run(story())
    again.close()

    assert phone.taken_ids() == ["i1-1"]


def test_critical_messages_go_first_then_by_time(store: Store) -> None:
    phone = FakeChannel()
    for name, severity, created in (
        ("late", Severity.WARNING, 3),
        ("info", Severity.INFO, 0),
        ("early", Severity.WARNING, 1),
        ("grave", Severity.CRITICAL, 4),
    ):
        message = a_notification(name, name, severity=severity, created_at=at(created))
        store.record(None, message, ["phone"])

    async def story() -> None:
        async with at_work(store, phone):
            await asyncio.sleep(1)

    run(story())

    assert phone.taken_ids() == ["grave", "early", "late", "info"]


def test_of_one_incident_only_the_newest_is_sent_and_stands_for_the_others(store: Store) -> None:
    phone = FakeChannel()
    for name, incident in (("i1-1", "i1"), ("i2-1", "i2"), ("i1-2", "i1"), ("i1-3", "i1")):
        store.record(None, a_notification(name, incident), ["phone"])

    async def story() -> None:
        async with at_work(store, phone):
            await asyncio.sleep(1)

    run(story())

    assert sorted(phone.taken_ids()) == ["i1-3", "i2-1"]
    assert store.backlog() == {}


def test_older_ones_wait_on_until_their_successor_arrived(store: Store) -> None:
    # Were they settled before, a crash in the failing send would leave one message, not two.
    phone = FakeChannel(always=BUSY)
    for name in ("i1-1", "i1-2"):
        store.record(None, a_notification(name), ["phone"])

    async def story() -> None:
        async with at_work(store, phone):
            await asyncio.sleep(1)

    run(story())

    assert store.backlog() == {"phone": 2}
    assert {name for _, name in phone.attempts} == {"i1-2"}


def test_what_comes_while_an_older_one_is_under_way_is_sent_too(store: Store) -> None:
    phone = FakeChannel(answers=deque([2.0]))

    async def story() -> None:
        async with at_work(store, phone) as post:
            post.record(a_notification("i1-1"))
            await asyncio.sleep(1)
            post.record(a_notification("i1-2"))
            await asyncio.sleep(3)

    run(story())

    assert phone.taken == [(2, "i1-1"), (2, "i1-2")]


def test_messages_of_no_incident_supersede_nothing(store: Store) -> None:
    phone = FakeChannel()
    for name in ("a", "b"):
        store.record(None, a_notification(name, ""), ["phone"])

    async def story() -> None:
        async with at_work(store, phone):
            await asyncio.sleep(1)

    run(story())

    assert phone.taken_ids() == ["a", "b"]


@pytest.mark.parametrize(
    ("jitter", "waits"),
    [(0.0, [1, 2, 4, 8, 16, 32, 60, 60]), (1.0, [0.75, 1.5, 3, 6, 12, 24, 45, 45])],
)
def test_a_channel_in_trouble_is_tried_ever_slower(
    store: Store, jitter: float, waits: list[float]
) -> None:
    phone = FakeChannel(answers=deque([BUSY] * 8))

    async def story() -> None:
        async with at_work(store, phone, jitter=jitter) as post:
            post.record(a_notification())
            await asyncio.sleep(300)

    run(story())

    times = [time for time, _ in phone.attempts]
    assert [b - a for a, b in pairwise(times)] == pytest.approx(waits)
    assert phone.taken_ids() == ["i1-1"]


def test_after_a_success_waits_are_short_again(store: Store) -> None:
    phone = FakeChannel(answers=deque([BUSY, BUSY, None, BUSY]))

    async def story() -> None:
        async with at_work(store, phone) as post:
            post.record(a_notification("i1-1"))
            await asyncio.sleep(10)
            post.record(a_notification("i2-1", "i2"))
            await asyncio.sleep(10)

    run(story())

    assert [time for time, _ in phone.attempts] == [0, 1, 3, 10, 11]


def test_a_new_critical_message_cuts_our_own_wait_short_a_lesser_one_does_not(
    store: Store,
) -> None:
    phone = FakeChannel(answers=deque([BUSY] * 5))

    async def story() -> None:
        async with at_work(store, phone) as post:
            post.record(a_notification("i1-1"))
            await asyncio.sleep(16)  # tried at 0, 1, 3, 7, 15; next at 31
            post.record(a_notification("i2-1", "i2"))
            await asyncio.sleep(1)
            assert len(phone.attempts) == 5
            post.record(a_notification("i3-1", "i3", severity=Severity.CRITICAL))
            await asyncio.sleep(1)

    run(story())

    assert phone.taken == [(17, "i3-1"), (17, "i2-1"), (17, "i1-1")]


def test_a_receivers_own_wait_is_kept_to_whatever_comes(store: Store) -> None:
    phone = FakeChannel(answers=deque([asked_to_wait(40)]))

    async def story() -> None:
        async with at_work(store, phone) as post:
            post.record(a_notification("i1-1"))
            await asyncio.sleep(5)
            post.record(a_notification("i2-1", "i2", severity=Severity.CRITICAL))
            await asyncio.sleep(60)

    run(story())

    assert phone.taken == [(40, "i2-1"), (40, "i1-1")]


def test_a_receivers_wait_outlives_a_restart(store: Store, tmp_path: Path) -> None:
    store.record(None, a_notification(), ["phone"])
    store.failed("phone", "i1-1", "HTTP 429", at(40))
    store.close()
    again = open_store(tmp_path, at(1))
    phone = FakeChannel()

    async def story() -> None:
        async with at_work(again, phone):
            await asyncio.sleep(60)

    run(story())
    again.close()

    assert phone.taken == [(40, "i1-1")]


def test_a_channel_that_refuses_for_good_is_told_once_and_tried_hourly(store: Store) -> None:
    phone = FakeChannel(answers=deque([GONE, GONE]))

    async def story() -> list[tuple[float, ChannelDied | ChannelRevived]]:
        async with at_work(store, phone) as post:
            post.record(a_notification())
            await asyncio.sleep(1)
            assert post.courier.dead_channels() == {"phone"}
            post.record(a_notification("i2-1", "i2", severity=Severity.CRITICAL))
            await asyncio.sleep(7300)
            assert post.courier.dead_channels() == frozenset()
            return post.changes

    store.record(None, a_notification("long", "i9", useful_until=at(9000)), ["phone"])
    changes = run(story())

    assert [time for time, _ in phone.attempts] == [0, 3600, 7200]
    assert changes == [
        (0, ChannelDied(channel="phone", because="HTTP 404")),
        (7200, ChannelRevived(channel="phone")),
    ]


def test_one_channel_delays_no_other(store: Store) -> None:
    hanging = FakeChannel("hanging", always=None, answers=deque([1000.0]))
    dead = FakeChannel("dead", always=GONE)
    phone = FakeChannel()

    async def story() -> None:
        async with at_work(store, hanging, dead, phone) as post:
            for name in ("i1-1", "i2-1"):
                post.record(a_notification(name, name))
                await asyncio.sleep(1)

    run(story())

    assert phone.taken == [(0, "i1-1"), (1, "i2-1")]


def test_what_nobody_needs_any_more_is_not_sent(store: Store) -> None:
    phone = FakeChannel(answers=deque([BUSY, BUSY, BUSY]))

    async def story() -> None:
        async with at_work(store, phone) as post:
            post.record(a_notification(useful_until=at(5)))
            await asyncio.sleep(30)

    run(story())

    assert [time for time, _ in phone.attempts] == [0, 1, 3]
    assert store.backlog() == {}
    assert not store.was_told("i1")


def test_a_message_that_alone_is_refused_lets_the_others_through(store: Store) -> None:
    class Picky(FakeChannel):
        async def send(self, notification: Notification) -> None:
            self.always = BUSY if notification.id == "poison" else None
            await super().send(notification)

    phone = Picky()
    store.record(None, a_notification("poison", "", severity=Severity.CRITICAL), ["phone"])
    store.record(None, a_notification("fine", ""), ["phone"])

    async def story() -> None:
        async with at_work(store, phone):
            await asyncio.sleep(60)

    run(story())

    assert phone.taken == [(31, "fine")]  # after five attempts: 1 + 2 + 4 + 8 + 16 s
    assert store.backlog() == {"phone": 1}


def test_a_channel_gets_what_is_severe_enough_for_it(store: Store) -> None:
    all_of_it, grave = FakeChannel("all"), FakeChannel("grave")

    async def story() -> None:
        routes = (
            Route(channel=all_of_it, min_severity=Severity.WARNING),
            Route(channel=grave, min_severity=Severity.CRITICAL),
        )
        async with at_work(store, *routes) as post:
            for severity in Severity:
                post.record(a_notification(severity.value, severity.value, severity=severity))
            await asyncio.sleep(1)

    run(story())

    assert sorted(all_of_it.taken_ids()) == ["critical", "warning"]
    assert grave.taken_ids() == ["critical"]


def test_an_orderly_stop_waits_for_what_can_still_go_out_but_not_for_a_dead_channel(
    store: Store,
) -> None:
    slow, dead = FakeChannel("slow", answers=deque([4.0])), FakeChannel("dead", always=GONE)

    async def story() -> float:
        async with at_work(store, slow, dead) as post:
            post.record(a_notification())
            await asyncio.sleep(1)
            post.record(a_notification("i2-1", "i2"))
            await post.courier.drain()
            return seconds()

    assert run(story()) == 4
    assert store.backlog() == {"dead": 2}


def test_a_message_that_was_just_recorded_is_waited_for_by_an_orderly_stop(store: Store) -> None:
    phone = FakeChannel()

    async def story() -> None:
        async with at_work(store, phone) as post:
            await asyncio.sleep(1)
            post.record(a_notification())
            await post.courier.drain()

    run(story())

    assert phone.taken_ids() == ["i1-1"]
