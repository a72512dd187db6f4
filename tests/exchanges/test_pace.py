"""Who goes first where there is no room for all at once, and that nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from monitor.exchanges import pace as paces
from monitor.exchanges.pace import Pace, Standing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOM = 10.0


class Line:
    """A full limit of 10 units that empties by 10 in `seconds`, and who got through it."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.pace = Pace(ROOM, seconds)
        self.through: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def full(self) -> Line:
        await self.pace.acquire(ROOM)
        return self

    def come(
        self,
        name: str,
        distance: float | None = None,
        *,
        weight: float = 5,
        alarmed: bool = False,
        urgent: bool = False,
    ) -> Standing:
        standing = Standing(distance=distance, is_alarmed=alarmed)

        async def wait() -> None:
            await self.pace.acquire(weight, standing, is_urgent=urgent)
            self.through.append(name)

        self.tasks.append(asyncio.create_task(wait()))
        return standing

    async def all(self) -> list[str]:
        await asyncio.wait_for(asyncio.gather(*self.tasks), 5)
        return self.through


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    found = await Line().full()
    yield found
    for task in found.tasks:
        task.cancel()


async def test_what_answers_an_alarm_goes_before_routine_however_near_that_is(line: Line) -> None:
    line.come("calm", 0.5)
    line.come("near, routine", 0.01)
    line.come("alarmed, farther", 0.2, alarmed=True)
    line.come("late mark of a calm one", 0.4, urgent=True)
    line.come("alarmed, nearest", 0.02, alarmed=True)
    assert await line.all() == [
        "alarmed, nearest",
        "alarmed, farther",
        "late mark of a calm one",
        "near, routine",
        "calm",
    ]


async def test_one_of_which_nothing_is_known_goes_between_near_and_calm(line: Line) -> None:
    line.come("calm", 0.06)
    line.come("never read")
    line.come("near", 0.04)
    assert await line.all() == ["near", "never read", "calm"]


async def test_equals_go_in_the_order_in_which_they_came_the_heavy_one_too(line: Line) -> None:
    line.come("heavy", 0.1, weight=10)
    for name in ("second", "third"):
        line.come(name, 0.1, weight=1)
    assert await line.all() == ["heavy", "second", "third"]


async def test_of_equals_all_calls_of_the_one_whose_view_is_oldest_go_first(line: Line) -> None:
    first, second = line.come("first 1", 0.1), line.come("second 1", 0.1)
    first.read_at, second.read_at = 1.0, 2.0
    await asyncio.sleep(0)
    line.tasks.append(asyncio.create_task(line.pace.acquire(5, first)))
    line.tasks[-1].add_done_callback(lambda _: line.through.append("first 2"))
    assert await line.all() == ["first 1", "first 2", "second 1"]


async def test_a_view_that_would_soon_be_none_goes_before_every_alarm(line: Line) -> None:
    now = asyncio.get_running_loop().time()
    seen = {
        "alarmed": (0.01, now - 5),
        "near": (0.02, now - 39),
        "old": (0.9, now - 41),
        "older": (0.9, now - 50),
        "never": (None, 0.0),
    }
    for name, (distance, read_at) in seen.items():
        line.come(name, distance, weight=1, alarmed=name == "alarmed").read_at = read_at
    assert await line.all() == ["never", "older", "old", "alarmed", "near"]


async def test_one_never_read_goes_before_alarms_of_old_views_too(line: Line) -> None:
    now = asyncio.get_running_loop().time()
    # In a crash that is more than an address carries, every view is old.
    line.come("alarmed", 0.01, weight=1, alarmed=True).read_at = now - 60
    line.come("never", 0.9, weight=1)
    line.come("old", 0.9, weight=1).read_at = now - 70
    assert await line.all() == ["never", "alarmed", "old"]


async def test_one_that_is_read_in_vain_goes_before_nobody_for_its_old_view(line: Line) -> None:
    now = asyncio.get_running_loop().time()
    line.come("never readable", weight=1).is_unreadable = True
    gone = line.come("no longer readable", 0.9, weight=1)
    gone.read_at, gone.is_unreadable = now - 300, True
    line.come("near", 0.01, weight=1).read_at = now - 5
    line.come("alarmed", 0.1, weight=1, alarmed=True).read_at = now - 5
    line.come("old", 0.9, weight=1).read_at = now - 50
    assert await line.all() == ["old", "alarmed", "near", "never readable", "no longer readable"]


async def test_one_never_read_goes_first_on_a_machine_that_has_just_started_too(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces, "_loop_time", lambda: 12.0)
    line.come("near", 0.01).read_at = 10.0
    line.come("never")
    assert await line.all() == ["never", "near"]


async def test_it_is_at_ease_while_half_of_what_may_go_at_once_is_left(line: Line) -> None:
    pace = Pace(ROOM, 1000.0)
    assert pace.is_at_ease(5)
    assert not pace.is_at_ease(6)
    await pace.acquire(2)
    assert pace.is_at_ease(3)
    assert not pace.is_at_ease(4)
    part = Pace(ROOM, 1000.0, at_once=0.4)
    assert part.is_at_ease(2)
    assert not part.is_at_ease(3)
    # Who waits is to come first, however little it is.
    line.come("waiting", 0.1)
    await asyncio.sleep(0)
    assert not line.pace.is_at_ease(0)


async def test_a_reading_under_way_goes_first_once_an_alarm_wants_it(line: Line) -> None:
    line.come("other", 0.1)
    standing = line.come("this", 0.3)
    await asyncio.sleep(0)
    standing.is_alarmed, standing.distance = True, 0.01
    assert await line.all() == ["this", "other"]


async def test_in_an_endless_alarm_every_fourth_turn_is_theirs_who_have_waited_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paces, "LONG_SECONDS", 0.05)
    line = await Line().full()
    line.come("calm", 0.5)
    line.come("calmer", 0.9)
    for number in range(30):
        line.come(f"alarm {number}", 0.01, alarmed=True)
    found = await line.all()
    # 0.05 s is over before the second turn; then one of four is theirs, in their order.
    assert found.index("calm") <= 5
    assert found.index("calmer") == found.index("calm") + 4


async def test_without_having_waited_long_nobody_goes_before_an_alarm(line: Line) -> None:
    line.come("calm", 0.5)
    for number in range(12):
        line.come(f"alarm {number}", 0.01, alarmed=True)
    assert (await line.all())[-1] == "calm"


async def test_a_limit_is_never_passed_whoever_goes_first() -> None:
    seconds = 0.2
    line, loop = Line(seconds), asyncio.get_running_loop()
    began, times = loop.time(), []

    async def take(number: int) -> None:
        standing = Standing(distance=number / 100, is_alarmed=number % 2 == 0)
        await line.pace.acquire(1, standing)
        times.append(loop.time() - began)

    await asyncio.gather(*map(take, range(40)))
    # At once as much as there is room for, and then as much in every window.
    for count, at in enumerate(times, 1):
        assert count <= ROOM + at / seconds * ROOM + 0.01
    assert times[-1] == pytest.approx(0.6, abs=0.002)


async def test_less_room_holds_for_those_who_wait_already() -> None:
    line, loop = await Line(0.2).full(), asyncio.get_running_loop()
    began = loop.time()
    line.come("first", weight=4)
    await asyncio.sleep(0)
    await line.pace.acquire(1, room=5)
    # 10 + 4 + 1 taken are 10 beyond a room of 5, which empties by 25 a second.
    assert loop.time() - began == pytest.approx(0.4, abs=0.002)


async def test_who_goes_away_while_he_waits_takes_nothing(line: Line) -> None:
    line.come("gone", 0.01, weight=10, alarmed=True)
    line.come("next", 0.3, weight=1)
    await asyncio.sleep(0)
    line.tasks[0].cancel()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await line.tasks[1]
    # 1 of 10 units a tenth of a second; 11 would take 0.11.
    assert loop.time() - began == pytest.approx(0.01, abs=0.002)


async def test_a_part_of_the_room_may_be_taken_at_once_and_the_rest_evenly() -> None:
    pace, loop = Pace(ROOM, 0.2, at_once=0.5), asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(pace.acquire(1) for _ in range(5)))
    assert loop.time() - began < 0.002
    await pace.acquire(1)
    assert loop.time() - began == pytest.approx(0.02, abs=0.002)


async def test_what_weighs_more_than_may_be_taken_at_once_is_counted_whole() -> None:
    pace, loop = Pace(ROOM, 0.2, at_once=0.5), asyncio.get_running_loop()
    began = loop.time()
    await pace.acquire(10)
    assert loop.time() - began < 0.002
    await pace.acquire(5)
    # All of the 10 units that empty by 50 a second are to be gone, for 5 to find room for all.
    assert loop.time() - began == pytest.approx(0.2, abs=0.002)
