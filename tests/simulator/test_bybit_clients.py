"""Clients that others wrote, against the pretended Bybit: ccxt, ccxt.pro, Bybit's own pybit."""

import asyncio
import contextlib
import queue
import threading

import ccxt.async_support
import ccxt.pro
import pybit.exceptions
import pybit.unified_trading
import pytest
from pybit._websocket_stream import _V5WebSocketManager

from monitor.simulator.server import running
from tests.simulator.scenes import account_of, scene, with_rights
from tests.simulator.unified import BYBIT, BYBIT_OTHERS, MARKET, steer


@pytest.fixture
async def sim():
    async with running(scene(BYBIT, BYBIT_OTHERS, market=MARKET)) as simulation:
        yield simulation


@contextlib.asynccontextmanager
async def client(kind, sim, account="two"):
    spec = account_of(sim.world.scenario, account)
    exchange = kind({"apiKey": spec.key, "secret": spec.secret, "enableRateLimit": False})
    api = exchange.urls["api"]
    for name in ("spot", "futures", "v2", "public", "private"):
        api[name] = sim.url("bybit")
    if "ws" in api:
        public, private = api["ws"]["public"], api["ws"]["private"]
        for category in ("spot", "linear", "inverse"):
            public[category] = f"{sim.ws_url('bybit')}/v5/public/{category}"
        for name in private:
            private[name] = f"{sim.ws_url('bybit')}/v5/private"
    exchange.has["fetchCurrencies"] = False
    try:
        yield exchange
    finally:
        await exchange.close()


async def test_ccxt_reads_positions_balances_and_tiers(sim):
    async with client(ccxt.async_support.bybit, sim) as exchange:
        positions = await exchange.fetch_positions()
        balance = await exchange.fetch_balance()
        tiers = await exchange.fetch_leverage_tiers()
        status = await exchange.fetch_status()
        offset = await exchange.load_time_difference()
    found = {p["symbol"]: (p["side"], p["contracts"], p["leverage"]) for p in positions}
    assert found == {
        "BTC/USDT:USDT": ("long", 0.5, 10.0),
        "ETH/USDT:USDT": ("short", 10.0, 20.0),
    }
    assert positions[0]["maintenanceMargin"] == 181.5
    assert positions[0]["unrealizedPnl"] == -2500.0
    assert positions[0]["liquidationPrice"] == pytest.approx(78632.8455125)
    assert (balance["USDT"]["total"], balance["USDT"]["used"]) == (12000.0, 6594.9625)
    btc = tiers["BTC/USDT:USDT"]
    assert (btc[0]["maxNotional"], btc[0]["maintenanceMarginRate"]) == (300000.0, 0.0033)
    assert len(tiers) == 22, "all pages of the risk limits"
    assert status["status"] == "ok"
    assert abs(offset) < 1000


async def test_ccxt_reads_the_other_categories(sim):
    async with client(ccxt.async_support.bybit, sim, "usdc") as exchange:
        perpetual = await exchange.fetch_positions(None, {"settleCoin": "USDC"})
        inverse = await exchange.fetch_positions(None, {"subType": "inverse"})
        mode = await exchange.fetch_margin_mode("BTC/USDT:USDT")
    assert [(p["symbol"], p["contracts"]) for p in perpetual] == [("BTC/USDC:USDC", 0.1)]
    assert [(p["symbol"], p["side"], p["contracts"]) for p in inverse] == [
        ("BTC/USD:BTC", "short", 1000.0)
    ]
    assert mode["marginMode"] == "cross"


async def test_ccxt_pages_through_positions(sim):
    async with client(ccxt.async_support.bybit, sim) as exchange:
        await exchange.load_markets()
        rows = await exchange.fetch_positions(None, {"paginate": True, "limit": 1})
    assert {row["symbol"] for row in rows} == {"BTC/USDT:USDT", "ETH/USDT:USDT"}


async def test_ccxt_reads_open_stops(sim):
    async with client(ccxt.async_support.bybit, sim) as exchange:
        (order,) = await exchange.fetch_open_orders("BTC/USDT:USDT")
        fee = await exchange.fetch_trading_fee("BTC/USDT:USDT")
    assert (order["triggerPrice"], order["reduceOnly"]) == (90000.0, True)
    assert fee["taker"] == 0.00055


async def test_ccxt_meets_the_missing_right_of_the_coin_list(sim):
    async with client(ccxt.async_support.bybit, sim) as exchange:
        exchange.has["fetchCurrencies"] = True
        with pytest.raises(ccxt.PermissionDenied):
            await exchange.load_markets()
    scenario = with_rights(scene(BYBIT, market=MARKET), "read", "transfer")
    async with running(scenario) as more, client(ccxt.async_support.bybit, more) as exchange:
        exchange.has["fetchCurrencies"] = True
        await exchange.load_markets()
        assert "BTC" in exchange.currencies


async def test_ccxt_names_a_wrong_secret(sim):
    async with client(ccxt.async_support.bybit, sim) as exchange:
        exchange.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="10004"):
            await exchange.private_get_v5_account_info()


async def test_ccxt_pro_watches_marks_and_positions(sim):
    async with client(ccxt.pro.bybit, sim) as exchange, asyncio.timeout(20):
        await exchange.load_markets()
        ticker = await exchange.watch_ticker("BTC/USDT:USDT")
        assert ticker["markPrice"] == 95000.0
        await steer(sim, "price", base="BTC", price="94000")
        while ticker["markPrice"] != 94000.0:
            ticker = await exchange.watch_ticker("BTC/USDT:USDT")
        watching = asyncio.create_task(exchange.watch_balance())
        await _subscribed(sim, "wallet")
        await steer(sim, "bybit/change", account="two", coin="USDT", amount="100")
        # ccxt.pro's total is the equity: 12,100 less 3,000 on BTC and 1,000 on ETH
        assert (await watching)["USDT"]["total"] == 8100.0


async def _subscribed(sim, topic):
    """Wait until a client that has logged in listens to a topic."""
    hub = sim.world.exchanges[0]._stream._hub
    async with asyncio.timeout(5):
        while not any(socket.account and topic in socket.topics for socket in hub):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def test_pybit_reads_the_account(sim):
    session = pybit.unified_trading.HTTP(api_key="sim-two-key", api_secret="sim-two-secret")
    session.endpoint = sim.url("bybit")

    def read():
        return (
            session.get_wallet_balance(accountType="UNIFIED"),
            session.get_positions(category="linear", settleCoin="USDT"),
            session.get_risk_limit(category="linear", symbol="BTCUSDT"),
            session.get_api_key_information(),
        )

    try:
        wallet, positions, limits, key = await asyncio.to_thread(read)
    finally:
        session.client.close()
    assert wallet["result"]["list"][0]["totalMarginBalance"] == "8504.25"
    assert [row["symbol"] for row in positions["result"]["list"]] == ["BTCUSDT", "ETHUSDT"]
    assert limits["result"]["list"][1]["mmDeduction"] == "510"
    assert key["result"]["readOnly"] == 1


async def test_pybit_names_an_unknown_key(sim):
    session = pybit.unified_trading.HTTP(api_key="nobody", api_secret="nothing")
    session.endpoint = sim.url("bybit")
    try:
        with pytest.raises(pybit.exceptions.InvalidRequestError, match="10003"):
            await asyncio.to_thread(session.get_account_info)
    finally:
        session.client.close()


def _let_subscriptions_end(monkeypatch):
    """
    No answer is looked at while a subscription is under way.

    pybit 5 notes what it subscribes to after it sent it, in another thread than the one that
    reads: an answer that comes in between ends its socket.
    """
    manager, under_way = _V5WebSocketManager, threading.RLock()
    subscribe, hear = manager.subscribe, manager._handle_incoming_message

    def subscribed(self, *args, **given):
        with under_way:
            return subscribe(self, *args, **given)

    def heard(self, message):
        with under_way:
            return hear(self, message)

    monkeypatch.setattr(manager, "subscribe", subscribed)
    monkeypatch.setattr(manager, "_handle_incoming_message", heard)


async def test_pybit_listens_to_both_streams(sim, monkeypatch):
    base = sim.ws_url("bybit")
    module = pybit.unified_trading
    monkeypatch.setattr(module, "PUBLIC_WSS", base + "/v5/public/{CHANNEL_TYPE}")
    monkeypatch.setattr(module, "PRIVATE_WSS", base + "/v5/private")
    tickers, wallets = queue.Queue(), queue.Queue()
    _let_subscriptions_end(monkeypatch)

    def listen():
        public = module.WebSocket("linear", testnet=False)
        public.ticker_stream("BTCUSDT", tickers.put)
        keys = {"api_key": "sim-two-key", "api_secret": "sim-two-secret"}
        # Its login is good for one second where nothing is said: too little on a busy machine.
        patience = {"private_auth_expire": 10}
        private = module.WebSocket("private", testnet=False, **keys, **patience)
        private.wallet_stream(wallets.put)
        return public, private

    public, private = await asyncio.to_thread(listen)
    try:
        first = await asyncio.to_thread(tickers.get, timeout=5)
        assert first["data"]["markPrice"] == "95000.00"
        await _subscribed(sim, "wallet")
        await steer(sim, "bybit/change", account="two", coin="USDT", amount="100")
        told = await asyncio.to_thread(wallets.get, timeout=5)
        assert told["data"][0]["coin"][0]["walletBalance"] == "12100"
    finally:
        await asyncio.to_thread(lambda: (public.exit(), private.exit()))
