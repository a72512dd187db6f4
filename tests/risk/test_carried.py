"""Margin that is taken over from the exchange and moves with a price until its next word."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import MissingCollateral, MissingMark
from monitor.risk import (
    CarriedMargin,
    Target,
    adverse_move,
    advise,
    evaluate,
    liquidation_prices,
    requirement,
    uniform_move,
)
from monitor.risk.evaluate import price_behind
from monitor.risk.path import is_curved, of_coins
from monitor.risk.sway import sway
from tests.build import NOON, a_pool, coins, inverse, long, mark, marks, short

D = Decimal
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
FLOATING = coins("BTC", 0, 50, follows=("BTC", BTC, 100))


def near(found, wanted):
    return abs(found - wanted) < D("1e-12")


# --- the value itself


def test_it_goes_with_its_price():
    """A loan of 2 coins at 5 % needs 0.1 of their price."""
    margin = CarriedMargin(asset="BTC", per_price=D("0.1"))

    assert [margin.at(D(price)) for price in (100, 90, 0)] == [10, 9, 0]


def test_what_may_only_grow_is_never_less_than_was_said():
    margin = CarriedMargin(symbol=BTC, per_price=D("0.1"), least=D(10))

    assert [margin.at(D(price)) for price in (120, 100, 80)] == [12, 10, 10]


def test_it_may_grow_as_its_price_falls():
    """10 at 100: by as much as is lost from there, 2 × 10 − 0.1 × price."""
    margin = CarriedMargin(asset="BTC", per_price=D("-0.1"), fixed=D(20), least=D(10))

    assert [margin.at(D(price)) for price in (120, 100, 80)] == [10, 10, 12]


def test_so_many_times_as_large_it_moves_so_many_times_as_much():
    margin = CarriedMargin(symbol=BTC, per_price=D("-0.1"), fixed=D(20), least=D(10))

    assert margin.times(D("1.5")) == CarriedMargin(
        symbol=BTC, per_price=D("-0.15"), fixed=D(30), least=D(15)
    )


@pytest.mark.parametrize("named", [{}, {"asset": "BTC", "symbol": BTC}])
def test_it_goes_by_one_price_exactly(named):
    with pytest.raises(ValueError, match="by one price"):
        CarriedMargin(per_price=D(1), **named)


# --- in a pool


def test_a_pool_needs_it_on_top_of_its_legs_and_of_what_stands_still():
    """0.5 % of 100, 3 that stand, 0.1 of the BTC's 50 × mark ÷ 100 and 0.2 of ETH's mark."""
    pool = a_pool(
        long("BTC", 1),
        long("ETH", 1, 10, tiers=None),
        collateral=(coins("USDT", 100), FLOATING),
        other_maintenance=D(3),
        carried_margins=(
            CarriedMargin(asset="BTC", per_price=D("0.1")),
            CarriedMargin(symbol=ETH, per_price=D("0.2")),
        ),
    )

    now, later = marks(BTC=100, ETH=10), marks(BTC=120, ETH=15)

    assert requirement(pool, now).maintenance_margin == D("0.5") + 3 + 5 + 2
    assert requirement(pool, later).maintenance_margin == D("0.6") + 3 + 6 + 3
    assert evaluate(pool, now, NOON).gross_notional == 110
    assert requirement(pool, now).initial_margin == D("10") + 1


def test_legs_count_by_the_pool_s_factor_and_nothing_else_does():
    """1.05 × 0.5 % of 100; what is carried and what stands still come as they are."""
    pool = a_pool(
        long("BTC", 1),
        other_maintenance=D(3),
        carried_margins=(CarriedMargin(symbol=BTC, per_price=D("0.1")),),
        maintenance_factor=D("1.05"),
    )

    risk = evaluate(pool, marks(BTC=100), NOON)

    assert risk.requirement.maintenance_margin == D("0.525") + 3 + 10
    assert risk.requirement.initial_margin == 10
    assert [leg.maintenance_margin for leg in risk.positions] == [D("0.5")]


def test_a_symbol_without_a_mark_and_an_asset_that_is_not_there_are_named():
    pool = a_pool(collateral=(FLOATING,))

    with pytest.raises(MissingMark, match="ETH"):
        price_behind(CarriedMargin(symbol=ETH, per_price=D(1)), pool, marks(BTC=100))
    with pytest.raises(MissingMark, match="BTC"):
        price_behind(CarriedMargin(asset="BTC", per_price=D(1)), pool, {})
    with pytest.raises(MissingCollateral, match=r"main/USDT.*SOL"):
        price_behind(CarriedMargin(asset="SOL", per_price=D(1)), pool, marks(BTC=100))


# --- where it ends


def test_the_end_comes_nearer_as_it_grows():
    """100 + (100 − P) against 40 × P ÷ 100: P = 200 ÷ 1.4; standing still it were 160."""
    pool = a_pool(
        short("BTC", 1, tiers=None),
        cash=100,
        carried_margins=(CarriedMargin(symbol=BTC, per_price=D("0.4"), least=D(40)),),
    )

    found = liquidation_prices(pool, marks(BTC=100), BTC)

    assert near(found.nearest, D(200) / D("1.4"))
    assert found.other is None
    assert near(adverse_move(pool, marks(BTC=100)), 1 - D(2) / D("1.4"))


def test_it_grows_as_its_asset_s_coin_moves_though_no_position_has_its_mark():
    """100 − 1 coin owed against 0.2 of its price: 100 = 1.2 × P."""
    pool = a_pool(
        collateral=(coins("USDT", 100), coins("BTC", -1, 50, follows=("BTC", BTC, 100))),
        carried_margins=(CarriedMargin(asset="BTC", per_price=D("0.2")),),
    )

    assert near(uniform_move(pool, marks(BTC=100)), D(100) / D("1.2") / 50 - 1)


def test_a_top_up_covers_what_it_grows_by():
    """A short of 100 that needs 40: 5 % on, 5 are lost and 42 needed. 47 − 40 are to be added."""
    pool = a_pool(
        short("BTC", 1, tiers=None),
        cash=40,
        carried_margins=(CarriedMargin(symbol=BTC, per_price=D("0.4"), least=D(40)),),
    )

    target = Target(ratio=D(1), distance=D("0.05"))
    advice = advise(evaluate(pool, marks(BTC=100), NOON), target)

    assert advice.top_up is not None
    assert advice.top_up.amount == 7


def test_a_mark_that_margin_goes_by_runs_straight_beside_one_that_runs_inverse():
    """An inverse leg whose coin stands still: where a carried mark moves too, slack may curve."""
    symbol = "BTC/USD:BTC"
    pool = a_pool(
        short(inverse("BTC"), 10),
        unit="USD",
        collateral=(coins("USDT", 1), coins("BTC", 0, 100)),
    )
    carried = CarriedMargin(symbol=symbol, per_price=D("0.1"))
    known = {symbol: mark(100), BTC: mark(100)}

    def curved(held):
        return is_curved(of_coins(held, known, {"BTC": D(-1)}))

    assert not curved(pool)
    assert curved(replace(pool, carried_margins=(carried,)))
    elsewhere = CarriedMargin(symbol=ETH, per_price=D("0.1"))
    assert not curved(replace(pool, carried_margins=(elsewhere,)))
    of_asset = CarriedMargin(asset="BTC", per_price=D("0.1"))
    assert not curved(replace(pool, carried_margins=(of_asset,)))


# --- how hard it can hit


def test_what_it_grows_by_is_in_the_sway_whichever_way_it_grows():
    """0.2 × the mark's 100 and 0.3 × the coin's 50, each once."""
    pool = a_pool(
        collateral=(coins("USDT", 100), FLOATING),
        carried_margins=(
            CarriedMargin(symbol=BTC, per_price=D("0.2"), least=D(20)),
            CarriedMargin(asset="BTC", per_price=D("-0.3"), fixed=D(30), least=D(15)),
        ),
    )

    assert sway(evaluate(pool, marks(BTC=100), NOON)) == 20 + 15


def test_the_sway_of_legs_that_count_more_is_so_much_larger_and_never_smaller():
    """100 × (1.05 lost + 2.05 × 0.5 % grown), 1.05 times: a bound, crude on purpose."""
    pool = a_pool(long("BTC", 1), maintenance_factor=D("1.05"))
    plain = 100 * (D("1.05") + D("2.05") * D("0.005"))

    assert sway(evaluate(pool, marks(BTC=100), NOON)) == D("1.05") * plain
    less = replace(pool, maintenance_factor=D("0.5"))
    assert sway(evaluate(less, marks(BTC=100), NOON)) == plain
