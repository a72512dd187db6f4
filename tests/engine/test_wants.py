"""What is asked for, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.engine.effects import LogsWanted, TablesWanted
from monitor.engine.events import SnapshotTaken, Source, TablesAnnounced
from monitor.errors import Refused
from tests.build import long
from tests.engine.scene import Scene, calm, snapshot, the_pool


def asked(scene: Scene, seconds: int) -> list[int]:
    """The seconds from now on at which marks were asked for."""
    return [second for second in range(1, seconds + 1) if scene.second().marks_wanted]


def test_a_silent_mark_is_asked_for_after_half_its_budget_and_every_five_seconds() -> None:
    assert asked(calm(), 20) == [8, 13, 18]


def test_near_liquidation_a_silent_mark_is_asked_for_after_three_seconds() -> None:
    scene = calm().later(1).tick(SOL="84.5").second().tick(SOL="84.5")  # 1.4 % from 83.33
    assert asked(scene, 10) == [3, 6, 9]


def test_marks_are_asked_for_by_the_exchange_s_own_names() -> None:
    scene = calm().silence(8)
    assert scene.marks_wanted == [{"SOLUSDT"}]


def test_only_the_silent_ones_are_asked_for() -> None:
    both = the_pool(long("SOL", 1, 100), long("ETH", 1, 100))
    scene = Scene().read(both, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    wanted = []
    for _ in range(9):
        scene.second()
        wanted += scene.marks_wanted
        scene.tick(ETH=100)
    assert wanted == [{"SOLUSDT"}]


def test_a_mark_by_rest_does_not_end_the_asking_but_a_live_one_does() -> None:
    scene = calm().silence(8).tick(SOL=119, age=0)
    assert asked(scene, 7) == []
    scene = calm().silence(8)
    scene.read(the_pool(), SOL=119)
    assert asked(scene, 5) == [5]


def test_a_mark_that_no_reading_brought_is_asked_for_at_once() -> None:
    assert Scene().read(the_pool()).marks_wanted == [{"SOLUSDT"}]


def test_a_jump_is_read_again_but_not_at_every_tick_of_a_wild_market() -> None:
    scene = calm().later(1).tick(SOL=105)
    assert scene.snapshots_wanted == ["marks jumped in one step: SOL/USDT:USDT by −12.5 %"]
    assert scene.marks_wanted == [{"SOLUSDT"}]
    assert scene.later(1).tick(SOL=120).snapshots_wanted == []
    assert scene.later(5).tick(SOL=105).snapshots_wanted != []


def test_an_account_that_refuses_is_not_asked_after_every_jump() -> None:
    scene = calm().fail(Refused("key expired")).later(1).tick(SOL=105)
    assert scene.snapshots_wanted == []
    assert scene.marks_wanted == [{"SOLUSDT"}]


@pytest.mark.parametrize("price", [109, 131])
def test_a_smaller_move_is_no_jump(price: int) -> None:
    assert calm().later(1).tick(SOL=price).snapshots_wanted == []


# -- what was booked ----------------------------------------------------------------------


def logs_wanted(scene: Scene) -> int:
    return sum(isinstance(each, LogsWanted) for each in scene.latest)


def test_what_was_booked_is_asked_for_as_soon_as_a_balance_moves() -> None:
    scene = calm().later(5).read(the_pool(), SOL=121)
    assert logs_wanted(scene) == 0
    scene.later(1).read(the_pool(cash=490), SOL=121, source=Source.LIVE)
    assert logs_wanted(scene) == 1
    assert logs_wanted(scene.later(5).read(the_pool(cash=490), SOL=121)) == 0


def test_and_not_again_within_ten_seconds_but_then_it_is_made_up_for() -> None:
    scene = calm().later(5).read(the_pool(cash=490), SOL=120)
    asked = []
    for second in range(1, 13):
        scene.later(1).read(the_pool(cash=480), SOL=120)
        asked += [second] * logs_wanted(scene)
    assert asked == [10]


def test_another_mode_s_balances_are_no_booking() -> None:
    scene = calm().later(5)
    taken = replace(snapshot(the_pool(cash=90), at=scene.at, SOL=120), mode="portfolio")
    assert logs_wanted(scene.feed(SnapshotTaken(snapshot=taken, at=scene.at))) == 0


def announced(scene: Scene, symbol: str) -> list[str]:
    scene.feed(TablesAnnounced(symbol=symbol, because=f"new tiers of {symbol}", at=scene.at))
    return [each.because for each in scene.latest if isinstance(each, TablesWanted)]


def test_announced_tables_of_what_is_held_are_asked_for_at_once_and_of_nothing_else() -> None:
    scene = calm()
    assert announced(scene, "SOLUSDT") == ["new tiers of SOLUSDT"]
    assert announced(scene, "SOLUSDT") == []
    assert announced(scene.later(5), "SOLUSDT") == ["new tiers of SOLUSDT"]
    assert announced(scene, "ETHUSDT") == []
