"""What one account's engine makes of its marks and of its rungs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Ladder, Measure, Rung, Severity
from monitor.engine.effects import Assessed, State
from monitor.engine.engine import Engine
from monitor.engine.events import Source
from monitor.errors import Refused, Unreachable
from tests.build import long, short
from tests.engine.scene import Scene, calm, changes, renamed, the_pool

OPENED = (Subject.STANDING, Step.OPENED)
ESCALATED = (Subject.STANDING, Step.ESCALATED)
EASED = (Subject.STANDING, Step.EASED)
RESOLVED = (Subject.STANDING, Step.RESOLVED)


def test_before_any_event_nothing_is_known() -> None:
    with pytest.raises(LookupError, match="nothing has happened yet in account main"):
        Engine(account="main", exchange="bybit").assessment()


# -- assessments --------------------------------------------------------------------------


def test_before_the_first_reading_the_account_is_blind() -> None:
    now = Scene().second().now
    assert (now.state, now.because, now.pools, now.mode) == (
        State.BLIND,
        "the account was never read yet",
        (),
        None,
    )


def test_the_first_reading_is_stale_until_a_live_mark_comes() -> None:
    scene = Scene().read(the_pool(), SOL=120)
    assert scene.now.state is State.STALE
    assert scene.tick(SOL=120).now.state is State.FRESH
    assert (scene.now.mode, scene.now.account, scene.now.exchange) == (
        "unified, cross",
        "main",
        "bybit",
    )


def test_the_first_reading_is_solved_and_so_is_every_second() -> None:
    scene = Scene().read(the_pool(), SOL=120)
    first = scene.now.pools[0]
    assert first.outlook is not None
    assert first.advice is not None
    ticked = scene.later(1).tick(SOL=119).now.pools[0]
    assert ticked.outlook is first.outlook
    assert scene.second().now.pools[0].outlook is not first.outlook


def test_where_the_end_is_far_and_marks_stand_it_is_solved_every_ten_seconds() -> None:
    scene = Scene().read(the_pool(), SOL=120)
    first = scene.second().now.pools[0].outlook
    still = scene.later(1).tick(SOL="120.05").second().now.pools[0]
    assert still.outlook is first
    assert scene.later(10).tick(SOL="120.05").second().now.pools[0].outlook is not first


def test_the_assessment_asked_for_is_that_of_the_latest_event() -> None:
    scene = calm()
    assert scene.engine.assessment() == scene.now


def test_every_event_that_changes_something_is_assessed_once() -> None:
    scene = calm()
    for fed in (
        scene.later(1).tick(SOL=119),
        scene.later(1).confirm("SOL"),
        scene.second(),
        scene.lose(),
        scene.restore(),
        scene.fail(Unreachable("timed out")),
        scene.key("trade"),
        scene.read(the_pool(), SOL=119),
    ):
        assert len([e for e in fed.latest if isinstance(e, Assessed)]) == 1


def test_marks_that_concern_nobody_change_nothing() -> None:
    assert calm().later(1).tick(DOGE=1).latest == ()
    assert calm().tick(SOL=110, age=5).latest == ()


def test_only_pools_that_need_a_mark_are_evaluated_anew() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    before = scene.now.pools[1].risk
    scene.later(1).tick(SOL=119)
    assert scene.now.pools[1].risk is before
    assert scene.now.pools[0].risk.marks["SOL/USDT:USDT"].price == Decimal(119)


# -- rungs on ratio -----------------------------------------------------------------------


def test_a_rung_is_told_in_the_very_event_that_reaches_it() -> None:
    scene = calm().later(1).tick(SOL=100)
    assert scene.steps == [OPENED]
    assert scene.told == ["WARNING 80 %: main (bybit) at 80.0 %"]
    assert scene.now.pools[0].rung == "warning"


def test_a_pool_that_stands_on_a_rung_when_first_seen_is_told() -> None:
    scene = Scene().read(the_pool(), SOL=90)
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 90.0 %"]


def test_a_jump_over_two_rungs_is_one_message_at_the_higher() -> None:
    scene = calm().later(1).tick(SOL=88)
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 92.6 %"]


def test_a_higher_rung_escalates_and_a_lower_one_eases_quietly() -> None:
    scene = calm().later(1).tick(SOL=99)
    assert scene.later(1).tick(SOL=90).steps == [ESCALATED]
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 90.0 %"]
    scene.later(1).tick(SOL=95)
    assert (scene.steps, scene.told) == ([EASED], [])
    assert changes(scene.latest)[0].quiet_because == "easing is not told, only the end is"


def test_the_end_is_told_with_peak_and_duration() -> None:
    scene = calm().later(1).tick(SOL=100).later(1).tick(SOL=98).later(60).tick(SOL=120)
    assert scene.told == []  # the account view is too old by then
    scene.read(the_pool(), SOL=120)
    assert scene.told == ["RESOLVED: main (bybit) at 68.6 %"]
    # 392 ÷ 480 = 81.7 %
    assert "It lasted 1 min 1 s; peak 81.7 % at 2026-11-22 12:00:02 UTC." in scene.body


def test_a_spike_between_two_marks_is_told() -> None:
    scene = calm().later(1).tick(SOL=119, worst={"SOL": (90, 119)})
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 90.0 %"]
    # 476 ÷ 690
    assert "That was a spike of the marks; at the newest ones the ratio is 69.0 %." in scene.body
    scene.second()
    assert scene.told == ["RESOLVED: main (bybit) at 69.0 %"]
    assert "peak 90.0 %" in scene.body


def test_a_jump_is_marked_as_unconfirmed() -> None:
    scene = calm().later(1).tick(SOL=90)
    assert (
        "Unconfirmed: the mark of SOL/USDT:USDT moved by −25.0 % in one step. "
        "It is being read again." in scene.body
    )


def test_a_rung_is_told_on_what_rest_brings_though_nothing_is_live() -> None:
    scene = Scene().read(the_pool(), SOL=120)
    assert scene.later(5).tick(source=Source.REST, SOL=100).steps == [OPENED]
    assert "not live, kept going" in scene.body


def test_a_blind_account_with_live_marks_still_climbs() -> None:
    scene = calm().fail(Refused("key expired"))
    assert scene.now.state is State.BLIND
    assert scene.later(1).tick(SOL=88).told == ["CRITICAL 90 %: main (bybit) at 92.6 %"]


def test_nothing_eases_or_ends_while_the_account_is_blind() -> None:
    scene = calm().later(1).tick(SOL=88).fail(Refused("key expired"))
    assert scene.later(1).tick(SOL=120).steps == []
    assert scene.now.pools[0].rung == "critical"
    scene.later(1).read(the_pool(), SOL=120)
    assert scene.told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %",
        "RESOLVED: main (bybit) at 68.6 %",
    ]


def test_nothing_ends_on_marks_by_rest_alone() -> None:
    scene = calm().later(1).tick(SOL=88).silence(16)
    scene.tick(source=Source.REST, SOL=120)
    assert (scene.now.state, scene.steps) == (State.STALE, [])
    assert scene.tick(SOL=120).told == ["RESOLVED: main (bybit) at 68.6 %"]


def test_two_pools_are_two_incidents() -> None:
    other = renamed(the_pool(), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120).tick(SOL=120).later(1).tick(SOL=100)
    assert scene.told == [
        "WARNING 80 %: main/USDT (bybit) at 80.0 %",
        "WARNING 80 %: main/USDC (bybit) at 80.0 %",
    ]


# -- rungs on distance --------------------------------------------------------------------

NEAR = Ladder(
    rungs=(
        Rung(name="near", on=Measure.DISTANCE, enter=Decimal("0.05"), leave=Decimal("0.06")),
        Rung(
            name="very near",
            on=Measure.DISTANCE,
            enter=Decimal("0.02"),
            leave=Decimal("0.025"),
            severity=Severity.CRITICAL,
        ),
    )
)


def test_rungs_on_distance_are_found_at_once_and_left_within_the_second() -> None:
    scene = calm(ladder=NEAR).later(1).tick(SOL=87)  # 4.2 % from 83.33
    assert scene.told == ["NEAR 5 %: main (bybit) is 4.2 % from liquidation"]
    assert scene.second().told == []
    scene.tick(SOL=84)  # 0.8 %
    assert scene.told == ["VERY NEAR 2 %: main (bybit) is 0.79 % from liquidation"]
    assert scene.second().told == []
    scene.tick(SOL=80).second()
    assert scene.steps == []
    scene.tick(SOL=120)
    assert scene.steps == []
    scene.second()
    assert scene.steps == [(Subject.STANDING, Step.RESOLVED)]
    assert scene.told == [
        (
            "BACK FROM OVER 100 %: main (bybit) at 68.6 %, 30.6 % from liquidation, "
            "CHECK YOUR POSITIONS"
        )
    ]


def test_a_dip_onto_a_rung_within_a_second_is_told() -> None:
    # 6 × mark = 500 is the end; 5.05 % above it stands 87.77, 4.99 % 87.71.
    scene = calm(ladder=NEAR).later(0.1).tick(SOL="87.77")
    assert scene.told == []
    scene.later(0.1).tick(SOL="87.71")
    assert scene.told == ["NEAR 5 %: main (bybit) is 5.0 % from liquidation"]
    assert scene.later(0.1).tick(SOL=120).told == []


def test_a_hedged_book_goes_by_the_adverse_move() -> None:
    # 10 each way from 100 with 120: no common move takes the PnL, the adverse one does
    book = the_pool(long("SOL", 10, 100), short("ETH", 10, 100), cash=50)
    scene = Scene(ladder=NEAR).read(book, SOL=100, ETH=100).tick(SOL=100, ETH=100)
    # 50 − 2,000 f = 0.005 × 2,000: f = 2 %
    assert scene.all_told == ["WATCHED: main (bybit) stands 2.0 % from liquidation (very near)"]
