"""
Bybit captures that were made elsewhere, one for every kind of unified account.

Expected figures are arithmetic written out, by the rules of Bybit's glossary and of
«Initial / Maintenance Margin Calculation (USDT Contract)», 2025-09-18.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.strangers import (
    MS,
    Json,
    Shell,
    body_of,
    capture,
    near,
    renamed,
    with_frames,
    without,
)

D = Decimal
X = D("1.0005")  # the USD index of USDT
TAKER = D("0.00055")

# floating: short 20,000 USD of BTCUSDZ26 at 96,000, mark 95,400; 0.3 BTC in the wallet.
DATED = -20000 * (1 / D(96000) - 1 / D(95400))
DATED_MARGIN = 20000 / D(95400) * D("0.005") + 20000 / D(96000) * D("0.9") * TAKER
BTC = (D("0.3") + DATED) * D("0.98") * 95010
LONG_FEE = 97000 * (1 - 1 / D(25)) * TAKER
SHORT = 200 * 132 * D("0.005") + 200 * 130 * D("1.1") * TAKER
LOST = 1 * (97000 - 95000) + 200 * (132 - 130)
OWED = LOST - 500
HEDGE_FEES = (D("0.6") * 100000 * D("0.9") + D("0.25") * 94000 * D("1.1")) * TAKER
USDC_MARGIN = D("0.5") * (95000 * D("0.004") + 94000 * D("1.05") * D("0.0006")) + D("0.1") * (
    95500 * D("0.004") + 94000 * D("0.95") * TAKER
)
USDT_MARGIN = D("0.2") * (95600 * D("0.0033") + 96000 * D("0.95") * TAKER)
SOL_FEE = 13000 * D("1.1") * TAKER
ETH_FEE = 6000 / D(3300) * D("0.9") * TAKER

# Name, pool, its unit and basis, margin balance, maintenance margin.
POOLS = [
    (
        *("bybit_floating", "unified", "USD", "modelled"),
        -OWED * X + BTC,
        (95000 * D("0.0033") + LONG_FEE + SHORT + OWED * D("0.04")) * X + DATED_MARGIN * 95010,
    ),
    (
        *("bybit_usdc", "unified", "USD", "modelled"),
        # A short from its session price of 94,800, not from its entry price.
        (2000 - D("0.2") * 400) * X
        + (3000 - D("0.5") * 200 + D("0.1") * 1500) * D("0.99") * D("0.9999"),
        USDT_MARGIN * X + USDC_MARGIN * D("0.9999"),
    ),
    (
        *("bybit_hedge", "unified", "USD", "partly"),
        (9000 - D("0.6") * 5000 - D("0.25") * 1000) * X,
        (D("0.85") * 95000 * D("0.0033") + HEDGE_FEES) * X,
    ),
    (
        *("bybit_isolated", "isolated/BTCUSDT", "USDT", "modelled"),
        20000 / D(50) + 19600 * TAKER - 100,
        19900 * D("0.0033") + 19600 * TAKER,
    ),
    (
        *("bybit_isolated", "isolated/SOLUSDT", "USDT", "modelled"),
        1300 + SOL_FEE + 150 - 200,
        13200 * D("0.005") + SOL_FEE,
    ),
    (
        *("bybit_isolated", "isolated/ETHUSDT/short", "USDT", "modelled"),
        690 + 6900 * D("1.1") * TAKER + 100,
        6800 * D("0.0033") + 6900 * D("1.1") * TAKER,
    ),
    (
        *("bybit_isolated", "isolated/ETHUSD", "ETH", "modelled"),
        6000 / D(33000) + ETH_FEE + D("0.1") - 6000 * (1 / D(3300) - 1 / D(3400)),
        6000 / D(3400) * D("0.005") + ETH_FEE,
    ),
    (
        *("bybit_portfolio", "unified", "USD", "reported"),
        (9000 - 1000 - D("350.5")) * X
        + (D("0.1") - 5000 * (1 / D(94000) - 1 / D(95000))) * D("0.98") * 95010,
        D("2300.5"),
    ),
]


@pytest.mark.parametrize(("name", "pool", "unit", "basis", "balance", "maintenance"), POOLS)
def test_every_pool_has_the_figures_of_the_arithmetic(  # noqa: PLR0917 - one row of a table
    shell: Shell, name: str, pool: str, unit: str, basis: str, balance: D, maintenance: D
) -> None:
    found = shell.pools(capture(name))[pool]
    assert (found["unit"], found["basis"], found["reconciliation"]) == (unit, basis, "agrees")
    # Eight decimals on the wire: of an isolated balance its liquidation price tells no more.
    assert near(found["margin_balance"], balance, "1e-8")
    assert near(found["maintenance_margin"], maintenance)
    assert near(found["margin_ratio"], maintenance / balance, "1e-8")


MODES = [
    ("bybit_floating", "unified, cross", {"unified"}),
    (
        "bybit_isolated",
        "unified, isolated",
        {"isolated/" + name for name in ("BTCUSDT", "SOLUSDT", "BTCUSD", "ETHUSD", "BTCPERP")}
        | {"isolated/ETHUSDT/long", "isolated/ETHUSDT/short"},
    ),
    ("bybit_portfolio", "unified, portfolio margin, spot hedging", {"unified"}),
]


@pytest.mark.parametrize(("name", "mode", "pools"), MODES)
def test_the_mode_is_told_in_words_and_its_pools_by_name(
    shell: Shell, name: str, mode: str, pools: set[str]
) -> None:
    _, out, _ = shell.run(capture(name), "--json")
    (account,) = json.loads(out)["accounts"]
    assert account["mode"] == mode
    assert {pool["id"].removeprefix("main/") for pool in account["pools"]} == pools


# P · (1 + C + 4 % of debt − rate − dated margin) = what the long lost, owes and is charged
FLOATING_END = (
    X
    * ((96900 + LONG_FEE + SHORT) + D("0.04") * 96900)
    / (X * (1 - D("0.0033") + D("0.04")) + (BTC / 95010 - DATED_MARGIN) * 95010 / 95000)
)
ENDS = [
    ("bybit_floating", "unified", "BTCUSDT", FLOATING_END),
    (
        *("bybit_hedge", "unified", "BTCUSDT"),
        (95000 * D("0.35") + HEDGE_FEES - 5750) / (D("0.35") - D("0.85") * D("0.0033")),
    ),
    ("bybit_isolated", "isolated/BTCUSDT", "BTCUSDT", 19600 / (1 - D("0.0033"))),
    ("bybit_isolated", "isolated/SOLUSDT", "SOLUSDT", D("144.5") / D("1.005")),
    (
        *("bybit_portfolio", "unified", "ETHUSDT"),
        3400 - (POOLS[-1][4] - D("2300.5")) / (10 * X),
    ),
]


@pytest.mark.parametrize(("name", "pool", "symbol", "end"), ENDS)
def test_every_leg_ends_at_the_price_of_the_arithmetic(
    shell: Shell, name: str, pool: str, symbol: str, end: D
) -> None:
    legs = shell.pools(capture(name))[pool]["positions"]
    found = [leg["liquidation_price"] for leg in legs if leg["exchange_symbol"] == symbol]
    assert found
    assert all(near(price, end, "1e-8") for price in found)


def test_a_debt_that_begins_on_the_way_is_charged(shell: Shell) -> None:
    # USDC lose 37,950 x when all rises by x, and are owed from 8 % on; USDT gain 19,120 x.
    usdc, rate = D("0.9999"), D("0.04")
    left = 1920 * X + 3050 * usdc - (USDT_MARGIN * X + USDC_MARGIN * usdc) + rate * 3050 * usdc
    lost = 37950 * usdc * (1 + rate) + D("228.2") * usdc - (19120 - D("63.096")) * X
    pool = shell.pools(capture("bybit_usdc"))["unified"]
    assert near(pool["uniform_move"], left / lost)
    assert near(pool["adverse_move"], -left / lost)


def test_what_the_exchange_alone_knows_is_carried_by_name(shell: Shell) -> None:
    (pool,) = shell.pools(capture("bybit_hedge")).values()
    assert pool["carried"] == ["margins of BTCUSDT beyond its tier"]
    (pool,) = shell.pools(capture("bybit_portfolio")).values()
    assert pool["carried"] == ["portfolio stress test", "value of 1 option"]
    assert [leg["maintenance_margin"] for leg in pool["positions"]] == [None, None]


@pytest.mark.parametrize(
    ("name", "pool", "symbol"),
    [
        ("bybit_floating", "unified", "BTCUSDT"),
        ("bybit_floating", "unified", "SOLUSDT"),
        ("bybit_usdc", "unified", "BTCPERP"),
        ("bybit_portfolio", "unified", "ETHUSDT"),
        ("bybit_isolated", "isolated/ETHUSD", "ETHUSD"),
    ],
)
def test_at_its_liquidation_price_a_pool_stands_at_the_end(
    shell: Shell, name: str, pool: str, symbol: str
) -> None:
    """A spot ticker tells where BTC stands; a mark put in place moves the coin all the same."""
    legs = shell.pools(capture(name))[pool]["positions"]
    end = next(leg["liquidation_price"] for leg in legs if leg["exchange_symbol"] == symbol)
    there = shell.pools(capture(name), "--mark", f"{symbol}={end}")[pool]
    assert near(there["margin_ratio"], "1")


def _ticker(symbol: str, key: str, price: str) -> tuple[str, Json]:
    data = {"symbol": symbol, "lastPrice": price, key: price}
    topic = f"tickers.{symbol}"
    return "marks", {"topic": topic, "type": "snapshot", "ts": MS + 1000, "cs": 1, "data": data}


def _at(price: int, index: D) -> D:
    """The floating account's balance with BTCUSDT at this price and BTC at this index."""
    return X * (500 - 400 + price - 97000) + BTC / 95010 * index


def test_a_coin_goes_with_its_contract_until_its_own_index_speaks(shell: Shell) -> None:
    long = _ticker("BTCUSDT", "markPrice", "94000")
    alone = shell.pools(with_frames(capture("bybit_floating"), long))["unified"]
    assert near(alone["margin_balance"], _at(94000, 95010 * D(94000) / 95000))
    index = _ticker("BTCUSDT", "usdIndexPrice", "94500")
    later = _ticker("BTCUSDT", "markPrice", "93000")
    told = with_frames(capture("bybit_floating"), long, index, later)
    assert near(shell.pools(told)["unified"]["margin_balance"], _at(93000, D(94500)))
    by_hand = shell.pools(told, "--mark", "BTCUSDT=91000")["unified"]
    assert near(by_hand["margin_balance"], _at(91000, D(94500) * 91000 / 93000))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bybit_floating", "/v5/spot-margin-trade/collateral"),
        ("bybit_floating", "/v5/spot-margin-trade/position-tiers"),
        ("bybit_floating", "/v5/market/risk-limit?category=inverse"),
        ("bybit_floating", "/v5/market/instruments-info?category=inverse"),
        ("bybit_floating", "/v5/position/list?category=inverse"),
        ("bybit_usdc", "/v5/position/list?category=linear&settleCoin=USDC"),
        ("bybit_hedge", "/v5/position/list?category=linear"),
        ("bybit_isolated", "/v5/market/risk-limit?category=linear"),
        ("bybit_isolated", "/v5/market/instruments-info?category=inverse"),
        ("bybit_portfolio", "/v5/market/instruments-info?category=linear"),
        ("bybit_portfolio", "/v5/spot-margin-trade/collateral"),
    ],
)
def test_a_needed_reply_that_is_missing_is_named(shell: Shell, name: str, path: str) -> None:
    assert path in shell.named(without(capture(name), path))


@pytest.mark.parametrize("name", ["bybit_isolated", "bybit_portfolio"])
def test_an_empty_list_is_not_believed_against_the_wallet(shell: Shell, name: str) -> None:
    """These wallets leave the margins empty; their unrealized PnL says that something is held."""
    found = capture(name)
    for reply in found["replies"]:
        if "position/list?category=inverse" in reply["request"]:
            reply["body"]["result"]["list"] = []
    assert "/v5/position/list?category=inverse" in shell.named(found)


REFUSED = {"retCode": 10005, "retMsg": "Permission denied", "result": {}, "time": MS}


@pytest.mark.parametrize("body", [REFUSED, "<html>"])
@pytest.mark.parametrize(
    "path", ["category=spot", "fee-rate?category=linear", "order/realtime", "category=option"]
)
def test_what_is_optional_may_be_refused(shell: Shell, path: str, body: Any) -> None:
    found, whole = capture("bybit_floating"), shell.pools(capture("bybit_floating"))["unified"]
    for reply in found["replies"]:
        if path in reply["request"]:
            reply["body"] = body
    pool = shell.pools(found)["unified"]
    # Without a spot ticker the index of BTC is the row's, of eight decimals.
    assert near(pool["margin_balance"], whole["margin_balance"], "1e-7")
    assert near(pool["maintenance_margin"], whole["maintenance_margin"], "1e-7")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("settleCoin=USDC&limit=1", "settleCoin=USDC&limit=1&baseCoin="),
        ("accountType=UNIFIED", ""),
        ("spot-margin-trade/collateral", "spot-margin-trade/collateral?currency="),
        ("risk-limit?category=linear", "risk-limit?cursor=&symbol=&category=linear"),
    ],
)
def test_an_empty_parameter_asks_for_nothing(shell: Shell, old: str, new: str) -> None:
    whole = shell.pools(capture("bybit_usdc"))["unified"]
    asked = shell.pools(renamed(capture("bybit_usdc"), old, new))["unified"]
    assert asked["margin_ratio"] == whole["margin_ratio"]


@pytest.mark.parametrize(
    ("name", "key", "figure"),
    [
        ("bybit_floating", "totalMaintenanceMargin", "-1"),
        ("bybit_floating", "totalInitialMargin", "-1"),
        ("bybit_floating", "totalMarginBalance", "x"),
        ("bybit_floating", "coin[0].spotBorrow", "-1"),
        ("bybit_floating", "coin[0].borrowAmount", "-1"),
        ("bybit_floating", "coin[0].totalPositionMM", "-1"),
        ("bybit_floating", "coin[0].totalPositionMM", ""),
        ("bybit_floating", "coin[0].totalOrderIM", None),
        ("bybit_portfolio", "coin[0].walletBalance", ""),
        ("bybit_isolated", "coin[0].locked", "-0.5"),
    ],
)
def test_a_spoiled_figure_of_the_wallet_is_named(
    shell: Shell, name: str, key: str, figure: str | None
) -> None:
    found, field = capture(name), key.rpartition(".")[2]
    row = body_of(found, "wallet-balance")["result"]["list"][0]
    (row["coin"][0] if "coin" in key else row)[field] = figure
    said = shell.named(found)
    assert "/v5/account/wallet-balance" in said
    assert field in said


@pytest.mark.parametrize(
    ("told", "balance", "maintenance"),
    [
        ({"totalMaintenanceMargin": "3000"}, None, D(3000)),
        ({"totalMarginBalance": "20000"}, D(20000), None),
        ({"totalMarginBalance": "20000", "totalAvailableBalance": "11298.0837"}, D(20000), None),
    ],
)
def test_where_the_exchange_says_otherwise_the_worse_pair_is_shown(
    shell: Shell, told: dict[str, str], balance: D | None, maintenance: D | None
) -> None:
    whole = shell.pools(capture("bybit_floating"))["unified"]
    found = capture("bybit_floating")
    body_of(found, "wallet-balance")["result"]["list"][0].update(told)
    pool = shell.pools(found)["unified"]
    assert pool["reconciliation"] == "disagrees"
    assert near(pool["margin_balance"], balance or D(whole["margin_balance"]), "1e-7")
    assert near(pool["maintenance_margin"], maintenance or D(whole["maintenance_margin"]), "1e-7")
    assert near(pool["modelled"]["margin_ratio"], whole["margin_ratio"], "1e-6")


@pytest.mark.parametrize("status", [1, 3, 4])
def test_an_older_account_is_refused_with_what_to_do(shell: Shell, status: int) -> None:
    found = capture("bybit_floating")
    body_of(found, "account/info")["result"]["unifiedMarginStatus"] = status
    assert f"unifiedMarginStatus {status}" in shell.named(found)
    assert "upgrade it" in shell.named(found)


def test_an_account_with_spot_alone_has_a_pool_without_maintenance(shell: Shell) -> None:
    found = without(capture("bybit_portfolio"), "/v5/position/list")
    row = body_of(found, "wallet-balance")["result"]["list"][0]
    body_of(found, "account/info")["result"]["marginMode"] = "REGULAR_MARGIN"
    usdt = row["coin"][0] | dict.fromkeys(("unrealisedPnl", "borrowAmount"), "0")
    usdt |= {"totalOrderIM": "0", "totalPositionIM": "0", "totalPositionMM": "0"}
    usdt |= {"walletBalance": "1200", "equity": "1200", "usdValue": "1200.6"}
    row |= {"coin": [usdt], "totalMarginBalance": "1200.6", "totalAvailableBalance": "1200.6"}
    row |= {"totalInitialMargin": "0", "totalMaintenanceMargin": "0", "accountMMRate": "0"}
    pool = shell.pools(found)["unified"]
    assert (pool["margin_balance"], pool["maintenance_margin"]) == ("1200.6", "0")
    assert (pool["margin_ratio"], pool["adverse_move"], pool["positions"]) == ("0", None, [])
