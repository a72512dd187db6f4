"""
Hours of an account in lists: what is told, when, and nothing else.

A timeline is the mark of each minute (or second); in between, marks come every 5 s, the clock
ticks every second and the account is read every 15 s, as the monitor does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.engine.effects import State
from monitor.engine.events import Source
from monitor.errors import Refused, Unreachable
from tests.build import NOON, Number, flat, long, short
from tests.engine.scene import LONG, Scene, calm, the_pool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.risk.model import MarginPool

Told = list[tuple[str, str]]


def live(
    scene: Scene,
    prices: Iterable[Number],
    *,
    seconds: int = 60,
    pool: MarginPool | None = None,
    stream: bool = True,
    rest: bool = True,
) -> Told:
    """What is told, with the minute and second since noon, while the market goes that way."""
    told: Told = []
    for price in prices:
        for second in range(seconds):
            scene.second()
            told += _heard(scene)
            if stream and second % 5 == 0:
                told += _heard(scene.tick(SOL=price))
            if rest and second % 15 == 7:
                told += _heard(scene.read(pool or the_pool(), SOL=price))
            elif rest and scene.marks_wanted:
                told += _heard(scene.tick(source=Source.REST, SOL=price))
    return told


def _heard(scene: Scene) -> Told:
    passed = int((scene.at - NOON).total_seconds())
    return [(f"{passed // 60:02}:{passed % 60:02}", title) for title in scene.told]


def test_a_quiet_day_says_nothing() -> None:
    wobble = [120, 121, 119, 122, 118] * 12
    assert live(calm(), wobble) == []


def test_a_slow_slide_and_its_recovery() -> None:
    slide = [110, 104, 101, 100, 99, 95, 91, 90, 88, 91, 95, 103, 105, 110]
    assert live(calm(), slide) == [
        ("03:01", "WARNING 80 %: main (bybit) at 80.0 %"),
        ("07:01", "CRITICAL 90 %: main (bybit) at 90.0 %"),
        ("12:01", "RESOLVED: main (bybit) at 76.4 %"),
    ]


def test_a_crash_is_one_message_and_its_liquidation_says_so() -> None:
    scene = calm()
    told = live(scene, [118, 82])
    told += live(scene, [70], pool=the_pool(LONG, positions=(), cash=2))
    assert told == [
        ("01:01", "CRITICAL 90 %: main (bybit) at 102.5 %"),
        # read without them at 02:08 for the first time, and believed at the second
        ("02:23", "POSITIONS GONE, LIQUIDATED? main (bybit); peak 140.0 %"),
    ]
    assert "and is 2.00 USDT now" in scene.body


def test_a_night_on_the_critical_rung_is_said_again_every_half_hour() -> None:
    assert live(calm(), [88] * 95) == [
        ("00:01", "CRITICAL 90 %: main (bybit) at 92.6 %"),
        ("30:01", "STILL CRITICAL 90 %: main (bybit) at 92.6 %"),
        ("60:01", "STILL CRITICAL 90 %: main (bybit) at 92.6 %"),
        ("90:01", "STILL CRITICAL 90 %: main (bybit) at 92.6 %"),
    ]


def test_a_warning_is_not_said_again() -> None:
    assert live(calm(), [97] * 95) == [("00:01", "WARNING 80 %: main (bybit) at 82.6 %")]


def test_a_stream_that_dies_in_silence_while_rest_goes_on() -> None:
    scene = calm()
    live(scene, [120])
    assert live(scene, [118, 117], stream=False) == [
        # the last live mark came at 00:56
        ("01:17", "STALE: live marks of main (bybit) are silent"),
    ]
    assert scene.now.state is State.STALE
    assert scene.now.pools[0].risk.marks["SOL/USDT:USDT"].price == Decimal(117)
    # a rung is told meanwhile, but no end of it
    assert live(scene, [99, 112], stream=False) == [
        # asked for each 5 s from 01:04 on
        ("03:04", "WARNING 80 %: main (bybit) at 80.8 %")
    ]
    assert live(scene, [112]) == [
        ("05:01", "RESOLVED: live marks of main (bybit) are back"),
        ("05:01", "RESOLVED: main (bybit) at 72.3 %"),
    ]


def test_a_network_that_is_gone_for_ten_minutes() -> None:
    scene = calm()
    live(scene, [120])
    scene.lose().fail(Unreachable("the network is unreachable"))
    assert live(scene, [100] * 10, stream=False, rest=False) == [
        ("01:17", "BLIND: main (bybit), last known 68.6 %"),
    ]
    assert "the marks feed is lost: no pong for 35 s" in scene.body
    scene.restore()
    assert live(scene, [100]) == [
        # figures by live marks of an account that was not read yet are none
        ("11:01", "WARNING 80 %: main (bybit) at 80.0 %"),
        ("11:08", "RESOLVED: main (bybit) is seen again, at 80.0 %"),
    ]


def test_a_refused_key_through_the_night_is_said_every_half_hour() -> None:
    scene = calm()
    told: Told = []
    for _ in range(65 * 4):
        told += live(scene, [120], seconds=15, rest=False)
        told += _heard(scene.fail(Refused("key expired")))
    assert told == [
        ("00:15", "BLIND: main (bybit), last known 68.6 %"),
        ("30:15", "STILL BLIND: main (bybit), last known 68.6 %"),
        ("60:15", "STILL BLIND: main (bybit), last known 68.6 %"),
    ]


def test_a_wild_hour_is_not_a_storm() -> None:
    # every 20 s across both rungs and back: 180 crossings
    told = live(calm(), [120, 88] * 90, seconds=20)
    assert [title.split(":")[0] for _, title in told] == [
        "CRITICAL 90 %",
        "RESOLVED",
        "CRITICAL 90 %",
        "CRITICAL 90 %",
    ]
    assert told[3][0] == "31:01"


def test_an_hour_of_a_failing_stream_is_not_a_storm() -> None:
    scene = calm()
    told: Told = []
    for _ in range(30):
        told += live(scene, [120], stream=False)
        told += live(scene, [120])
    words = [title.split(":")[0] for _, title in told]
    # Three ends and what begins after them are all that an hour has room for beside graver things.
    assert words == [*["STALE", "RESOLVED"] * 3, "STALE"]
    # As soon as the first of these ends, told at 01:01, counts no more.
    assert live(scene, [120] * 2) == [("61:01", "RESOLVED: live marks of main (bybit) are back")]


def test_a_hedged_book_that_is_opened_on_one_side() -> None:
    hedge = (LONG, short("SOL", 10, 120, tiers=flat("0.01")))
    scene = Scene().read(the_pool(*hedge, cash=100), SOL=120).tick(SOL=120)
    # 100 + 200; 0.4 × 1,200 + 0.01 × 1,200 = 492: far beyond liquidation
    assert scene.all_told == ["CRITICAL 90 %: main (bybit) at 164.0 %"]


def test_a_position_that_is_closed_for_a_good_price_ends_its_incident() -> None:
    scene = calm()
    live(scene, [99])
    half = long("SOL", contracts=3, entry=100, tiers=flat("0.4"))
    # seven closed at 99 lost 7 of the cash: 0.4 × 297 = 118.8 of 493 − 3
    told = live(scene, [99], pool=the_pool(half, cash=493))
    assert told == [("01:08", "RESOLVED: main (bybit) at 24.2 %")]
