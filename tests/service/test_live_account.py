"""The book between two readings: what goes on top, what is held back, and what REST corrects."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from monitor.engine.events import Source
from monitor.errors import Malformed
from monitor.exchanges.port import Frame
from monitor.risk.model import AccountSnapshot
from monitor.service.live_account import LiveAccount, Reading
from tests.build import NOON
from tests.fakes.private import BookView, book, said


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def frame(contracts: str, happened: float, came: float | None = None, cash: str = "500") -> Frame:
    arrived = at(happened if came is None else came)
    return Frame(feed="account", text=book(contracts, at(happened), cash), at=arrived)


def view(contracts: int, held: float = 0, cash: int = 500) -> BookView:
    return BookView(contracts=Decimal(contracts), at=at(held), cash=Decimal(cash))


def contracts(snapshot: AccountSnapshot | None) -> Decimal:
    assert snapshot is not None
    return sum((p.contracts for pool in snapshot.pools for p in pool.positions), Decimal(0))


class Day:
    """An account whose one stream is whole since the reading at 0, which showed 5 SOL."""

    def __init__(self) -> None:
        self.live = LiveAccount()
        self.live.opened(1)
        self.live.listening(1, at(0), is_gapless=False)
        self.read(view(5), 0)

    def read(self, read: BookView, began: float, *, are_whole: bool = True) -> Reading:
        self.live.reading_begins(at(began))
        return self.live.read(read, at(began), are_whole=are_whole)

    def hear(self, told: Frame) -> AccountSnapshot | None:
        return self.live.heard(1, told).snapshot


def test_a_frame_changes_the_book_at_once_and_holds_since_it_came() -> None:
    day = Day()
    snapshot = day.hear(frame("7", 1.0, 1.1))
    assert contracts(snapshot) == 7
    assert snapshot is not None
    assert snapshot.at == at(1.1)
    assert day.live.snapshot is snapshot


def test_the_same_frame_again_and_an_older_one_change_nothing() -> None:
    day = Day()
    day.hear(frame("7", 2))
    day.hear(frame("7", 2, 3))
    day.hear(frame("6", 1, 4))
    assert contracts(day.live.snapshot) == 7


def test_what_comes_before_a_reading_has_filled_the_gap_is_held_back() -> None:
    day = Day()
    day.live.closed(1, at(9))
    day.live.opened(2)
    assert day.live.heard(2, frame("8", 10)) == day.live.heard(2, frame("9", 11))
    day.live.listening(2, at(12), is_gapless=False)
    assert day.live.heard(2, frame("9", 12.5)).snapshot is None
    assert contracts(day.live.snapshot) == 5
    # One that began before everything was acknowledged fills no gap.
    reading = day.read(view(9, 12.5), 11.9)
    assert contracts(reading.snapshot) == 9
    assert day.live.heard(2, frame("10", 13)).snapshot is None
    day.read(view(10, 13), 14)
    assert contracts(day.live.heard(2, frame("11", 15)).snapshot) == 11


def test_frames_that_were_held_back_go_on_top_of_the_reading() -> None:
    day = Day()
    day.live.opened(2)
    day.live.listening(2, at(10), is_gapless=False)
    day.live.reading_begins(at(10.1))
    day.live.heard(2, frame("8", 10.2))
    reading = day.live.read(view(5), at(10.1), are_whole=True)
    assert contracts(reading.snapshot) == 8
    assert (reading.source, reading.is_behind, reading.untold) == (Source.LIVE, False, None)
    assert reading.snapshot.at == at(10.2)
    # Beneath lies the reading as it was, of the time when it began.
    assert contracts(reading.beneath) == 5
    assert reading.beneath is not None
    assert reading.beneath.at == at(10.1)


def test_without_a_gap_the_successors_frames_count_from_its_opening_on() -> None:
    day = Day()
    day.live.opened(2)
    day.live.heard(1, frame("6", 20))
    assert day.live.heard(2, frame("6", 20)).snapshot is None
    assert day.live.heard(2, frame("7", 21)).snapshot is None
    day.live.closed(1, at(22))
    (*_, last) = day.live.listening(2, at(22), is_gapless=True)
    assert contracts(last.snapshot) == 7
    assert contracts(day.live.heard(2, frame("8", 23)).snapshot) == 8


def test_a_successor_inherits_the_gap_that_no_reading_has_filled() -> None:
    day = Day()
    day.live.closed(1, at(9))
    day.live.opened(2)
    day.live.listening(2, at(10), is_gapless=False)
    day.live.opened(3)
    day.live.closed(2, at(11))  # asked to leave before the account could be read
    assert day.live.listening(3, at(11), is_gapless=True) == ()
    assert day.live.has_gaps
    assert day.live.heard(3, frame("7", 11.5)).snapshot is None
    assert contracts(day.read(view(7, 11.5), 12).snapshot) == 7
    assert not day.live.has_gaps


def test_a_successor_that_never_listened_leaves_no_gap_to_the_next_one() -> None:
    day = Day()
    day.live.opened(2)
    day.live.closed(2, at(10))  # nobody let it in; the first one tells all as before
    day.live.opened(3)
    assert day.live.heard(3, frame("7", 11)).snapshot is None
    (*_, last) = day.live.listening(3, at(12), is_gapless=True)
    day.live.closed(1, at(12))
    # So no reading is needed, which may be long in coming: REST may be down.
    assert contracts(last.snapshot) == 7
    assert contracts(day.live.heard(3, frame("8", 13)).snapshot) == 8
    assert not day.live.has_gaps


def test_a_reading_that_shows_what_was_told_during_it_stays_a_reading() -> None:
    day = Day()
    day.live.reading_begins(at(10))
    day.hear(frame("7", 10.1))
    reading = day.live.read(view(7, 10.1), at(10), are_whole=True)
    assert (contracts(reading.snapshot), reading.source) == (7, Source.REST)
    assert reading.beneath is None
    # It holds since the frame, or the engine would take it for older than that.
    assert reading.snapshot.at == at(10.1)


def test_readings_that_lag_behind_an_account_that_trades_never_overwrite_what_is_newer() -> None:
    day = Day()
    for step in range(6):  # each shows what was told before the last event
        day.hear(frame(str(6 + step), 9.9 + 2 * step))
        reading = day.read(view(5 + step, 7.9 + 2 * step), 10 + 2 * step)
        assert (contracts(reading.snapshot), reading.is_behind) == (6 + step, True)


def test_a_reading_older_than_what_was_told_is_not_believed_until_the_third_time() -> None:
    day = Day()
    day.hear(frame("7", 9.9))
    for began in (10, 12):
        reading = day.read(view(5), began)
        assert (contracts(reading.snapshot), reading.is_behind) == (7, True)
        assert reading.source is Source.LIVE
        assert reading.untold is None
    reading = day.read(view(5), 14)
    assert (contracts(reading.snapshot), reading.is_behind) == (5, False)
    assert reading.source is Source.REST
    # Then REST holds: what was told before it is forgotten.
    assert contracts(day.read(view(5), 16).snapshot) == 5


def test_a_reading_that_lags_once_is_believed_as_soon_as_it_has_caught_up() -> None:
    day = Day()
    day.hear(frame("7", 9.9))
    assert day.read(view(5), 10).is_behind
    reading = day.read(view(7, 9.9), 12)
    assert (reading.is_behind, reading.source) == (False, Source.REST)
    day.hear(frame("8", 13))
    assert day.read(view(7, 9.9), 14).is_behind


def test_what_was_told_long_before_a_reading_is_not_held_against_it() -> None:
    day = Day()
    day.hear(frame("7", 5))
    day.live.heard(1, frame("7", 5, 36))
    reading = day.read(view(5), 40)
    assert reading.is_behind
    late = Day()
    late.hear(frame("7", 5))
    assert not late.read(view(5), 36).is_behind


@pytest.mark.parametrize(
    ("after", "is_untold"),
    [
        (view(5), False),
        (view(6), True),
        (view(5, cash=501), True),  # 0.2 % of it
        (replace(view(5), cash=Decimal("500.4")), False),  # 0.08 % of it: interest, say
    ],
)
def test_what_a_reading_shows_and_nobody_told_is_said(after: BookView, is_untold: bool) -> None:
    reading = Day().read(after, 10)
    assert (reading.untold is not None) is is_untold
    assert reading.source is Source.REST


def test_nothing_counts_as_untold_while_a_stream_was_not_whole() -> None:
    day = Day()
    assert day.read(view(6), 10, are_whole=False).untold is None
    # Since the reading before this one something may have been missed.
    assert day.read(view(7), 20).untold is None
    assert day.read(view(8), 30).untold is not None
    day.live.opened(2)
    day.live.listening(2, at(31), is_gapless=False)
    assert day.read(view(9), 32).untold is None


class Trades(BookView):
    """Frames of it tell of positions, and never of the wallet."""

    def updated(self, frame: Frame) -> BookView:
        after = super().updated(frame)
        return self if after is self else replace(after, cash=self.cash)


def test_in_a_busy_account_too_it_is_said_what_nobody_told() -> None:
    def trades(contracts: int, held: float, cash: int) -> BookView:
        return Trades(contracts=Decimal(contracts), at=at(held), cash=Decimal(cash))

    day = Day()
    day.read(trades(5, 0, 500), 1)
    # While it is read the account trades, and that 200 left the wallet nobody told.
    day.live.reading_begins(at(10))
    day.hear(frame("7", 10.2))
    reading = day.live.read(trades(5, 0, 300), at(10), are_whole=True)
    assert reading.source is Source.LIVE
    assert reading.untold is not None
    assert {name for _, name, _ in reading.untold.left} == {"USDT"}
    day.hear(frame("8", 11))
    assert day.live.is_left(reading.untold)


def test_a_reading_that_is_behind_says_nothing_of_what_was_lost() -> None:
    day = Day()
    day.read(Trades(contracts=Decimal(5), at=at(0), cash=Decimal(500)), 1)
    day.hear(frame("7", 9.9))
    # Of which moment its wallet is, nobody knows: another reading follows in any case.
    reading = day.read(Trades(contracts=Decimal(5), at=at(0), cash=Decimal(300)), 10)
    assert (reading.is_behind, reading.untold) == (True, None)


def test_a_frame_that_the_view_cannot_take_has_the_account_read() -> None:
    class Strange(BookView):
        def updated(self, frame: Frame) -> BookView:
            raise Malformed("a.P[0]", "a table of its tiers")

    live = LiveAccount()
    live.read(Strange(contracts=Decimal(5), at=at(0)), at(0), are_whole=True)
    after = live.heard(1, frame("7", 1))
    assert after.snapshot is None
    assert after.ask == "an event that can't be placed: a.P[0]: expected a table of its tiers"
    # Beside a reading it is left out: that tells.
    assert contracts(live.read(view(6), at(0.5), are_whole=True).snapshot) == 7


def test_another_mode_is_not_followed_by_event_but_read() -> None:
    day = Day()
    text = said("book", contracts="5", cash="500", at=book_time(10), mode="portfolio margin")
    after = day.live.heard(1, Frame(feed="account", text=text, at=at(10)))
    assert after.snapshot is None
    assert after.ask == "the account's mode changed to «portfolio margin»"
    assert day.live.snapshot is not None
    assert day.live.snapshot.mode == "unified, cross"


def book_time(seconds: float) -> int:
    return round(at(seconds).timestamp() * 1000)


def test_before_the_first_reading_frames_wait_for_it() -> None:
    live = LiveAccount()
    live.reading_begins(at(0))
    live.opened(1)
    live.listening(1, at(0), is_gapless=False)
    assert live.heard(1, frame("7", 0.5)).snapshot is None
    assert contracts(live.read(view(5), at(0), are_whole=True).snapshot) == 7


def test_frames_older_than_half_a_minute_are_let_go() -> None:
    day = Day()
    for second in range(1, 200):
        day.hear(frame("7", second))
    assert len(day.live._frames) == 31
