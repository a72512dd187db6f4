"""When each account of a host is read next."""

from __future__ import annotations

import pytest

from monitor.exchanges.call import Budget, RestCall
from monitor.service.polling import Temper
from monitor.service.timetable import Member, Timetable

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
CALLS = (RestCall(implicit="a", path="/a", weight=10, budget=WEIGHT),)


def member(name: str, *, poll_seconds: float = 15, calls: tuple[RestCall, ...] = CALLS) -> Member:
    return Member(
        name=name,
        poll_seconds=poll_seconds,
        calls=lambda: calls,
        room=lambda _budget: 480.0,
        is_heard=lambda: False,
        temper=Temper.CALM,
    )


def of(count: int, **how: object) -> Timetable:
    found = Timetable(60)
    for number in range(count):
        found.join(member(f"a{number}", **how))  # type: ignore[arg-type] - given by the tests
    return found


def test_one_alone_is_read_from_one_beginning_to_the_next() -> None:
    found = of(1)
    assert found.seconds("a0", began=103.0, at=104.5) == 13.5
    assert found.seconds("a0", began=103.0, at=130.0) == 0


def test_several_are_spread_evenly_and_stay_so() -> None:
    found = of(5)
    # All begin at once; each is then read in its own fifth of the pace.
    turns = [0.0 + found.seconds(f"a{n}", began=0.0, at=0.0) for n in range(5)]
    assert turns == [15.0, 3.0, 6.0, 9.0, 12.0]
    # From there on each at its pace, though a reading begins a little late.
    again = [
        t + 0.02 + found.seconds(f"a{n}", began=t + 0.02, at=t + 0.02) for n, t in enumerate(turns)
    ]
    assert again == [pytest.approx(t + 15) for t in turns]


def test_nobody_waits_longer_than_his_pace_whenever_he_was_read() -> None:
    found = of(7)
    for name in found.names:
        for began in range(100, 160):
            assert 0 < found.seconds(name, began=float(began), at=float(began)) <= 15.75


def test_in_every_minute_there_are_as_many_as_the_plan_has() -> None:
    found = of(100)  # 100 × 10 × 60 ÷ 480 = 125 s: more than 51, so 51
    turns = []
    for name in found.names:
        now = 0.0
        while now < 600:
            now += found.seconds(name, began=now, at=now)
            turns.append(now)
    settled = [sum(start <= t < start + 60 for t in turns) for start in range(60, 540, 10)]
    # 100 accounts each 51 s are 117.6 a minute.
    assert max(settled) <= 119
    assert min(settled) >= 116


def test_one_that_comes_near_is_read_sooner_and_it_is_said_once() -> None:
    found = of(2)
    assert found.pace("a0", 0.0).seconds == 15
    assert found.note("a0", Temper.NEAR, has_isolated=False)
    assert not found.note("a0", Temper.NEAR, has_isolated=False)
    assert found.pace("a0", 0.1).seconds == 5
    assert found.pace("a1", 0.1).seconds == 15
    assert not found.note("a0", Temper.CALM, has_isolated=False)
    assert found.pace("a0", 0.2).seconds == 15


def test_one_that_was_never_read_is_taken_to_cost_as_much_as_the_greatest() -> None:
    found = of(47)  # 47 × 10 × 4 = 1880: 15 × 1880 ÷ 480 = 58.75, so not carried
    alone = found.pace("a0", 0.0).seconds
    assert not found.is_carried
    unread = Timetable(60)
    unread.join(member("a0"))
    for number in range(1, 47):
        unread.join(member(f"a{number}", calls=()))
    assert unread.pace("a0", 0.0).seconds == alone
    assert not unread.is_carried


def test_the_plan_is_made_anew_every_few_seconds() -> None:
    room = [480.0]
    found = Timetable(60)
    one = member("a0")
    one.room = lambda _budget: room[0]
    found.join(one)
    assert found.pace("a0", 0.0).seconds == 15
    room[0] = 20.0
    assert found.pace("a0", 4.9).seconds == 15
    # 10 at each reading: 600 ÷ s is nine tenths of 20.
    assert found.pace("a0", 5.0).seconds == pytest.approx(33.3, abs=0.1)
