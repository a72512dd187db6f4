"""What one account's engine makes of what it does not hear, of readings, and of its key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity
from monitor.engine.effects import State
from monitor.engine.events import ReadingAwaited, SnapshotTaken, Source, TaskDied, TimePassed
from monitor.errors import Malformed, Refused, Unmodelled, Unreachable
from monitor.risk.model import Reported
from monitor.risk.result import Verdict
from tests.build import NOON, flat, long
from tests.engine.scene import LONG, Scene, calm, changes, renamed, snapshot, the_pool

RESOLVED = (Subject.STANDING, Step.RESOLVED)
BARE = the_pool(LONG, positions=())


# -- data ---------------------------------------------------------------------------------


def test_a_refusal_is_told_at_once_and_once() -> None:
    scene = calm().fail(Refused("key refused from this address"))
    assert scene.told == ["BLIND: main (bybit), last known 68.6 %"]
    assert "Why: key refused from this address." in scene.body
    assert "What to do: put right what is said above: the key, its rights" in scene.body
    assert scene.later(300).fail(Refused("key refused from this address")).told == []


def test_what_is_not_modelled_is_told_at_once() -> None:
    scene = Scene().fail(Unmodelled("portfolio margin is not watched", whole_account=True))
    assert scene.told == ["BLIND: main (bybit), nothing known"]
    assert changes(scene.latest)[0].incident.severity is Severity.CRITICAL
    assert "the monitor has no rules for this" in scene.body


def test_another_refusal_is_another_reason() -> None:
    scene = calm().fail(Refused("key expired")).later(60).fail(Refused("account suspended"))
    assert scene.told == ["BLIND: main (bybit), last known 68.6 %"]
    assert "Why: account suspended." in scene.body


@pytest.mark.parametrize("error", [Unreachable("timed out"), Malformed("data", "a list")])
def test_other_failures_are_told_once_the_budget_is_over(error: Unreachable) -> None:
    scene = calm().fail(error)
    assert scene.steps == []
    for _ in range(65):
        scene.second().tick(SOL=120)
        assert scene.told == []
    assert scene.second().told == ["BLIND: main (bybit), last known 68.6 %"]
    assert f"the account was last read 1 min 6 s ago: {error.because}." in scene.body
    assert scene.read(the_pool(), SOL=120).told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %"
    ]


def test_an_account_without_positions_is_only_a_warning() -> None:
    scene = Scene().read(BARE).fail(Refused("key expired"))
    assert [c.incident.severity for c in changes(scene.latest)] == [Severity.WARNING]


def test_silent_live_marks_are_told_after_budget_and_grace() -> None:
    scene = calm()
    for second in range(1, 21):
        scene.second().tick(source=Source.REST, SOL=120)
        assert scene.told == [], second
    assert scene.now.state is State.STALE
    assert scene.second().told == ["STALE: live marks of main (bybit) are silent"]
    assert scene.tick(SOL=120).told == ["RESOLVED: live marks of main (bybit) are back"]


def test_marks_silent_by_any_way_are_blind_and_only_that_is_told() -> None:
    scene = calm().silence(20)
    assert (scene.told, scene.now.state) == ([], State.BLIND)
    assert scene.second().told == ["BLIND: main (bybit), last known 68.6 %"]
    assert "no mark of SOL/USDT:USDT for 21 s" in scene.body


def test_where_rest_comes_back_before_the_stream_that_is_told_as_well() -> None:
    scene = calm().silence(21).tick(source=Source.REST, SOL=120)
    assert scene.told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %",
        "STALE: live marks of main (bybit) are silent",
    ]


def test_near_liquidation_six_seconds_are_told() -> None:
    scene = calm().later(1).tick(SOL="84.5").second().tick(SOL="84.5")
    assert scene.silence(6).told == []
    assert scene.second().told == ["STALE: live marks of main (bybit) are silent"]


def test_a_live_mark_that_never_comes_is_told_whatever_readings_come() -> None:
    scene = Scene()
    for _ in range(3):
        assert scene.read(the_pool(), SOL=120).told == []
        scene.silence(7)
    assert scene.told == ["STALE: live marks of main (bybit) are silent"]


def test_a_lost_feed_is_no_alarm_by_itself() -> None:
    scene = calm().lose()
    assert (scene.told, scene.now.state, scene.now.feeds[0].state) == (
        [],
        State.FRESH,
        State.STALE,
    )
    assert scene.now.feeds[0].because == "no pong for 35 s"
    assert scene.later(2).restore().now.feeds[0].state is State.FRESH


def test_a_dead_reader_is_said_to_be_one() -> None:
    scene = calm()
    scene.feed(TaskDied(feed="marks", because="KeyError", at=scene.at))
    assert scene.now.feeds[0].because == "a part of the monitor ended by a fault: KeyError"
    assert scene.later(1).tick(SOL=120).now.feeds[0].because == ""


def test_another_part_that_died_is_shown_until_the_clock_ticks_again() -> None:
    scene = calm()
    scene.feed(TaskDied(feed="clock", because="KeyError", at=scene.at))
    assert [feed.name for feed in scene.now.feeds] == ["marks", "account", "clock"]
    assert [feed.name for feed in scene.second().now.feeds] == ["marks", "account"]


def test_one_silent_symbol_makes_its_pool_stale_and_no_other() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    for _ in range(21):
        scene.second().tick(ETH=100).tick(source=Source.REST, SOL=120)
    assert [pool.state for pool in scene.now.pools] == [State.STALE, State.FRESH]
    assert scene.all_told == ["STALE: live marks of main/USDT (bybit) are silent"]
    assert "Live mark prices of main/USDT of main on bybit are late or silent." in scene.body
    assert "main/USDC" not in scene.body


def test_a_further_pool_that_goes_silent_is_told_too() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    for _ in range(25):
        scene.second().tick(ETH=100).tick(source=Source.REST, SOL=120)
    for _ in range(22):
        scene.second().tick(source=Source.REST, SOL=120, ETH=100)
    assert len(scene.all_told) == 2
    assert "no live mark of ETH/USDT:USDT" in scene.body


# -- readings -----------------------------------------------------------------------------


def test_a_refusal_is_not_over_because_the_exchange_can_t_be_reached() -> None:
    scene = calm().fail(Refused("key expired")).later(1).fail(Unreachable("timed out"))
    assert (scene.steps, scene.now.state) == ([], State.BLIND)
    assert scene.later(1).read(the_pool(), SOL=120).told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %"
    ]


def test_a_reading_with_events_on_top_ends_a_refusal_and_what_was_waited_for() -> None:
    scene = calm().feed(ReadingAwaited(because="a transfer", at=NOON))
    scene.fail(Refused("key expired")).later(6)
    scene.read(the_pool(), source=Source.LIVE, SOL=120)
    assert scene.now.state is State.BLIND
    scene.read(the_pool(), source=Source.LIVE, is_reading=True, SOL=120).tick(SOL=120)
    assert scene.now.state is State.FRESH


def test_events_of_a_part_of_the_account_do_not_keep_the_rest_of_it_fresh() -> None:
    scene = calm().fail(Unreachable("timed out"))
    for _ in range(62):
        scene.second().tick(SOL=120)
        taken = snapshot(the_pool(), at=scene.at)
        scene.feed(SnapshotTaken(snapshot=taken, at=scene.at, source=Source.LIVE, is_view=False))
    assert scene.now.state is State.BLIND
    assert "the account was last read" in scene.now.because


def test_a_slow_reading_is_as_old_as_its_beginning_whatever_one_stream_told_since() -> None:
    scene = calm().later(40)
    taken = snapshot(the_pool(), at=scene.at)
    began = scene.at - timedelta(seconds=30)
    event = SnapshotTaken(snapshot=taken, at=scene.at, source=Source.LIVE, read_at=began)
    # Where everything is told, it is as new as the event on top of it.
    whole, part = calm().later(40).feed(event), scene.feed(replace(event, is_view=False))
    for each in (whole, part):
        for _ in range(36):
            each.second().tick(SOL=120)
    assert whole.now.state is State.FRESH
    assert part.now.state is State.BLIND  # 66 s, of which 60 and 5 are borne


def test_a_reading_that_began_before_it_is_not_the_one_that_is_waited_for() -> None:
    scene = (
        calm().later(2).feed(ReadingAwaited(because="a transfer", at=NOON + timedelta(seconds=2)))
    )
    taken = snapshot(the_pool(), at=NOON + timedelta(seconds=3), SOL=120)
    began = NOON + timedelta(seconds=1)
    scene.later(1).feed(SnapshotTaken(snapshot=taken, at=scene.at, read_at=began))
    scene.later(5).tick(SOL=120).second()
    assert scene.now.state is State.BLIND


def test_a_liquidation_does_not_sound_like_safety() -> None:
    scene = calm().later(1).tick(SOL=80).later(1)
    scene.read(the_pool(LONG, positions=(), cash=3)).later(4)
    scene.read(the_pool(LONG, positions=(), cash=3))
    assert scene.told == ["POSITIONS GONE, LIQUIDATED? main (bybit); peak 106.7 %"]


def test_a_pool_that_is_no_more_ends_its_incidents() -> None:
    scene = calm().later(1).tick(SOL=88).later(1).read().later(4).read()
    assert scene.now.pools == ()
    assert scene.told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]


def test_an_older_reading_than_the_one_known_is_dropped() -> None:
    scene = calm().later(10).read(the_pool(cash=600), SOL=120)
    scene.later(1).read(the_pool(cash=1), age=5, SOL=120)
    assert scene.now.pools[0].requirement.margin_balance == 800


def test_a_position_that_changes_is_taken_at_once() -> None:
    bigger = replace(LONG, contracts=Decimal(20))
    scene = calm().later(1).read(the_pool(bigger), SOL=120)
    # 500 + 400; 0.4 × 2,400 = 960
    assert scene.now.pools[0].requirement.ratio == Decimal(960) / 900
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 106.7 %"]


def test_figures_that_can_not_be_computed_are_blind_and_named() -> None:
    wrong = the_pool(long("SOL", 1, 100, tiers=flat()), collateral=())
    scene = Scene().read(wrong, SOL=120)
    assert scene.told == ["BLIND: main (bybit), nothing known"]
    assert "pool main/USDT has no collateral entry for USDT" in scene.body


# -- ours and theirs ----------------------------------------------------------------------


def said(balance: str) -> dict[str, Reported]:
    """Their report at a mark of 120, where ours is 700 and 480."""
    return {
        "USDT": Reported(at=NOON, margin_balance=Decimal(balance), maintenance_margin=Decimal(480))
    }


def test_a_disagreement_is_told_and_the_worse_pair_drives_until_it_heals() -> None:
    scene = Scene().read(the_pool(), reported=said("620"), SOL=120).tick(SOL=120)
    # 480 ÷ 620 = 77.4 %, and at 118: 472 ÷ 600 = 78.7 %, at 116: 464 ÷ 580 = 80 %
    assert scene.all_told == ["FIGURES DISAGREE: main (bybit), worse of both at 77.4 %"]
    pool = scene.now.pools[0]
    assert pool.reconciliation is not None
    assert pool.reconciliation.verdict is Verdict.DISAGREES
    assert pool.risk.requirement.margin_balance == 700
    assert scene.later(1).tick(SOL=118).told == []
    assert scene.later(1).tick(SOL=116).told == ["WARNING 80 %: main (bybit) at 80.0 %"]
    scene.later(1).read(the_pool(), reported=said("700"), SOL=120).tick(SOL=120)
    assert sorted(scene.all_told[2:]) == [
        "RESOLVED: figures of main (bybit) agree again",
        "RESOLVED: main (bybit) at 68.6 %",
    ]


def test_a_report_that_says_nothing_heals_nothing() -> None:
    scene = Scene().read(the_pool(), reported=said("620"), SOL=120).tick(SOL=120)
    scene.later(1).read(the_pool(), SOL=120).tick(SOL=120)
    assert scene.all_told == ["FIGURES DISAGREE: main (bybit), worse of both at 77.4 %"]


def test_a_disagreement_ends_with_its_positions() -> None:
    scene = Scene().read(the_pool(), reported=said("620"), SOL=120).tick(SOL=120)
    scene.later(1).read(BARE).later(4).read(BARE)
    assert scene.told == ["RESOLVED: figures of main (bybit) agree again"]


def test_the_prediction_error_is_shown_by_pool() -> None:
    scene = Scene().read(the_pool(), reported=said("700"), SOL=120)
    assert scene.now.pools[0].prediction_error is None
    scene.later(15).read(the_pool(), reported=said("700.6"), SOL=120)
    # 0.6 of 1,200
    assert scene.now.pools[0].prediction_error == Decimal("0.0005")
    assert scene.now.pools[0].largest_prediction_error == Decimal("0.0005")


# -- the key ------------------------------------------------------------------------------


def test_a_key_that_may_do_too_much_is_told_once_and_daily() -> None:
    scene = calm().key("trade")
    assert scene.told == ["KEY TOO POWERFUL: main (bybit)"]
    assert scene.later(10).key("trade").told == []
    scene.at = NOON + timedelta(days=1)
    scene.feed(TimePassed(at=scene.at))
    assert "STILL KEY TOO POWERFUL: main (bybit)" in scene.told


def test_a_further_power_is_told_and_so_is_a_key_that_lost_them() -> None:
    scene = calm().key("trade").later(5).key("trade", "withdraw")
    assert scene.told == ["KEY TOO POWERFUL: main (bybit)"]
    assert scene.later(5).key().told == ["RESOLVED: the key of main (bybit) reads only"]


def test_a_power_that_is_allowed_is_not_told() -> None:
    assert Scene().key("trade", allowed=True).told == []


# -- figures that disagree, and an exchange that then says nothing ---------------------------


def told_by_theirs(balance: int) -> dict[str, Reported]:
    return {
        "USDT": Reported(margin_balance=Decimal(balance), maintenance_margin=Decimal(480), at=NOON)
    }


def test_the_worse_of_both_drives_until_a_comparison_says_otherwise() -> None:
    # 480 ÷ 520 by theirs, 480 ÷ 700 by ours
    scene = calm().later(5).read(the_pool(), SOL=120, reported=told_by_theirs(520))
    assert [title.split(":")[0] for title in scene.told] == ["CRITICAL 90 %", "FIGURES DISAGREE"]
    scene.later(5).read(the_pool(), SOL=120).tick(SOL=120).second()
    assert (scene.told, scene.now.pools[0].rung) == ([], "critical")
    assert scene.now.pools[0].requirement.margin_balance == 520
    scene.later(5).read(the_pool(), SOL=120, reported=told_by_theirs(700)).tick(SOL=120).second()
    assert [title.split(":")[0] for title in scene.all_told[2:]] == ["RESOLVED", "RESOLVED"]


def test_a_new_mode_is_not_held_against_what_was_said_of_the_old_one() -> None:
    scene = calm().later(15).read(the_pool(), SOL=120, reported=told_by_theirs(520)).later(15)
    taken = replace(snapshot(the_pool(), at=scene.at, SOL=120), mode="portfolio")
    scene.feed(SnapshotTaken(snapshot=taken, at=scene.at)).tick(SOL=120).second()
    assert scene.now.pools[0].rung is None
    assert scene.now.pools[0].requirement.margin_balance == 700


def test_a_blind_account_is_not_said_to_stand_still_on_its_rung() -> None:
    scene = calm().later(1).tick(SOL=88).fail(Unreachable("gone")).silence(1900)
    assert [title for title in scene.all_told if "STILL" in title] == [
        "STILL BLIND: main (bybit), last known 92.6 %"
    ]
    # and once it is seen again that is said, and that it stands there
    scene.read(the_pool(), SOL=88).tick(SOL=88).second()
    assert "RESOLVED: main (bybit) is seen again, at 92.6 %" in scene.all_told
    assert scene.all_told.count("STILL CRITICAL 90 %: main (bybit) at 92.6 %") == 1
