"""When and how thoroughly an account is read: as its host's timetable says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.engine.effects import LogsWanted, SnapshotWanted
from monitor.engine.events import TimePassed
from monitor.errors import Unreachable
from monitor.exchanges.call import Depth, Replies
from monitor.service import account_task
from tests.build import NOON
from tests.end_to_end.stage import until
from tests.service.test_account_task import FakeRest, Stage, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@dataclass
class Turns:
    wait: float = 0.0
    lean: Depth = Depth.HEARD

    def depth(self) -> Depth:
        return self.lean

    def seconds(self, began: float) -> float:
        del began
        return self.wait


@dataclass
class Noting(FakeRest):
    depths: list[Depth] = field(default_factory=list)

    async def read_account(self, *, depth: Depth = Depth.WHOLE) -> Replies:
        self.depths.append(depth)
        return await super().read_account()


def stage(torn: list[str | None], turns: Turns | None) -> Stage:
    found = Stage(rest=Noting(), torn=torn)
    found.task._turns = turns
    return found


def depths(of: Stage) -> Iterator[Depth]:
    assert isinstance(of.rest, Noting)
    yield from of.rest.depths


async def test_a_reading_is_as_thorough_as_its_turn_says() -> None:
    calm = stage([None], Turns())
    await calm.read()
    assert list(depths(calm)) == [Depth.HEARD]


async def test_what_does_not_fit_together_is_read_whole() -> None:
    # A position that was traded since: the rows that were kept are just what is wrong.
    torn = stage(["positionRisk: others", None], Turns())
    await torn.read()
    assert list(depths(torn)) == [Depth.HEARD, Depth.WHOLE]


async def test_without_a_timetable_every_reading_is_whole() -> None:
    alone = stage([None], None)
    await alone.read()
    assert list(depths(alone)) == [Depth.WHOLE]


async def test_the_next_reading_is_when_the_timetable_says_or_at_once_where_it_must() -> None:
    waiting = stage([], Turns(wait=60.0))
    polling = asyncio.create_task(waiting.task._poll())
    try:
        await until(lambda: len(list(depths(waiting))) == 1, "the first reading")
        await asyncio.sleep(0.05)
        assert len(list(depths(waiting))) == 1
        waiting.task.poll_soon()
        await until(lambda: len(list(depths(waiting))) == 2, "the reading that was asked for")
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_who_comes_near_again_and_again_is_not_read_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account_task, "HURRY_SECONDS", 0.3)
    waiting = stage([], Turns(wait=60.0))
    polling = asyncio.create_task(waiting.task._poll())
    try:
        await until(lambda: len(list(depths(waiting))) == 1, "the first reading")
        for _ in range(20):
            waiting.task.poll_soon()
            await asyncio.sleep(0.005)
        assert len(list(depths(waiting))) == 2
        await until(lambda: len(list(depths(waiting))) == 3, "the last time it was asked for")
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_what_answers_an_alarm_is_known_as_that_until_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.service.account_task.HURRY_SECONDS", 0.0)
    stage = Stage(poll_seconds=3600)
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads >= 1, "reading 1")
    seen: list[bool] = []

    async def read_account(*, depth: Depth = Depth.WHOLE) -> Replies:
        del depth
        seen.append(stage.standing.is_alarmed)
        return Replies()

    stage.rest.read_account = read_account  # type: ignore[method-assign] # to look at it meanwhile
    assert not stage.standing.is_alarmed
    for effect in (SnapshotWanted(because="they are gone"), LogsWanted()):
        stage.engine.wishes = [effect]
        stage.mailbox.put(TimePassed(at=NOON))
        before = len(seen)
        await until(lambda before=before: len(seen) > before, "the next reading")
        await until(lambda: not stage.standing.is_alarmed, "the answer")
    stage.task.poll_soon()
    await until(lambda: len(seen) == 3, "the hurried reading")
    # A balance that moved is told by its logs in good time.
    assert seen == [True, False, True]
    await ended(running)


async def test_an_alarm_that_comes_while_the_account_is_read_is_for_the_next_reading() -> None:
    stage = Stage(poll_seconds=3600)
    alarmed: list[bool] = []

    async def read_account(*, depth: Depth = Depth.WHOLE) -> Replies:
        del depth
        alarmed.append(stage.standing.is_alarmed)
        if len(alarmed) == 1:
            stage.task.wake_up()
        return Replies()

    stage.rest.read_account = read_account  # type: ignore[method-assign] # to act meanwhile
    running = asyncio.create_task(stage.task.run())
    await until(lambda: len(alarmed) == 2, "the second reading")
    assert alarmed == [False, True]
    await until(lambda: not stage.standing.is_alarmed, "the answer")
    await ended(running)


async def test_the_gate_knows_since_when_the_account_is_known() -> None:
    stage = Stage(poll_seconds=3600)
    stage.rest.failures = [Unreachable("no answer")]
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads == 1, "the reading that fails")
    assert stage.standing.read_at == 0
    await until(lambda: stage.standing.read_at, "the reading that does not")
    assert 0 <= asyncio.get_running_loop().time() - stage.standing.read_at < 1
    await ended(running)


async def test_an_alarm_that_could_not_be_answered_stays_one() -> None:
    stage = Stage(poll_seconds=3600)
    stage.rest.failures = [Unreachable("no answer", retry_after_seconds=60.0)]
    stage.task.wake_up()
    running = asyncio.create_task(stage.task.run())
    await until(lambda: stage.rest.reads == 1, "the reading that fails")
    await asyncio.sleep(0)
    assert stage.standing.is_alarmed
    await ended(running)
