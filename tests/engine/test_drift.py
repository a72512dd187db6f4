"""What a lost event did to a ratio: measured at the same marks, told from two points on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity
from monitor.engine.drift import drifts_of
from monitor.engine.events import Drifted, NewsCame
from tests.build import NOON, flat, long, marks
from tests.engine.scene import Scene, calm, changes, renamed, snapshot, the_pool
from tests.engine.test_happenings import taken

if TYPE_CHECKING:
    from monitor.alerts.facts import Drift
    from monitor.risk.model import MarginPool


def sol(contracts: int) -> MarginPool:
    return the_pool(long("SOL", contracts=contracts, entry=100, tiers=flat("0.4")))


def drifted(before: tuple[MarginPool, ...], after: tuple[MarginPool, ...]) -> Drifted:
    return Drifted(before=snapshot(*before, SOL=120), after=snapshot(*after, SOL=120), at=NOON)


def drift_of(event: Drifted) -> Drift | None:
    found = drifts_of(event, marks(SOL=120), NOON)
    assert len(found) <= 1
    return found[0] if found else None


def test_the_ratio_with_and_without_the_change_is_taken_at_the_same_marks() -> None:
    # 10 SOL at 120: 480 of 700; 12 SOL: 576 of 740
    found = drift_of(drifted((sol(10),), (sol(12),)))
    assert found is not None
    assert (found.ratio_before, found.ratio_after) == (Decimal(480) / 700, Decimal(576) / 740)
    assert found.parts == ("SOL/USDT:USDT long: from 10 to 12 contracts",)


def test_two_points_or_less_are_not_told() -> None:
    # 500 of cash: 480 / 700; 520 of it: 480 / 720, which is 1.9 points less
    event = drifted((sol(10),), (replace(the_pool(cash=520)),))
    assert drift_of(event) is None
    event = drifted((sol(10),), (replace(the_pool(cash=522)),))
    found = drift_of(event)
    assert found is not None
    assert found.parts == ("balance from 500.00 USDT to 522.00 USDT",)


def test_of_several_pools_the_one_that_was_off_the_most_is_told() -> None:
    other = renamed(sol(10), "other")
    event = drifted((sol(10), other), (sol(12), renamed(sol(14), "other")))
    found = drift_of(event)
    assert found is not None
    assert found.pool.name == "other"


def test_it_is_one_message_and_over_at_once() -> None:
    scene: Scene = calm()
    scene.feed(replace(drifted((sol(10),), (sol(12),)), at=scene.at))
    assert scene.told == ["DRIFT: main (bybit), ratio from 68.6 % to 77.8 % at one reading"]
    (change,) = changes(scene.latest)
    assert not change.incident.is_open
    assert change.incident.severity is Severity.WARNING
    poorer = (replace(sol(10), collateral=the_pool(cash=470).collateral),)
    scene.feed(replace(drifted(poorer, (sol(10),)), at=scene.later(60).at))
    (change,) = (c for c in changes(scene.latest) if c.incident.subject.value == "drift")
    assert change.incident.severity is Severity.INFO


def test_a_position_that_shrank_is_told_however_little_that_moved_the_ratio() -> None:
    # 10 SOL at 120: 480 of 700, 68.57 %; 9.8 SOL and a fee: 470.4 of 694, 67.78 %
    small = the_pool(long("SOL", contracts="9.8", entry=100, tiers=flat("0.4")), cash=498)
    scene = calm()
    scene.feed(replace(drifted((sol(10),), (small,)), at=scene.at))
    part = "SOL/USDT:USDT long: from 10 to 9.8 contracts"
    assert scene.told == [f"SMALLER FOR NO KNOWN CAUSE: main (bybit), {part}"]
    (change,) = changes(scene.latest)
    assert not change.incident.is_open
    assert change.incident.severity is Severity.CRITICAL
    # The same again is another one.
    scene.later(5).feed(replace(drifted((sol(9),), (sol(8),)), at=scene.at))
    assert len(scene.all_told) == 2


def test_one_that_is_gone_is_told_as_well_and_of_several_how_many() -> None:
    other = long("BTC", contracts=1, entry=100, tiers=flat("0.4"))
    both = the_pool(long("SOL", contracts=10, entry=100, tiers=flat("0.4")), other)
    nothing = replace(the_pool(cash=520), positions=())
    event = Drifted(before=snapshot(both, SOL=120, BTC=100), after=snapshot(nothing), at=NOON)
    scene = calm()
    scene.feed(replace(event, at=scene.at))
    part = "SOL/USDT:USDT long: from 10 to 0 contracts"
    assert scene.told == [f"SMALLER FOR NO KNOWN CAUSE: main (bybit), {part} and 1 more"]


def test_each_pool_with_a_position_that_shrank_is_told() -> None:
    other = renamed(sol(10), "other")
    event = drifted((sol(10), other), (sol(9), renamed(sol(8), "other")))
    found = drifts_of(event, marks(SOL=120), NOON)
    assert [drift.pool.name for drift in found] == ["USDT", "other"]
    # One that was off by much beside them is their affair.
    event = drifted((sol(10), other), (sol(9), renamed(sol(14), "other")))
    assert [d.pool.name for d in drifts_of(event, marks(SOL=120), NOON)] == ["USDT"]


def test_what_was_told_to_be_taken_is_not_told_again_to_be_smaller() -> None:
    scene = calm()
    scene.later(1).feed(NewsCame(news=(taken(seconds=1),), at=scene.at))
    before = len(scene.all_told)
    scene.later(5).feed(replace(drifted((sol(10),), (the_pool(cash=499),)), at=scene.at))
    small = the_pool(long("SOL", contracts="9.8", entry=100, tiers=flat("0.4")), cash=498)
    event = drifted((sol(10),), (small,))
    after = replace(event.after, at=scene.at)
    scene.feed(replace(event, after=after, at=scene.at))
    assert scene.all_told[before:] == []
    # Two minutes later that explains nothing any more.
    after = replace(event.after, at=scene.later(120).at)
    scene.feed(replace(event, after=after, at=scene.at))
    assert [title[:7] for title in scene.all_told[before:]] == ["SMALLER", "BLIND: "]
