"""Positions that a reading no longer shows: when that is believed, and what explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.engine.effects import State
from monitor.engine.events import Source
from tests.build import long
from tests.engine.scene import LONG, Scene, calm, snapshot, the_pool

if TYPE_CHECKING:
    from monitor.risk.model import HeldKey, Position

BARE = the_pool(LONG, positions=())


def the_pool_holds(position: Position) -> frozenset[HeldKey]:
    return snapshot(the_pool(position)).held


def test_positions_that_vanish_are_believed_after_four_seconds_of_readings() -> None:
    scene = calm().later(1).tick(SOL=88).later(1)
    scene.read(BARE)
    assert (scene.told, scene.snapshots_wanted) == (
        [],
        ["a reading shows fewer positions and nothing explains it"],
    )
    assert scene.now.pools[0].risk.positions != ()
    assert scene.later(2).tick(SOL=120).read(BARE).steps == []
    assert scene.now.pools[0].risk.positions != ()
    scene.later(2).read(BARE)
    assert scene.now.pools[0].risk.positions == ()
    assert scene.told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]
    # 500 + 10 × 20 at the last mark, 500 of cash after
    assert "Its margin balance was 700.00 USDT when they were last seen, and is 500.00" in (
        scene.body
    )


def test_positions_that_are_back_were_never_gone() -> None:
    scene = calm().later(1).tick(SOL=88).later(1).read(BARE)
    scene.later(2).read(the_pool(), SOL=88).tick(SOL=88)
    assert scene.now.state is State.FRESH
    assert scene.steps == []
    assert scene.tick(SOL=120).told == ["RESOLVED: main (bybit) at 68.6 %"]


def test_different_positions_that_vanish_must_be_confirmed_anew() -> None:
    both = the_pool(LONG, long("ETH", 1, 100))
    scene = Scene().read(both, SOL=120, ETH=100)
    one, none = the_pool(LONG), BARE
    assert scene.later(1).read(one, SOL=120).snapshots_wanted != []
    assert scene.later(4).read(none).snapshots_wanted != []
    assert len(scene.now.pools[0].risk.positions) == 2
    assert scene.later(4).read(none).snapshots_wanted == []
    assert scene.now.pools[0].risk.positions == ()


def test_who_closes_one_position_after_the_other_is_not_doubted_for_ever() -> None:
    bases = ["A", "B", "C", "D", "E", "F", "G", "H", "I"]
    legs = [long(base, 1, 100) for base in bases]
    prices = dict.fromkeys(bases, 100)
    scene = Scene().read(the_pool(*legs), **prices)
    held = []
    for left in range(8, 1, -1):
        scene.later(2).read(the_pool(*legs[:left]), **prices)
        held.append(len(scene.now.pools[0].risk.positions))
    # the first was missed two seconds in, twelve seconds later the reading of then is the book
    assert held == [9, 9, 9, 9, 9, 9, 2]


def test_a_live_update_explains_what_it_shows() -> None:
    scene = calm().later(1).tick(SOL=88).later(1).read(BARE, source=Source.LIVE)
    assert scene.told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]


def test_a_live_update_built_on_a_doubtful_reading_confirms_nothing() -> None:
    scene = calm().later(1).read(BARE)
    assert scene.later(1).read(BARE, source=Source.LIVE).snapshots_wanted != []
    assert scene.now.pools[0].risk.positions != ()


def test_an_event_that_tells_of_the_end_explains_a_doubtful_reading() -> None:
    scene = calm().later(1).read(BARE)
    scene.later(0.2).read(BARE, source=Source.LIVE, closed=the_pool_holds(LONG))
    assert scene.now.pools[0].risk.positions == ()


def test_an_event_of_one_end_does_not_explain_another() -> None:
    eth = long("ETH", 1, 100)
    scene = (
        Scene().read(the_pool(LONG, eth), SOL=120, ETH=100).later(1).read(the_pool(eth), ETH=100)
    )
    told = the_pool_holds(eth)
    scene.later(0.2).read(BARE, source=Source.LIVE, closed=told)
    assert len(scene.now.pools[0].risk.positions) == 2
    scene.later(0.2).read(BARE, source=Source.LIVE, closed=told | the_pool_holds(LONG))
    assert scene.now.pools[0].risk.positions == ()


def test_readings_with_events_on_top_confirm_as_those_without_do() -> None:
    scene = calm().later(1)
    for _ in range(3):
        scene.read(BARE, source=Source.LIVE, is_reading=True).later(2)
    assert scene.now.pools[0].risk.positions == ()
