"""Which marks may wait for the next second, and that nothing is missed by it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.incident import Subject
from monitor.engine.calm import common
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
