"""How far an exchange's clock is from ours, by answers that may come late."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.exchanges.offset import Offset

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_it_is_taken_at_the_middle_of_the_round_trip() -> None:
    offset = Offset()
    assert (offset.seconds, offset.ahead) == (None, timedelta(0))
    # Asked at 0, answered 40 s ahead, come at 0.2: 40.1 - 0.1.
    assert offset.take(at(0), at(40.1), at(0.2)) == pytest.approx(40)
    assert offset.seconds == pytest.approx(40)
    assert offset.ahead == timedelta(seconds=40)
    assert offset.within == timedelta(seconds=0.1)
    offset.distrust()
    assert offset.within == timedelta(0)


@pytest.mark.parametrize(
    ("because", "theirs", "came", "expected"),
    [
        # Known as 0 within 0.1 s; a round trip of 4 s tells it within 2 s.
        ("what a slow answer does not contradict stays", 603.5, 604, 0.0),
        ("what it can't be is given up", 605, 604, 3.0),
        ("a sharp one replaces what it does not contradict", 600.15, 600.2, 0.05),
        ("so does one that is sharp enough", 600.25, 600.4, 0.05),
    ],
)
def test_of_two_the_sharper_one_counts(
    because: str, theirs: float, came: float, expected: float
) -> None:
    offset = Offset()
    offset.take(at(0), at(0.1), at(0.2))
    assert offset.take(at(600), at(theirs), at(came)) == pytest.approx(expected), because
    assert offset.seconds == pytest.approx(expected)


def test_one_that_the_exchange_refused_is_replaced_by_any() -> None:
    offset = Offset()
    offset.take(at(0), at(0.1), at(0.2))
    offset.distrust()
    assert offset.take(at(10), at(13.5), at(14)) == pytest.approx(1.5)


def test_a_clock_that_was_set_between_asking_and_answer_makes_no_round_trip_below_nothing() -> None:
    offset = Offset()
    offset.take(at(0), at(0.1), at(-3600))
    assert offset.take(at(1), at(1.1), at(1.2)) == pytest.approx(0)


@pytest.mark.parametrize(
    ("because", "round_trip", "is_doubted", "seconds"),
    [
        ("a sharp one serves ten minutes", 0.2, False, 600),
        ("a doubted one a minute", 0.2, True, 60),
        ("a vague one half a minute", 2.0, False, 30),
        ("a vague one that is doubted no longer", 2.0, True, 30),
    ],
)
def test_when_it_is_to_be_measured_again(
    because: str, round_trip: float, is_doubted: bool, seconds: float
) -> None:
    offset = Offset()
    assert offset.is_due(at(0))
    offset.take(at(0), at(0.1), at(round_trip))
    if is_doubted:
        offset.doubt()
    assert not offset.is_due(at(round_trip + seconds)), because
    assert offset.is_due(at(round_trip + seconds + 0.1)), because
    # A measurement takes the doubt away.
    offset.take(at(1000), at(1000.1), at(1000.2))
    assert not offset.is_due(at(1500))
