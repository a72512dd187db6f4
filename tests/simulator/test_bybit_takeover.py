"""One isolated position of a running account is taken over; what stays, and what tells of it."""

from decimal import Decimal

import pytest

from monitor.simulator.server import running
from tests.simulator.scenes import scene
from tests.simulator.unified import MARKET, bybit, truth

D = Decimal
ALONE = """
[[accounts]]
name = "alone"
exchange = "bybit"
mode = "isolated"
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 95000, leverage = 50 },
  { symbol = "ETHUSDT", side = "short", contracts = 1, entry_price = 3600, leverage = 10 },
]
[[accounts.orders]]
symbol = "BTCUSDT"
side = "sell"
kind = "stop"
trigger_price = 94000
closes_position = true
[[accounts.orders]]
symbol = "ETHUSDT"
side = "buy"
kind = "stop"
trigger_price = 3700
closes_position = true

[[accounts]]
name = "stays"
exchange = "bybit"
mode = "isolated"
stays = true
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.1, entry_price = 95000, leverage = 50 },
]
"""


@pytest.fixture
async def sim():
    async with running(scene(ALONE, market=MARKET)) as simulation:
        # The end is at 95,000 x 0.98 / 0.9967 = 93,408.247
        for price in ("93408.3", "93408.2"):
            assert [p["pool"] for p in await truth(simulation, "alone")] == [
                "isolated/BTCUSDT",
                "isolated/ETHUSDT",
            ]
            simulation.world.pin("BTC", D(price))
            await simulation.tick()
        yield simulation


async def test_the_other_position_stays(sim):
    (pool,) = await truth(sim, "alone")
    assert pool["pool"] == "isolated/ETHUSDT"
    asked = {"category": "linear", "settleCoin": "USDT"}
    (row,) = (await bybit(sim, "alone", "/v5/position/list", **asked))["list"]
    assert row["symbol"] == "ETHUSDT"
    (order,) = (await bybit(sim, "alone", "/v5/order/realtime", **asked))["list"]
    assert order["symbol"] == "ETHUSDT"


async def test_what_was_posted_is_gone_and_told(sim):
    """190 of initial margin and the fee to close, 9,500 x 0.98 x 0.055 %."""
    lost = 190 + D(9500) * D("0.98") * D("0.00055")
    wallet = await bybit(sim, "alone", "/v5/account/wallet-balance", accountType="UNIFIED")
    assert D(wallet["list"][0]["coin"][0]["walletBalance"]) == 1000 - lost
    (line,) = (await bybit(sim, "alone", "/v5/account/transaction-log"))["list"]
    assert (line["type"], line["symbol"], D(line["change"])) == ("LIQUIDATION", "BTCUSDT", -lost)
    asked = {"category": "linear", "execType": "BustTrade"}
    (execution,) = (await bybit(sim, "alone", "/v5/execution/list", **asked))["list"]
    assert execution["symbol"] == "BTCUSDT"
    (event,) = [e for e in sim.world.events if e["event"] == "liquidation"]
    assert (event["account"], event["pool"]) == ("alone", "isolated/BTCUSDT")


async def test_who_stays_is_past_its_end(sim):
    (pool,) = await truth(sim, "stays")
    assert D(pool["ratio"]) > 1
    position = pool["positions"][0]
    assert position["liquidation_price"] == position["mark"] == "93408.2"
