"""What is known of an account, and how old it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.engine.events import MarksMoved, Source
from monitor.engine.knowledge import Budgets, Feed, Knowledge
from monitor.engine.moves import Touched
from monitor.errors import Malformed, MissingReply, Refused, Unmodelled, Unreachable
from monitor.risk.cash import Booking, BookingKind
from tests.build import NOON, Number, coins, mark
from tests.engine.scene import LONG, snapshot, the_pool

if TYPE_CHECKING:
    from monitor.risk.model import Mark

SOL = "SOL/USDT:USDT"


def later(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def known(*, follows: bool = False) -> Knowledge:
    knowledge = Knowledge(account="main", exchange="bybit", budgets=Budgets())
    changes = {}
    if follows:
        floating = coins("BTC", 1, 100, follows=("BTC", "BTC index", 100))
        changes = {"collateral": (coins("USDT", 500), floating)}
    book = snapshot(the_pool(LONG, **changes), SOL=120)
    knowledge.begin(NOON)
    knowledge.take_reading(book, NOON, book.at)
    knowledge.believe(book, NOON)
    return knowledge


def moved(
    price: Number | None = None,
    *,
    seconds: float = 1,
    age: float = 0,
    source: Source = Source.LIVE,
    symbol: str = "SOLUSDT",
    confirmed: float | None = None,
    worst: tuple[Mark, ...] = (),
) -> MarksMoved:
    at = NOON + later(seconds)
    return MarksMoved(
        marks={} if price is None else {symbol: mark(price, at - later(age))},
        at=at,
        source=source,
        confirmed={} if confirmed is None else {symbol: NOON + later(confirmed)},
        worst={symbol: worst} if worst else {},
    )


def test_a_newer_mark_replaces_an_older_one() -> None:
    knowledge = known()
    touched = knowledge.take_marks(moved(119))
    assert touched.symbols == {SOL}
    assert knowledge.marks()[SOL] == mark(119, NOON + later(1))


def test_a_mark_that_is_older_than_what_is_known_is_dropped() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119, seconds=5))
    touched = knowledge.take_marks(moved(50, seconds=6, age=2))
    assert touched.symbols == frozenset()
    assert knowledge.marks()[SOL].price == Decimal(119)
    assert knowledge.live_age(SOL, NOON + later(6)) == 1


def test_the_same_frame_twice_changes_nothing() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119))
    assert knowledge.take_marks(moved(119)).symbols == frozenset()


def test_a_live_mark_older_than_one_by_rest_keeps_the_feed_alive_but_not_the_price() -> None:
    knowledge = known()
    knowledge.take_marks(moved(118, seconds=10, source=Source.REST))
    knowledge.take_marks(moved(119, seconds=10, age=1))
    assert knowledge.marks()[SOL].price == Decimal(118)
    assert knowledge.live_age(SOL, NOON + later(10)) == 1


def test_a_confirmed_mark_is_as_young_as_its_confirmation() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119, seconds=1))
    touched = knowledge.take_marks(moved(seconds=9, confirmed=9))
    assert touched.symbols == {SOL}
    assert knowledge.marks()[SOL].price == Decimal(119)
    assert knowledge.live_age(SOL, NOON + later(10)) == 1


def test_a_confirmation_brings_back_the_last_live_mark_over_an_older_one_by_rest() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119, seconds=1))
    knowledge.take_marks(moved(100, seconds=5, source=Source.REST))
    knowledge.take_marks(moved(seconds=9, confirmed=9))
    assert knowledge.marks()[SOL].price == Decimal(119)


def test_a_confirmation_without_a_live_mark_before_is_no_mark() -> None:
    knowledge = known()
    assert knowledge.take_marks(moved(confirmed=1)).symbols == frozenset()
    assert knowledge.live_age(SOL, NOON) is None


def test_unknown_symbols_are_ignored() -> None:
    knowledge = known()
    event = moved(1, symbol="DOGEUSDT", confirmed=1, worst=(mark(1),))
    assert knowledge.take_marks(event) == Touched(worst={}, jumps={})
    assert set(knowledge.marks()) == {SOL}


def test_a_mark_from_the_future_is_as_old_as_its_arrival() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119, seconds=1, age=-30))
    assert knowledge.live_age(SOL, NOON + later(3)) == 2


def test_marks_in_between_count_unless_they_are_older_than_what_was_known() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119, seconds=5))
    late, fresh = mark(90, NOON + later(4)), mark(95, NOON + later(6))
    touched = knowledge.take_marks(moved(118, seconds=7, worst=(late, fresh)))
    assert touched.worst == {SOL: (fresh,)}


def test_a_jump_is_more_than_a_tenth_in_one_step() -> None:
    knowledge = known()
    assert knowledge.take_marks(moved(132, seconds=1)).jumps == {}
    assert knowledge.take_marks(moved(99, seconds=2)).jumps == {SOL: Decimal("-0.25")}


def test_ages_go_by_the_time_at_the_exchange_and_by_the_source() -> None:
    knowledge = known()
    at = NOON + later(20)
    assert knowledge.live_age(SOL, at) is None
    assert (knowledge.mark_age(SOL, at), knowledge.view_age(at)) == (20, 20)
    assert knowledge.silent_for(SOL, at) == 20
    knowledge.take_marks(moved(119, seconds=15, age=2))
    assert (knowledge.live_age(SOL, at), knowledge.mark_age(SOL, at)) == (7, 7)


def test_a_symbol_that_only_readings_bring_is_not_waited_for_live() -> None:
    knowledge = known(follows=True)
    assert knowledge.live_symbols() == (SOL,)
    assert knowledge.live_symbols({"BTC index", SOL}) == (SOL,)
    assert knowledge.exchange_symbols(["BTC index", SOL]) == {"SOLUSDT"}


def test_what_is_no_longer_held_is_forgotten() -> None:
    knowledge = known()
    knowledge.take_marks(moved(119))
    knowledge.believe(snapshot(the_pool(LONG), at=NOON + later(5)), NOON + later(5))
    assert SOL in knowledge.marks()
    bare = the_pool(LONG, positions=())
    knowledge.believe(snapshot(bare, at=NOON + later(9)), NOON + later(9))
    assert knowledge.marks() == {}
    assert knowledge.live_symbols() == ()


def test_positions_that_vanish_are_named_by_pool_symbol_and_side() -> None:
    knowledge = known()
    pool = the_pool(LONG, positions=())
    assert knowledge.vanished(snapshot(pool)) == {(pool.id, SOL, "long")}
    assert knowledge.vanished(snapshot(the_pool())) == frozenset()


@pytest.mark.parametrize(
    ("error", "must_act"),
    [
        (Refused("key expired"), True),
        (Unmodelled("holds options"), True),
        (Unreachable("timed out"), False),
        (Malformed("data[0]", "a number"), False),
        (MissingReply("not given"), False),
    ],
)
def test_only_a_refusal_or_an_unknown_account_waits_for_its_owner(
    error: Refused, *, must_act: bool
) -> None:
    knowledge = known()
    knowledge.fail(error, NOON)
    assert (knowledge.must_act is error) is must_act


def test_the_first_of_failures_in_a_row_counts_and_a_reading_ends_them() -> None:
    knowledge = known()
    knowledge.fail(Unreachable("timed out"), NOON + later(1))
    knowledge.fail(Unreachable("timed out"), NOON + later(9))
    assert knowledge.failed_at == NOON + later(1)
    knowledge.take_reading(snapshot(the_pool()), NOON + later(10), NOON)
    assert (knowledge.failure, knowledge.failed_at) == (None, None)


def test_a_reader_that_died_is_back_with_what_it_brings() -> None:
    knowledge = known()
    knowledge.feeds["marks"] = Feed(name="marks", lost_at=NOON, died=True)
    knowledge.take_marks(moved(119, source=Source.REST))
    assert "marks" in knowledge.feeds
    knowledge.take_marks(moved(118, seconds=2))
    assert "marks" not in knowledge.feeds


def test_a_lost_feed_is_only_back_when_that_is_said() -> None:
    knowledge = known()
    knowledge.feeds["marks"] = Feed(name="marks", lost_at=NOON)
    knowledge.take_marks(moved(119))
    assert "marks" in knowledge.feeds


@pytest.mark.parametrize(
    ("sentence", "near", "live", "told", "probe"),
    [
        ("far from the end the budget and its grace hold", False, 15, 20, 7.5),
        ("near it six seconds do, and three to ask", True, 6, 6, 3),
    ],
)
def test_budgets_of_a_mark(
    sentence: str, live: float, told: float, probe: float, *, near: bool
) -> None:
    budgets = Budgets()
    found = (budgets.live(near=near), budgets.told(near=near), budgets.probe(near=near))
    assert found == (live, told, probe), sentence


@pytest.mark.parametrize(
    ("wrong", "value"),
    [("marks", 0), ("account", float("nan")), ("near_told", float("inf")), ("grace", -1)],
)
def test_a_budget_is_a_number_of_seconds(wrong: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"budget '{wrong}'"):
        Budgets(**{f"{wrong}_seconds": value})  # type: ignore[arg-type] # wrong on purpose


def test_bookings_are_kept_once_each_and_for_a_day() -> None:
    known = Knowledge(account="main", exchange="bybit", budgets=Budgets())
    first, second = (
        Booking(id=name, at=NOON + age, kind=BookingKind.FEE, asset="USDT", amount=Decimal(-1))
        for name, age in (("1", timedelta(hours=-23)), ("2", timedelta(hours=1)))
    )
    known.believe(replace(snapshot(the_pool(), SOL=100), bookings=(first,)), NOON)
    assert known.bookings == (first,)
    later = NOON + timedelta(hours=1)
    both = replace(snapshot(the_pool(), at=later, SOL=100), bookings=(first, second))
    known.believe(both, later)
    assert known.bookings == (first, second)
    much_later = NOON + timedelta(hours=2)
    known.believe(snapshot(the_pool(), at=much_later, SOL=100), much_later)
    assert known.bookings == (second,)
