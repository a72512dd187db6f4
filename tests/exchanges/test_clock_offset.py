"""How far an exchange's clock is from ours, by answers that may come late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.exchanges.call import Reply
from monitor.exchanges.clock_offset import Offset

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_it_is_taken_at_the_middle_of_the_round_trip() -> None:
    offset = Offset()
    assert (offset.seconds, offset.ahead) == (None, timedelta(0))
    assert offset.within(at(0)) == timedelta(0)
    # Asked at 0, answered 40 s ahead, come at 0.2: 40.1 - 0.1.
    assert offset.take(at(0), at(40.1), at(0.2)) == pytest.approx(40)
    assert offset.seconds == pytest.approx(40)
    assert offset.ahead == timedelta(seconds=40)
    assert offset.within(at(0.2)) == timedelta(seconds=0.1)
    # That the exchange refused it makes it no surer.
    offset.distrust()
    assert offset.within(at(0.2)) == timedelta(seconds=0.1)


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
    # This one it did not refuse.
    assert offset.take(at(20), at(24), at(26)) == pytest.approx(1.5)


def test_a_reply_carries_what_is_known_of_the_clocks_and_is_no_surer_than_it_was() -> None:
    offset = Offset()
    offset.take(at(0), at(41), at(2))
    reply = Reply(request="GET /x", status=200, body={}, at=at(2))
    clocked = offset.clocked(reply, at(2))
    assert (clocked.ahead, clocked.ahead_within) == (offset.ahead, timedelta(seconds=1))
    vaguer = replace(reply, ahead=timedelta(9), ahead_within=timedelta(seconds=5))
    clocked = offset.clocked(vaguer, at(2))
    assert (clocked.ahead, clocked.ahead_within) == (offset.ahead, timedelta(seconds=5))


def test_what_was_measured_long_ago_is_less_sure() -> None:
    offset = Offset()
    offset.take(at(0), at(0.1), at(0.2))
    # 0.1 s, and a ten thousandth of 1,000 s.
    assert offset.within(at(1000.2)) == timedelta(seconds=0.2)
    # A machine's clock parts from theirs by 3 s in some ten hours: no slow answer bears that out.
    assert offset.take(at(36_000), at(36_001), at(36_004)) == pytest.approx(-1)
    assert offset.within(at(36_004)) == timedelta(seconds=2)


def test_one_that_stays_vague_is_measured_ever_later() -> None:
    offset, now, waits = Offset(), 0.0, []
    for _ in range(8):
        offset.take(at(now), at(now + 1), at(now + 2))
        waited = next(wait for wait in range(1, 1000) if offset.is_due(at(now + 2 + wait)))
        waits.append(waited - 1)
        now += 2 + waited
    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]
    # Where it can't be had it is tried no sooner; a sharp one begins anew.
    offset.failed(at(now))
    assert not offset.is_due(at(now + 600))
    offset.take(at(now), at(now), at(now))
    offset.take(at(now + 3600), at(now + 3601), at(now + 3602))
    assert not offset.is_due(at(now + 3602 + 600))


def test_doubt_counts_where_a_vague_one_waits_long() -> None:
    offset = Offset()
    for number in range(6):
        offset.take(at(10 * number), at(10 * number + 1), at(10 * number + 2))
    assert not offset.is_due(at(52 + 600))
    offset.doubt()
    assert not offset.is_due(at(52 + 60))
    assert offset.is_due(at(52 + 61))


def test_a_vague_one_that_contradicts_is_soon_measured_anew() -> None:
    offset = Offset()
    offset.take(at(0), at(0), at(0))
    for second in range(6):
        offset.failed(at(second))
    assert offset.take(at(10), at(40), at(12)) == pytest.approx(29)
    assert not offset.is_due(at(12 + 30))
    assert offset.is_due(at(12 + 31))


def test_a_sharp_one_that_was_not_told_anew_serves_on() -> None:
    offset = Offset()
    offset.take(at(0), at(0), at(0))
    offset.failed(at(601))
    assert not offset.is_due(at(1201))
    assert offset.is_due(at(1202))
    assert offset.seconds == 0


def test_what_was_never_told_is_asked_for_each_time() -> None:
    offset = Offset()
    offset.failed(at(0))
    assert offset.is_due(at(0))


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
