"""Which live marks stand though nothing more is told of them, and for how long."""

from __future__ import annotations

from datetime import timedelta

from monitor.engine.effects import State
from monitor.engine.events import Source
from monitor.engine.moves import Unmoved
from tests.build import NOON, Number, mark
from tests.engine.scene import Scene, calm

SOL = "SOL/USDT:USDT"
SILENT = ["STALE: live marks of main (bybit) are silent"]


def near() -> Scene:
    """1.4 % from its end at 83.33, where a mark that is silent for six seconds is told."""
    return calm().later(1).tick(SOL="84.5").second().tick(SOL="84.5")


def flat(scene: Scene, seconds: int, *, asked: Number = "84.5", most: float = 12) -> list[str]:
    """So many seconds without a live mark; each that is wanted is asked for and answered."""
    told = []
    for _ in range(seconds):
        told += scene.second().told
        if scene.marks_wanted:
            scene.tick(source=Source.REST, unchanged_seconds=most, SOL=asked)
            told += scene.told
    return told


def test_a_mark_that_stands_is_no_stall_while_its_feed_may_be_silent() -> None:
    scene = near()
    for _ in range(5):
        assert flat(scene, 10) == []
        assert scene.now.state is State.FRESH
        scene.tick(SOL="84.5")


def test_a_feed_that_is_silent_for_longer_is_told_though_the_mark_stands() -> None:
    scene = near()
    assert flat(scene, 12) == []
    assert flat(scene, 1) == SILENT
    assert scene.now.state is State.STALE


def test_one_that_is_silent_while_the_mark_moves_is_told_after_six_seconds() -> None:
    scene = near()
    assert flat(scene, 6, asked="84.4") == []
    assert flat(scene, 1, asked="84.4") == SILENT


def test_one_that_tells_of_every_mark_all_the_time_is_told_after_six_seconds() -> None:
    scene = near()
    assert flat(scene, 6, most=0) == []
    assert flat(scene, 1, most=0) == SILENT


def test_an_answer_that_does_not_come_says_nothing() -> None:
    scene = near()
    assert scene.silence(6).told == []
    assert scene.second().told == SILENT


def test_far_from_the_end_a_silent_feed_is_told_as_ever() -> None:
    scene = calm()
    assert flat(scene, 20, asked=120) == []
    assert flat(scene, 1, asked=120) == SILENT


def at(seconds: float, price: Number = 100) -> object:
    return mark(price, NOON + timedelta(seconds=seconds))


def stands(unmoved: Unmoved, live: object, seconds: float) -> bool:
    return unmoved.stands(SOL, live, NOON + timedelta(seconds=seconds), 6)  # type: ignore[arg-type]


def test_only_a_newer_mark_of_the_same_price_says_that_the_live_one_stands() -> None:
    live = at(0)
    for asked, is_said in ((at(3), True), (at(0), False), (at(3, "100.01"), False)):
        unmoved = Unmoved()
        unmoved.heard([SOL], NOON)
        unmoved.asked(SOL, live, asked, 12)  # type: ignore[arg-type] - marks
        assert stands(unmoved, live, 4) is is_said
    unmoved = Unmoved()
    unmoved.asked(SOL, None, at(3), 12)  # type: ignore[arg-type] - a mark
    assert not stands(unmoved, live, 4)


def test_it_stands_until_another_is_asked_for_or_told_or_it_is_old() -> None:
    unmoved, live = Unmoved(), at(0)
    unmoved.heard([SOL], NOON)
    unmoved.asked(SOL, live, at(3), 12)  # type: ignore[arg-type] - marks
    assert stands(unmoved, live, 9)
    assert not stands(unmoved, live, 9.1)
    # A live mark that came since is another matter.
    assert not stands(unmoved, at(3.5), 4)
    unmoved.asked(SOL, live, at(5, 101), 12)  # type: ignore[arg-type] - marks
    assert not stands(unmoved, live, 6)
