"""The wire of the pretended Binance, held against recorded answers (payloads/NOTICE.md)."""

import aiohttp
import pytest

from monitor.simulator.server import running
from tests.simulator.binance_client import EIGHT, asked, public, recorded, same_shape, sample
from tests.simulator.scenes import (
    BINANCE,
    HEDGED,
    MULTI,
    PORTFOLIO,
    scene,
)


async def test_the_account_has_the_fields_of_the_recorded_one() -> None:
    theirs = recorded("binance_fetchPositions_2")
    async with running(scene(BINANCE)) as sim:
        ours = await asked(sim, "one", "/fapi/v3/account")
    assert set(ours) == set(theirs)
    same_shape(ours["assets"][0], theirs["assets"][0])
    same_shape(ours["positions"][0], theirs["positions"][0])
    totals = [value for value in ours.values() if isinstance(value, str)]
    assert len(totals) == 11
    assert all(EIGHT.fullmatch(total) for total in totals)
    # The recording quotes every number; the exchange sends times bare.
    assert isinstance(ours["positions"][0]["updateTime"], int)
    assert {a["asset"]: a["updateTime"] for a in ours["assets"]}["BNB"] == 0


async def test_the_account_s_figures() -> None:
    async with running(scene(BINANCE)) as sim:
        ours = await asked(sim, "one", "/fapi/v3/account")
    usdt, usdc = (next(a for a in ours["assets"] if a["asset"] == n) for n in ("USDT", "USDC"))
    # BTC: 0.1 x (60,000 - 61,000) = -100; SOL isolated: 3 x (150 - 148) = 6 on a wallet of 60.
    assert usdt["crossWalletBalance"] == "1000.50000000"
    assert usdt["walletBalance"] == "1060.50000000"
    assert usdt["crossUnPnl"] == "-100.00000000"
    assert usdt["unrealizedProfit"] == "-94.00000000"
    assert usdt["marginBalance"] == "966.50000000"
    assert usdt["maintMargin"] == "26.25000000"  # 6,000 x 0.4 % + 450 x 0.5 %
    assert usdt["positionInitialMargin"] == "345.00000000"  # 6,000 / 20 + 450 / 10
    assert (
        usdt["openOrderInitialMargin"] == "10.00000000"
    )  # 0.1 x 2,000 / 20; a reducing one needs none
    assert usdt["availableBalance"] == "590.50000000"  # 900.5 - 300 - 10
    assert usdc["crossUnPnl"] == "-1.00000000"
    # Single-asset totals cover USDT only.
    assert ours["totalWalletBalance"] == "1060.50000000"
    assert ours["totalMaintMargin"] == "26.25000000"


async def test_position_rows_have_the_fields_of_the_recorded_ones() -> None:
    theirs = recorded("binance_fetchPositions_1")[0]
    async with running(scene(BINANCE)) as sim:
        rows = await asked(sim, "one", "/fapi/v3/positionRisk")
        (only,) = await asked(sim, "one", "/fapi/v3/positionRisk", symbol="SOLUSDT")
    assert set(rows[0]) == set(theirs)
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDC", "SOLUSDT", "ETHUSDT"]
    btc, eth, sol, ordered = rows
    assert only == sol
    assert btc["positionAmt"] == "0.100"
    assert btc["entryPrice"] == "61000"
    assert btc["breakEvenPrice"] == "61030.5"  # 61,000 x 1.0005
    assert btc["markPrice"] == "60000.00000000"
    # (1,000.5 - 6,100) / (0.1 x 0.4 % - 0.1), cut after the eighth decimal
    assert btc["liquidationPrice"] == "51199.79919678"
    assert (btc["isolatedMargin"], btc["isolatedWallet"]) == ("0", "0")
    assert (eth["positionAmt"], eth["notional"]) == ("-0.020", "-50.00000000")
    assert eth["marginAsset"] == "USDC"
    assert (sol["isolatedMargin"], sol["isolatedWallet"]) == ("66.00000000", "60.00000000")
    assert (ordered["positionAmt"], ordered["openOrderInitialMargin"]) == ("0.000", "10.00000000")
    assert isinstance(btc["adl"], int)


async def test_hedge_mode_shows_both_legs_with_one_liquidation_price() -> None:
    async with running(scene(HEDGED)) as sim:
        rows = await asked(sim, "hedged", "/fapi/v3/positionRisk")
        config = await asked(sim, "hedged", "/fapi/v1/accountConfig")
        dual = await asked(sim, "hedged", "/fapi/v1/positionSide/dual")
        ((adl),) = await asked(sim, "hedged", "/fapi/v1/adlQuantile")
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == [
        ("LONG", "0.300"),
        ("SHORT", "-0.100"),
    ]
    assert rows[0]["liquidationPrice"] == rows[1]["liquidationPrice"] != "0"
    assert config["dualSidePosition"] is True
    assert dual == {"dualSidePosition": True}
    assert set(adl["adlQuantile"]) == {"LONG", "SHORT", "HEDGE"}


async def test_account_kinds_that_a_reader_must_know_apart() -> None:
    async with running(scene(BINANCE, MULTI, PORTFOLIO)) as sim:
        single = await asked(sim, "one", "/fapi/v1/multiAssetsMargin")
        multi = await asked(sim, "multi", "/fapi/v1/multiAssetsMargin")
        config = await asked(sim, "multi", "/fapi/v1/accountConfig")
        info = [
            (await asked(sim, name, "/sapi/v1/account/info"))["isPortfolioMarginRetailEnabled"]
            for name in ("one", "multi", "portfolio")
        ]
    assert (single, multi) == ({"multiAssetsMargin": False}, {"multiAssetsMargin": True})
    assert config["multiAssetsMargin"] is True
    assert info == [False, False, True]


async def test_multi_assets_totals_are_in_dollars_at_bid_and_ask() -> None:
    async with running(scene(MULTI)) as sim:
        ours = await asked(sim, "multi", "/fapi/v3/account")
        rates = {row["symbol"]: row for row in await public(sim, "/fapi/v1/assetIndex")}
    assert (rates["USDTUSD"]["bidRate"], rates["USDTUSD"]["askRate"]) == (
        "0.99990000",
        "1.00010000",
    )
    assert rates["BTCUSD"]["bidRate"] == "57000.00000000"
    # USDT 200 - 100, USDC 220, BTC 0.01 x 57,000; maintenance 6,000 x 0.4 % at the ask.
    assert ours["totalMarginBalance"] == "889.96800000"
    assert ours["totalMaintMargin"] == "24.00240000"


@pytest.mark.parametrize(
    ("path", "function", "note"),
    [
        ("/fapi/v1/symbolConfig", "fetch_margin_mode", ""),
        ("/fapi/v1/adlQuantile", "fetch_positions_adl_rank", ""),
        ("/fapi/v1/leverageBracket", "fetch_leverage_tiers", "usdm"),
    ],
)
async def test_lists_have_the_fields_of_the_samples(path: str, function: str, note: str) -> None:
    async with running(scene(BINANCE)) as sim:
        ours = await asked(sim, "one", path)
    same_shape(ours[0], sample(function, note)[0])


async def test_brackets_are_bare_numbers_and_may_be_asked_for_one_symbol() -> None:
    async with running(scene(BINANCE)) as sim:
        every = await asked(sim, "one", "/fapi/v1/leverageBracket")
        (sol,) = await asked(sim, "one", "/fapi/v1/leverageBracket", symbol="SOLUSDT")
    assert {row["symbol"] for row in every} >= {"BTCUSDT", "ETHUSDC", "SOLUSDT"}
    assert sol["brackets"][1] == {
        "bracket": 2,
        "initialLeverage": 75,
        "notionalCap": 400000,
        "notionalFloor": 50000,
        "maintMarginRatio": 0.0065,
        "cum": 75.0,
    }


async def test_orders_and_stops_live_in_different_lists() -> None:
    async with running(scene(BINANCE)) as sim:
        order, reducing = await asked(sim, "one", "/fapi/v1/openOrders")
        (stop,) = await asked(sim, "one", "/fapi/v1/openAlgoOrders")
        none = await asked(sim, "one", "/fapi/v1/openAlgoOrders", symbol="SOLUSDT")
    assert set(order) == set(recorded("binance_fetchOpenOrder_0"))
    assert set(stop) >= set(sample("parse_order", "createOrder, fetchOrder, fetchOpenOrders"))
    assert (order["price"], order["side"], order["type"]) == ("2000", "BUY", "LIMIT")
    assert (stop["triggerPrice"], stop["orderType"]) == ("55000", "STOP_MARKET")
    assert (stop["closePosition"], stop["quantity"]) == (True, "0")
    assert none == []
    assert (order["reduceOnly"], reducing["reduceOnly"]) == (False, True)


async def test_symbol_config_says_what_v3_positions_leave_out() -> None:
    async with running(scene(BINANCE)) as sim:
        rows = await asked(sim, "one", "/fapi/v1/symbolConfig")
    found = {row["symbol"]: (row["leverage"], row["marginType"]) for row in rows}
    assert found["BTCUSDT"] == (20, "CROSSED")
    assert found["SOLUSDT"] == (10, "ISOLATED")


async def test_balances_have_the_documented_fields() -> None:
    theirs = sample("fetch_balance", "fapiPrivateV2GetBalance")[0]
    async with running(scene(BINANCE)) as sim:
        ours = await asked(sim, "one", "/fapi/v3/balance")
    assert set(ours[0]) == {*theirs, "marginAvailable", "updateTime"}
    assert ours[0]["balance"] == "1060.50000000"


async def test_marks_of_the_public_call() -> None:
    async with running(scene(BINANCE)) as sim:
        one = await public(sim, "/fapi/v1/premiumIndex?symbol=BTCUSDT")
        every = await public(sim, "/fapi/v1/premiumIndex")
    assert one["markPrice"] == "60000.00000000"
    assert one["nextFundingTime"] % (8 * 3600 * 1000) == 0
    assert one["nextFundingTime"] > one["time"]
    assert "XAUUSDT" in {row["symbol"] for row in every}
    assert set(one) == {
        "symbol",
        "markPrice",
        "indexPrice",
        "estimatedSettlePrice",
        "lastFundingRate",
        "interestRate",
        "nextFundingTime",
        "time",
    }


async def test_the_wire_is_the_truth_cut_to_its_digits() -> None:
    async with running(scene(BINANCE, HEDGED)) as sim:
        sim.world.pin("BTC", sim.world.mark("binance", "BTC") * 3 / 7)
        await sim.tick()
        url = f"http://{sim.host}:{sim.port}/sim/ledger"
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            ledger = await reply.json()
        rows = await asked(sim, "hedged", "/fapi/v3/positionRisk")
    pools = next(a["pools"] for a in ledger["accounts"] if a["account"] == "hedged")
    for truth, row in zip(pools[0]["positions"], rows, strict=True):
        assert row["maintMargin"] == _cut(truth["maintenance_margin"])
        assert row["unRealizedProfit"] == _cut(truth["unrealized_pnl"])
        assert row["liquidationPrice"] == _cut(truth["liquidation_price"])


def _cut(exact: str) -> str:
    whole, _, decimals = exact.partition(".")
    return f"{whole}.{decimals[:8]:0<8}"
