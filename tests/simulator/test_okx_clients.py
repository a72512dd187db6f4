"""Clients that others wrote, against the pretended OKX: ccxt, ccxt.pro, OKX's own python-okx."""

import asyncio
import contextlib

import ccxt.async_support
import ccxt.pro
import pytest
from okx.Account import AccountAPI
from okx.PublicData import PublicAPI

from monitor.simulator.server import running
from tests.simulator.scenes import account_of, scene
from tests.simulator.unified import MARKET, OKX, OKX_OTHERS, steer


@pytest.fixture
async def sim():
    async with running(scene(OKX, OKX_OTHERS, market=MARKET)) as simulation:
        yield simulation


@contextlib.asynccontextmanager
async def client(kind, sim, account="futures"):
    spec = account_of(sim.world.scenario, account)
    keys = {"apiKey": spec.key, "secret": spec.secret, "password": spec.passphrase}
    exchange = kind(keys | {"enableRateLimit": False})
    exchange.urls["api"]["rest"] = sim.url("okx")
    if "ws" in exchange.urls["api"]:
        exchange.urls["api"]["ws"] = f"{sim.ws_url('okx')}/ws/v5"
    try:
        yield exchange
    finally:
        await exchange.close()


async def test_ccxt_reads_positions_balances_and_tiers(sim):
    async with client(ccxt.async_support.okx, sim) as exchange:
        positions = await exchange.fetch_positions()
        balance = await exchange.fetch_balance()
        tiers = await exchange.fetch_market_leverage_tiers("BTC/USDT:USDT")
        inverse = await exchange.fetch_market_leverage_tiers("BTC/USD:BTC")
        mark = await exchange.fetch_mark_price("BTC/USDT:USDT")
        fee = await exchange.fetch_trading_fee("BTC/USDT:USDT")
        mode = await exchange.fetch_position_mode()
        status = await exchange.fetch_status()
        offset = await exchange.load_time_difference()
    found = {p["symbol"]: (p["side"], p["contracts"], p["marginMode"]) for p in positions}
    assert found == {
        "BTC/USDT:USDT": ("long", 20.0, "cross"),
        "ETH/USDT:USDT": ("short", 30.0, "cross"),
        "SOL/USDT:USDT": ("long", 50.0, "isolated"),
    }
    assert positions[0]["maintenanceMargin"] == 76.0
    assert positions[0]["contractSize"] == 0.01
    assert balance["USDT"]["total"] == 1550.0
    assert (tiers[0]["maxNotional"], tiers[0]["maintenanceMarginRate"]) == (1000.0, 0.004)
    assert inverse[0]["maintenanceMarginRate"] == 0.004
    assert mark["markPrice"] == 95000.0
    assert fee["taker"] == 0.0005
    assert mode["hedged"] is False
    assert status["status"] == "ok"
    assert abs(offset) < 1000


async def test_ccxt_knows_linear_from_inverse(sim):
    async with client(ccxt.async_support.okx, sim) as exchange:
        markets = await exchange.load_markets()
    assert markets["BTC/USDT:USDT"]["linear"] is True
    assert markets["BTC/USD:BTC"]["inverse"] is True
    assert markets["BTC/USD:BTC"]["contractSize"] == 100.0
    kinds = {market["type"] for market in markets.values()}
    assert kinds == {"spot", "swap", "future", "option"}


async def test_ccxt_reads_a_stop(sim):
    async with client(ccxt.async_support.okx, sim) as exchange:
        asked = {"trigger": True, "ordType": "conditional"}
        (order,) = await exchange.fetch_open_orders("BTC/USDT:USDT", params=asked)
    assert order["stopLossPrice"] == 94800.0


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"secret": "wrong"}, ccxt.AuthenticationError, "50113"),
        ({"password": "wrong"}, ccxt.AuthenticationError, "50105"),
        ({"apiKey": "nobody"}, ccxt.ExchangeError, "50119"),
    ],
)
async def test_ccxt_names_what_is_wrong_with_a_key(sim, change, error, code):
    async with client(ccxt.async_support.okx, sim) as exchange:
        for name, value in change.items():
            setattr(exchange, name, value)
        with pytest.raises(error, match=code):
            await exchange.private_get_account_config()


async def test_ccxt_pro_watches_marks_positions_and_balances(sim):
    async with client(ccxt.pro.okx, sim) as exchange, asyncio.timeout(20):
        ticker = await exchange.watch_mark_price("BTC/USDT:USDT")
        assert ticker["markPrice"] == 95000.0
        await steer(sim, "price", base="BTC", price="95100")
        while ticker["markPrice"] != 95100.0:
            ticker = await exchange.watch_mark_price("BTC/USDT:USDT")
        positions = await exchange.watch_positions()
        assert {p["symbol"] for p in positions} == {
            "BTC/USDT:USDT",
            "ETH/USDT:USDT",
            "SOL/USDT:USDT",
        }
        balance = await exchange.watch_balance()
        assert balance["USDT"]["total"] == 1570.0  # 20 more, as BTC is 100 higher


@contextlib.contextmanager
def python_okx(kind, sim, account="futures"):
    spec = account_of(sim.world.scenario, account)
    words = {
        "api_key": spec.key,
        "api_secret_key": spec.secret,
        "passphrase": spec.passphrase,
        "flag": "0",
    }
    api = kind(domain=sim.url("okx"), **words)
    try:
        yield api
    finally:
        api.close()


async def test_python_okx_reads_the_account(sim):
    with python_okx(AccountAPI, sim) as api:
        balance = await asyncio.to_thread(api.get_account_balance)
        positions = await asyncio.to_thread(api.get_positions, instType="SWAP")
        config = await asyncio.to_thread(api.get_account_config)
        fees = await asyncio.to_thread(api.get_fee_rates, instType="SWAP")
    assert balance["data"][0]["details"][0]["mmr"] == "119.2"
    assert [row["pos"] for row in positions["data"]] == ["20", "-30", "50"]
    assert config["data"][0]["acctLv"] == "2"
    assert fees["data"][0]["feeGroup"][0]["taker"] == "-0.0005"


async def test_python_okx_reads_the_tables(sim):
    with python_okx(PublicAPI, sim) as api:
        tiers = await asyncio.to_thread(
            api.get_position_tiers, instType="SWAP", tdMode="cross", instFamily="BTC-USDT"
        )
        marks = await asyncio.to_thread(api.get_mark_price, instType="SWAP")
        discounts = await asyncio.to_thread(api.discount_interest_free_quota, ccy="BTC")
        listed = await asyncio.to_thread(api.get_instruments, instType="SWAP")
    assert tiers["data"][0]["maxSz"] == "1000"
    marked = {row["instId"]: row["markPx"] for row in marks["data"]}
    assert marked["BTC-USDT-SWAP"] == "95000"
    assert discounts["data"][0]["details"][0]["discountRate"] == "0.98"
    assert set(marked) == {row["instId"] for row in listed["data"]}


async def test_python_okx_is_told_that_a_demo_header_meets_the_wrong_environment(sim):
    spec = account_of(sim.world.scenario, "futures")
    api = AccountAPI(
        spec.key, spec.secret, passphrase=spec.passphrase, flag="1", domain=sim.url("okx")
    )
    try:
        answer = await asyncio.to_thread(api.get_account_config)
    finally:
        api.close()
    assert answer["code"] == "50101"
