"""The wire of the pretended Bybit, held against recorded answers (payloads/NOTICE.md)."""

import re
from decimal import ROUND_DOWN, Decimal

import pytest

from monitor.simulator.bybit import Bybit
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import BYBIT, BYBIT_OTHERS, MARKET, bybit, recorded, sample, truth

D = Decimal
AT_MOST_EIGHT = re.compile(r"-?\d+(\.\d{1,8})?")


@pytest.fixture
async def sim(monkeypatch):
    monkeypatch.setattr(Bybit, "cadence_seconds", 3600.0)  # prices stand still
    async with running(scene(BYBIT, BYBIT_OTHERS, market=MARKET)) as simulation:
        yield simulation


def cut(value: str, digits: int = 8) -> Decimal:
    return D(value).quantize(D(1).scaleb(-digits), rounding=ROUND_DOWN)


async def test_the_wallet_has_the_fields_of_a_recorded_one(sim):
    theirs = recorded("bybit_fetchBalance_0")["result"]["list"][0]
    ours = (await bybit(sim, "two", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert set(theirs) <= set(ours)
    assert set(theirs["coin"][0]) <= set(ours["coin"][0])
    for key, value in theirs["coin"][0].items():
        assert type(ours["coin"][0][key]) is type(value), key
    extra = set(ours) - set(theirs)
    assert all(key.endswith("ByMp") for key in extra)


async def test_the_wallet_adds_up_as_the_worked_example_does(sim):
    row = (await bybit(sim, "two", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert row["totalMarginBalance"] == row["totalEquity"] == "8504.25"
    assert row["totalInitialMargin"] == "6598.25998125"
    # 320.5125 x 1.0005 = 320.67275625
    assert row["totalMaintenanceMargin"] == "320.67275625"
    assert row["totalAvailableBalance"] == "1905.99001875"
    assert (row["accountIMRate"], row["accountMMRate"]) == ("0.7758", "0.0377")
    assert row["totalPerpUPL"] == "-3501.75"  # -3,500 x 1.0005
    (coin,) = row["coin"]
    assert (coin["equity"], coin["walletBalance"], coin["usdValue"]) == ("8500", "12000", "8504.25")
    assert (coin["totalPositionIM"], coin["totalPositionMM"]) == ("6594.9625", "320.5125")


async def test_a_position_has_the_fields_of_a_recorded_one(sim):
    theirs = recorded("bybit_fetchPositions_0")["result"]["list"][0]
    later = sample("bybit", "fetch_positions_adl_rank")["result"]["list"][0]
    rows = (await bybit(sim, "two", "/v5/position/list", category="linear", settleCoin="USDT"))[
        "list"
    ]
    ours = rows[0]
    assert set(theirs) - {"nextPageCursor"} <= set(ours)
    assert set(later) <= set(ours)
    for key, value in later.items():
        assert type(ours[key]) is type(value), key
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]
    assert (ours["positionIM"], ours["positionMM"]) == ("4774.75", "181.5")
    assert ours["positionValue"] == "50000", "at the entry price"
    assert ours["liqPrice"] == "78632.8455125"  # 95,000 - (8,504.25 - 320.67275625) / 0.5
    assert rows[1]["liqPrice"].startswith("4418.3577")
    assert (ours["riskId"], ours["riskLimitValue"]) == (1, "300000")
    assert [row["stopLoss"] for row in rows] == ["90000", ""]


async def test_a_flat_symbol_has_a_row_when_it_is_asked_for(sim):
    asked = {"category": "linear", "symbol": "SOLUSDT"}
    (row,) = (await bybit(sim, "two", "/v5/position/list", **asked))["list"]
    assert (row["side"], row["size"], row["liqPrice"], row["positionIM"]) == ("", "0", "0", "")
    legs = (await bybit(sim, "hedged", "/v5/position/list", category="linear", symbol="BTCUSDT"))[
        "list"
    ]
    assert [(leg["positionIdx"], leg["size"]) for leg in legs] == [(1, "0.5"), (2, "0")]


async def test_an_open_order_has_the_fields_of_a_recorded_one(sim):
    theirs = recorded("bybit_fetchOpenOrder_0")["result"]["list"][0]
    ours = (await bybit(sim, "two", "/v5/order/realtime", category="linear", settleCoin="USDT"))[
        "list"
    ][0]
    assert set(theirs) <= set(ours)
    assert ours["orderStatus"] == "Untriggered"
    assert (ours["stopOrderType"], ours["triggerPrice"]) == ("StopLoss", "90000")
    assert (ours["reduceOnly"], ours["closeOnTrigger"], ours["qty"]) == (True, True, "0.5")


@pytest.mark.parametrize("name", ["bybit_fetchTicker_0", "bybit_fetchFundingRates_0"])
async def test_a_ticker_has_the_fields_of_a_recorded_one(sim, name):
    theirs = recorded(name)["result"]["list"][0]
    ours = (await bybit(sim, None, "/v5/market/tickers", category="linear", symbol="BTCUSDT"))[
        "list"
    ][0]
    assert set(theirs) - {"timestamp"} <= set(ours)
    assert ours["markPrice"] == "95000.00"
    for key, value in theirs.items():
        assert key == "timestamp" or type(ours[key]) is type(value), key


async def test_the_spot_ticker_carries_the_dollar_index(sim):
    row = (await bybit(sim, None, "/v5/market/tickers", category="spot", symbol="BTCUSDT"))["list"][
        0
    ]
    index = (await bybit(sim, None, "/v5/market/tickers", category="linear", symbol="BTCUSDT"))[
        "list"
    ][0]["indexPrice"]
    # index x 1.0005, but for the digits of the index
    assert abs(D(row["usdIndexPrice"]) - D(index) * D("1.0005")) < D("0.1")


async def test_coin_figures_are_cut_to_eight_decimals_and_rates_to_four(sim):
    row = (await bybit(sim, "usdc", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    figures = [v for k, v in row.items() if k not in {"accountType", "coin"}]
    figures += [v for coin in row["coin"] for k, v in coin.items() if k not in {"coin", "colRes"}]
    for figure in figures:
        assert isinstance(figure, bool) or figure == "" or AT_MOST_EIGHT.fullmatch(figure), figure
    for rate in ("accountIMRate", "accountMMRate"):
        assert len(row[rate].partition(".")[2]) <= 4


@pytest.mark.parametrize("account", ["two", "usdc", "hedged"])
async def test_the_wire_is_the_truth_cut_to_its_digits(sim, account):
    (pool,) = await truth(sim, account)
    row = (await bybit(sim, account, "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][
        0
    ]
    assert D(row["totalMarginBalance"]) == cut(pool["margin_balance"])
    assert D(row["totalMaintenanceMargin"]) == cut(pool["maintenance_margin"])
    assert D(row["accountMMRate"]) == cut(pool["ratio"], 4)
    wire = {}
    for category, settle in (("linear", "USDT"), ("linear", "USDC"), ("inverse", None)):
        asked = {"category": category} | ({"settleCoin": settle} if settle else {})
        for one in (await bybit(sim, account, "/v5/position/list", **asked))["list"]:
            wire[one["symbol"]] = one
    assert len(wire) == len(pool["positions"])
    for position in pool["positions"]:
        theirs = wire[position["exchange_symbol"]]
        assert D(theirs["positionMM"]) == cut(position["maintenance_margin"])
        assert D(theirs["unrealisedPnl"]) == cut(position["unrealized_pnl"])
        assert D(theirs["markPrice"]) == D(position["mark"])


async def test_what_the_product_must_name_is_there(sim):
    options = await bybit(sim, "usdc", "/v5/position/list", category="option")
    assert [row["symbol"] for row in options["list"]] == ["BTC-26DEC25-90000-P"]
    inverse = await bybit(sim, "usdc", "/v5/position/list", category="inverse")
    assert [(row["symbol"], row["side"]) for row in inverse["list"]] == [("BTCUSD", "Sell")]
    wallet = (await bybit(sim, "usdc", "/v5/account/wallet-balance", accountType="UNIFIED"))[
        "list"
    ][0]
    btc = next(coin for coin in wallet["coin"] if coin["coin"] == "BTC")
    assert (btc["spotBorrow"], btc["borrowAmount"]) == ("0.05", "0.05")
    switches = (await bybit(sim, "usdc", "/v5/account/collateral-info"))["list"]
    off = [row["currency"] for row in switches if not row["collateralSwitch"]]
    assert off == ["ETH"]


@pytest.mark.parametrize(
    ("account", "mode", "status"),
    [
        ("two", "REGULAR_MARGIN", 6),
        ("alone", "ISOLATED_MARGIN", 6),
        ("stress", "PORTFOLIO_MARGIN", 6),
        ("classic", "REGULAR_MARGIN", 1),
    ],
)
async def test_the_account_says_its_mode(sim, account, mode, status):
    theirs = sample("bybit", "fetch_margin_mode")["result"]
    ours = await bybit(sim, account, "/v5/account/info")
    assert set(ours) == set(theirs)
    assert (ours["marginMode"], ours["unifiedMarginStatus"]) == (mode, status)


async def test_the_blank_figures_of_the_other_margin_modes(sim):
    path, asked = "/v5/account/wallet-balance", {"accountType": "UNIFIED"}
    alone = (await bybit(sim, "alone", path, **asked))["list"][0]
    assert alone["accountMMRate"] == alone["totalMaintenanceMargin"] == ""
    assert alone["coin"][0]["totalPositionMM"] != ""
    stress = (await bybit(sim, "stress", path, **asked))["list"][0]
    assert stress["accountMMRate"] != ""
    assert stress["coin"][0]["totalPositionMM"] == stress["coin"][0]["totalOrderIM"] == ""
    listed = {"category": "linear", "settleCoin": "USDT"}
    (row,) = (await bybit(sim, "stress", "/v5/position/list", **listed))["list"]
    blank = (row["positionIM"], row["positionMM"], row["leverage"], row["liqPrice"], row["riskId"])
    assert blank == ("", "", "", "", 0)
    (row,) = (await bybit(sim, "alone", "/v5/position/list", **listed))["list"]
    # MM on the mark: E (1 - 1/L) / (1 - m) = 95,000 x 0.98 / 0.9967
    assert row["liqPrice"] == "93408.24721581"
    (pool,) = await truth(sim, "alone")
    assert (pool["pool"], pool["unit"]) == ("isolated/BTCUSDT", "USDT")
    assert D(pool["positions"][0]["liquidation_price"]).quantize(D("1e-8")) == D("93408.24721581")


async def test_a_key_has_the_fields_of_the_sample(sim):
    theirs = sample("bybit", "is_unified_enabled")["result"]
    ours = await bybit(sim, "two", "/v5/user/query-api")
    assert set(theirs) <= set(ours)
    assert (ours["readOnly"], ours["uta"], ours["permissions"]["Wallet"]) == (1, 1, [])


async def test_tables_are_told_as_they_are_kept(sim):
    risk = (await bybit(sim, None, "/v5/market/risk-limit", category="linear", symbol="BTCUSDT"))[
        "list"
    ]
    assert [row["mmDeduction"] for row in risk[:3]] == ["", "510", "1710"]
    assert [row["isLowestRisk"] for row in risk[:3]] == [1, 0, 0]
    assert D(risk[0]["initialMargin"]) * D(risk[0]["maxLeverage"]) == D("0.99")
    (ratios,) = (await bybit(sim, None, "/v5/spot-margin-trade/collateral", currency="BTC"))["list"]
    steps = ratios["collateralRatioList"]
    assert steps[0] == {"minQty": "0", "maxQty": "10", "collateralRatio": "0.98"}
    assert steps[-1] == {"minQty": "50", "maxQty": "", "collateralRatio": "0"}
    (tiers,) = (await bybit(sim, "two", "/v5/spot-margin-trade/position-tiers", currency="BTC"))[
        "list"
    ]
    assert tiers["positionTiersRatioList"][0] == {
        "tier": "1",
        "borrowLimit": "390",
        "positionMMR": "0.04",
        "positionIMR": "0.2",
        "maxLeverage": "5",
    }
