"""The book by live events: what they may change, and what only a reading may."""

from __future__ import annotations

from decimal import Decimal

from monitor.alerts.incident import Step, Subject
from monitor.engine.effects import State
from monitor.engine.events import NewsCame, ReadingAwaited, Source
from monitor.errors import Malformed, Refused, Unreachable
from monitor.risk.model import Reported
from monitor.risk.result import Verdict
from tests.build import flat, long
from tests.engine.scene import Scene, calm, snapshot, the_pool
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


def busy(scene: Scene, theirs: int, *, cash: int = 500, traded: int = 11) -> Scene:
    """
    A reading of 10 SOL at 120 with this balance by their own figures (ours: 500 + 10 × 20), and
    on top of it an event of a trade.
    """
    said = Reported(at=scene.at, margin_balance=Decimal(theirs), maintenance_margin=Decimal(480))
    beneath = snapshot(the_pool(cash=cash), at=scene.at, reported={"USDT": said}, SOL=120)
    after = the_pool(long("SOL", contracts=traded, entry=100, tiers=flat("0.4")), cash=cash)
    scene.later(15).read(after, source=Source.LIVE, is_reading=True, beneath=beneath, SOL=120)
    return scene.tick(SOL=120)


def verdict(scene: Scene) -> Verdict | None:
    reconciliation = scene.now.pools[0].reconciliation
    return None if reconciliation is None else reconciliation.verdict


def test_an_account_that_never_rests_is_compared_by_the_readings_beneath_its_events() -> None:
    scene = Scene()
    for _ in range(4):
        busy(scene, 700)
        assert verdict(scene) is Verdict.AGREES
    assert scene.all_told == []
    # The book is the one with the trade in it: 0.4 × 11 × 120 ÷ (500 + 11 × 20).
    requirement = scene.now.pools[0].requirement
    assert (requirement.maintenance_margin, requirement.margin_balance) == (528, 720)


def test_where_it_does_not_agree_three_times_in_a_row_the_worse_of_both_drives() -> None:
    scene = Scene()
    for _ in range(2):
        busy(scene, 620)
        assert verdict(scene) is Verdict.DRIFTS
    assert scene.all_told == []
    busy(scene, 620)
    # Theirs carried by the trade: 528 ÷ (620 + 20).
    assert verdict(scene) is Verdict.DISAGREES
    assert scene.all_told == [
        "WARNING 80 %: main (bybit) at 82.5 %",
        "FIGURES DISAGREE: main (bybit), worse of both at 82.5 %",
    ]
    # Once it is told it holds until a comparison says otherwise.
    busy(scene, 620)
    assert verdict(scene) is Verdict.DISAGREES
    busy(scene, 700)
    assert verdict(scene) is Verdict.AGREES
    scene.second()
    assert scene.all_told[2:] == [
        "RESOLVED: main (bybit) at 73.3 %",
        "RESOLVED: figures of main (bybit) agree again",
    ]


def test_a_gap_between_the_replies_of_one_reading_is_no_disagreement() -> None:
    scene = Scene()
    for theirs in (700, 620, 620, 700, 620, 700):
        busy(scene, theirs)
    assert scene.all_told == []


def test_a_reading_with_nothing_on_top_disagrees_at_once_as_ever() -> None:
    scene = busy(Scene(), 700)
    said = Reported(at=scene.at, margin_balance=Decimal(620), maintenance_margin=Decimal(480))
    scene.later(15).read(the_pool(), reported={"USDT": said}, SOL=120)
    assert verdict(scene) is Verdict.DISAGREES
    busy(scene, 620)
    assert verdict(scene) is Verdict.DISAGREES


def test_what_no_reading_shows_yet_is_not_compared() -> None:
    scene = Scene()
    beneath = snapshot(at=scene.at, SOL=120)
    scene.later(1).read(the_pool(), source=Source.LIVE, is_reading=True, beneath=beneath, SOL=120)
    assert verdict(scene) is None
