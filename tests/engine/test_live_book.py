"""The book by live events: what they may change, and what only a reading may."""

from __future__ import annotations

from monitor.alerts.incident import Step, Subject
from monitor.engine.effects import State
from monitor.engine.events import NewsCame, ReadingAwaited, Source
from monitor.errors import Malformed, Refused, Unreachable
from tests.build import flat, long
from tests.engine.scene import Scene, calm, the_pool
from tests.engine.test_happenings import taken

MODE = "the mode was changed"


def awaiting(scene: Scene, because: str = MODE) -> Scene:
    return scene.feed(ReadingAwaited(because=because, at=scene.at))


def test_a_live_book_moves_the_figures_at_once() -> None:
    scene = calm()
    twice = the_pool(long("SOL", contracts=14, entry=100, tiers=flat("0.4")))
    # 0.4 × 14 × 120 = 672 of 500 + 14 × 20 = 780: 86.2 %
    scene.later(1).read(twice, source=Source.LIVE, SOL=120)
    assert scene.told == ["WARNING 80 %: main (bybit) at 86.2 %"]


def test_a_live_book_does_not_end_a_refusal() -> None:
    scene = calm().later(5)
    scene.fail(Refused("the key was deleted"))
    assert scene.steps == [(Subject.BLIND, Step.OPENED)]
    scene.later(1).read(the_pool(), source=Source.LIVE, SOL=120)
    assert scene.steps == []
    assert scene.now.state is State.BLIND
    scene.later(1).read(the_pool(), SOL=120).tick(SOL=120)
    assert scene.now.state is State.FRESH
    assert scene.all_told[-1] == "RESOLVED: main (bybit) is seen again, at 68.6 %"


def test_live_books_keep_the_account_view_young_while_rest_cannot_be_reached() -> None:
    scene = calm()
    for _ in range(10):
        scene.later(14).fail(Unreachable("no answer"))
        scene.later(1).read(the_pool(), source=Source.LIVE, SOL=120).tick(SOL=120)
    assert scene.now.state is State.FRESH
    assert scene.all_told == []


def test_live_books_are_no_view_while_readings_cannot_be_understood() -> None:
    scene = calm()
    for _ in range(5):
        scene.later(14).fail(Malformed("data[0].mmr", "a number"))
        scene.later(1).read(the_pool(), source=Source.LIVE, SOL=120).tick(SOL=120)
    assert scene.now.state is State.BLIND
    assert scene.all_told == ["BLIND: main (bybit), last known 68.6 %"]


def test_an_end_waits_until_nothing_more_is_taken() -> None:
    scene = Scene().read(the_pool(), SOL="81.2").tick(SOL="81.2")
    scene.later(1).feed(NewsCame(news=(taken(seconds=1),), at=scene.at))
    scene.later(1).read(the_pool(cash=5000), source=Source.LIVE, SOL=82).tick(SOL=82)
    assert not any(title.startswith(("RESOLVED", "BACK")) for title in scene.all_told)
    for _ in range(5):
        scene.second().tick(SOL=82)
    assert scene.all_told[-1].startswith("BACK FROM OVER 100 %")


def test_a_reading_that_does_not_come_after_it_was_needed_makes_blind_and_is_told() -> None:
    scene = awaiting(calm())
    for _ in range(5):
        scene.second().tick(SOL=120)
    assert scene.now.state is State.FRESH
    scene.second().tick(SOL=120)
    assert scene.now.state is State.BLIND
    assert scene.now.because == f"{MODE}, and the account was not read since"
    assert scene.all_told == ["BLIND: main (bybit), last known 68.6 %"]
    # A live event is no reading, and neither is one that began before it was needed.
    scene.later(1).read(the_pool(), source=Source.LIVE, SOL=120)
    assert scene.now.state is State.BLIND
    scene.later(1).read(the_pool(), SOL=120)
    assert scene.now.state is State.FRESH


def test_a_reading_that_comes_in_time_is_all_that_was_needed() -> None:
    scene = awaiting(calm())
    scene.later(1).read(the_pool(), SOL=120)
    for _ in range(20):
        scene.second().tick(SOL=120)
    assert scene.now.state is State.FRESH
    assert scene.all_told == []


def test_a_reading_that_began_before_it_was_needed_is_not_enough() -> None:
    scene = awaiting(calm().later(3))
    scene.later(1).read(the_pool(), age=2, SOL=120)
    for _ in range(6):
        scene.second().tick(SOL=120)
    assert scene.now.state is State.BLIND


def test_of_several_needs_the_first_one_counts() -> None:
    scene = awaiting(calm())
    for _ in range(6):
        awaiting(scene.second().tick(SOL=120), "another cause")
    assert scene.now.state is State.BLIND
    assert scene.now.because.startswith(MODE)
