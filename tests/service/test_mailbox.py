"""What is kept of many events, and what is not."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from monitor.engine.events import FeedLost, MarksMoved, SnapshotTaken, Source, TimePassed
from monitor.risk.model import Mark
from monitor.service.mailbox import Mailbox
from tests.engine.scene import snapshot, the_pool

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def moved(second: int, source: Source = Source.LIVE, **prices: str) -> MarksMoved:
    at = START + timedelta(seconds=second)
    marks = {symbol: Mark(price=Decimal(price), at=at) for symbol, price in prices.items()}
    return MarksMoved(marks=marks, at=at, source=source)


def prices(event: object, symbol: str) -> list[str]:
    assert isinstance(event, MarksMoved)
    return sorted(str(mark.price) for mark in event.worst.get(symbol, ()))


async def test_waiting_marks_become_one_event_with_newest_lowest_and_highest() -> None:
    box = Mailbox()
    for second, price in enumerate(("100", "95", "112", "101")):
        box.put(moved(second, BTC=price))
    (event,) = await box.take()
    assert isinstance(event, MarksMoved)
    assert event.marks["BTC"].price == Decimal(101)
    assert event.marks["BTC"].at == START + timedelta(seconds=3)
    assert prices(event, "BTC") == ["112", "95"]


async def test_a_spike_that_is_the_newest_is_not_repeated() -> None:
    box = Mailbox()
    box.put(moved(0, BTC="100"))
    box.put(moved(1, BTC="90", ETH="5"))
    (event,) = await box.take()
    assert prices(event, "BTC") == ["100"]
    assert prices(event, "ETH") == []


async def test_other_events_keep_their_place_between_marks() -> None:
    box = Mailbox()
    box.put(moved(0, BTC="100"))
    box.put(FeedLost(feed="marks", because="gone", at=START))
    box.put(moved(1, BTC="101"))
    kinds = [type(event).__name__ for event in await box.take()]
    assert kinds == ["MarksMoved", "FeedLost", "MarksMoved"]


def taken(second: int, source: Source = Source.LIVE) -> SnapshotTaken:
    at = START + timedelta(seconds=second)
    return SnapshotTaken(snapshot=snapshot(the_pool(), at=at), at=at, source=source)


async def test_of_live_books_in_a_row_the_newest_is_kept() -> None:
    box = Mailbox()
    for second in range(3):
        box.put(taken(second))
    assert await box.take() == (taken(2),)


async def test_readings_are_all_kept_and_live_books_stay_on_their_side_of_other_events() -> None:
    box = Mailbox()
    lost = FeedLost(feed="marks", because="gone", at=START)
    events = (taken(0), taken(1, Source.REST), taken(2, Source.REST), taken(3), lost, taken(4))
    for event in events:
        box.put(event)
    assert await box.take() == events


async def test_live_marks_and_those_asked_for_are_not_mixed() -> None:
    box = Mailbox()
    box.put(moved(0, BTC="100"))
    box.put(moved(1, Source.REST, BTC="101"))
    assert len(await box.take()) == 2


async def test_confirmations_are_kept_through_joining() -> None:
    box = Mailbox()
    box.put(MarksMoved(marks={}, at=START, confirmed={"BTC": START}))
    box.put(moved(1, ETH="5"))
    (event,) = await box.take()
    assert isinstance(event, MarksMoved)
    assert event.confirmed == {"BTC": START}


async def test_a_second_passed_replaces_the_one_that_still_waits() -> None:
    box = Mailbox()
    for second in range(100):
        box.put(TimePassed(at=START + timedelta(seconds=second)))
    assert await box.take() == (TimePassed(at=START + timedelta(seconds=99)),)


async def test_take_waits_for_the_first_event_and_empties_the_box() -> None:
    box = Mailbox()
    waiting = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    box.put(TimePassed(at=START))
    assert await waiting == (TimePassed(at=START),)
    assert len(box) == 0


CALM = {"BTC": (Decimal(90), Decimal(110))}


async def is_waking(box: Mailbox) -> bool:
    """Whether a reader that waits now is woken at once."""
    try:
        async with asyncio.timeout(0.01):
            await box.take()
    except TimeoutError:
        return False
    return True


async def test_marks_in_their_calm_wait_for_the_next_second_and_all_of_them_count() -> None:
    box = Mailbox()
    box.calm = CALM
    for second, price in enumerate(("100", "90", "110", "101")):
        box.put(moved(second, BTC=price))
    assert not await is_waking(box)
    box.put(TimePassed(at=START))
    event, _ = await box.take()
    assert isinstance(event, MarksMoved)
    assert event.marks["BTC"].price == Decimal(101)
    assert prices(event, "BTC") == ["110", "90"]


async def test_a_mark_beyond_its_calm_wakes_at_once_and_takes_the_others_along() -> None:
    for beyond in ("89.9", "110.1"):
        box = Mailbox()
        box.calm = CALM
        box.put(moved(0, BTC="95"))
        box.put(moved(1, BTC=beyond))
        (event,) = await box.take()
        assert prices(event, "BTC") == ["95"]


async def test_whatever_is_not_known_to_be_calm_wakes_at_once() -> None:
    at = START
    for event in (
        moved(0, ETH="100"),
        moved(0, BTC="100", ETH="100"),
        moved(0, Source.REST, BTC="100"),
        MarksMoved(marks={}, at=at, confirmed={"ETH": at}),
        FeedLost(feed="marks", because="gone", at=at),
        TimePassed(at=at),
    ):
        box = Mailbox()
        box.calm = CALM
        box.put(event)
        assert await is_waking(box), event


async def test_a_confirmation_of_a_calm_symbol_waits() -> None:
    box = Mailbox()
    box.calm = CALM
    box.put(MarksMoved(marks={}, at=START, confirmed={"BTC": START}))
    assert not await is_waking(box)
