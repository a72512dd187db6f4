"""Switches and charges in a running Bybit account, and what it answers before unified 2.0."""

import asyncio
from decimal import Decimal

import aiohttp
import pytest

from monitor.simulator.bybit_account import Account, Position
from monitor.simulator.bybit_accounts import opened
from monitor.simulator.bybit_modes import Switch, apply
from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import BYBIT, MARKET, bybit, bybit_headers, got, steer, truth

D = Decimal
OLDER = """
[[accounts]]
name = "pro"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 1000, BTC = 1 }
positions = [
  { symbol = "BTCUSD", side = "long", contracts = 1000, entry_price = 95000 },
]
extra = { unified_status = 4, funding_wallet = { USDT = "250.5" } }

[[accounts]]
name = "classic"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 1 }
extra = { unified_status = 1 }
"""

HEDGED = """
[[accounts]]
name = "hedged"
exchange = "bybit"
mode = "cross"
position_mode = "hedge"
wallets = { USDT = 20000, BTC = 1 }
positions = [
  { symbol = "BTCUSDT", side = "short", contracts = 0.5, entry_price = 95000 },
  { symbol = "BTCUSD", side = "long", contracts = 500, entry_price = 95000 },
  { symbol = "BTCPERP", side = "long", contracts = 0.1, entry_price = 95000 },
  { symbol = "BTCUSDT-31DEC27", side = "long", contracts = 0.1, entry_price = 95000 },
]
"""


@pytest.fixture
async def sim():
    async with running(scene(BYBIT, OLDER, market=MARKET)) as simulation:
        yield simulation


async def test_the_margin_mode_changes_while_it_runs(sim):
    before = await bybit(sim, "two", "/v5/account/info")
    assert before["marginMode"] == "REGULAR_MARGIN"
    await steer(sim, "bybit/mode", account="two", margin_mode="isolated")
    assert (await bybit(sim, "two", "/v5/account/info"))["marginMode"] == "ISOLATED_MARGIN"
    row = (await bybit(sim, "two", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert row["accountMMRate"] == ""
    assert {pool["pool"] for pool in await truth(sim, "two")} == {
        "isolated/BTCUSDT",
        "isolated/ETHUSDT",
    }
    await steer(
        sim, "bybit/mode", account="two", margin_mode="portfolio", fixed_im="500", fixed_mm="400"
    )
    row = (await bybit(sim, "two", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert (row["totalInitialMargin"], row["totalMaintenanceMargin"]) == ("500", "400")
    assert row["accountMMRate"] == "0.047", "400 / (8,500 x 1.0005) cut to four digits"
    (pool,) = await truth(sim, "two")
    assert (pool["pool"], pool["maintenance_margin"]) == ("unified", "400")
    assert [p["maintenance_margin"] for p in pool["positions"]] == [None, None]


async def test_what_there_is_not_can_t_be_switched(sim):
    url = f"http://{sim.host}:{sim.port}/sim/bybit/mode"
    async with aiohttp.ClientSession() as session:
        for body in (
            {"account": "nobody", "margin_mode": "cross"},
            {"account": "two", "margin_mode": "crossed"},
            {"account": "two", "position_mode": "hedge"},  # positions are open
            {"margin_mode": "cross"},
        ):
            async with session.post(url, json=body) as reply:
                assert reply.status == 400, body


def test_hedge_mode_is_switched_without_positions_only():
    account = Account(name="free")
    apply(account, Switch.read({"position_mode": "hedge"}))
    assert account.hedge
    held = Position(symbol="SOLUSDT", side="Buy", size=D(1), entry=D(1), leverage=D(1), idx=1)
    account.positions.append(held)
    with pytest.raises(ValueError, match="open positions"):
        apply(account, Switch.read({"position_mode": "one_way"}))


def test_hedge_mode_has_legs_of_usdt_perpetuals_only():
    spec = scene(HEDGED, market=MARKET).accounts[0]
    assert [(p.symbol, p.idx) for p in opened(spec, 0).positions] == [
        ("BTCUSDT", 2),
        ("BTCUSD", 0),
        ("BTCPERP", 0),
        ("BTCUSDT-31DEC27", 0),
    ]


async def test_funding_is_charged_when_it_was_set(sim):
    """0.5 x 95,000 x 0.1 % = 47.5 paid by the long, 10 x 3,600 x 0.05 % = 18 by the short."""
    await steer(sim, "bybit/funding", seconds=0, rates={"BTC": "0.001", "ETH": "-0.0005"})
    for _ in range(200):
        log = await bybit(sim, "two", "/v5/account/transaction-log", type="SETTLEMENT")
        if log["list"]:
            break
        await asyncio.sleep(0.02)
    assert {row["symbol"]: row["change"] for row in log["list"]} == {
        "BTCUSDT": "-47.5",
        "ETHUSDT": "-18",
    }
    row = (await bybit(sim, "two", "/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert row["coin"][0]["walletBalance"] == "11934.5"
    asked = {"category": "linear", "execType": "Funding"}
    charged = (await bybit(sim, "two", "/v5/execution/list", **asked))["list"]
    assert {row["execFee"] for row in charged} == {"47.5", "18"}
    (ticker,) = (await bybit(sim, None, "/v5/market/tickers", category="linear", symbol="BTCUSDT"))[
        "list"
    ]
    assert ticker["fundingRate"] == "0.001"


async def test_the_next_funding_is_told_before(sim):
    await steer(sim, "bybit/funding", seconds=30)
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    (ticker,) = (await bybit(sim, None, "/v5/market/tickers", **asked))["list"]
    now = (await bybit(sim, None, "/v5/market/time"))["timeNano"]
    left = int(ticker["nextFundingTime"]) - int(now) / 1e6
    assert 20_000 < left <= 30_000
    await sim.tick()
    assert (await bybit(sim, "two", "/v5/account/transaction-log"))["list"] == []


async def test_a_transfer_is_in_the_log(sim):
    await steer(sim, "bybit/change", account="two", coin="USDT", amount="-25.5")
    log = (await bybit(sim, "two", "/v5/account/transaction-log"))["list"]
    assert [(row["type"], row["change"], row["cashBalance"]) for row in log] == [
        ("TRANSFER_OUT", "-25.5", "11974.5")
    ]


async def test_before_unified_2_the_inverse_wallet_lies_apart(sim):
    path = "/v5/account/wallet-balance"
    assert (await bybit(sim, "pro", "/v5/account/info"))["unifiedMarginStatus"] == 4
    unified = (await bybit(sim, "pro", path, accountType="UNIFIED"))["list"][0]
    assert [coin["coin"] for coin in unified["coin"]] == ["USDT"]
    apart = (await bybit(sim, "pro", path, accountType="CONTRACT"))["list"][0]
    assert (apart["accountType"], apart["totalMarginBalance"]) == ("CONTRACT", "")
    assert [coin["coin"] for coin in apart["coin"]] == ["BTC"]
    assert await truth(sim, "pro") == []
    query = "accountType=UNIFIED"
    headers = bybit_headers(query, "sim-classic-key", "sim-classic-secret")
    reply = await got(f"{sim.url('bybit')}{path}?{query}", headers)
    assert reply.json["retCode"] == 10001


async def test_the_funding_wallet_is_another(sim):
    path = "/v5/asset/transfer/query-account-coins-balance"
    found = await bybit(sim, "pro", path, accountType="FUND")
    assert [(row["coin"], row["walletBalance"]) for row in found["balance"]] == [("USDT", "250.5")]


async def test_spot_margin_is_on_where_something_was_borrowed(sim):
    state = await bybit(sim, "two", "/v5/spot-margin-trade/state")
    assert state["spotMarginMode"] == "0"
