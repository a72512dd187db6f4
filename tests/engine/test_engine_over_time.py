"""What is told after a restart, and how often what flaps is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure, Rung
from monitor.engine.effects import IncidentChanged
from monitor.engine.events import Source
from monitor.errors import Refused
from monitor.risk.result import Target
from tests.engine.scene import LONG, Scene, calm, changes, the_pool

ESCALATED = (Subject.STANDING, Step.ESCALATED)
RESOLVED = (Subject.STANDING, Step.RESOLVED)
BARE = the_pool(LONG, positions=())


# -- restart ------------------------------------------------------------------------------


def restarted(scene: Scene, **settings: object) -> Scene:
    """A new engine, half a minute later, with what storage kept."""
    kept = {c.incident.id: c.incident for c in scene.effects if isinstance(c, IncidentChanged)}
    again = Scene(incidents=tuple(kept.values()), **settings)
    again.at = scene.at + timedelta(seconds=30)
    return again


def test_after_a_restart_what_still_holds_is_not_told_again() -> None:
    scene = restarted(calm().later(1).tick(SOL=88))
    scene.read(the_pool(), SOL=88).tick(SOL=88).second()
    assert scene.all_told == []
    assert scene.now.pools[0].rung == "critical"


def test_after_a_restart_a_recovery_in_between_is_told() -> None:
    scene = restarted(calm().later(1).tick(SOL=88))
    scene.read(the_pool(), SOL=120)
    assert scene.told == []
    assert scene.tick(SOL=120).told == ["RESOLVED: main (bybit) at 68.6 %"]
    assert "peak 92.6 %" in scene.body


def test_after_a_restart_a_higher_rung_escalates() -> None:
    scene = restarted(calm().later(1).tick(SOL=99))
    scene.read(the_pool(), SOL=88)
    assert scene.steps == [ESCALATED]
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 92.6 %"]


def test_after_a_restart_hysteresis_goes_on() -> None:
    scene = restarted(calm().later(1).tick(SOL=99))
    scene.read(the_pool(), SOL=104).tick(SOL=104)
    assert (scene.all_told, scene.now.pools[0].rung) == ([], "warning")


def test_after_a_restart_positions_that_are_gone_are_confirmed_first() -> None:
    scene = restarted(calm().later(1).tick(SOL=88))
    scene.read(BARE)
    assert (scene.told, scene.snapshots_wanted) == (
        [],
        ["positions of an open incident are gone"],
    )
    assert scene.later(2).read(BARE).told == []
    assert scene.later(2).read(BARE).told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]


def test_after_a_restart_a_refusal_told_before_is_not_told_again() -> None:
    scene = restarted(calm().fail(Refused("key expired")))
    assert scene.fail(Refused("key expired")).told == []
    assert scene.later(1).read(the_pool(), SOL=120).told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %"
    ]


def test_after_a_restart_nothing_is_over_before_the_first_reading() -> None:
    stale = calm()
    for _ in range(22):
        stale.second().tick(source=Source.REST, SOL=120)
    for before in (calm().later(1).tick(SOL=88), stale):
        scene = restarted(before).second()
        assert scene.steps == []


def test_after_a_restart_a_pool_that_is_no_more_is_confirmed_first() -> None:
    scene = restarted(calm().later(1).tick(SOL=88))
    assert scene.read().told == []
    assert scene.later(4).read().told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]


def test_after_a_restart_hysteresis_of_a_distance_goes_on() -> None:
    near = Rung(name="near", on=Measure.DISTANCE, enter=Decimal("0.05"), leave=Decimal("0.10"))
    ladder = Ladder(rungs=(near,))
    scene = restarted(calm(ladder=ladder).later(1).tick(SOL=87).second(), ladder=ladder)
    scene.read(the_pool(), SOL=90).tick(SOL=90).second()  # 7.4 % from 83.33
    assert scene.all_told == []
    scene.tick(SOL=95).second()
    assert scene.told == ["RESOLVED: main (bybit) at 84.4 %, 12.3 % from liquidation"]


def test_incidents_of_other_accounts_are_none_of_its_business() -> None:
    blind = changes(calm().fail(Refused("key expired")).latest)[0].incident
    foreign = replace(blind, account="other")
    scene = Scene(incidents=(foreign,)).read(the_pool(), SOL=120).tick(SOL=120)
    assert scene.all_told == []


# -- flapping -----------------------------------------------------------------------------


def test_flapping_over_a_rung_is_told_twice_an_hour_at_most() -> None:
    scene = calm()
    for _ in range(100):
        scene.second().tick(SOL=100).read(the_pool(), SOL=100)
        scene.second().tick(SOL=120).read(the_pool(), SOL=120)
    assert [title.split(":")[0] for title in scene.all_told] == [
        "WARNING 80 %",
        "RESOLVED",
        "WARNING 80 %",
    ]
    scene.steady(3600, SOL=120)
    assert scene.told == ["RESOLVED: main (bybit) at 68.6 %"]


def test_a_liquidation_after_flapping_is_told_at_once() -> None:
    scene = calm()
    for price in (90, 120, 80):
        scene.second().tick(SOL=price)
    for _ in range(2):
        scene.later(4).read(the_pool(LONG, positions=(), cash=3))
    assert scene.told == ["POSITIONS GONE, LIQUIDATED? main (bybit); peak 106.7 %"]


def test_flapping_between_two_rungs_is_not_told_again_and_again() -> None:
    scene = calm().second().tick(SOL=99)
    for _ in range(50):
        scene.second().tick(SOL=90).second().tick(SOL=95).read(the_pool(), SOL=95)
    assert scene.all_told == [
        "WARNING 80 %: main (bybit) at 80.8 %",
        "CRITICAL 90 %: main (bybit) at 90.0 %",
    ]


def test_the_target_of_advice_is_a_setting() -> None:
    loose = Target(ratio=Decimal("0.9"), distance=Decimal("0.01"))
    pool = calm(target=loose).now.pools[0]
    assert pool.advice is not None
    assert pool.advice.target == loose
    assert pool.advice.top_up is None
    assert DEFAULT_LADDER.rung("warning") is not None
