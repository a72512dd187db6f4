"""Which marks may wait for the next second, and that nothing is missed by it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.incident import Subject
from monitor.alerts.ladder import DEFAULT_LADDER, Ladder, Measure
from monitor.alerts.place import Place
from monitor.engine.calm import common, look_at
from tests.build import flat, long, short
from tests.engine.scene import Scene, calm, renamed, the_pool


def test_a_fresh_pool_far_from_every_rung_has_a_span_around_its_mark() -> None:
    # ratio 480 ÷ 700; to 80 % (0.8 × 700 − 480) ÷ (1,200 × 1.87) = 3.57 %, of which 2 % are given
    assert calm().engine.calm() == {"SOLUSDT": (Decimal("117.6"), Decimal("122.4"))}


def test_the_nearer_the_rung_the_narrower_the_span() -> None:
    # at 101: maintenance 404, balance 510: (0.8 × 510 − 404) ÷ (1,010 × (1.05 + 2.05 × 0.4))
    low, high = calm().tick(SOL=101).second().engine.calm()["SOLUSDT"]
    bears = 4 / (1010 * Decimal("1.87"))
    assert low == 101 * (1 - bears)
    assert high == 101 * (1 + bears)


def test_on_a_rung_every_mark_counts_at_once() -> None:
    assert calm().tick(SOL=100).engine.calm() == {}


def test_until_live_marks_come_every_mark_counts_at_once() -> None:
    assert Scene().read(the_pool(), SOL=120).engine.calm() == {}
    assert calm().silence(20).engine.calm() == {}


def test_near_the_end_every_mark_counts_at_once_whatever_the_ratio() -> None:
    # 0.5 % maintenance, 100 × 100 held on 200: 25 %, and the end 1.5 % away.
    pool = the_pool(long("SOL", contracts=100, entry=100, tiers=flat("0.005")), cash=200)
    assert Scene().read(pool, SOL=100).tick(SOL=100).second().engine.calm() == {}


def test_pools_that_share_a_symbol_share_the_narrower_span() -> None:
    a, b, c = (frozenset({name}) for name in "abc")
    wide, narrow = (Decimal(90), Decimal(110)), (Decimal(99), Decimal(120))
    assert common([(a, {"a": wide}), (a, {"a": narrow}), (b, {}), (c, {"c": wide})]) == {
        "a": (Decimal(99), Decimal(110)),
        "c": wide,
    }
    assert common([(a, {"a": wide}), (a, {})]) == {}


@given(
    parts=st.lists(st.integers(0, 1000), min_size=2, max_size=2),
    contracts=st.integers(1, 60),
    cash=st.integers(50, 2000),
)
def test_no_marks_within_their_spans_reach_a_rung(
    parts: list[int], contracts: int, cash: int
) -> None:
    held = (long("SOL", contracts=contracts), short("ETH", contracts=2 * contracts))
    scene = Scene().read(the_pool(*held, cash=cash), SOL=100, ETH=100)
    spans = scene.tick(SOL=100, ETH=100).second().engine.calm()
    if not spans:
        return
    prices = {
        symbol.removesuffix("USDT"): low + (high - low) * part / 1000
        for (symbol, (low, high)), part in zip(spans.items(), parts, strict=True)
    }
    scene.later(1).tick(**prices)
    assert Subject.STANDING not in [subject for subject, _ in scene.steps]
    scene.second()  # where the distance is looked at in any case
    assert Subject.STANDING not in [subject for subject, _ in scene.steps]


def test_a_rung_on_distance_narrows_the_span_to_half_of_the_way_to_it() -> None:
    # 0.5 % maintenance, 10 from 100 with 60: 60 − 5 of headroom, 55 ÷ 995 = 5.53 % of distance.
    pool = the_pool(long("SOL", contracts=10, entry=100, tiers=flat("0.005")), cash=60)
    scene = Scene().read(pool, SOL=100).tick(SOL=100).second()
    low, _ = scene.engine.calm()["SOLUSDT"]
    distance = Decimal(55) / 995
    half_way = 55 * (distance - Decimal("0.05")) / (2 * distance)
    # each part that it moves may cost 1.05 of the notional and 2.05 × 0.5 % of it
    bears = half_way / (1000 * (Decimal("1.05") + Decimal("2.05") * Decimal("0.005")))
    assert abs(low - 100 * (1 - bears)) < Decimal("1e-12")
    # at the end of the span 5.27 % are left: nothing yet, and at 99.4 there are 4.95 %
    assert scene.later(0.1).tick(SOL=low).told == []
    assert scene.later(0.1).tick(SOL="99.4").told == [
        "NEAR 5 %: main (bybit) is 5.0 % from liquidation"
    ]


D = Decimal


@pytest.mark.parametrize(
    ("sentence", "distance", "place", "expected"),
    [
        ("half of the way from 10 % to 5 % is 7.5 %", "0.1", Place(), 75),
        ("on it, from 10 % to 2 %, it is 6 %", "0.1", Place(alarms=("near",)), 60),
        ("where nothing comes there is nothing to look at", None, Place(), None),
        ("nor on the last rung", "0.01", Place(alarms=("near", "very near")), None),
    ],
)
def test_distance_is_looked_at_again_half_way_to_the_next_rung(
    sentence: str, distance: str | None, place: Place, expected: int | None
) -> None:
    left = None if distance is None else D(distance)
    assert look_at(D(100), left, place, DEFAULT_LADDER) == expected, sentence


def test_without_rungs_on_distance_or_headroom_it_is_not_looked_at() -> None:
    by_ratio = Ladder(rungs=DEFAULT_LADDER.on(Measure.RATIO))
    assert look_at(D(100), D("0.1"), Place(), by_ratio) is None
    assert look_at(D(0), D("0.1"), Place(), DEFAULT_LADDER) is None
    assert look_at(D(-1), D("0.1"), Place(), DEFAULT_LADDER) is None


def test_a_spike_within_the_span_is_no_worse_than_the_newest() -> None:
    scene = calm()
    scene.engine.calm()
    scene.later(1).tick(SOL=119, worst={"SOL": ("118",)})
    assert scene.steps == []


def test_a_spike_beyond_the_span_is_looked_at_after_calm_as_before() -> None:
    scene = calm()
    scene.engine.calm()
    scene.later(1).tick(SOL=119, worst={"SOL": ("100", "118")})
    assert [subject for subject, _ in scene.steps] == [Subject.STANDING]


def test_a_new_reading_forgets_the_spans_of_the_old_book() -> None:
    scene = calm()
    scene.engine.calm()
    # with 410 USDT the ratio is 480 ÷ 610, at the end of the old span 470.4 ÷ 586 = 80.3 %
    scene.later(1).read(the_pool(cash=410), SOL=120)
    scene.tick(SOL=120, worst={"SOL": ("117.6",)})
    assert [subject for subject, _ in scene.steps] == [Subject.STANDING]


def test_two_pools_one_on_a_rung_leave_the_other_its_calm() -> None:
    far = renamed(the_pool(long("ETH", contracts=1), cash=500), "far")
    scene = Scene().read(the_pool(), far, SOL=100, ETH=100).tick(SOL=100, ETH=100).second()
    assert set(scene.engine.calm()) == {"ETHUSDT"}
