"""Clients that others wrote, against the pretended Binance: ccxt, ccxt.pro, Binance's own SDK."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import ccxt.async_support
import ccxt.pro
import pytest
from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)

from monitor.simulator.server import Simulation, running
from tests.simulator.scenes import BINANCE, COIN, HEDGED, PM, account_of, scene


@pytest.fixture
async def sim() -> AsyncIterator[Simulation]:
    async with running(scene(BINANCE, HEDGED)) as simulation:
        yield simulation


def redirected(value: Any, sim: Simulation) -> Any:
    """ccxt's addresses with this simulator's host, port and prefix, and their own paths."""
    if isinstance(value, dict):
        return {key: redirected(item, sim) for key, item in value.items()}
    if not isinstance(value, str) or "://" not in value:
        return value
    scheme, _, rest = value.partition("://")
    _, _, path = rest.partition("/")
    base = sim.ws_url("binance") if scheme.startswith("ws") else sim.url("binance")
    return f"{base}/{path}"


@contextlib.asynccontextmanager
async def client(kind: Any, sim: Simulation, account: str = "one") -> AsyncIterator[Any]:
    spec = account_of(sim.world.scenario, account)
    exchange = kind({"apiKey": spec.key, "secret": spec.secret, "enableRateLimit": False})
    exchange.urls["api"] = redirected(exchange.urls["api"], sim)
    try:
        yield exchange
    finally:
        await exchange.close()


async def test_ccxt_loads_the_markets_with_its_default_options(sim: Simulation) -> None:
    async with client(ccxt.async_support.binanceusdm, sim) as exchange:
        markets = await exchange.load_markets()
    assert set(markets) >= {"BTC/USDT:USDT", "ETH/USDC:USDC", "XAU/USDT:USDT"}
    assert markets["BTC/USDT:USDT"]["precision"] == {
        "amount": 0.001,
        "price": 0.1,
        "base": 1e-08,
        "quote": 1e-08,
    }


async def test_ccxt_reads_positions_balances_and_tiers(sim: Simulation) -> None:
    async with client(ccxt.async_support.binanceusdm, sim) as exchange:
        positions = await exchange.fetch_positions()
        balance = await exchange.fetch_balance()
        tiers = await exchange.fetch_leverage_tiers()
        offset = await exchange.load_time_difference()
    found = {p["symbol"]: (p["side"], p["contracts"], p["marginMode"]) for p in positions}
    assert found == {
        "BTC/USDT:USDT": ("long", 0.1, "cross"),
        "ETH/USDC:USDC": ("short", 0.02, "cross"),
        "SOL/USDT:USDT": ("long", 3.0, "isolated"),
    }
    # ccxt derives `collateral` from the liquidation price: our wallet must come out of it.
    assert positions[0]["collateral"] == 1000.5
    assert balance["total"] == {"USDT": 966.5, "USDC": 49.0}
    assert tiers["SOL/USDT:USDT"][1]["maintenanceMarginRate"] == 0.0065
    assert abs(offset) < 1000


async def test_ccxt_reads_modes_orders_and_ranks(sim: Simulation) -> None:
    async with client(ccxt.async_support.binanceusdm, sim, "hedged") as hedged:
        mode = await hedged.fetch_position_mode()
        sides = [p["side"] for p in await hedged.fetch_positions()]
    async with client(ccxt.async_support.binanceusdm, sim) as exchange:
        exchange.options["fetchOpenOrders"] = {"warnWithoutSymbol": False}
        order, _ = await exchange.fetch_open_orders()
        (stop,) = await exchange.fetch_open_orders(params={"trigger": True})
        leverages = await exchange.fetch_leverages()
        ranks = await exchange.fetch_positions_adl_rank()
    assert mode["hedged"] is True
    assert sides == ["long", "short"]
    assert (order["price"], order["amount"]) == (2000.0, 0.1)
    assert stop["triggerPrice"] == 55000.0
    assert leverages["BTC/USDT:USDT"]["longLeverage"] == 20
    assert {rank["symbol"]: rank["rank"] for rank in ranks}["SOL/USDT:USDT"] == 1


async def test_ccxt_makes_an_authentication_error_of_a_wrong_secret(sim: Simulation) -> None:
    async with client(ccxt.async_support.binanceusdm, sim) as exchange:
        exchange.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await exchange.fapiPrivateV3GetAccount()


async def test_ccxt_pro_watches_mark_prices(sim: Simulation) -> None:
    async with client(ccxt.pro.binanceusdm, sim) as exchange:
        one = await asyncio.wait_for(exchange.watch_mark_price("BTC/USDT:USDT"), 10)
        many = await asyncio.wait_for(
            exchange.watch_mark_prices(["ETH/USDC:USDC", "SOL/USDT:USDT"]), 10
        )
    assert (one["symbol"], one["markPrice"]) == ("BTC/USDT:USDT", 60000.0)
    assert set(many) <= {"ETH/USDC:USDC", "SOL/USDT:USDT"}
    assert all(ticker["markPrice"] in {2500.0, 150.0} for ticker in many.values())


async def test_ccxt_pro_hears_of_a_liquidation(sim: Simulation) -> None:
    async with client(ccxt.pro.binanceusdm, sim, "hedged") as exchange:
        await exchange.load_markets()
        exchange.options["watchPositions"] = {
            "fetchPositionsSnapshot": False,
            "awaitPositionsSnapshot": False,
        }
        watching = asyncio.create_task(exchange.watch_positions())
        await asyncio.wait_for(_listening(sim, "hedged"), 10)
        sim.world.pin("BTC", Decimal(18640))
        positions = await asyncio.wait_for(watching, 10)
    assert [(p["symbol"], p["contracts"]) for p in positions] == [("BTC/USDT:USDT", 0.0)] * 2


async def _listening(sim: Simulation, account: str) -> None:
    """Until the account has a listenKey and a socket that uses it."""
    binance: Any = sim.world.exchanges[0]
    while not any(socket.account == account for socket in binance._stream._hub):  # noqa: ASYNC110 - no event of ours
        await asyncio.sleep(0.02)


async def test_binance_s_own_sdk_reads_account_positions_and_tables(sim: Simulation) -> None:
    spec = account_of(sim.world.scenario, "one")
    configuration = ConfigurationRestAPI(
        api_key=spec.key, api_secret=spec.secret, base_path=sim.url("binance"), retries=0
    )
    rest = DerivativesTradingUsdsFutures(config_rest_api=configuration).rest_api

    async def get(name: str, **parameters: object) -> Any:
        reply = await asyncio.to_thread(getattr(rest, name), **parameters)
        return reply.data()

    account = await get("account_information_v3")
    assert account.total_cross_wallet_balance == "1000.50000000"
    assert account.positions[0].maint_margin == "24.00000000"
    positions = await get("position_information_v3")
    assert [p.symbol for p in positions] == ["BTCUSDT", "ETHUSDC", "SOLUSDT", "ETHUSDT"]
    assert positions[0].adl == 0
    brackets = (await get("notional_and_leverage_brackets", symbol="SOLUSDT")).actual_instance
    assert brackets[0].brackets[1].cum == 75
    config = await get("futures_account_configuration")
    assert (config.multi_assets_margin, config.dual_side_position) == (False, False)
    info = await get("exchange_information")
    assert {s.symbol: s.liquidation_fee for s in info.symbols}["BTCUSDT"] == "0.012500"
    key = await get("start_user_data_stream")
    assert len(key.listen_key) == 64
    stops = await get("current_all_algo_open_orders")
    assert stops[0].trigger_price == "55000"
    index = (await get("asset_index")).actual_instance
    assert {row.symbol for row in index} >= {"USDTUSD", "BTCUSD"}


# --- the other kinds of account


async def test_ccxt_reads_coin_margined_positions_balances_and_tiers() -> None:
    async with (
        running(scene(COIN)) as sim,
        client(ccxt.async_support.binancecoinm, sim, "coin") as exchange,
    ):
        exchange.options["fetchCurrencies"] = False
        markets = await exchange.load_markets()
        positions = await exchange.fetch_positions(params={"subType": "inverse"})
        balance = await exchange.fetch_balance({"type": "delivery"})
    assert (markets["BTC/USD:BTC"]["contractSize"], markets["BTC/USD:BTC"]["inverse"]) == (
        100,
        True,
    )
    dated = markets["BTC/USD:BTC-261225"]
    assert (dated["type"], dated["expiryDatetime"]) == ("future", "2026-12-25T08:00:00.000Z")
    found = {p["symbol"]: (p["side"], p["contracts"], p["marginMode"]) for p in positions}
    assert found == {
        "BTC/USD:BTC": ("long", 100.0, "cross"),
        "BTC/USD:BTC-261225": ("short", 10.0, "cross"),
        "SOL/USD:SOL": ("short", 50.0, "isolated"),
    }
    btc = next(p for p in positions if p["symbol"] == "BTC/USD:BTC")
    assert (btc["markPrice"], btc["leverage"]) == (60060.0, 20)
    assert set(balance["total"]) >= {"BTC", "SOL"}


async def test_ccxt_reads_a_portfolio_margin_account() -> None:
    async with (
        running(scene(PM)) as sim,
        client(ccxt.async_support.binanceusdm, sim, "pm") as exchange,
    ):
        exchange.options["fetchCurrencies"] = False
        positions = await exchange.fetch_positions(params={"portfolioMargin": True})
        balance = await exchange.fetch_balance({"portfolioMargin": True})
        account = await exchange.papiGetAccount()
    (position,) = positions
    assert (position["symbol"], position["side"], position["contracts"]) == (
        "BTC/USDT:USDT",
        "long",
        0.5,
    )
    assert balance["USDT"]["total"] == 500 - 250  # of USD-M alone
    assert account["accountStatus"] == "NORMAL"
