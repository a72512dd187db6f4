"""Coins as collateral: what they are worth, what of it counts, and which mark moves them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx import EXCHANGE
from tests.exchanges.okx import examples, listings, wire
from tests.exchanges.okx.figures import close, figured, pool_of

BALANCE = "GET /api/v5/account/balance"
POSITIONS = "GET /api/v5/account/positions"
DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"


def backing(told):
    return {c.asset: c for c in pool_of(wire.snapshot(told), "unified").collateral}


def with_usdt(**changes):
    told = examples.multi()
    told[BALANCE]["data"][0]["details"][1].update(changes)
    return told


def test_a_price_is_equity_in_usd_by_equity():
    assert backing(examples.multi())["USDT"].price == Decimal("1.0002")


def test_a_fine_figure_of_equity_goes_before_a_positions():
    told = examples.multi()
    for row in told[POSITIONS]["data"]:
        row["usdPx"] = "1.5"

    assert backing(told)["USDT"].price == Decimal("1.0002")


def test_a_price_that_is_told_goes_first():
    assert backing(with_usdt(coinUsdPrice="0.9998"))["USDT"].price == Decimal("0.9998")


@pytest.mark.parametrize(
    ("equity", "usd"),
    [("0", "0"), ("0", ""), ("0.00000123", "0.00000124")],  # three digits are too few
)
def test_without_a_fine_figure_the_price_is_that_of_a_position(equity, usd):
    told = with_usdt(eq=equity, cashBal=equity, eqUsd=usd)
    assert backing(told)["USDT"].price == Decimal("1.0002"), "usdPx"

    for row in told[POSITIONS]["data"]:
        row["usdPx"] = ""
    # 96,019.2 USD for 100 × 0.01 BTC at 96,000
    assert close(backing(told)["USDT"].price, "1.0002"), "notionalUsd"


def test_a_coarse_figure_is_better_than_none():
    told = with_usdt(eq="0.00000123", cashBal="0.00000123", eqUsd="0.00000124")
    for row in told[POSITIONS]["data"]:
        row["usdPx"] = row["notionalUsd"] = ""

    assert close(backing(told)["USDT"].price, Decimal(124) / 123)


@pytest.mark.parametrize(("index", "price"), [("96010", 96010), ("", 96000)])
def test_a_coin_of_which_there_is_nothing_costs_what_an_inverse_contract_in_it_is_quoted_at(
    index, price
):
    held = wire.position(
        "BTC-USD-SWAP", "10", "96000", "96000", ccy="BTC", notionalUsd="990", idxPx=index
    )
    told = wire.bodies(
        wire.config("3"), wire.envelope(held), wire.balance(wire.coin("BTC", "0", eqUsd="0"))
    )
    assert backing(told)["BTC"].price == price


def test_what_a_linear_contract_is_quoted_at_prices_no_coin():
    held = wire.position("BTC-USDT-SWAP", "10", "96000", "96000", notionalUsd="")
    told = wire.bodies(
        wire.config("3"), wire.envelope(held), wire.balance(wire.coin("USDT", "0", eqUsd="0"))
    )
    with pytest.raises(Malformed, match="ccy=USDT"):
        wire.snapshot(told)


def test_of_several_perpetuals_of_a_coin_the_usdt_margined_one_is_followed():
    inverse = wire.position("BTC-USD-SWAP", "1", "96000", "96010", ccy="BTC", mmr="0.000004")
    told = examples.multi()
    told[POSITIONS]["data"].insert(0, inverse)
    assert backing(told)["BTC"].follows.symbol == "BTC/USDT:USDT"

    told[POSITIONS]["data"].pop(1)
    assert backing(told)["BTC"].follows.symbol == "BTC/USD:BTC"
    assert backing(told)["BTC"].follows.anchor_mark == 96010


def test_a_held_perpetual_without_a_mark_gives_way_to_the_list_of_marks():
    told = examples.multi()
    told[POSITIONS]["data"][0]["markPx"] = ""
    told["GET /api/v5/public/mark-price?instType=SWAP"] = wire.envelope(
        wire.mark("BTC-USDT-SWAP", "96005")
    )
    assert backing(told)["BTC"].follows.anchor_mark == 96005


def test_an_isolated_position_of_the_coin_is_followed_too():
    told = examples.multi()
    details = told[BALANCE]["data"][0]["details"]
    details.append(wire.coin("SOL", "10", eqUsd="1800", disEq="1710"))
    details[1].update(isoEq="100")
    told[POSITIONS]["data"].append(
        wire.position(
            "SOL-USDT-SWAP", "1", "180", "180", mgnMode="isolated", margin="100", mmr="1.8"
        )
    )
    assert backing(told)["SOL"].follows.symbol == "SOL/USDT:USDT"
    assert EXCHANGE.needed(wire.replies(told)) == ()


def test_a_coin_without_a_perpetual_follows_its_pair():
    told = examples.multi()
    told["GET /api/v5/public/mark-price?instType=MARGIN"] = wire.envelope(
        wire.mark("OKB-USDT", "49.99")
    )
    (asked,) = EXCHANGE.needed(wire.replies(told))
    assert asked.optional
    assert asked.request.endswith("instruments?instType=MARGIN&instId=OKB-USDT")
    assert backing(told)["OKB"].follows.symbol == "OKB/USD", "it is not listed yet"

    pair = {"instId": "OKB-USDT", "baseCcy": "OKB", "quoteCcy": "USDT", "lotSz": "0.01"}
    told["GET /api/v5/public/instruments?instType=MARGIN"] = wire.envelope(pair)
    read = wire.snapshot(told)
    assert backing(told)["OKB"].follows.symbol == "OKB/USDT"
    assert backing(told)["OKB"].price == 50
    assert [i.exchange_symbol for i in read.followed if i.base == "OKB"] == ["OKB-USDT"]
    assert read.marks["OKB/USDT"].price == Decimal("49.99")
    assert EXCHANGE.mark_streams(read.followed)[0].symbols >= {"OKB-USDT"}


def test_a_mark_without_its_contract_is_not_followed():
    told = examples.multi()
    told[POSITIONS]["data"].pop(0)
    swaps = [row for row in listings.INSTRUMENTS if row["instId"] != "BTC-USDT-SWAP"]
    told["GET /api/v5/public/instruments?instType=SWAP"] = wire.envelope(*swaps)

    (wanted,) = EXCHANGE.needed(wire.replies(told))
    assert wanted.optional
    assert "instId=BTC-USDT-SWAP" in wanted.request
    assert backing(told)["BTC"].follows.symbol == "BTC/USD"
    assert wire.snapshot(told).followed == ()


def discounted(amount, *steps, least="0"):
    """What so much of a coin at 1 USD counts."""
    usd = {"eqUsd": amount, "disEq": "1"}
    told = wire.bodies(
        wire.config("3"),
        wire.envelope(),
        wire.balance(wire.coin("ALGO", amount, **usd), adjEq="1"),
    )
    row = listings.discount("ALGO", *steps, least=least)
    row["details"].reverse()
    told[DISCOUNTS] = wire.envelope(row)
    return figured(wire.snapshot(told), "unified").requirement.margin_balance


def test_beyond_the_last_tier_the_least_rate_holds():
    assert discounted("100", "20 .85", "50 .79", least="0.5") == 17 + Decimal("23.7") + 25
    assert discounted("100", "20 .85", "50 .79") == 17 + Decimal("23.7")


def test_an_open_end_holds_all_the_rest_whatever_the_order_of_rows():
    assert discounted("100", "20 .85", "∞ .79", least="0.5") == 17 + Decimal("63.2")


@pytest.mark.parametrize("steps", [("20 .85", "20 .79"), ("∞ .85", "∞ .79"), ("20 1.5",), ("0 1",)])
def test_discounts_that_cannot_be_are_named(steps):
    with pytest.raises(Malformed, match="details"):
        discounted("100", *steps)


def test_a_coin_that_counts_nothing_floats_where_positions_settle_in_it():
    # 0.1 BTC switched off: it backs nothing, yet what the contract needs is BTC's.
    coin = wire.coin("BTC", "0.1", eqUsd="9600", disEq="0", collateralEnabled=False)
    held = wire.position("BTC-USD-SWAP", "96", "96000", "96000", ccy="BTC", mmr="0.0004")
    told = wire.bodies(wire.config("3"), wire.envelope(held), wire.balance(coin))
    (btc,) = backing(told).values()

    assert btc.haircuts[0].haircut == 1
    assert btc.follows.symbol == "BTC/USD:BTC"


@pytest.mark.parametrize(
    ("usdt", "flag", "haircut"),
    [
        # «false» beside a coin that counts: the flags tell nothing.
        ((False, "20000"), False, "0.02"),
        # Nothing that counts: nothing shows that they do.
        ((True, "0"), False, "0.02"),
        ((True, "20000"), False, "1"),
        ((True, "20000"), True, "0.02"),
    ],
)
def test_of_a_coin_that_there_is_nothing_of_the_flags_of_others_tell(usdt, flag, haircut):
    """Profit in a coin that its owner switched off counts nothing, nor do coins that come in."""
    enabled, counted = usdt
    coins = (
        wire.coin("USDT", "20000", eqUsd="20000", disEq=counted, collateralEnabled=enabled),
        wire.coin("BTC", "0", eqUsd="0", disEq="0", collateralEnabled=flag),
    )
    held = wire.position("BTC-USD-SWAP", "96", "96000", "96000", ccy="BTC", mmr="0.0004")
    told = wire.bodies(wire.config("3"), wire.envelope(held), wire.balance(*coins))

    assert backing(told)["BTC"].haircuts[0].haircut == Decimal(haircut)


def test_what_is_to_be_added_counts_beyond_the_debt_that_it_repays():
    """0.5 BTC are owed and two contracts settle in it, but its owner switched it off."""
    held = [
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="1"),
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="2"),
    ]
    coins = (
        wire.coin(
            "BTC", "-0.5", eqUsd="-48000", disEq="-48000", crossLiab="0.5", collateralEnabled=False
        ),
        wire.coin("USDT", "90000", eqUsd="90000", disEq="90000"),
    )
    told = wire.bodies(wire.config("3"), wire.envelope(*held), wire.balance(*coins))
    assert pool_of(wire.snapshot(told), "unified").top_up_asset == "USDT"


def test_a_coin_that_is_owed_floats_though_it_counts_nothing():
    coins = (
        wire.coin(
            "ETH", "-2", eqUsd="-8000", disEq="-8000", crossLiab="2", collateralEnabled=False
        ),
        wire.coin("USDT", "20000", eqUsd="20000", disEq="20000"),
    )
    marks = (wire.mark("ETH-USDT-SWAP", "4000"),)
    told = wire.bodies(wire.config("3"), wire.envelope(), wire.balance(*coins), marks=marks)

    assert backing(told)["ETH"].follows.symbol == "ETH/USDT:USDT"


def test_what_is_to_be_added_is_a_coin_that_helps():
    told = examples.multi()
    assert pool_of(wire.snapshot(told), "unified").top_up_asset == "USDT"

    # Two contracts settle in BTC, which its owner switched off; one in USDT.
    held = [
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="1"),
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="2"),
        wire.position("ETH-USDT-SWAP", "1", "3600", "3600", mmr="1.44", posId="3"),
    ]
    coins = (
        wire.coin("BTC", "0.5", eqUsd="48000", disEq="0", collateralEnabled=False),
        wire.coin("USDT", "5000", eqUsd="5000"),
    )
    told = wire.bodies(wire.config("3"), wire.envelope(*held), wire.balance(*coins))
    assert pool_of(wire.snapshot(told), "unified").top_up_asset == "USDT"
    coins[0]["collateralEnabled"] = True
    assert pool_of(wire.snapshot(told), "unified").top_up_asset == "BTC"


def test_of_a_coin_that_counts_nothing_none_is_to_be_added_where_none_is_owed():
    held = [
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="1"),
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC", mmr="0.000004", posId="2"),
        wire.position("ETH-USDT-SWAP", "1", "3600", "3600", mmr="1.44", posId="3"),
    ]
    coins = (
        wire.coin("BTC", "0", eqUsd="0", coinUsdPrice="96000"),
        wire.coin("USDT", "5000", eqUsd="5000"),
    )
    told = wire.bodies(wire.config("3"), wire.envelope(*held), wire.balance(*coins))
    told[DISCOUNTS] = wire.envelope(
        listings.discount("BTC", "∞ 0"), listings.discount("USDT", "∞ 1")
    )

    assert pool_of(wire.snapshot(told), "unified").top_up_asset == "USDT"
