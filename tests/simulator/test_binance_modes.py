"""Another mode, another funding: what `/sim/binance/` does to an account while it is watched."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.server import Simulation, running
from tests.simulator.binance_client import asked, listen_key, opened, public
from tests.simulator.scenes import BINANCE, MULTI, scene

D = Decimal
FREE = """
[[accounts]]
name = "free"
exchange = "binance"
mode = "single_asset"
wallets = { USDT = 200, USDC = 100 }
extra = { spot = { USDT = 12.5 }, coin_wallets = { BTC = 0.5 } }
"""


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE, MULTI, FREE)) as simulation:
        yield simulation


async def steered(sim: Simulation, wish: str, **words: object) -> int:
    url = f"http://{sim.host}:{sim.port}/sim/binance/{wish}"
    async with aiohttp.ClientSession() as session, session.post(url, json=words) as reply:
        return reply.status


def names(sim: Simulation, account: str) -> list[str]:
    return [pool.pool for pool in sim.world.exchanges[0].pools(account)]


async def test_the_asset_mode_changes_and_is_told(sim: Simulation) -> None:
    assert names(sim, "multi") == ["unified"]
    key = await listen_key(sim, "sim-multi-key")
    async with opened(sim, f"/private/ws/{key}") as client:
        assert await steered(sim, "mode", account="multi", mode="single_asset") == 200
        await sim.tick()
        frame = await client.receive()
    assert (frame["e"], frame["ai"]) == ("ACCOUNT_CONFIG_UPDATE", {"j": False})
    assert names(sim, "multi") == ["USDT", "USDC", "BTC"]
    config = await asked(sim, "multi", "/fapi/v1/accountConfig")
    single = await asked(sim, "multi", "/fapi/v1/multiAssetsMargin")
    assert (config["multiAssetsMargin"], single["multiAssetsMargin"]) == (False, False)
    assert sim.world.events[-1]["event"] == "mode"


async def test_portfolio_margin_takes_all_wallets_together_and_ends_the_old_streams(
    sim: Simulation,
) -> None:
    key = await listen_key(sim, "sim-free-key")
    async with opened(sim, f"/private/ws/{key}") as client:
        assert await steered(sim, "mode", account="free", mode="portfolio_margin") == 200
        await sim.tick()
        assert (await client.receive())["e"] == "listenKeyExpired"
    (whole,) = sim.world.exchanges[0].pools("free")
    # USDT and USDC count in full, 0.5 BTC at 95 % of 60,000.
    assert (whole.pool, whole.margin_balance) == ("unified", 300 + 28500)
    assert (await asked(sim, "free", "/papi/v1/account"))["accountEquity"] == "28800.00000000"


async def test_the_position_mode_is_one_for_both_engines(sim: Simulation) -> None:
    assert await steered(sim, "mode", account="free", position_mode="hedge") == 200
    usd = await asked(sim, "free", "/fapi/v1/positionSide/dual")
    coin = await asked(sim, "free", "/dapi/v1/positionSide/dual")
    assert usd == coin == {"dualSidePosition": True}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param({"account": "one", "mode": "multi_assets"}, id="an isolated position"),
        pytest.param({"account": "one", "position_mode": "hedge"}, id="an open position"),
        pytest.param({"account": "free", "mode": "credits"}, id="a mode of another region"),
        pytest.param({"account": "free", "position_mode": "both"}, id="no such position mode"),
        pytest.param({"account": "nobody", "mode": "multi_assets"}, id="no such account"),
    ],
)
async def test_a_change_that_binance_refuses(sim: Simulation, words: dict[str, object]) -> None:
    assert await steered(sim, "mode", **words) == 400


async def test_the_next_funding_is_announced_and_charged_when_its_time_has_come(
    sim: Simulation,
) -> None:
    body = {"symbol": "BTCUSDT", "rate": "0.0005", "seconds": 3600}
    assert await steered(sim, "funding", **body) == 200
    row = await public(sim, "/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert row["lastFundingRate"] == "0.00050000"
    assert 3500_000 < row["nextFundingTime"] - row["time"] <= 3600_000
    await sim.tick()
    assert await asked(sim, "one", "/fapi/v1/income") == []
    assert await steered(sim, "funding", **body | {"seconds": -1}) == 200
    await sim.tick()
    await sim.tick()  # once, not at every tick
    (paid,) = await asked(sim, "one", "/fapi/v1/income")
    assert (paid["incomeType"], paid["income"]) == ("FUNDING_FEE", "-3.00000000")
    # The multi-assets account holds 0.1 BTC long too.
    assert len(await asked(sim, "multi", "/fapi/v1/income")) == 1
    after = await public(sim, "/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert after["nextFundingTime"] % (8 * 3600 * 1000) == 0


async def test_a_funding_of_an_unknown_symbol_is_refused(sim: Simulation) -> None:
    assert await steered(sim, "funding", symbol="NOUSDT", rate="1", seconds=1) == 400


async def test_bookings_are_listed_by_time_kind_and_number(sim: Simulation) -> None:
    url = f"http://{sim.host}:{sim.port}/sim/binance/change"
    async with aiohttp.ClientSession() as session:
        for body in (
            {"account": "one", "coin": "USDT", "amount": "25"},
            {"account": "one", "symbol": "BTCUSDT", "side": "long", "contracts": "0.04"},
            {"account": "free", "coin": "coin-m/BTC", "amount": "-0.1"},
            {"account": "free", "coin": "BTC", "amount": "0.2"},  # only COIN-M has any
            {"account": "free", "coin": "coin-m/USDT", "amount": "1"},
        ):
            async with session.post(url, json=body) as reply:
                assert reply.status == 200
    rows: list[Any] = await asked(sim, "one", "/fapi/v1/income")
    assert [(row["incomeType"], row["income"], row["symbol"]) for row in rows] == [
        ("TRANSFER", "25.00000000", ""),
        ("REALIZED_PNL", "-60.00000000", "BTCUSDT"),  # 0.06 x -1,000
    ]
    (newest,) = await asked(sim, "one", "/fapi/v1/income", limit=1)
    assert newest["incomeType"] == "REALIZED_PNL"
    (kind,) = await asked(sim, "one", "/fapi/v1/income", incomeType="TRANSFER")
    assert kind["asset"] == "USDT"
    late = rows[0]["time"] + 60_000
    assert await asked(sim, "one", "/fapi/v1/income", startTime=late) == []
    coins = await asked(sim, "free", "/dapi/v1/income")
    assert [(row["asset"], row["income"]) for row in coins] == [
        ("BTC", "-0.10000000"),
        ("BTC", "0.20000000"),
        ("USDT", "1.00000000"),
    ]
    assert await asked(sim, "free", "/fapi/v1/income") == []


async def test_the_spot_wallet_shows_what_is_free(sim: Simulation) -> None:
    account = await asked(sim, "free", "/api/v3/account")
    assert account["balances"] == [{"asset": "USDT", "free": "12.50000000", "locked": "0.00000000"}]
