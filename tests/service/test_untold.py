"""What a reading showed first: told after all by events of the very same things only."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.port import Frame
from monitor.service.untold import Untold, differences, untold
from tests.build import NOON
from tests.fakes.private import BookView, book

BEFORE = BookView(contracts=Decimal(5), at=NOON, cash=Decimal(500))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def found(contracts: int, cash: int = 500) -> Untold:
    after = BookView(contracts=Decimal(contracts), at=at(10), cash=Decimal(cash))
    difference = untold(BEFORE, BEFORE.snapshot(at(10)), after.snapshot(at(10)))
    assert difference is not None
    return difference


def frame(contracts: str, cash: str = "500", seconds: float = 9) -> Frame:
    return Frame(feed="account", text=book(contracts, at(seconds), cash), at=at(11))


def names(difference: Untold) -> set[str]:
    return {name for _, name, _ in difference.left}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (frame("6"), set[str]()),
        # Another size of the same position: it was told of, whatever came of it since.
        (frame("7"), set()),
        (frame("5"), {"SOL/USDT:USDT"}),
        # Of the coins, not of the position.
        (frame("5", cash="600"), {"SOL/USDT:USDT"}),
    ],
)
def test_only_an_event_of_the_position_tells_of_it(told: Frame, left: set[str]) -> None:
    difference = found(6)
    difference.hear(told)
    assert names(difference) == left


def test_each_thing_is_told_by_an_event_of_its_own() -> None:
    difference = found(6, cash=600)
    assert names(difference) == {"SOL/USDT:USDT", "USDT"}
    difference.hear(frame("5", cash="600"))
    assert names(difference) == {"SOL/USDT:USDT"}
    difference.hear(frame("6", cash="600", seconds=9.5))
    assert names(difference) == set()


def test_an_event_that_can_not_be_laid_on_the_book_tells_nothing() -> None:
    class Strange(BookView):
        def updated(self, frame: Frame) -> BookView:
            raise Malformed("a.P[0]", "a table of its tiers")

    view = Strange(contracts=Decimal(5), at=NOON, cash=Decimal(500))
    difference = Untold(view, view.snapshot(at(10)), found(6).after)
    difference.hear(frame("6"))
    assert names(difference) == {"SOL/USDT:USDT"}


def test_what_the_next_reading_shows_as_it_was_before_was_a_wrong_reply() -> None:
    wrong, gone = found(0, cash=600), BookView(contracts=Decimal(0), at=at(10), cash=Decimal(600))
    back = Untold(gone, wrong.after, BookView(contracts=Decimal(5), at=at(12)).snapshot(at(12)))
    assert names(back) == {"SOL/USDT:USDT", "USDT"}
    wrong.undone_by(back)
    assert (names(wrong), names(back)) == (set(), set())


def test_what_is_of_yet_another_size_then_happened() -> None:
    first, other = found(3), BookView(contracts=Decimal(4), at=at(12))
    second = Untold(BookView(contracts=Decimal(3), at=at(10)), first.after, other.snapshot(at(12)))
    first.undone_by(second)
    assert (names(first), names(second)) == ({"SOL/USDT:USDT"}, {"SOL/USDT:USDT"})


def test_books_that_are_alike_leave_nothing_untold() -> None:
    alike = BEFORE.snapshot(at(10))
    assert untold(BEFORE, alike, alike) is None
    assert differences(alike, alike) == frozenset()
