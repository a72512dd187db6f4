"""COIN-M in the pretended Binance: its arithmetic, its wire and its sockets."""

import json
from collections.abc import AsyncIterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.binance_coin_tables import COIN_SYMBOLS
from monitor.simulator.binance_liquidation import liquidate
from monitor.simulator.server import Simulation, running
from tests.simulator.binance_books import D, book, leg, pool, prices
from tests.simulator.binance_client import (
    asked,
    listen_key,
    opened,
    public,
    recorded,
    same_shape,
    sample,
)
from tests.simulator.scenes import COIN, scene

PAYLOADS = Path(__file__).parent / "payloads"
AT_25_000 = prices({"BTCUSD_PERP": "25000"})


# --- arithmetic


def test_the_official_example_of_the_maintenance_margin() -> None:
    # Binance support, "Leverage and Margin of COIN-M Futures": 100 contracts of 100 USD at
    # 25,000 are 0.4 BTC, of which 0.4 % are 0.0016 BTC.
    held = leg("BTCUSD_PERP", "100", "26000")
    assert held.notional(D(25000)) == D("0.4")
    assert held.maint_margin(D(25000)) == D("0.0016")


@pytest.mark.parametrize(
    ("amount", "ratio", "price"),
    [
        # 10,000 x (1/26,000 - 1/25,000) = -0.01538462 on a wallet of 0.05;
        # 100 x 1.004 / (0.05/100 + 100/26,000)
        pytest.param("100", "0.046222", "23100.8850", id="a long"),
        pytest.param("-100", "0.024471", "29765.5172", id="a short"),
    ],
)
def test_an_inverse_contract_is_counted_in_its_coin(amount: str, ratio: str, price: str) -> None:
    held = book({"BTC": "0.05"}, leg("BTCUSD_PERP", amount, "26000"), coin=True)
    found = pool(held, "BTC").truth(AT_25_000)
    assert found.unit == "BTC"
    assert round(found.ratio, 6) == D(ratio)
    row = found.positions[0].row()
    assert round(D(str(row["liquidation_price"])), 4) == D(price)
    assert row["other_liquidation_price"] is None


def test_equal_legs_end_below_where_their_maintenance_grows() -> None:
    held = book(
        {"BTC": "0.01"},
        leg("BTCUSD_PERP", "100", "25000", side="LONG"),
        leg("BTCUSD_PERP", "-100", "25000", side="SHORT"),
        coin=True,
    )
    row = pool(held, "BTC").truth(AT_25_000).positions[0].row()
    # 2 x 10,000 / p x 0.4 % = 0.01
    assert row["liquidation_price"] == "8000"
    assert row["other_liquidation_price"] is None


def test_a_short_as_large_as_the_wallet_has_a_price_in_one_direction_only() -> None:
    """One short of 0.4 BTC on 0.4 BTC: above, the coins are worth what is lost, and no more."""
    held = book({"BTC": "0.4"}, leg("BTCUSD_PERP", "-100", "25000"), coin=True)
    row = pool(held, "BTC").truth(AT_25_000).positions[0].row()
    # 0.4 - 10,000 x (1/25,000 - 1/p) - 40 / p = 9,960 / p is always there.
    assert row["liquidation_price"] is None


def test_all_contracts_of_a_coin_share_one_wallet_and_isolated_ones_stand_alone() -> None:
    held = book(
        {"BTC": "0.5"},
        leg("BTCUSD_PERP", "100", "25000"),
        leg("BTCUSD_261225", "-50", "25000"),
        leg("ETHUSD_PERP", "10", "1500", wallet="0.02"),
        coin=True,
    )
    marks = prices({"BTCUSD_PERP": "25000", "BTCUSD_261225": "20000", "ETHUSD_PERP": "1600"})
    cross = pool(held, "BTC").truth(marks)
    assert [p.exchange_symbol for p in cross.positions] == ["BTCUSD_PERP", "BTCUSD_261225"]
    # The short wins 5,000 x (1/20,000 - 1/25,000) = 0.05.
    assert cross.margin_balance == D("0.55")
    assert cross.maintenance_margin == D("0.4") * D("0.004") + D("0.25") * D("0.005")
    alone = pool(held, "isolated/ETHUSD_PERP").truth(marks)
    assert alone.unit == "ETH"
    assert alone.margin_balance == D("0.02") + D(100) / 1500 - D(100) / 1600


def test_the_bracket_is_that_of_the_coins_at_the_price() -> None:
    """5 BTC are the first bracket's cap: of 1,250 contracts at 25,000 exactly that."""
    held = leg("BTCUSD_PERP", "1250", "25000")
    assert held.maint_margin(D(25000)) == D("0.02")
    # Below, the same contracts are more coins: 6.25 x 0.5 % - 0.005.
    assert held.maint_margin(D(20000)) == D("6.25") * D("0.005") - D("0.005")


def test_the_amount_of_the_official_example_of_300_coins() -> None:
    (bracket,) = (b for b in COIN_SYMBOLS["BTCUSD_PERP"].brackets if b.floor < 300 <= b.cap)
    assert bracket.cum == D("11.605")


def test_liquidation_takes_its_fee_in_coins() -> None:
    held = book({"BTC": "0.05"}, leg("BTCUSD_PERP", "100", "26000"), coin=True)
    (closed,) = liquidate(held, tuple(held.legs), lambda _: D(25000), 1)
    assert closed.fee == D("0.4") * D("0.0125")
    assert held.cross_wallets["BTC"] == D("0.05") + closed.realized - D("0.005")


# --- wire


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(COIN)) as simulation:
        yield simulation


def cut(value: Decimal) -> Decimal:
    return value.quantize(D("1e-8"), rounding=ROUND_DOWN)


def by_symbol(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["symbol"]: row for row in rows}


async def test_the_account_has_the_fields_of_the_recorded_one(sim: Simulation) -> None:
    theirs = recorded("binance_fetchMarginMode_1")
    ours = await asked(sim, "coin", "/dapi/v1/account")
    assert set(ours) == set(theirs)
    same_shape(ours["assets"][0], theirs["assets"][0])
    empty = by_symbol(ours["positions"])["ETHUSD_PERP"]
    same_shape(empty, theirs["positions"][0])
    assert (empty["initialMargin"], empty["notionalValue"]) == ("0", "0")
    held = by_symbol(ours["positions"])["BTCUSD_PERP"]
    # The perpetual's mark is 60,000 x 1.001: 10,000 / 60,060 = 0.16650016 BTC.
    assert (held["positionAmt"], held["notionalValue"]) == ("100", "0.16650016")
    assert held["maintMargin"] == "0.00066600"
    assert (held["leverage"], held["isolated"]) == ("20", False)
    sol = next(a for a in ours["assets"] if a["asset"] == "SOL")
    assert (sol["walletBalance"], sol["crossWalletBalance"]) == ("0.75000000", "0.00000000")


async def test_position_rows_have_the_fields_of_the_recorded_ones(sim: Simulation) -> None:
    theirs = recorded("binance_fetchPositions_3")
    rows = by_symbol(await asked(sim, "coin", "/dapi/v1/positionRisk"))
    same_shape(rows["BTCUSD_PERP"], theirs[0])
    same_shape(rows["ETHUSD_PERP"], theirs[1])
    assert rows["ETHUSD_PERP"]["markPrice"] == theirs[1]["markPrice"]
    assert rows["SOLUSD_PERP"]["marginType"] == "isolated"
    # 0.75 - 500 x (1/149 - 1/(150 x 1.0005)): the short loses 0.02401...
    profit = -(D(500) / 149 - D(500) / D("150.075"))
    assert D(rows["SOLUSD_PERP"]["unRealizedProfit"]) == cut(profit)
    some = await asked(sim, "coin", "/dapi/v1/positionRisk", marginAsset="ETH")
    assert {row["symbol"] for row in some} == {"ETHUSD_PERP", "ETHUSD_261225"}
    pair = await asked(sim, "coin", "/dapi/v1/positionRisk", pair="BTCUSD")
    assert {row["symbol"] for row in pair} == {"BTCUSD_PERP", "BTCUSD_261225"}


async def test_brackets_are_in_coins_and_spelt_as_in_the_documentation(sim: Simulation) -> None:
    theirs = sample("fetch_leverage_tiers", "coinm")[0]["brackets"][0]
    (only,) = await asked(sim, "coin", "/dapi/v2/leverageBracket", symbol="BTCUSD_PERP")
    first = only["brackets"][0]
    assert set(first) == {*theirs, "qtylFloor"} - {"qtyFloor"}
    assert first == {
        "bracket": 1,
        "initialLeverage": 125,
        "qtyCap": 5,
        "qtylFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0.0,
    }
    assert only["brackets"][-1]["qtyCap"] == 9223372036854775807


async def test_orders_and_stops_of_coin_margined_symbols(sim: Simulation) -> None:
    (order,) = await asked(sim, "coin", "/dapi/v1/openOrders")
    (stop,) = await asked(sim, "coin", "/dapi/v1/openAlgoOrders")
    theirs = sample("parse_order", "fetchOpenOrder: inverse swap")
    assert set(order) >= set(theirs)
    assert (order["pair"], order["price"]) == ("BTCUSD", "50000")
    assert (stop["symbol"], stop["triggerPrice"]) == ("BTCUSD_PERP", "55000")
    assert await asked(sim, "coin", "/fapi/v1/openOrders") == []


async def test_marks_are_a_list_and_dated_contracts_have_no_funding(sim: Simulation) -> None:
    (one,) = await public(sim, "/dapi/v1/premiumIndex?symbol=BTCUSD_PERP")
    assert (one["pair"], one["markPrice"]) == ("BTCUSD", "60060.00000000")
    rows = by_symbol(await public(sim, "/dapi/v1/premiumIndex?pair=BTCUSD"))
    dated = rows["BTCUSD_261225"]
    assert (dated["lastFundingRate"], dated["nextFundingTime"]) == ("", 0)
    info = by_symbol((await public(sim, "/dapi/v1/exchangeInfo"))["symbols"])
    assert (info["BTCUSD_PERP"]["contractSize"], info["BTCUSD_PERP"]["marginAsset"]) == (100, "BTC")
    assert info["BTCUSD_261225"]["deliveryDate"] == 1798185600000


async def test_of_a_coin_in_both_engines_each_has_its_pool() -> None:
    words = """
[[accounts]]
name = "both"
exchange = "binance"
mode = "single_asset"
wallets = { BTC = 0.25, USDT = 5 }
extra = { coin_wallets = { BTC = 0.5, ETH = 1 } }
"""
    async with running(scene(words)) as sim:
        found = sim.world.exchanges[0].pools("both")
    assert [(pool.pool, pool.margin_balance) for pool in found] == [
        ("usdm/BTC", D("0.25")),
        ("USDT", 5),
        ("BTC", D("0.5")),
        ("ETH", 1),
    ]


# --- sockets


async def test_coin_margined_marks_have_sockets_of_their_own(sim: Simulation) -> None:
    async with opened(sim, "/ws") as client:
        await client.send("SUBSCRIBE", "btcusd_perp@markPrice@1s", "btcusdt@markPrice@1s")
        await sim.tick()
        frame = await client.receive()
        assert await client.silent()  # USD-M says nothing on an unrouted path
    assert (frame["s"], frame["p"], frame["st"]) == ("BTCUSD_PERP", "60060.00000000", 2)


async def test_a_pair_s_stream_has_all_its_contracts(sim: Simulation) -> None:
    async with opened(sim, "/stream?streams=btcusd@markPrice@1s") as client:
        await sim.tick()
        frame = await client.receive()
    assert frame["stream"] == "btcusd@markPrice@1s"
    found = {row["s"]: (row["r"], row["T"]) for row in frame["data"]}
    assert set(found) == {"BTCUSD_PERP", "BTCUSD_261225"}
    assert found["BTCUSD_261225"] == ("", 0)


async def test_its_user_data_come_by_a_key_of_its_own(sim: Simulation) -> None:
    usd = await listen_key(sim, "sim-coin-key")
    coin = await listen_key(sim, "sim-coin-key", path="/dapi/v1/listenKey")
    assert usd != coin
    async with opened(sim, f"/ws/{coin}") as client, opened(sim, f"/private/ws/{usd}") as other:
        owner: Any = sim.world.exchanges[0]
        owner._steering.charge_funding("coin", "BTCUSD_PERP", D("0.001"))
        await sim.tick()
        frame = await client.receive()
        assert await other.silent()
    # A long of 10,000 / 60,060 BTC pays 0.1 %.
    (balance,) = frame["a"]["B"]
    assert frame["a"]["m"] == "FUNDING_FEE"
    assert balance["a"] == "BTC"
    assert D(balance["cw"]) == cut(D("0.05") - D(10) / 60060)
    (row,) = await asked(sim, "coin", "/dapi/v1/income")
    assert (row["incomeType"], row["symbol"]) == ("FUNDING_FEE", "BTCUSD_PERP")
    assert await asked(sim, "coin", "/fapi/v1/income") == []


def test_the_recordings_are_there() -> None:
    names = ("binance_fetchMarginMode_1", "binance_fetchPositions_3", "binance_fetchBalance_2")
    for name in names:
        assert json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["httpResponse"]
