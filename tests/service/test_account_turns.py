"""When and how thoroughly an account is read: as its host's timetable says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.exchanges.call import Depth, Replies
from tests.end_to_end.stage import until
from tests.service.test_account_task import FakeRest, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


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
