"""Where it ends: prices and moves, on either side, at jumps, and where there is no end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor.errors import MissingMark
from monitor.risk import (
    Basis,
    Borrow,
    LiquidationPrices,
    Requirement,
    TierMeasure,
    adverse_move,
    liquidation_prices,
    outlook,
    requirement,
    uniform_move,
)
from monitor.risk.path import of_symbol
from monitor.risk.solve import move_along
from tests.build import NOON, a_pool, coins, flat, inverse, linear, long, mark, marks, short, tiers

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
EXACT = Decimal("1e-18")


def near(found: Decimal | None, expected: Decimal) -> bool:
    return found is not None and abs(found - expected) <= EXACT * max(abs(expected), 1)


def test_a_long_ends_below():
    """(1000 + 10·(P − 100)) = 10·P·0.005, so P = 0 where the cash pays for all of it."""
    found = liquidation_prices(a_pool(long("BTC", 10), cash=500), marks(BTC=100), BTC)

    price = Decimal(500) / (10 - 10 * Decimal("0.005"))
    assert near(found.nearest, price)
    assert near(found.distance, price / 100 - 1)
    assert found.other is None


def test_a_short_ends_above():
    found = liquidation_prices(a_pool(short("BTC", 10), cash=500), marks(BTC=100), BTC)

    assert near(found.nearest, Decimal(1500) / (10 + 10 * Decimal("0.005")))
    assert found.other is None


def test_a_long_whose_cash_pays_for_all_of_it_has_no_end():
    found = liquidation_prices(a_pool(long("BTC", 10), cash=1000), marks(BTC=100), BTC)

    assert found == LiquidationPrices(symbol=BTC, nearest=None, other=None, distance=None)


def test_both_ends_are_told_the_nearer_first():
    """Net 1 long below; above 150 the longs' 1,500 pay 200 % and outgrow the profit."""
    table = tiers((1500, "0.01", 0), (None, 2, 2985))
    pool = a_pool(long("BTC", 10, tiers=table), short("BTC", 9, tiers=flat("0.01")), cash=60)

    found = liquidation_prices(pool, marks(BTC=100), BTC)

    # 60 + (P − 100) = 0.19·P, and 60 + (P − 100) = 20·P − 2,985 + 0.09·P
    assert near(found.nearest, 40 / Decimal("0.81"))
    assert near(found.other, 2945 / Decimal("19.09"))
    assert near(found.distance, 40 / Decimal("0.81") / 100 - 1)


def test_a_pool_that_already_stands_there_is_told_by_its_present_mark():
    pool = a_pool(long("BTC", 10), cash=5)

    assert liquidation_prices(pool, marks(BTC=100), BTC) == LiquidationPrices(
        symbol=BTC, nearest=Decimal(100), other=None, distance=Decimal(0)
    )
    assert uniform_move(pool, marks(BTC=100)) == 0
    assert adverse_move(pool, marks(BTC=100)) == 0


def test_an_inverse_long_always_ends_below():
    pool = a_pool(long(inverse("BTC"), 100, 25000), unit="BTC", cash="10")

    found = liquidation_prices(pool, {"BTC/USD:BTC": mark(25000)}, "BTC/USD:BTC")

    # 10 + 10,000·(1/25,000 − x) = 10,000·x·0.005
    assert near(found.nearest, 1 / ((10 + Decimal("0.4")) / (10000 * Decimal("1.005"))))


def test_an_end_a_billionth_of_the_mark_away_from_nothing_is_found():
    """A wallet of 10⁷ coins behind 1 coin of inverse contracts, and of 10¹⁵ behind 1 short."""
    rich = a_pool(long(inverse("BTC", size=100), 1, 100), unit="BTC", cash=10**7)
    richer = a_pool(short("BTC", 1, 100), cash=10**15)

    fall = liquidation_prices(rich, {"BTC/USD:BTC": mark(100)}, "BTC/USD:BTC").nearest
    rise = liquidation_prices(richer, marks(BTC=100), BTC).nearest

    # 10⁷ + 100·(1/100 − x) = 0.5·x, and 10¹⁵ + 100 − P = 0.005·P
    assert fall is not None
    assert abs(fall / (Decimal("100.5") / (10**7 + 1)) - 1) < EXACT
    assert rise is not None
    assert abs(rise / ((10**15 + 100) / Decimal("1.005")) - 1) < EXACT


def test_few_evaluations_do(monkeypatch: pytest.MonkeyPatch):
    """Counts them: the prototype's worst was 56 on jumps, its median 5 on plain pools."""
    asked: list[object] = []

    def counting(*args: Any) -> Requirement:
        asked.append(args)
        return requirement(*args)

    monkeypatch.setattr("monitor.risk.solve.requirement", counting)
    jumps = tiers((1200, "0.01", 0), (None, "0.5", 0))
    steep = tiers((150, "0.01", 0), (None, 1000, 0), group="BTC")
    bends = tiers((500, "0.01", 0), (900, "0.02", 5), (None, "0.05", 32))
    most = {}
    for name, pool in {
        "plain": a_pool(long("BTC", 10), cash=500),
        "bends": a_pool(long("BTC", 10, tiers=bends), cash=500),
        "inverse": a_pool(long(inverse("BTC"), 10, 100), cash="9.9", unit="BTC"),
        "far": a_pool(short(inverse("BTC"), 10, 100), cash="9.9", unit="BTC"),
        "jumps": a_pool(long("BTC", 10, tiers=jumps), cash=360),
        "a group's jump": a_pool(short("BTC", 1, tiers=steep), cash=100),
        "never": a_pool(long("BTC", 10), cash=10**6),
    }.items():
        symbol = pool.positions[0].instrument.symbol
        asked.clear()
        liquidation_prices(pool, {symbol: mark(100)}, symbol)
        most[name] = len(asked)

    # 1 is for today, and 5 each way find that nothing ends it
    assert most["never"] == 11
    assert most["plain"] <= 10
    assert most["bends"] <= 10
    assert most["inverse"] <= 16
    assert most["far"] <= 28
    assert most["jumps"] <= 30
    assert most["a group's jump"] <= 50


def test_a_jump_of_maintenance_is_an_end():
    """Rate on the whole size: at a notional of 1,200 maintenance jumps from 12 to 600."""
    table = tiers((1200, "0.01", 0), (None, "0.5", 0))

    rising = liquidation_prices(a_pool(long("BTC", 10, tiers=table)), marks(BTC=100), BTC)
    both = liquidation_prices(a_pool(long("BTC", 10, tiers=table), cash=100), marks(BTC=100), BTC)

    assert rising.nearest is None  # 1,000 + 200 of profit cover the 600
    assert near(both.nearest, Decimal(900) / (10 - Decimal("0.1")))  # 100 + 10·(P − 100) = 0.1·P
    assert near(both.other, Decimal(120))  # 100 + 200 of profit do not


def test_a_jump_that_a_higher_mark_would_outgrow_is_still_an_end():
    """At 120 the pool has 560 against 600; at 130 it would have 660 against 650."""
    table = tiers((1200, "0.01", 0), (None, "0.5", 0))
    pool = a_pool(long("BTC", 10, tiers=table), cash=360)

    found = liquidation_prices(pool, marks(BTC=100), BTC)

    assert near(found.nearest, Decimal(120))
    assert near(found.other, Decimal(640) / (10 - Decimal("0.1")))  # 360 + 10·(P − 100) = 0.1·P


def test_the_symbol_alone_moves_with_collateral_in_its_coin():
    pool = a_pool(
        long("BTC", 10),
        collateral=(coins("USDT", 0), coins("BTC", 5, 100, follows=("BTC", BTC, 100))),
    )

    # 5·P + 10·(P − 100) = 10·P·0.005
    found = liquidation_prices(pool, marks(BTC=100), BTC)
    assert near(found.nearest, 1000 / (15 - Decimal("0.05")))


def test_a_common_move_is_nearer_than_each_symbol_alone():
    pool = a_pool(long("BTC", 10), long("ETH", 10), cash=500)
    known = marks(BTC=100, ETH=100)

    # 500 − 2000·x = 2000·(1 − x)·0.005
    assert near(uniform_move(pool, known), -Decimal(490) / (2000 - 10))
    assert near(adverse_move(pool, known), -Decimal(490) / (2000 - 10))


def test_a_hedged_book_ends_by_the_adverse_move():
    pool = a_pool(long("BTC", 10), short("ETH", 10), cash=500)
    known = marks(BTC=100, ETH=100)

    # 500 − 2000·x = 1000·0.005·(1 − x) + 1000·0.005·(1 + x)
    assert near(adverse_move(pool, known), -Decimal(490) / 2000)


def test_a_short_alone_may_end_by_more_than_its_price():
    pool = a_pool(short("BTC", 10), cash=5000)

    # 5000 − 1000·x = 1000·(1 + x)·0.005
    assert near(adverse_move(pool, marks(BTC=100)), -Decimal(4995) / (1000 + 5))


def test_an_empty_pool_has_no_end():
    assert outlook(a_pool(cash=-5), {}, NOON).uniform_move is None
    assert adverse_move(a_pool(), {}) is None


def test_a_debt_that_nothing_is_held_against_has_no_end():
    owed = coins("BTC", -1, 100, follows=("BTC", BTC, 100))
    pool = a_pool(collateral=(coins("USDT", 150), owed))

    assert uniform_move(pool, marks(BTC=100)) is None
    assert adverse_move(replace(pool, other_balance=Decimal(-99)), marks(BTC=100)) is None


def test_a_debt_that_something_is_held_against_ends_where_it_outgrows_the_rest():
    owed = coins("BTC", -1, 100, follows=("BTC", BTC, 100))
    pool = a_pool(collateral=(coins("USDT", 150), owed), other_maintenance=Decimal(3))

    # 150 − P = 3
    assert near(uniform_move(pool, marks(BTC=100)), Decimal("0.47"))
    assert near(adverse_move(pool, marks(BTC=100)), Decimal("-0.47"))
    assert near(liquidation_prices(pool, marks(BTC=100), BTC).nearest, Decimal(147))


def test_a_debt_that_is_charged_ends_by_its_own_margin():
    """150 − P = 0.02·P, with nothing else held against the pool."""
    charge = Borrow(tiers=tiers((None, "0.02", 0), measured_in=TierMeasure.CONTRACTS))
    owed = replace(coins("BTC", -1, 100, follows=("BTC", BTC, 100)), borrow=charge)
    cash = coins("USDT", 150)

    for held in (cash, replace(cash, borrow=charge)):
        found = uniform_move(a_pool(collateral=(held, owed)), marks(BTC=100))
        assert near(found, Decimal(150) / Decimal("1.02") / 100 - 1)


def test_the_outlook_is_all_of_these():
    pool, known = a_pool(long("BTC", 10), short("ETH", 10), cash=500), marks(BTC=100, ETH=100)

    found = outlook(pool, known, NOON)

    assert found.liquidation == {s: liquidation_prices(pool, known, s) for s in (BTC, ETH)}
    assert found.uniform_move == uniform_move(pool, known)
    assert found.adverse_move == adverse_move(pool, known)


def test_a_symbol_that_the_pool_does_not_hold_is_an_error():
    with pytest.raises(ValueError, match="holds nothing in ETH"):
        liquidation_prices(a_pool(long("BTC")), marks(BTC=100, ETH=1), ETH)


def test_a_missing_mark_is_an_error():
    with pytest.raises(MissingMark):
        liquidation_prices(a_pool(long("BTC")), {}, BTC)


def test_a_contract_quoted_in_a_coin_moves_with_both_on_the_way_to_the_end():
    ether = replace(
        linear("ETH", settle="BTC"), symbol="ETH/BTC:BTC", exchange_symbol="ETHBTC", quote="BTC"
    )
    bitcoin = coins("BTC", 1, 50_000, follows=("BTC", "BTC/USDT:USDT", 50_000))
    pool = a_pool(
        long(ether, 10, "0.04"),
        short("BTC", 2, 50_000),
        unit="USD",
        collateral=(bitcoin, coins("USDT", 10_000)),
    )
    now = {"ETH/BTC:BTC": mark("0.04"), **marks(BTC=50_000)}

    # Net short of Bitcoin, so Ether falls by m, Bitcoin rises by m, and the mark of the one in
    # the other is 0.04 (1 - m) / (1 + m).
    move = adverse_move(pool, now)
    assert move is not None
    down, up = 1 + move, 1 - move
    price = 50_000 * up
    cross = Decimal("0.04") * down / up
    balance = (1 + 10 * (cross - Decimal("0.04"))) * price + 10_000 - 2 * (price - 50_000)
    maintenance = Decimal("0.005") * (10 * cross * price + 2 * price)
    assert balance == pytest.approx(maintenance, rel=Decimal("1e-12"))


def test_a_requirement_below_nothing_ends_no_search_in_an_error():
    pool = a_pool(long("BTC", 1, 100), cash=-5, other_maintenance=Decimal(-2), basis=Basis.PARTLY)
    now = marks(BTC=100)
    # -5 of balance against 0.5 - 2 of maintenance: 3.5 are lacking already
    assert liquidation_prices(pool, now, "BTC/USDT:USDT").distance == 0
    assert uniform_move(pool, now) == 0


def test_a_short_that_more_of_its_coin_covers_is_hurt_by_a_fall_too():
    # 1 BTC of collateral, short 0.25 BTC; long 10 ETH.
    bitcoin = coins("BTC", 1, 50_000, follows=("BTC", "BTC/USDT:USDT", 50_000))
    pool = a_pool(
        short("BTC", "0.25", 50_000),
        long("ETH", 10, 3_000),
        unit="USD",
        collateral=(bitcoin, coins("USDT", -20_000)),
    )
    now = marks(BTC=50_000, ETH=3_000)
    move = adverse_move(pool, now)
    # Both fall by m: 50,000 (1 - m) - 20,000 + 12,500 m - 30,000 m
    #   = 0.005 (12,500 + 30,000) (1 - m), so 67,500 m - 212.5 m = 30,000 - 212.5.
    assert move == pytest.approx(-(30_000 - Decimal("212.5")) / Decimal("67287.5"))


def test_where_as_little_is_left_as_is_required_it_ends_at_once():
    """−5 of balance and of requirement: not reached (it is below 0), and yet nothing is left."""
    pool = a_pool(long("BTC", tiers=None), cash=-5, other_maintenance=Decimal(-5))
    rising = of_symbol(pool, marks(BTC=100), BTC, Decimal(1))

    assert move_along(rising) == 0
