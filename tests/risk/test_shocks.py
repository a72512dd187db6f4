"""What standard moves leave, and where a pool does not live to see them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import MissingMark
from monitor.risk.shocks import STANDARD, Shock, shocks
from tests.build import a_pool, coins, flat, long, marks, short, tiers

D = Decimal
KNOWN = marks(BTC=100, ETH=10)


def test_each_coin_and_all_together_by_each_fraction():
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), short("ETH", 10, 10, tiers=flat("0.01")))

    found = shocks(pool, KNOWN)

    assert [(s.coin, s.fraction) for s in found] == [
        (coin, fraction) for coin in ("BTC", "ETH", None) for fraction in STANDARD
    ]
    assert [str(fraction) for fraction in STANDARD] == ["-0.05", "-0.10", "-0.20", "0.10"]


def test_a_shock_leaves_the_ratio_of_the_moved_pool():
    """1,000 of cash; 10 BTC at 100 and 10 ETH short at 10, each at 1 %."""
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), short("ETH", 10, 10, tiers=flat("0.01")))

    found = {(s.coin, s.fraction): s.margin_ratio for s in shocks(pool, KNOWN)}

    down, up = D("-0.10"), D("0.10")
    assert found["BTC", down] == D(9 + 1) / 900
    assert found["ETH", down] == D("10.9") / 1010
    assert found[None, down] == D("9.9") / 910
    assert found[None, up] == D("12.1") / 1090
    assert all(s.liquidated_at is None for s in shocks(pool, KNOWN))


def test_beyond_its_end_a_pool_has_no_calm_figure():
    """100 of cash under 10 BTC: 100 − 10·d = 0.1·(100 − d) at d = 90 ÷ 9.9."""
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=100)

    found = {s.fraction: s for s in shocks(pool, KNOWN)}

    end = -(D(90) / D("9.9")) / 100
    assert found[D("-0.05")].liquidated_at is None
    assert found[D("-0.05")].margin_ratio == D("9.5") / 50
    for fraction in (D("-0.10"), D("-0.20")):
        assert found[fraction].margin_ratio is None
        assert found[fraction].liquidated_at == pytest.approx(end, rel=D("1e-15"))
    assert found[D("0.10")].margin_ratio == D(11) / 200


def test_a_pool_that_would_recover_is_liquidated_all_the_same():
    """Between 85 and 92 the tier takes 90 %, beyond on both sides 1 %."""
    table = tiers((850, "0.01", 0), (920, "0.9", 0), (None, "0.01", 0))
    pool = a_pool(long("BTC", 10, tiers=table), cash=300)

    found = {s.fraction: s for s in shocks(pool, KNOWN)}

    assert found[D("-0.20")].margin_ratio is None
    assert found[D("-0.20")].liquidated_at == pytest.approx(D("-0.08"), rel=D("1e-13"))


def test_a_rise_may_end_it_too():
    pool = a_pool(short("BTC", 10, tiers=flat("0.01")), cash=100)

    found = {s.fraction: s for s in shocks(pool, KNOWN)}

    # 100 − 10·d = 0.1·(100 + d)
    assert found[D("0.10")].liquidated_at == pytest.approx(D(90) / D("10.1") / 100, rel=D("1e-15"))
    assert found[D("-0.20")].margin_ratio == D(8) / 300


def test_a_pool_that_is_over_already_is_over_at_no_move():
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=5)

    assert {(s.margin_ratio, s.liquidated_at) for s in shocks(pool, KNOWN)} == {(None, 0)}


def test_a_shock_of_just_the_distance_ends_it():
    """10 − 10·d ends at 0 with nothing else held: d = 1, of 10 cash and no maintenance but 0.9."""
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=D("109"))

    # 109 − 10·10 = 9 = 1 % of 900
    (shock,) = shocks(pool, marks(BTC=100), [D("-0.1")])
    assert shock == Shock(
        coin="BTC", fraction=D("-0.1"), margin_ratio=None, liquidated_at=D("-0.1")
    )


def test_collateral_floats_with_its_coin():
    pool = a_pool(
        long("ETH", 10, 10, tiers=flat("0.1")),
        collateral=(coins("USDT"), coins("BTC", 1, 100, follows=("BTC", "BTC/USDT:USDT", 100))),
    )

    found = {(s.coin, s.fraction): s.margin_ratio for s in shocks(pool, KNOWN)}

    assert found["BTC", D("-0.20")] == D(10) / 80
    assert found["ETH", D("-0.20")] == D(8) / 80
    assert found[None, D("-0.20")] == D(8) / 60


def test_one_coin_is_told_once_and_none_not_at_all():
    assert {s.coin for s in shocks(a_pool(long("BTC")), marks(BTC=100))} == {"BTC"}
    assert shocks(a_pool(), {}) == ()


def test_a_missing_mark_is_an_error():
    with pytest.raises(MissingMark):
        shocks(a_pool(long("BTC")), {})
