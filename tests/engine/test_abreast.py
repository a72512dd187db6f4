"""
Legs of one coin that are marked one after the other, and one that falls silent.

The hedge is 10 SOL long and 10 short in another contract, both from 100, with 100 USDT at 1 %
maintenance: balance 100 + 10 × (long's mark - short's), maintenance 0.1 × their sum.
"""

from __future__ import annotations

import gc
from collections import deque
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.alerts.incident import Step, Subject
from monitor.engine.abreast import Course
from monitor.engine.effects import MarksWanted
from monitor.engine.events import Source
from tests.build import NOON, a_pool, coins, flat, inverse, linear, long, mark, marks, short
from tests.engine.scene import Scene, changes, the_pool

DATED = replace(linear("SOLX"), base="SOL")
SOL, DATED_SOL = "SOL/USDT:USDT", DATED.symbol
LONG_LEG = long("SOL", contracts=10, entry=100, tiers=flat("0.01"))
SHORT_LEG = short(DATED, contracts=10, entry=100, tiers=flat("0.01"))
HEDGE = the_pool(LONG_LEG, SHORT_LEG, cash=100)


def later(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def hedged() -> Scene:
    """The hedge at 100 and 100, 20 %, both marks live."""
    return Scene().read(HEDGE, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)


def test_what_only_a_lagging_leg_makes_of_a_hedge_is_no_rung() -> None:
    scene = hedged().later(1).tick(SOL=92)
    # 100 - 80 = 20 against 0.92 × 10 + 10 = 19.2: 96 %; abreast 18.4 against 100.
    assert scene.now.pools[0].requirement.ratio == Decimal("0.96")
    assert scene.all_told == []
    assert scene.second().tick(SOL=92, SOLX=92).now.pools[0].requirement.ratio == Decimal("0.184")
    assert scene.silence(3).all_told == []


def test_legs_that_truly_part_are_told_with_the_second_of_them() -> None:
    """A rise by x leaves 20 - 80 x against 19.2 × (1 + x): the end is at 0.806 %."""
    scene = hedged().later(1).tick(SOL=92).later(0.2).tick(SOLX=100)
    assert scene.told == ["CRITICAL 90 %: main (bybit) at 96.0 %, 0.81 % from liquidation"]


def test_a_leg_that_stays_silent_is_told_as_silent_and_not_as_a_rung() -> None:
    scene = hedged()
    for _ in range(8):
        scene.second().tick(SOL=92)
    assert scene.all_told == ["STALE: live marks of main (bybit) are silent"]


def test_the_lagging_leg_is_asked_for_as_near_the_end() -> None:
    scene = hedged()
    for _ in range(4):
        scene.second().tick(SOL=92)
    wanted = [each.symbols for each in scene.effects if isinstance(each, MarksWanted)]
    assert wanted == [{"SOLXUSDT"}]


def test_a_rung_that_both_say_is_told_by_the_milder_of_them() -> None:
    """
    20 long and 10 short with 200 USDT: at 83 and 100 the balance is below 0, at 83 and 83 it
    is 30 against 24.9, and a fall by x leaves 30 - 830 x against 24.9 × (1 - x).
    """
    uneven = the_pool(replace(LONG_LEG, contracts=Decimal(20)), SHORT_LEG, cash=200)
    scene = Scene().read(uneven, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)
    scene.later(1).tick(SOL=83)
    [title] = scene.told
    assert title == "VERY NEAR 2 %: main (bybit) is 0.63 % from liquidation, at 83.0 %"
    assert "The mark of SOLX/USDT:USDT lags: here it is taken to have moved" in scene.body
    scene.later(0.1).tick(SOLX=100)
    [title] = scene.told
    assert title.startswith("CRITICAL 90 %: main (bybit) at over 100 %")


def test_a_gain_that_only_a_lagging_leg_shows_ends_nothing() -> None:
    """96 % at 92 and 100; at 100 and 100 it is 20 %, with the second leg at 108.7 it is over."""
    scene = hedged().tick(SOL=92, SOLX=100)
    assert (Subject.STANDING, Step.OPENED) in scene.steps
    scene.later(1).tick(SOL=100)
    assert scene.now.pools[0].requirement.ratio == Decimal("0.2")
    assert scene.steps == []
    scene.later(0.1).tick(SOLX=100).second()
    assert (Subject.STANDING, Step.RESOLVED) in scene.steps


def test_a_spike_between_marks_of_a_lagging_hedge_counts_as_it_does_of_any_pool() -> None:
    """20 long and 10 short with 200: at 80 and 80 the balance is 0."""
    uneven = the_pool(replace(LONG_LEG, contracts=Decimal(20)), SHORT_LEG, cash=200)
    scene = Scene().read(uneven, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)
    scene.later(1).tick(SOL="99.9", worst={"SOL": ("80",)})
    [title] = scene.told
    assert title.startswith("CRITICAL 90 %: main (bybit) at over 100 %")


def test_a_mark_that_lags_moves_as_its_coin_moved_since_it_held() -> None:
    course = Course()
    course.follow({SOL: mark(100), DATED_SOL: mark(105)})
    course.follow({SOL: mark(110, NOON + later(1)), DATED_SOL: mark(105)})
    now = {SOL: mark(99, NOON + later(2)), DATED_SOL: mark(105)}
    course.follow(now)
    found = course.abreast(HEDGE, now)
    assert found is not None
    assert found[SOL] == now[SOL]
    assert found[DATED_SOL] == mark("103.95", NOON + later(2))  # 105 × 99 ÷ 100


def test_marks_of_one_moment_are_abreast() -> None:
    course = Course()
    now = {SOL: mark(100), DATED_SOL: mark(105)}
    course.follow(now)
    assert course.abreast(HEDGE, now) is None


def test_a_newer_mark_that_is_the_same_moves_nothing() -> None:
    course = Course()
    course.follow({SOL: mark(100), DATED_SOL: mark(105)})
    now = {SOL: mark(100, NOON + later(9)), DATED_SOL: mark(105)}
    course.follow(now)
    assert course.abreast(HEDGE, now) is None


def test_coins_have_nothing_to_do_with_each_other() -> None:
    course, pool = Course(), a_pool(long("SOL"), short("BTC"))
    course.follow(marks(SOL=100, BTC=100))
    now = {**marks(SOL=100), **marks(NOON + later(1), BTC=90)}
    course.follow(now)
    assert course.abreast(pool, now) is None


def test_a_contract_quoted_in_another_coin_of_the_pool_moves_by_itself() -> None:
    """ETH in BTC falls by what BTC rises: it tells nothing of ETH in dollars."""
    in_btc = replace(linear("ETH", settle="BTC"), symbol="ETH/BTC:BTC")
    course, pool = Course(), a_pool(long("ETH"), short(in_btc), long("BTC"))
    before = {**marks(ETH=2000, BTC=100000), "ETH/BTC:BTC": mark("0.02")}
    course.follow(before)
    now = {**before, "ETH/BTC:BTC": mark("0.018", NOON + later(1))}
    course.follow(now)
    assert course.abreast(pool, now) is None


def test_collateral_that_floats_with_its_coin_moves_along() -> None:
    coin = inverse("SOL")
    pool = a_pool(
        long("SOL"), collateral=(coins("SOL", 5, 100, follows=("SOL", coin.symbol, 100)),)
    )
    course = Course()
    course.follow({SOL: mark(100), coin.symbol: mark(100)})
    now = {SOL: mark(90, NOON + later(1)), coin.symbol: mark(100)}
    course.follow(now)
    found = course.abreast(pool, now)
    assert found is not None
    assert found[coin.symbol].price == 90


def test_what_was_long_ago_is_forgotten_but_for_the_last_that_held() -> None:
    """
    A leg silent for 70 s: at its time SOL was at 100, of which no trace is left but that it
    held until 101 came, 61 s ago.
    """
    course = Course()
    course.follow({SOL: mark(100), DATED_SOL: mark(100)})
    course.follow({SOL: mark(101, NOON + later(9)), DATED_SOL: mark(100)})
    now = {SOL: mark(202, NOON + later(70)), DATED_SOL: mark(100)}
    course.follow(now)
    found = course.abreast(HEDGE, now)
    assert found is not None
    assert found[DATED_SOL].price == 200


def test_what_was_before_the_oldest_of_the_marks_is_forgotten() -> None:
    """Fifty accounts of some legs with ten marks a second would else keep a million of them."""
    course = Course()
    ticks = [mark(100 + i, NOON + later(i / 10)) for i in range(20)]
    for each in ticks:
        course.follow({SOL: each, DATED_SOL: replace(each, price=each.price + 1)})
    held = [tick for tick in ticks if any(isinstance(r, deque) for r in gc.get_referrers(tick))]
    assert held == ticks[-1:]


def test_a_symbol_that_is_gone_is_forgotten() -> None:
    course = Course()
    course.follow({SOL: mark(100), DATED_SOL: mark(100)})
    course.follow({DATED_SOL: mark(100)})
    now = {SOL: mark(50, NOON + later(1)), DATED_SOL: mark(100)}
    course.follow(now)
    assert course.abreast(HEDGE, now) is None


@pytest.mark.parametrize("names", [("SOL", "SOLX"), ("SOLX", "SOL")])
@pytest.mark.parametrize("apart", [0.005, 0.5])
def test_a_fall_that_goes_on_is_told_in_time_whichever_leg_is_marked_first(
    names: tuple[str, str], apart: float
) -> None:
    """
    11 long and 10 short with 40 USDT: a fall of 0.5 a second for t seconds leaves 40 - 0.5 t
    against 21 - 0.105 t, which is 80 % at 37.3 s and 90 % at 43.5 s.
    """
    uneven = the_pool(replace(LONG_LEG, contracts=Decimal(11)), SHORT_LEG, cash=40)
    scene = Scene().read(uneven, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)
    told: dict[str, float] = {}
    for second in range(1, 46):
        for name, after in zip(names, (0, apart), strict=True):
            scene.at = NOON + later(second + after)
            scene.tick(**{name: str(100 - (second + after) / 2)})
            told = {title.split(":")[0]: second + after for title in scene.told} | told
    assert 37.3 < told["WARNING 80 %"] < 38.5
    assert 43.4 < told["CRITICAL 90 %"] < 44.5


def test_between_two_marks_a_price_was_on_its_way() -> None:
    """SOLX is marked half a second after SOL was at 100, and half before it is at 90."""
    course = Course()
    course.follow({SOL: mark(100), DATED_SOL: mark(105)})
    course.follow({SOL: mark(100), DATED_SOL: mark(104, NOON + later(0.5))})
    now = {SOL: mark(90, NOON + later(1)), DATED_SOL: mark(104, NOON + later(0.5))}
    course.follow(now)
    found = course.abreast(HEDGE, now)
    assert found is not None
    assert found[DATED_SOL].price == Decimal(104) * 90 / 95


@pytest.mark.parametrize("known_to_stand_at", [4.5, 1])
def test_a_price_that_stood_was_on_its_way_only_since_then(known_to_stand_at: float) -> None:
    """100 stood at 4.5 s; or was last told of at 1 s, and stood at least until a second ago."""
    course, old = Course(), mark(100, NOON + later(4))
    for at in (0, 0.5, known_to_stand_at):
        course.follow({SOL: mark(100, NOON + later(at)), DATED_SOL: old})
    now = {SOL: mark(90, NOON + later(5)), DATED_SOL: old}
    course.follow(now)
    found = course.abreast(HEDGE, now)
    assert found is not None
    assert found[DATED_SOL].price == 90


def test_what_only_a_lagging_leg_makes_of_a_critical_hedge_is_no_peak_of_it() -> None:
    """
    96 % at 92 and 100. At 91 and 100 it is 10 against 19.1, over 100 %; with the second leg
    moved along, to 98.9, it is 20.9 against 19.0, 91 %.
    """
    scene = hedged().tick(SOL=92, SOLX=100)
    scene.later(1).tick(SOL=91)
    scene.later(0.1).tick(SOL=100, SOLX=100).second()
    [title] = scene.told
    assert title.startswith("RESOLVED: main (bybit) at 20.0 %")
    assert "peak 96.0 %" in scene.body


def test_the_distance_of_parted_legs_is_none_once_they_are_abreast_again() -> None:
    """
    20 long and 10 short with 200 USDT, 83.0 % at 83 and 83; looked at while only the long leg
    is at 82.9 and the short one at 100 it seems to be over; both at 82.9 leave 0.51 %.
    """
    uneven = the_pool(replace(LONG_LEG, contracts=Decimal(20)), SHORT_LEG, cash=200)
    scene = Scene().read(uneven, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)
    scene.later(0.8).tick(SOL="82.9").second().later(0.1).tick(SOL="82.9", SOLX="82.9")
    scene.later(0.1).tick(SOL=100, SOLX=100).second()
    nearest = [each.incident.nearest for each in changes(scene.effects)][-1]
    assert nearest is not None
    # 29 against 24.87, and a fall by x leaves 29 - 829 x against 24.87 × (1 - x).
    assert abs(nearest - Decimal("4.13") / Decimal("804.13")) < Decimal("1e-9")


def test_only_what_lags_is_said_to_lag() -> None:
    """As above; between two marks the leg that does not lag was at 82.9 for a moment: 88.9 %."""
    uneven = the_pool(replace(LONG_LEG, contracts=Decimal(20)), SHORT_LEG, cash=200)
    scene = Scene().read(uneven, SOL=100, SOLX=100).tick(SOL=100, SOLX=100)
    scene.later(1).tick(SOL=83, worst={"SOL": ("82.9",)})
    [title] = scene.told
    assert title.endswith("at 88.9 %")
    assert "The mark of SOLX/USDT:USDT lags: here" in scene.body


def test_a_leg_that_alone_holds_a_rung_back_is_asked_for_as_near_the_end() -> None:
    """
    10 long from 100 and 1 short from 120 with 500 USDT at 40 %: at 110 and 120 it is 488
    against 600, 81.3 %; at 110 and 110 it is 484 against 610, 79.3 %, and a fifth from the end.
    """
    legs = (
        replace(LONG_LEG, tiers=flat("0.4")),
        replace(SHORT_LEG, tiers=flat("0.4"), contracts=Decimal(1), entry_price=Decimal(120)),
    )
    scene = Scene().read(the_pool(*legs, cash=500), SOL=120, SOLX=120).tick(SOL=120, SOLX=120)
    for _ in range(4):
        scene.second().tick(SOL=110)
    wanted = [each.symbols for each in scene.effects if isinstance(each, MarksWanted)]
    assert wanted == [{"SOLXUSDT"}]
    assert scene.all_told == []
    scene.later(0.2).tick(source=Source.REST, SOLX=120)
    assert scene.told == ["WARNING 80 %: main (bybit) at 81.3 %"]
