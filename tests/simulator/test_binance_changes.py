"""Deposits, withdrawals and trades, by `/sim/binance/change`."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.server import Simulation, running
from tests.simulator.scenes import BINANCE, HEDGED, scene

D = Decimal


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE, HEDGED)) as simulation:
        yield simulation


async def changed(sim: Simulation, **body: object) -> int:
    url = f"http://{sim.host}:{sim.port}/sim/binance/change"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as reply:
        return reply.status


def pool(sim: Simulation, account: str, name: str) -> Any:
    return next(p for p in sim.world.exchanges[0].pools(account) if p.pool == name)


async def heard(sim: Simulation, key: str, **body: object) -> Any:
    """The first private frame after a change that is not of an order."""
    headers = {"X-MBX-APIKEY": key}
    url = f"{sim.url('binance')}/fapi/v1/listenKey"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, headers=headers) as reply:
            listen_key = (await reply.json())["listenKey"]
        async with session.ws_connect(f"{sim.ws_url('binance')}/private/ws/{listen_key}") as ws:
            assert await changed(sim, **body) == 200
            frame = await ws.receive_json(timeout=5)
            while frame["e"] == "ORDER_TRADE_UPDATE":
                frame = await ws.receive_json(timeout=5)
            return frame


async def test_a_deposit_raises_the_pool_and_is_told(sim: Simulation) -> None:
    frame = await heard(sim, "sim-one-key", account="one", coin="USDT", amount="99.5")
    assert frame["a"] == {
        "m": "DEPOSIT",
        "B": [{"a": "USDT", "wb": "1160.00000000", "cw": "1100.00000000", "bc": "99.5"}],
        "P": [],
    }
    assert pool(sim, "one", "USDT").margin_balance == 1000  # 1,000.5 + 99.5 - 100


async def test_a_withdrawal_is_told_as_one(sim: Simulation) -> None:
    frame = await heard(sim, "sim-one-key", account="one", coin="USDC", amount="-10")
    assert frame["a"]["m"] == "WITHDRAW"
    assert pool(sim, "one", "USDC").margin_balance == 39  # 50 - 10 - 1


async def test_closing_a_part_realizes_its_loss_and_leaves_the_balance(sim: Simulation) -> None:
    frame = await heard(
        sim, "sim-one-key", account="one", symbol="BTCUSDT", side="long", contracts="0.04"
    )
    # 0.06 x (60,000 - 61,000) = -60 of the loss of 100 is realized.
    assert frame["a"]["B"][0]["cw"] == "940.50000000"
    assert (frame["a"]["P"][0]["pa"], frame["a"]["P"][0]["up"]) == ("0.04", "-40.00000000")
    after = pool(sim, "one", "USDT")
    assert (after.margin_balance, after.maintenance_margin) == (D("900.5"), 2400 * D("0.004"))


async def test_adding_averages_the_entry_price(sim: Simulation) -> None:
    assert await changed(sim, account="hedged", symbol="BTCUSDT", side="short", contracts="0.2")
    short = pool(sim, "hedged", "USDT").positions[1]
    assert short.entry_price == (D("0.1") * 63000 + D("0.1") * 60000) / D("0.2")
    assert short.contracts == D("0.2")


async def test_closing_an_isolated_position_gives_its_wallet_back(sim: Simulation) -> None:
    body = {"account": "one", "symbol": "SOLUSDT", "side": "long", "contracts": "0"}
    assert await changed(sim, **body) == 200
    assert {p.pool for p in sim.world.exchanges[0].pools("one")} == {"USDT", "USDC"}
    assert pool(sim, "one", "USDT").margin_balance == D("966.5")  # 900.5 + 60 + 3 x 2


async def test_margin_may_be_added_to_an_isolated_position(sim: Simulation) -> None:
    body = {"account": "one", "symbol": "SOLUSDT", "side": "long", "margin": "40"}
    frame = await heard(sim, "sim-one-key", **body)
    assert (frame["a"]["m"], frame["a"]["P"][0]["iw"]) == ("MARGIN_TRANSFER", "100.00000000")
    assert pool(sim, "one", "isolated/SOLUSDT").margin_balance == 60 + 40 + 3 * 2
    assert pool(sim, "one", "USDT").margin_balance == D("900.5")


@pytest.mark.parametrize(
    "body",
    [
        {"account": "one", "symbol": "BTCUSDT", "side": "long", "margin": 1},  # a cross position
        {"account": "nobody", "coin": "USDT", "amount": 1},
        {"account": "one", "symbol": "BTCUSDT", "side": "short", "contracts": 1},
        {"account": "one", "coin": "USDT", "amount": "much"},
        {"account": "one"},
    ],
)
async def test_what_can_not_be_changed_is_refused(sim: Simulation, body: dict[str, object]) -> None:
    assert await changed(sim, **body) == 400
