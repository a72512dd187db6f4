"""What a lost event did to a ratio: measured at the same marks, told from two points on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity
from monitor.engine.drift import drift_of
from monitor.engine.events import Drifted
from tests.build import NOON, flat, long, marks
from tests.engine.scene import Scene, calm, changes, renamed, snapshot, the_pool

if TYPE_CHECKING:
    from monitor.risk.model import MarginPool


def sol(contracts: int) -> MarginPool:
    return the_pool(long("SOL", contracts=contracts, entry=100, tiers=flat("0.4")))


def drifted(before: tuple[MarginPool, ...], after: tuple[MarginPool, ...]) -> Drifted:
    return Drifted(before=snapshot(*before, SOL=120), after=snapshot(*after, SOL=120), at=NOON)


def test_the_ratio_with_and_without_the_change_is_taken_at_the_same_marks() -> None:
    # 10 SOL at 120: 480 of 700; 12 SOL: 576 of 740
    found = drift_of(drifted((sol(10),), (sol(12),)), marks(SOL=120), NOON)
    assert found is not None
    assert (found.ratio_before, found.ratio_after) == (Decimal(480) / 700, Decimal(576) / 740)
    assert found.parts == ("SOL/USDT:USDT long: from 10 to 12 contracts",)


def test_two_points_or_less_are_not_told() -> None:
    # 500 of cash: 480 / 700; 520 of it: 480 / 720, which is 1.9 points less
    event = drifted((sol(10),), (replace(the_pool(cash=520)),))
    assert drift_of(event, marks(SOL=120), NOON) is None
    event = drifted((sol(10),), (replace(the_pool(cash=522)),))
    found = drift_of(event, marks(SOL=120), NOON)
    assert found is not None
    assert found.parts == ("balance from 500.00 USDT to 522.00 USDT",)


def test_of_several_pools_the_one_that_was_off_the_most_is_told() -> None:
    other = renamed(sol(10), "other")
    event = drifted((sol(10), other), (sol(12), renamed(sol(14), "other")))
    found = drift_of(event, marks(SOL=120), NOON)
    assert found is not None
    assert found.pool.name == "other"


def test_it_is_one_message_and_over_at_once() -> None:
    scene: Scene = calm()
    scene.feed(replace(drifted((sol(10),), (sol(12),)), at=scene.at))
    assert scene.told == ["DRIFT: main (bybit), ratio from 68.6 % to 77.8 % at one reading"]
    (change,) = changes(scene.latest)
    assert not change.incident.is_open
    assert change.incident.severity is Severity.WARNING
    scene.feed(replace(drifted((sol(12),), (sol(10),)), at=scene.later(60).at))
    (change,) = (c for c in changes(scene.latest) if c.incident.subject.value == "drift")
    assert change.incident.severity is Severity.INFO
