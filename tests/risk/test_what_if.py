"""Changed copies: what moves along, what stays, and what a closed part leaves behind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import MissingCollateral, MissingMark
from monitor.risk import (
    Instrument,
    MarginMode,
    MarginPool,
    Mark,
    evaluate,
    exposures,
    moved,
    reduced,
    released,
    requirement,
    shifted,
    shifted_adversely,
    shifted_coins,
    topped_up,
)
from monitor.risk.collateral import price_of
from monitor.risk.what_if import nets
from tests.build import (
    NOON,
    a_pool,
    coins,
    fee,
    inverse,
    linear,
    long,
    mark,
    marks,
    short,
)

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
BTC_USDC = "BTC/USDC:USDC"


def prices(known: dict[str, Mark]) -> dict[str, Decimal]:
    return {symbol: m.price for symbol, m in known.items()}


def floating() -> MarginPool:
    """Two symbols of BTC, one of ETH, and BTC and ETH as collateral that floats."""
    return a_pool(
        long("BTC"),
        short(linear("BTC", settle="USDC")),
        long("ETH"),
        collateral=(
            coins("USDT", 100),
            coins("USDC", 100),
            coins("BTC", 1, 99, follows=("BTC", BTC_USDC, 100)),
            coins("ETH", 1, 9, follows=("ETH", ETH, 10)),
        ),
    )


KNOWN = {BTC: mark(100), BTC_USDC: mark(100), ETH: mark(10)}


def collateral_price(pool: MarginPool, known: dict[str, Mark], asset: str) -> Decimal:
    return price_of(next(c for c in pool.collateral if c.asset == asset), known)


def test_one_symbol_moves_with_collateral_in_its_coin_and_nothing_else():
    pool, known = moved(floating(), KNOWN, BTC, Decimal(50))

    assert prices(known) == {BTC: 50, BTC_USDC: 100, ETH: 10}
    assert collateral_price(pool, known, "BTC") == Decimal("49.5")
    assert collateral_price(pool, known, "ETH") == 9


def test_collateral_that_follows_the_moved_symbol_itself_moves_once():
    pool, known = moved(floating(), KNOWN, BTC_USDC, Decimal(50))

    assert prices(known) == {BTC: 100, BTC_USDC: 50, ETH: 10}
    assert collateral_price(pool, known, "BTC") == Decimal("49.5")


def test_the_time_of_a_mark_stays():
    assert moved(floating(), KNOWN, BTC, Decimal(50))[1][BTC].at == NOON


def test_all_marks_shift_by_one_fraction():
    pool, known = shifted(floating(), KNOWN, Decimal("-0.1"))

    assert prices(known) == {BTC: 90, BTC_USDC: 90, ETH: 9}
    assert collateral_price(pool, known, "BTC") == 99 * Decimal("0.9")


def test_only_the_named_coins_shift():
    pool, known = shifted_coins(floating(), KNOWN, {"BTC": Decimal("0.5")})

    assert prices(known) == {BTC: 150, BTC_USDC: 150, ETH: 10}
    assert collateral_price(pool, known, "BTC") == 99 * Decimal("1.5")
    assert collateral_price(pool, known, "ETH") == 9


def test_adversely_longs_fall_and_shorts_rise():
    pool = a_pool(long("BTC", 2), short("ETH", 3), long("ETH", 1))
    known = marks(BTC=100, ETH=100)

    assert exposures(pool, known) == {"BTC": 1, "ETH": -1}
    assert prices(shifted_adversely(pool, known, Decimal("0.1"))[1]) == {BTC: 90, ETH: 110}


def test_a_coin_is_net_over_its_symbols_in_the_unit_of_the_pool():
    """1 BTC long at 100; 150 USD short in inverse contracts: 1.5 BTC at 100."""
    pool = a_pool(
        long("BTC", 1),
        short(inverse("BTC", size=1), 150),
        collateral=(coins("USDT"), coins("BTC", 9, 100, follows=("BTC", BTC, 100))),
    )

    assert exposures(pool, {BTC: mark(100), "BTC/USD:BTC": mark(100)}) == {"BTC": -1}


@pytest.mark.parametrize(("balance", "sign"), [(1, 1), (-1, -1), (0, -1)])
def test_a_coin_held_only_as_collateral_goes_by_its_balance(balance: int, sign: int):
    pool = a_pool(
        long("ETH"),
        collateral=(coins("USDT"), coins("BTC", balance, 100, follows=("BTC", BTC, 100))),
    )

    assert exposures(pool, marks(BTC=100, ETH=1)) == {"ETH": 1, "BTC": sign}


def test_coins_of_one_kind_are_netted_by_their_worth():
    """3 at 10 are owned, 1 at 50 is owed."""
    owned = coins("BTC", 3, 10, follows=("BTC", BTC, 100))
    owed = coins("XBTC", -1, 50, follows=("BTC", BTC, 100))
    pool = a_pool(collateral=(owned, owed))

    assert exposures(pool, marks(BTC=100)) == {"BTC": -1}


def test_legs_that_cancel_out_are_hurt_by_a_rise():
    pool = a_pool(long("BTC", 2), short("BTC", 2))

    assert exposures(pool, marks(BTC=100)) == {"BTC": -1}


def test_collateral_added_is_in_its_own_asset():
    pool = topped_up(floating(), "USDC", Decimal(7))

    assert [c.balance for c in pool.collateral] == [100, 107, 1, 1]
    with pytest.raises(MissingCollateral, match="SOL"):
        topped_up(floating(), "SOL", Decimal(7))


def test_a_reduction_realises_the_pnl_of_its_part_less_the_fee():
    held = short("BTC", 4, 100, taker_fee_rate=Decimal("0.001"), close_fee=fee("0.8", "0.002"))
    pool = a_pool(held, cash=1000)

    after = reduced(pool, held, Decimal(1), mark(90))

    assert after.positions[0].contracts == 3
    assert after.positions[0].close_fee == fee("0.6", "0.002")
    assert after.collateral[0].balance == 1000 + 10 - Decimal("0.09")
    # without the fee nothing is won or lost by closing at the mark
    both = [requirement(p, marks(BTC=90)).margin_balance for p in (pool, after)]
    assert both[1] == both[0] - Decimal("0.09")


def test_an_inverse_reduction_realises_coins():
    held = long(inverse("BTC", size=100), 40, 50)
    pool = a_pool(held, unit="BTC", cash=1)

    after = reduced(pool, held, Decimal(10), mark(100))

    assert after.collateral[0].balance == 1 + 1000 * (1 / Decimal(50) - 1 / Decimal(100))


def test_a_part_of_an_isolated_position_takes_its_part_of_the_margin_along():
    """4 BTC from 100 at 90 on 60: a quarter closed frees 15 and loses 10, less 0.1 % of 90."""
    held = long("BTC", 4, 100, taker_fee_rate=Decimal("0.001"), close_fee=fee("0.8", "0.002"))
    pool = a_pool(held, cash=60, margin_mode=MarginMode.ISOLATED)

    after = reduced(pool, held, Decimal(1), mark(90))

    assert after.collateral[0].balance == 45
    assert after.positions[0].close_fee == fee("0.6", "0.002")
    # What is left stands as the whole did: 3/4 of balance and of maintenance.
    both = [requirement(p, marks(BTC=90)) for p in (pool, after)]
    assert both[1].margin_balance == 60 - 15 - 40 + 10
    assert both[1].maintenance_margin == both[0].maintenance_margin * 3 / 4
    assert released(pool, held, Decimal(1), mark(90)) == 15 - 10 - Decimal("0.09")
    cross = a_pool(held, cash=60)
    assert released(cross, held, Decimal(1), mark(90)) == 0


def test_closing_all_of_it_takes_the_position_away():
    held, other = long("BTC", 4), short("ETH", 1)
    pool = a_pool(held, other)

    assert reduced(pool, held, Decimal(4), mark(100)).positions == (other,)


def test_the_exchanges_own_figures_do_not_outlive_a_reduction():
    held = long("BTC", 4, reported_liquidation_price=Decimal(5))
    after = reduced(a_pool(held), held, Decimal(1), mark(100))

    assert after.positions[0].reported_liquidation_price is None


@pytest.mark.parametrize("contracts", ["-1", "4.001"])
def test_more_than_is_held_cannot_be_closed(contracts: str):
    held = long("BTC", 4)
    with pytest.raises(ValueError, match="can't close"):
        reduced(a_pool(held), held, Decimal(contracts), mark(100))


def test_a_position_of_another_pool_cannot_be_closed():
    with pytest.raises(ValueError, match="does not hold"):
        reduced(a_pool(long("BTC")), long("ETH"), Decimal(1), mark(100))


def test_what_is_not_known_is_an_error():
    with pytest.raises(MissingMark):
        moved(floating(), {}, BTC, Decimal(1))
    with pytest.raises(ValueError, match="holds nothing in SOL"):
        moved(floating(), marks(SOL=1), "SOL/USDT:USDT", Decimal(1))
    with pytest.raises(ValueError, match="above 0"):
        shifted(floating(), KNOWN, Decimal(-1))
    with pytest.raises(MissingMark):
        exposures(a_pool(long("BTC")), {})
    with pytest.raises(MissingCollateral):
        exposures(a_pool(long(linear("BTC", settle="USDC"))), {BTC_USDC: mark(1)})


def test_the_original_is_left_as_it_was():
    pool = floating()
    before = evaluate(pool, KNOWN, NOON)

    moved(pool, KNOWN, BTC, Decimal(1))
    shifted(pool, KNOWN, Decimal("0.5"))
    topped_up(pool, "USDT", Decimal(5))

    assert evaluate(pool, KNOWN, NOON) == before


def ether_in_bitcoin() -> Instrument:
    return replace(
        linear("ETH", settle="BTC"), symbol="ETH/BTC:BTC", exchange_symbol="ETHBTC", quote="BTC"
    )


def test_a_contract_quoted_in_a_coin_moves_against_it():
    pool = a_pool(long(ether_in_bitcoin()), long("BTC"), collateral=(coins("BTC"), coins("USDT")))
    before = {"ETH/BTC:BTC": mark("0.04"), **marks(BTC=50_000)}

    _, after = shifted_coins(pool, before, {"ETH": Decimal("-0.1"), "BTC": Decimal("0.25")})
    assert after["ETH/BTC:BTC"].price == Decimal("0.04") * Decimal("0.9") / Decimal("1.25")
    assert after["BTC/USDT:USDT"].price == 62_500
    _, after = shifted_coins(pool, before, {"BTC": Decimal("0.25")})
    assert after["ETH/BTC:BTC"].price == Decimal("0.032")


def test_a_contract_quoted_in_a_coin_is_its_opposite_too():
    held = (long(ether_in_bitcoin(), 100, "0.04"), long("BTC", 1, 50_000))
    pool = a_pool(*held, collateral=(coins("BTC", 0, 50_000), coins("USDT", 1000)))
    before = {"ETH/BTC:BTC": mark("0.04"), **marks(BTC=50_000)}

    # 100 x 0.04 = 4 BTC short against 1 BTC long
    assert exposures(pool, before) == {"ETH": 1, "BTC": -1}
    # where nothing else in the pool is Bitcoin, its price is the pool's own measure
    alone = a_pool(held[0], unit="BTC")
    assert exposures(alone, before) == {"ETH": 1}


def test_a_coin_that_moves_moves_no_mark_that_is_not_there():
    assert shifted_coins(a_pool(long("BTC")), {}, {"BTC": Decimal("0.1")})[1] == {}


def test_what_is_held_and_what_is_owned_of_a_coin_stand_side_by_side():
    """2 BTC short and 5 owned, at 110."""
    pool = a_pool(
        short("BTC", 2),
        collateral=(coins("USDT"), coins("BTC", 5, 100, follows=("BTC", BTC, 100))),
    )
    assert nets(pool, marks(BTC=110)) == {"BTC": (-220, 550)}
    assert exposures(pool, marks(BTC=110)) == {"BTC": -1}, "by its positions, unless said"
    assert exposures(pool, marks(BTC=110), with_collateral=True) == {"BTC": 1}
    assert shifted_adversely(pool, marks(BTC=110), Decimal("0.1"))[1][BTC].price == 121
