"""The places on the way at which slack turns, each by an example that ends just there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import MissingMark
from monitor.risk import (
    Borrow,
    MarginPool,
    TierMeasure,
    liquidation_prices,
    requirement,
)
from monitor.risk.path import Path, _Curve, _roots, of_coins, of_symbol, rough_moves
from tests.build import a_pool, coins, inverse, linear, long, mark, marks, short, tiers

D = Decimal
ONE = D(1)
BTC, ETH, BTC_USD = "BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USD:BTC"
KNOWN = {BTC: mark(100), BTC_USD: mark(100), ETH: mark(10)}
BTC_OWNED = ("BTC", BTC, 100)


def owing(*rows: tuple[int | None, str, int], loan: str = "0") -> Borrow:
    return Borrow(tiers=tiers(*rows, measured_in=TierMeasure.CONTRACTS), loan=D(loan))


def rough(path: Path) -> list[D]:
    return sorted(round(move, 12) for move in rough_moves(path))


def up(pool: MarginPool, symbol: str = BTC) -> Path:
    return of_symbol(pool, KNOWN, symbol, ONE)


def down(pool: MarginPool, symbol: str = BTC) -> Path:
    return of_symbol(pool, KNOWN, symbol, -ONE)


# --- where it goes


def test_a_path_moves_a_symbol_and_the_collateral_in_its_coin() -> None:
    pool = a_pool(long("BTC"), collateral=(coins("USDT"), coins("BTC", 1, 90, follows=BTC_OWNED)))
    path = down(pool)

    assert (path.rates, path.coins) == ({BTC: -1}, {"BTC": -1})
    changed, known = path.after(D("0.25"))
    assert known[BTC].price == 75
    assert requirement(changed, known).margin_balance == 90 * D("0.75") - 25


def test_a_path_of_coins_moves_all_their_symbols_each_its_own_way() -> None:
    pool = a_pool(
        long("BTC"), long(inverse("BTC")), short("ETH"), collateral=(coins(), coins("BTC", 1, 100))
    )
    path = of_coins(pool, KNOWN, {"BTC": -ONE, "ETH": D("0.5")})

    known = path.after(D("0.1"))[1]
    assert [known[s].price for s in (BTC, BTC_USD, ETH)] == [90, 90, D("10.5")]


@pytest.mark.parametrize(
    ("rates", "speed"),
    [
        ({"BTC": "-1", "ETH": "1"}, "-1"),  # it ends where BTC is worth nothing
        ({"BTC": "-0.5", "ETH": "-2"}, "-2"),
        ({"BTC": "0.5", "ETH": "2"}, "2"),
        ({"BTC": "0", "ETH": "0"}, "1"),
        ({}, "1"),
    ],
)
def test_the_speed_is_that_of_the_fastest_fall(rates: dict[str, str], speed: str) -> None:
    pool = a_pool(long("BTC"), long("ETH"))
    path = of_coins(pool, KNOWN, {coin: D(rate) for coin, rate in rates.items()})

    assert path.speed == D(speed)


# --- where it turns


def test_smooth_pools_have_no_rough_place() -> None:
    bends = tiers((1500, "0.01", 0), (None, "0.02", 15))
    pool = a_pool(long("BTC", 10, tiers=bends), cash=-500)

    assert rough(up(pool)) == rough(down(pool)) == []


def test_a_tier_that_jumps_by_notional_is_one() -> None:
    table = tiers((800, "0.01", 0), (1600, "0.02", 0), (None, "0.03", 0))
    direct = a_pool(long("BTC", 10, tiers=table))
    # 1,000 USD are 10 coins at 100, and 8 at 125
    coin = a_pool(
        long(inverse("BTC", size=1), 1000, tiers=tiers((8, "0.01", 0), (None, "0.02", 0))),
        unit="BTC",
    )

    assert (rough(up(direct)), rough(down(direct))) == ([D("0.6")], [D("0.2")])
    assert (rough(up(coin, BTC_USD)), rough(down(coin, BTC_USD))) == ([D("0.25")], [])


def test_a_contract_of_just_one_coin_runs_as_any_other() -> None:
    edges = tiers(("0.8", "0.01", 0), (None, "0.02", 0))
    pool = a_pool(long(inverse("BTC"), 1, tiers=edges), unit="BTC")

    assert rough(up(pool, BTC_USD)) == [D("0.25")]  # 100 USD are 1 coin at 100, 0.8 at 125


def test_a_tier_by_contracts_is_none() -> None:
    table = tiers((12, "0.01", 0), (None, "0.5", 0), measured_in=TierMeasure.CONTRACTS)
    grouped = replace(table, group="BTC")

    for chosen in (table, grouped):
        pool = a_pool(long("BTC", 10, tiers=chosen), short("BTC", 9, tiers=chosen))
        assert rough(up(pool)) == rough(down(pool)) == []


def test_a_tier_that_charges_less_from_an_edge_on_is_one() -> None:
    easing = tiers((1200, "0.02", 0), (None, "0.01", -12))  # no jump at 1,200: 24 = 12 + 12

    assert rough(up(a_pool(long("BTC", 10, tiers=easing)))) == [D("0.2")]


def test_a_group_by_notional_turns_where_either_side_meets_an_edge() -> None:
    table = tiers((1200, "0.01", 0), (None, "0.5", 0), group="BTC")
    pool = a_pool(
        long("BTC", 6, tiers=table),
        long(linear("BTC", settle="USDC"), 4, tiers=table),
        short("BTC", 5, tiers=table),
        collateral=(coins("USDT", 9), coins("USDC", 9)),
    )
    known = {BTC: mark(100), "BTC/USDC:USDC": mark(100)}

    # longs 1,000 and shorts 500 move together to 1,200
    assert rough(of_coins(pool, known, {"BTC": ONE})) == [D("0.2"), D("1.4")]


def test_a_debt_turns_it_where_it_begins_and_at_its_edges() -> None:
    """Short 10: 100 USDT are lost at 110; 50 are owed at 115, beyond them another rate."""
    borrow = owing((50, "0.02", 0), (80, "0.04", 1), (None, "0.05", 0))
    pool = a_pool(short("BTC", 10), collateral=(replace(coins("USDT", 100), borrow=borrow),))

    # the edge at 50 is deducted (1 = 0.02 × 50), so it only bends downwards
    assert rough(up(pool)) == [D("0.1"), D("0.18")]


def test_a_loan_is_owed_until_the_sum_owes_more() -> None:
    borrow = owing((20, "0.02", 0), (50, "0.04", 0), (None, "0.05", 0), loan="30")
    pool = a_pool(short("BTC", 10), collateral=(replace(coins("USDT", 100), borrow=borrow),))

    # −30 at 113; the edge at 20 lies within the loan
    assert rough(up(pool)) == [D("0.13"), D("0.15")]


def test_a_debt_in_coins_follows_the_reciprocal_of_the_price() -> None:
    """Long 1,000 USD at 100: the 2 coins are lost where 1,000 ÷ P = 12."""
    borrow = owing((None, "0.02", 0))
    pool = a_pool(
        long(inverse("BTC"), 10),
        unit="USD",
        collateral=(replace(coins("BTC", 2, 100, follows=("BTC", BTC_USD, 100)), borrow=borrow),),
    )

    assert rough(down(pool, BTC_USD)) == [round(1 - D(1000) / 12 / 100, 12)]


def test_a_debt_of_a_coin_in_which_two_kinds_settle_is_found() -> None:
    """
    1,000 USD long in inverse contracts and 3 ETH long that settle in BTC at 2 BTC apiece.

    Coins: 5 + 10 − 10/x + 6·(x − 1) is 0 at 6x² + 9x − 10 = 0: x = (√321 − 9) ÷ 12.
    """
    exotic = replace(linear("BTC"), symbol="X", settle="BTC")
    pool = a_pool(
        long(inverse("BTC"), 10),
        long(exotic, 3, 2),
        unit="USD",
        collateral=(replace(coins("BTC", 5, 100), borrow=owing((None, "0.02", 0))),),
    )
    known = {BTC_USD: mark(100), "X": mark(2)}

    path = of_coins(pool, known, {"BTC": -ONE})
    assert rough(path)[0] == round(1 - (D(321).sqrt() - 9) / 12, 12)


def test_a_haircut_that_falls_is_one_and_one_that_rises_is_not() -> None:
    rising = coins("USDT", 100, haircuts=((50, "0.1"), (None, "0.2")))
    falling = coins("USDT", 100, haircuts=((50, "0.2"), (None, "0.1")))
    ending = coins("USDT", 100, haircuts=((50, "0.1"),))
    cheap = coins("USDT", 100, rates=(1, "0.9"))

    found = [rough(up(a_pool(short("BTC", 10), collateral=(c,)))) for c in
             (rising, falling, ending, cheap)]  # fmt: skip
    assert found == [[], [D("0.05")], [], [D("0.1")]]


def test_what_stands_still_is_none() -> None:
    borrow = owing((50, "0.02", 0), (None, "0.05", 0))
    table = tiers((50, "0.01", 0), (None, "0.5", 0))
    pool = a_pool(
        short("BTC", 10),
        long("ETH", 4, 10, tiers=table),
        collateral=(
            coins("USDT", 100),
            replace(coins("BTC", -49, 100, follows=BTC_OWNED), borrow=borrow),
        ),
    )

    assert rough(up(pool)) == []
    assert rough(up(pool, ETH)) == [D("0.25")]


def test_a_missing_mark_is_an_error() -> None:
    table = tiers((50, "0.01", 0), (None, "0.5", 0))
    pool = a_pool(long("BTC", tiers=table), long("ETH"))
    with pytest.raises(MissingMark, match="BTC"):
        rough(Path(pool=pool, marks={}, rates={BTC: ONE}, coins={}))


@pytest.mark.parametrize(
    ("square", "line", "constant", "expected"),
    [
        (1, -3, 2, {1, 2}),
        (2, 3, -2, {D("0.5"), -2}),
        (4, 0, -1, {D("0.5"), D("-0.5")}),
        (1, -3, 0, {0, 3}),
        (1, 0, 1, set()),
        (3, 0, 0, {0}),
        (0, 4, -2, {D("0.5")}),
        (0, 0, 5, set()),
    ],
)
def test_a_square_is_solved(square: int, line: int, constant: int, expected: set[D]) -> None:
    assert set(_roots(D(square), D(line), D(constant))) == expected


def test_a_curve_is_met_where_it_takes_the_value() -> None:
    """1 + 2·m + 3 ÷ (1 + m ÷ 2), put in again."""
    curve = _Curve(constant=D(1), slope=D(2), reciprocal={D("0.5"): D(3), D(7): D(0)})

    for level in ("4.5", "6", "20"):
        moves = curve.meets(D(level))
        assert len(moves) == 2
        for move in moves:
            assert 1 + 2 * move + 3 / (1 + move / 2) == pytest.approx(D(level), rel=D("1e-24"))


# --- and where it ends there


def test_a_debt_whose_margin_jumps_ends_it_though_a_further_price_would_not() -> None:
    """
    12 BTC owned, 10 short: the whole gains 2 for every 1 that BTC rises.

    1,200 + 100 − 1,250 = 50 at 100. At 120 the debt of 100 meets the dear tier (90 of margin),
    beyond 110 owed a cheap one: 50 + 40 − 6 − 90 < 0, and 50 + 50 − 6.25 − 1.5 at 125.
    """
    pool = a_pool(
        short("BTC", 10),
        unit="USD",
        collateral=(
            replace(
                coins("USDT", 100),
                borrow=owing((100, "0.01", 0), (110, "0.9", 0), (None, "0.01", 0)),
            ),
            coins("BTC", 12, 100, follows=BTC_OWNED),
        ),
        other_balance=D(-1250),
    )
    found = liquidation_prices(pool, KNOWN, BTC)

    below = D(45) / D("1.95")  # 50 − 2d = 0.05·(100 − d)
    assert found.nearest == pytest.approx(D(120), rel=D("1e-14"))
    assert found.other == pytest.approx(100 - below, rel=D("1e-14"))


def test_a_groups_jump_ends_it_though_a_further_price_would_not() -> None:
    """Long 10, short 1, tiered on 10: 700 + 9·20 against 11 × 120 ÷ 2 at 120; not at 175."""
    table = tiers((1200, "0.01", 0), (1300, "0.7", 0), (None, "0.01", 0), group="BTC")
    pool = a_pool(long("BTC", 10, tiers=table), short("BTC", 1, tiers=table), cash=700)

    found = liquidation_prices(pool, KNOWN, BTC)

    assert found.nearest == pytest.approx(D(120), rel=D("1e-14"))


def test_a_haircut_that_falls_ends_it_in_a_dip() -> None:
    """
    10 short; 100,200 USDT of which the first 100,000 count a tenth; 5 BTC owned.

    Up to 120 it loses 10 and wins 5 for every 1, beyond it loses 1 and wins 5.
    10,000 + 200 + 500 − 10,601 = 99 at 100 after the 5 of maintenance: gone at 99 ÷ 5.05.
    """
    pool = a_pool(
        short("BTC", 10),
        unit="USD",
        collateral=(
            coins("USDT", 100_200, haircuts=((100_000, "0.9"), (None, 0))),
            coins("BTC", 5, 100, follows=BTC_OWNED),
        ),
        other_balance=D(99 + 5 - 10_700),
    )
    found = liquidation_prices(pool, KNOWN, BTC)

    assert found.nearest == pytest.approx(100 + 99 / D("5.05"), rel=D("1e-14"))
    assert requirement(pool, {**KNOWN, BTC: mark(130)}).ratio > 0


def test_a_dip_that_just_touches_the_end_is_an_end() -> None:
    """As before, with the turn at 112.5, where nothing is left: 5.05 × 12.5 are there at 100."""
    pool = a_pool(
        short("BTC", 10),
        unit="USD",
        collateral=(
            coins("USDT", 100_125, haircuts=((100_000, "0.9"), (None, 0))),
            coins("BTC", 5, 100, follows=BTC_OWNED),
        ),
        other_balance=D("63.125") + 5 - 10_625,
    )

    assert liquidation_prices(pool, KNOWN, BTC).nearest == D("112.5")


def test_a_pool_without_tiers_ends_by_what_is_held_against_it() -> None:
    """A stress test of 100 stands; 1,000 − 10·d = 100."""
    pool = a_pool(long("BTC", 10, tiers=None), cash=500, other_maintenance=D(100))

    assert liquidation_prices(pool, marks(BTC=100), BTC).nearest == pytest.approx(
        D(60), rel=D("1e-14")
    )
    bare = replace(pool, other_maintenance=D(0))
    assert liquidation_prices(bare, marks(BTC=100), BTC).nearest is None


def test_a_debt_that_begins_where_nothing_else_is_held_ends_it() -> None:
    pool = a_pool(
        long("BTC", 10, tiers=None),
        collateral=(replace(coins("USDT", 500), borrow=owing((None, "0.02", 0))),),
    )

    # with the last coin lost a debt begins, and nothing is there against it
    assert liquidation_prices(pool, marks(BTC=100), BTC).nearest == pytest.approx(
        D(50), rel=D("1e-14")
    )
