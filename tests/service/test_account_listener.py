"""What is asked and told because of an account's streams, with a feed moved by hand."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.engine.events import (
    Drifted,
    Event,
    FeedLost,
    NewsCame,
    ReadingAwaited,
    SnapshotTaken,
    Source,
)
from monitor.exchanges.account_feed import Closed, Heard, Listening, Opened
from monitor.exchanges.call import Depth
from monitor.exchanges.port import AccountStream, Frame, Told
from monitor.risk.news import Warned
from monitor.service import account_listener
from monitor.service.account_listener import AccountListener
from tests.build import NOON
from tests.end_to_end.stage import until
from tests.fakes.private import LOGGED_IN, BookView, book

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot


@dataclass
class FakeFeed:
    is_healthy: bool = True
    renewed: int = 0
    held: list[tuple[AccountStream, ...]] = field(default_factory=list)

    def listen(self, streams: tuple[AccountStream, ...]) -> None:
        self.held.append(streams)

    def renew(self) -> None:
        self.renewed += 1


class Scene:
    """A listener whose stream 1 is whole since a reading of 5 SOL at noon."""

    def __init__(self) -> None:
        self.now = NOON
        self.delivered: list[Event] = []
        self.followed: list[AccountSnapshot] = []
        self.renewed: list[datetime] = []
        self.asked = 0
        self.alarms = 0
        self.feed = FakeFeed()
        self.listener = AccountListener(
            "main",
            now=lambda: self.now,
            deliver=self.delivered.append,
            ask=self._ask,
            follow=self.followed.append,
            renew_stops=lambda: self.renewed.append(self.now),
        )
        self.listener.feed = self.feed  # type: ignore[assignment] # a double
        self.listener.hear(Opened(number=1))
        self.listener.hear(Listening(number=1, is_gapless=False))
        self.read("5")

    def _ask(self, is_alarm: bool) -> None:
        self.asked += 1
        self.alarms += is_alarm

    def read(self, contracts: str, held_at: float = 0) -> Event:
        self.listener.reading_begins(self.now)
        view = BookView(contracts=Decimal(contracts), at=NOON + timedelta(seconds=held_at))
        self.listener.read(view, self.now)
        return next(e for e in reversed(self.delivered) if isinstance(e, SnapshotTaken))

    def later(self, seconds: float) -> "Scene":
        self.now += timedelta(seconds=seconds)
        return self

    def hear(self, told: Told, contracts: str = "5") -> None:
        frame = Frame(feed="account", text=book(contracts, self.now), at=self.now)
        self.listener.hear(Heard(number=1, frame=frame, told=told))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.delivered if isinstance(event, kind)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_listener, "ASK_AGAIN_SECONDS", 0.2)
    monkeypatch.setattr(account_listener, "EVENT_MAY_COME_SECONDS", 0.1)


async def test_every_gap_and_every_ask_has_the_account_read_at_once() -> None:
    scene = Scene()
    assert scene.asked == 1  # of the first gap
    scene.hear(Told(ask="the mode was changed"))
    scene.hear(Told(ask="the mode was changed"))
    assert scene.asked == 1  # not twice within a moment
    assert scene.alarms == 0  # what a gap hides is not known to be anything
    await until(lambda: scene.asked == 2, "the account being asked for again")
    (awaited, _) = scene.of(ReadingAwaited)
    assert isinstance(awaited, ReadingAwaited)
    assert awaited.because == "the mode was changed"
    assert scene.alarms == 1
    scene.listener.stop()


async def test_a_gap_that_a_successor_inherits_has_the_account_read() -> None:
    scene = Scene()
    scene.listener.hear(Opened(number=2))
    scene.listener.hear(Listening(number=2, is_gapless=False))
    scene.listener.hear(Closed(number=2))  # before the account was read
    scene.listener.hear(Opened(number=3))
    scene.listener.hear(Listening(number=3, is_gapless=True))
    assert not scene.listener.is_healthy
    await until(lambda: scene.asked == 2, "the account being asked for again")


async def test_a_change_is_delivered_as_a_live_book_and_followed() -> None:
    scene = Scene()
    scene.later(1).hear(Told(changes=True), contracts="7")
    taken = scene.delivered[-1]
    assert isinstance(taken, SnapshotTaken)
    assert (taken.source, taken.at) == (Source.LIVE, scene.now)
    assert scene.followed[-1] is taken.snapshot is scene.listener.snapshot


async def test_a_stop_order_that_came_or_went_lets_no_older_list_of_them_serve() -> None:
    scene = Scene()
    scene.later(1).hear(Told(changes=True))
    assert scene.renewed == []
    scene.later(1).hear(Told(changes=True, of_stops=True))
    assert scene.renewed == [NOON + timedelta(seconds=2)]


async def test_news_are_delivered_and_losses_passed_on() -> None:
    scene = Scene()
    warned = Warned(at=NOON, words="MARGIN_CALL")
    scene.hear(Told(news=(warned,)))
    assert scene.delivered[-1] == NewsCame(news=(warned,), at=NOON)
    lost = FeedLost(feed="private stream", because="bad day", at=NOON)
    scene.listener.hear(lost)
    assert scene.delivered[-1] is lost


async def test_a_reading_that_is_behind_is_followed_by_another() -> None:
    scene = Scene()
    scene.later(1).hear(Told(changes=True), contracts="7")
    scene.later(1).read("5")
    before = scene.asked
    await until(lambda: scene.asked > before, "the account being asked for again")


async def test_beneath_a_live_book_lies_the_reading_unless_it_is_of_two_moments() -> None:
    scene = Scene()
    for is_torn in (False, True):
        scene.later(1).hear(Told(changes=True), contracts="7")
        view = BookView(contracts=Decimal(5), at=NOON)
        scene.listener.read(view, scene.now, is_torn=is_torn)
        taken = scene.delivered[-1]
        assert isinstance(taken, SnapshotTaken)
        assert taken.source is Source.LIVE
        held = (
            None
            if taken.beneath is None
            else {p.contracts for pool in taken.beneath.pools for p in pool.positions}
        )
        assert held == (None if is_torn else {5})
    scene.listener.stop()


async def test_what_nobody_told_is_counted_told_and_the_streams_are_renewed_once() -> None:
    scene = Scene()
    scene.later(10).read("6")
    assert scene.of(Drifted) == []  # the event may come yet
    await until(lambda: scene.of(Drifted), "the drift being told")
    (drifted,) = scene.of(Drifted)
    assert isinstance(drifted, Drifted)
    sizes = [s.pools[0].positions[0].contracts for s in (drifted.before, drifted.after)]
    assert sizes == [5, 6]
    assert (scene.listener.untold, scene.feed.renewed) == (1, 1)
    scene.later(10).read("7")
    await until(lambda: len(scene.of(Drifted)) == 2, "the second drift")
    assert (scene.listener.untold, scene.feed.renewed) == (2, 1)


async def test_an_event_that_comes_after_the_reading_was_not_lost() -> None:
    scene = Scene()
    scene.later(10).read("6", held_at=10)
    scene.later(0.5).hear(Told(changes=True), contracts="6")
    await asyncio.sleep(0.2)
    assert scene.of(Drifted) == []
    assert scene.feed.renewed == 0


async def test_an_event_of_something_else_does_not_tell_of_what_was_lost() -> None:
    scene = Scene()
    scene.later(10).read("6")
    frame = Frame(feed="account", text=book("5", scene.now, "600"), at=scene.now)
    scene.listener.hear(Heard(number=1, frame=frame, told=Told(changes=True)))
    await until(lambda: scene.of(Drifted), "the drift being told")


async def test_another_reading_in_between_takes_nothing_from_what_was_told() -> None:
    scene = Scene()
    scene.later(10).read("6", held_at=10)
    scene.later(0.5).hear(Told(changes=True), contracts="6")
    scene.later(1).read("6", held_at=10.5)
    await asyncio.sleep(0.2)
    assert scene.of(Drifted) == []


async def test_of_two_readings_each_is_judged_by_itself() -> None:
    scene = Scene()
    scene.later(10).read("6", held_at=10)
    scene.later(0.5).read("7")
    scene.later(0.5).hear(Told(changes=True), contracts="7")
    # The event of 7 tells of the second; that it was 6 in between is told by it as well.
    await asyncio.sleep(0.2)
    assert scene.of(Drifted) == []
    for seconds, contracts in enumerate(("8", "9")):
        scene.later(1).read(contracts, held_at=12 + seconds)
    await until(lambda: len(scene.of(Drifted)) == 2, "both")


async def test_what_was_wrong_for_a_moment_was_no_event() -> None:
    scene = Scene()
    scene.later(10).read("0", held_at=10)
    scene.later(1).read("5", held_at=11)
    await asyncio.sleep(0.2)
    assert scene.of(Drifted) == []


async def test_while_a_stream_is_down_readings_tell_all_and_nothing_was_lost() -> None:
    scene = Scene()
    scene.feed.is_healthy = False
    assert not scene.listener.is_healthy
    scene.later(10).read("6")
    await asyncio.sleep(0.2)
    assert scene.of(Drifted) == []


async def test_events_of_one_stream_say_nothing_of_the_whole_while_another_is_down() -> None:
    scene = Scene()
    scene.later(1).hear(Told(changes=True), contracts="6")
    scene.feed.is_healthy = False
    scene.later(1).hear(Told(changes=True), contracts="7")
    views = [e.is_view for e in scene.of(SnapshotTaken) if isinstance(e, SnapshotTaken)]
    assert views == [True, True, False]


async def test_only_a_whole_book_that_is_told_of_live_counts_as_heard() -> None:
    scene = Scene()
    assert scene.listener.is_healthy
    scene.listener.hear(Opened(number=2))
    scene.listener.hear(Listening(number=2, is_gapless=False))
    assert not scene.listener.is_healthy  # until a reading has filled the gap
    scene.later(1).read("5")
    assert scene.listener.is_healthy


async def test_after_anything_that_happened_a_lean_reading_would_show_what_was() -> None:
    scene = Scene()
    scene.later(1).read("5")
    assert scene.listener.depth(Depth.HEARD) is Depth.HEARD
    scene.later(1).hear(Told(changes=True), contracts="7")
    assert scene.listener.depth(Depth.HEARD) is Depth.WHOLE
    view = BookView(contracts=Decimal(7), at=scene.now)
    # Neither a lean reading nor one that began before shows all of it.
    scene.listener.read(view, scene.now + timedelta(seconds=1), Depth.CALM)
    scene.listener.read(view, scene.now, Depth.WHOLE)
    assert scene.listener.depth(Depth.HEARD) is Depth.WHOLE
    scene.listener.read(view, scene.now + timedelta(seconds=1), Depth.WHOLE)
    assert scene.listener.depth(Depth.HEARD) is Depth.HEARD


async def test_after_a_gap_nothing_is_left_to_the_stream_until_a_reading_has_shown_it() -> None:
    scene = Scene()
    view = BookView(contracts=Decimal(5), at=NOON)
    scene.listener.read(view, scene.later(1).now, Depth.CALM)
    assert scene.listener.depth(Depth.HEARD) is Depth.HEARD
    scene.listener.hear(Opened(number=2))
    scene.later(1).listener.hear(Listening(number=2, is_gapless=False))
    assert scene.listener.depth(Depth.HEARD) is Depth.CALM
    assert scene.listener.depth(Depth.WHOLE) is Depth.WHOLE
    # Neither one that goes by the stream nor one that began before shows what was missed.
    scene.listener.read(view, scene.now + timedelta(seconds=1), Depth.HEARD)
    scene.listener.read(view, scene.now, Depth.WHOLE)
    assert scene.listener.depth(Depth.HEARD) is Depth.CALM
    scene.listener.read(view, scene.now + timedelta(seconds=1), Depth.CALM)
    assert scene.listener.depth(Depth.HEARD) is Depth.HEARD
    scene.listener.stop()


async def test_where_several_streams_are_on_their_way_one_reading_fills_the_gaps_of_all() -> None:
    scene = Scene()
    await asyncio.sleep(0.25)
    scene.feed.is_healthy = False
    scene.listener.hear(Opened(number=2))
    scene.listener.hear(Opened(number=3))
    scene.listener.hear(Listening(number=2, is_gapless=False))
    assert scene.asked == 1
    scene.feed.is_healthy = True
    scene.listener.hear(Listening(number=3, is_gapless=False))
    assert scene.asked == 2
    await asyncio.sleep(0.3)
    assert scene.asked == 2


async def test_it_is_not_waited_for_long_for_the_others() -> None:
    scene = Scene()
    await asyncio.sleep(0.25)
    scene.feed.is_healthy = False
    scene.listener.hear(Opened(number=2))
    scene.listener.hear(Listening(number=2, is_gapless=False))
    assert scene.asked == 1
    await until(lambda: scene.asked == 2, "the account being asked for")


async def test_it_has_the_feed_hold_the_streams() -> None:
    scene = Scene()
    scene.listener.listen((LOGGED_IN,))
    assert scene.feed.held == [(LOGGED_IN,)]


async def test_a_reading_with_events_on_top_is_told_to_be_one() -> None:
    scene = Scene()
    began = scene.later(10).now
    scene.listener.reading_begins(began)
    scene.later(0.5).hear(Told(changes=True), contracts="7")
    scene.listener.read(BookView(contracts=Decimal(5), at=NOON), began)
    taken = scene.delivered[-1]
    assert isinstance(taken, SnapshotTaken)
    assert (taken.source, taken.reading_at) == (Source.LIVE, began)
