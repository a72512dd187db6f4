"""
What is told of a pool that stands near its end as it is opened: noon, and three in the morning.

10 SOL from 100 with 500 USDT at 0.5 % maintenance is liquidated where 10 × mark − 500 is
0.05 × mark: at 50.25. With 54 USDT it is at 95.08, 4.9 % below 100; with 24 at 98.09, 1.9 %.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.alerts.incident import Incident, Step, Subject
from monitor.alerts.ladder import Severity
from monitor.engine.effects import IncidentChanged
from monitor.engine.events import Source
from tests.build import long
from tests.engine.scene import Scene, changes, renamed, the_pool

SMALL = long("SOL", contracts=10, entry=100)


def pool(cash: int, contracts: int = 10):
    return the_pool(replace(SMALL, contracts=Decimal(contracts)), cash=cash)


def flat_account(cash: int, **settings: object) -> Scene:
    """Watched for a while without a position."""
    empty = the_pool(SMALL, positions=(), cash=cash)
    return Scene(**settings).read(empty, SOL=100).second().tick(SOL=100)


def opened(cash: int, **settings: object) -> Scene:
    """Then 10 SOL are bought at 100."""
    return flat_account(cash, **settings).later(1).read(pool(cash), SOL=100).tick(SOL=100)


def severities(scene: Scene) -> list[Severity]:
    told = [c.notification for c in changes(scene.effects)]
    return [notification.severity for notification in told if notification]


def test_a_20x_position_opened_at_noon_is_told_once_and_calmly() -> None:
    scene = opened(54)
    assert scene.all_told == [
        "OPENED SOL/USDT:USDT long: main (bybit) stands 4.9 % from liquidation (near)"
    ]
    assert severities(scene) == [Severity.INFO]
    assert scene.now.pools[0].rung == "near"
    scene.steady(40 * 60, pool(54), SOL=100)
    assert scene.told == []


def test_at_three_in_the_morning_a_move_of_prices_is_an_alarm() -> None:
    scene = opened(54).steady(60, pool(54), SOL=99)
    scene.later(1).tick(SOL="96.9")
    assert scene.told == ["VERY NEAR 2 %: main (bybit) is 1.9 % from liquidation"]
    assert severities(scene)[-1] is Severity.CRITICAL
    # back where it was opened, the alarm is over, and that is told as well
    scene.later(1).tick(SOL=100).second()
    assert scene.told == ["RESOLVED: main (bybit) at 9.3 %, 4.9 % from liquidation"]
    scene.steady(600, pool(54), SOL=100)
    assert scene.told == []


def test_a_50x_position_is_an_alarm_once_half_of_its_distance_is_gone() -> None:
    scene = opened(24)
    assert scene.all_told == [
        "OPENED SOL/USDT:USDT long: main (bybit) stands 1.9 % from liquidation (very near)"
    ]
    # 98.1 is left at 99.1: 1.0 %; at 99.0: 0.92 %
    assert scene.later(1).tick(SOL="99.1").second().told == []
    assert scene.later(1).tick(SOL=99).told == [
        "VERY NEAR 2 %: main (bybit) is 0.92 % from liquidation"
    ]


@pytest.mark.parametrize("source", list(Source))
def test_an_opening_is_told_calmly_though_its_first_mark_comes_after_it(source: Source) -> None:
    empty = the_pool(SMALL, positions=(), cash=54)
    scene = Scene(was_watched=True).read(empty).second()
    scene.later(1).read(pool(54), source=source).second()
    assert scene.all_told == []
    scene.later(1).tick(SOL=100).second()
    assert scene.all_told == [
        "OPENED SOL/USDT:USDT long: main (bybit) stands 4.9 % from liquidation (near)"
    ]
    # and what follows it is an alarm
    assert scene.later(1).tick(SOL="96.9").told == [
        "VERY NEAR 2 %: main (bybit) is 1.9 % from liquidation"
    ]


def test_what_was_taken_on_and_is_left_again_is_not_told() -> None:
    scene = opened(54)
    scene.later(1).tick(SOL=105).second()
    assert scene.steps == [(Subject.STANDING, Step.RESOLVED)]
    assert scene.told == []
    assert changes(scene.latest)[0].quiet_because.startswith("it stands where it was opened")
    # and coming back to it by prices is another thing
    assert scene.later(1).tick(SOL=100).told == ["NEAR 5 %: main (bybit) is 4.9 % from liquidation"]


def test_closing_what_was_taken_on_is_not_told() -> None:
    scene = opened(54).later(1)
    empty = the_pool(SMALL, positions=(), cash=54)
    for _ in range(3):
        scene.read(empty, SOL=100).later(4)
    assert scene.now.pools[0].risk.positions == ()
    assert len(scene.all_told) == 1


def test_a_position_that_grows_onto_a_rung_is_told_calmly_too() -> None:
    scene = flat_account(54).later(1).read(pool(54, 5), SOL=100).tick(SOL=100).second()
    assert scene.all_told == []
    scene.later(1).read(pool(54), SOL=100)
    assert scene.told == [
        "ADDED TO SOL/USDT:USDT long: main (bybit) stands 4.9 % from liquidation (near)"
    ]
    assert "Added to SOL/USDT:USDT long: 10 contracts, 5 before; " in scene.body


def test_a_position_that_grew_while_prices_alone_had_brought_it_there_is_an_alarm() -> None:
    # 10 with 60 end at 94.47: 5.5 % below 100, 4.96 % below 99.4; 11 end at 95.02
    scene = flat_account(60).later(1).read(pool(60), SOL=100).tick(SOL=100).second()
    assert scene.all_told == []
    scene.later(1).read(pool(60, 11), SOL="99.4")
    assert scene.told == ["NEAR 5 %: main (bybit) is 4.4 % from liquidation"]
    assert severities(scene) == [Severity.WARNING]


def test_an_alarm_that_a_reading_brings_is_not_laid_to_an_opening() -> None:
    scene = flat_account(60).later(1).read(pool(60), SOL=100).tick(SOL=100).second()
    assert scene.later(1).read(pool(60), SOL="99.4").told == [
        "NEAR 5 %: main (bybit) is 5.0 % from liquidation"
    ]
    assert "owner" not in scene.body


def test_one_position_closed_and_another_opened_within_a_poll_is_an_opening() -> None:
    other = the_pool(long("ETH", 1, 100), cash=5400)
    scene = Scene().read(other, ETH=100).tick(ETH=100).later(5)
    for _ in range(3):
        scene.later(3).read(pool(54), SOL=100)
    assert scene.all_told == [
        "OPENED SOL/USDT:USDT long: main (bybit) stands 4.9 % from liquidation (near)"
    ]


def test_a_ratio_of_80_percent_is_an_alarm_however_it_came() -> None:
    heavy = replace(SMALL, tiers=the_pool().positions[0].tiers)  # 40 %
    scene = flat_account(500).later(1).read(the_pool(heavy, cash=500), SOL=100)
    assert scene.told == ["WARNING 80 %: main (bybit) at 80.0 %"]
    assert "It came there as its owner opened SOL/USDT:USDT long 10 contracts" in scene.body


def test_opening_and_closing_all_day_is_told_twice_an_hour() -> None:
    scene = flat_account(54)
    empty = the_pool(SMALL, positions=(), cash=54)
    for _ in range(20):
        scene.later(15).read(pool(54), SOL=100).tick(SOL=100)
        for _ in range(3):
            scene.later(4).read(empty, SOL=100).tick(SOL=100)
    assert len(scene.all_told) == 2
    quiet = [c.quiet_because for c in changes(scene.effects) if c.transition.step is Step.TAKEN_ON]
    assert quiet[2:] == ["the like was told often enough this hour"] * 18
    # what is not told is no alarm later on either, and an alarm is told all the same
    scene.later(15).read(pool(54), SOL=100).tick(SOL=100).later(1).tick(SOL="96.9")
    assert scene.told == ["VERY NEAR 2 %: main (bybit) is 1.9 % from liquidation"]


def test_a_position_in_a_pool_of_its_own_is_an_opening() -> None:
    scene = flat_account(54)
    own = renamed(the_pool(SMALL, cash=54), "isolated/SOLUSDT")
    scene.later(1).read(the_pool(SMALL, positions=(), cash=54), own, SOL=100)
    assert scene.told == [
        (
            "OPENED SOL/USDT:USDT long: main/isolated/SOLUSDT (bybit) stands 4.9 % from "
            "liquidation (near)"
        )
    ]


# -- the first reading of a run ---------------------------------------------------------------


def test_what_stands_there_as_the_watch_begins_is_told_calmly_once() -> None:
    scene = Scene().read(pool(24), SOL=100).tick(SOL=100).second()
    assert scene.all_told == ["WATCHED: main (bybit) stands 1.9 % from liquidation (very near)"]
    assert severities(scene) == [Severity.INFO]


def test_what_came_there_while_the_monitor_was_down_is_an_alarm() -> None:
    scene = Scene(was_watched=True).read(pool(24), SOL=100).tick(SOL=100).second()
    assert scene.all_told == ["VERY NEAR 2 %: main (bybit) is 1.9 % from liquidation"]
    assert severities(scene) == [Severity.CRITICAL]


@pytest.mark.parametrize("cash", [54, 24])
def test_after_a_restart_what_was_taken_on_is_known(cash: int) -> None:
    scene = opened(cash)
    kept = {c.incident.id: c.incident for c in scene.effects if isinstance(c, IncidentChanged)}
    again = Scene(was_watched=True, incidents=tuple(kept.values()))
    again.at = scene.at
    again.later(30).read(pool(cash), SOL=100).tick(SOL=100).steady(60, pool(cash), SOL=100)
    assert again.all_told == []
    # and counts from where it was opened
    alarm = again.later(1).tick(SOL="97.4" if cash == 54 else "99").told
    assert [title[:9] for title in alarm] == ["NEAR 5 %:" if cash == 54 else "VERY NEAR"]


def left_at_the_end_of_an_alarm() -> tuple[Scene, tuple[Incident, ...]]:
    """Killed once it is recorded that an alarm is over, before anything after that is."""
    scene = opened(54).steady(60, pool(54), SOL=99)
    scene.later(1).tick(SOL="96.9")
    scene.later(1).tick(SOL=100).second()
    steps = changes(scene.effects)
    end = next(n for n, c in enumerate(steps) if c.transition.step is Step.RESOLVED)
    return scene, tuple({c.incident.id: c.incident for c in steps[: end + 1]}.values())


def test_killed_as_an_alarm_ended_it_knows_what_was_taken_on_before_it() -> None:
    scene, kept = left_at_the_end_of_an_alarm()
    assert not any(incident.is_open for incident in kept)
    again = Scene(was_watched=True, incidents=kept)
    again.at = scene.at
    again.later(30).read(pool(54), SOL=100).tick(SOL=100).steady(60, pool(54), SOL=100)
    assert again.all_told == []
    assert [c.transition.step for c in changes(again.effects)] == [Step.NOTED]
    # and counts from where it was opened
    assert [title[:9] for title in again.later(1).tick(SOL="97.4").told] == ["NEAR 5 %:"]


def test_killed_as_an_alarm_ended_what_came_nearer_meanwhile_is_one() -> None:
    scene, kept = left_at_the_end_of_an_alarm()
    again = Scene(was_watched=True, incidents=kept)
    again.at = scene.at
    assert [title[:9] for title in again.later(30).read(pool(54), SOL="97.4").told] == ["NEAR 5 %:"]


def test_what_was_left_by_a_pool_that_is_gone_is_nothing_to_one_that_is_opened_anew() -> None:
    scene = opened(54).steady(60, pool(54), SOL=99)
    scene.later(1).tick(SOL="96.9")
    scene.later(1).tick(SOL=100).second()
    assert [title[:9] for title in scene.told] == ["RESOLVED:"]
    # Closed before anything else is heard, and opened anew.
    held = frozenset({(pool(54).id, SMALL.instrument.symbol, SMALL.side.value)})
    scene.later(0.2).read(source=Source.LIVE, closed=held)
    assert scene.now.pools == ()
    scene.later(60).read(pool(54), SOL=100).tick(SOL=100)
    assert [title[:10] for title in scene.all_told][-1] == "OPENED SOL"


def test_what_came_nearer_than_an_incident_left_it_is_an_alarm() -> None:
    kept = changes(opened(54).effects)[-1].incident
    scene = Scene(incidents=(kept,)).read(pool(54), SOL="96.9")
    assert scene.told == ["VERY NEAR 2 %: main (bybit) is 1.9 % from liquidation"]


def test_a_crash_through_all_rungs_is_one_message() -> None:
    scene = flat_account(200).later(1).read(pool(200), SOL=100).tick(SOL=100).second()
    # at 80.6: balance 6, maintenance 4.03: 67 %; at 80.5: 5 and 4.025: 80.5 %
    scene.later(1).tick(SOL="80.5")
    assert scene.told == [
        "VERY NEAR 2 %: main (bybit) is 0.12 % from liquidation, at 80.5 %",
    ]
    assert scene.second().told == []
    # 4.4 and 4.022; 0.378 of headroom is 0.038 of price
    assert scene.tick(SOL="80.44").told == [
        "CRITICAL 90 %: main (bybit) at 91.4 %, 0.047 % from liquidation"
    ]


def test_a_rung_is_found_at_once_though_all_else_is_as_good_as_before() -> None:
    # 10 × mark − 944.85 = 0.05 × mark at 94.96: 5.04 % below 100, 4.99 % below 99.95
    held = the_pool(SMALL, cash=Decimal("55.15"))
    scene = Scene().read(held, SOL=100).tick(SOL=100).second()
    before = scene.now.pools[0].outlook
    assert scene.later(1).tick(SOL="99.96").second().told == []
    assert scene.now.pools[0].outlook is before
    assert scene.later(1).tick(SOL="99.95").told == [
        "NEAR 5 %: main (bybit) is 5.0 % from liquidation"
    ]


def test_adding_on_a_rung_down_to_the_next_is_told_by_the_name_of_that_one() -> None:
    # 9.95 × mark = 800 at 80.40, 4.8 % below 84.5; 11.4425 × mark = 950 at 83.02, 1.7 % below
    scene = Scene(was_watched=True).read(pool(200), SOL=100).tick(SOL=100).second()
    assert scene.later(1).tick(SOL="84.5").told == [
        "NEAR 5 %: main (bybit) is 4.8 % from liquidation"
    ]
    grown = the_pool(replace(SMALL, contracts=Decimal("11.5")), cash=200)
    scene.later(5).read(grown, SOL="84.5")
    assert scene.told == ["VERY NEAR 2 %: main (bybit) is 1.7 % from liquidation"]
    assert scene.now.pools[0].rung == "very near"
    assert severities(scene)[-1] is Severity.WARNING
    assert "rung very near: 1.7 % from liquidation, since it was opened within 2 %" in scene.body
    assert "as its owner added to SOL/USDT:USDT long: 11.5 contracts, 10 before." in scene.body
