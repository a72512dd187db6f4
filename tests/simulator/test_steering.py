from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.scenario import ScenarioError
from monitor.simulator.server import Simulation, running
from tests.simulator.scenes import BINANCE, HEDGED, scene


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE, HEDGED)) as simulation:
        yield simulation


async def request(sim: Simulation, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    url = f"http://{sim.host}:{sim.port}/sim/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as reply,
    ):
        return reply.status, await reply.json()


async def test_the_ledger_shows_every_pool_exactly(sim: Simulation) -> None:
    _, ledger = await request(sim, "GET", "ledger")
    assert [a["account"] for a in ledger["accounts"]] == ["one", "hedged"]
    pools = {pool["pool"]: pool for pool in ledger["accounts"][0]["pools"]}
    assert set(pools) == {"USDT", "USDC", "isolated/SOLUSDT"}
    usdt = pools["USDT"]
    assert (usdt["margin_balance"], usdt["maintenance_margin"]) == ("900.5", "24")
    assert usdt["ratio"].startswith("0.026651860")  # 24 / 900.5
    (btc,) = usdt["positions"]
    assert btc["liquidation_price"].startswith("51199.799196787148")  # (1,000.5 - 6,100) / -0.0996
    assert {key: btc[key] for key in ("exchange_symbol", "side", "contracts", "mark")} == {
        "exchange_symbol": "BTCUSDT",
        "side": "long",
        "contracts": "0.1",
        "mark": "60000",
    }


async def test_addresses_and_keys_for_a_person_or_a_config_file(sim: Simulation) -> None:
    _, rows = await request(sim, "GET", "accounts")
    assert rows[0] == {
        "account": "one",
        "exchange": "binance",
        "rest_url": f"http://127.0.0.1:{sim.port}/binance",
        "ws_url": f"ws://127.0.0.1:{sim.port}/binance",
        "api_key": "sim-one-key",
        "api_secret": "sim-one-secret",
        "passphrase": None,
    }
    access = sim.access()[0]
    assert {field: getattr(access, field) for field in rows[0]} == rows[0]


async def test_a_pinned_price_shows_at_the_next_tick_until_it_is_released(
    sim: Simulation,
) -> None:
    assert (await request(sim, "POST", "price", {"base": "BTC", "price": "50000"}))[0] == 200
    await sim.tick()
    assert sim.world.mark("binance", "BTC") == 50000
    await request(sim, "POST", "price", {"base": "BTC", "price": None})
    await sim.tick()
    assert sim.world.mark("binance", "BTC") == 60000


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("price", {"price": 5}, "base: missing"),
        ("price", {"base": "BTC", "price": "x"}, "price: expected a number or null, got 'x'"),
        ("price", {"base": "BTC", "price": 0}, "price: expected a number above zero, got 0"),
        ("price", {"base": "BTC", "price": "NaN"}, "price: expected a number above zero"),
        ("price", {"base": 5, "price": 1}, "base: expected a text, got 5"),
        ("price", [], "the body is not a JSON object"),
        ("fault", {"kind": "stall"}, "exchange: missing"),
        ("fault", {"exchange": "binance", "kind": "fire"}, "fault 'fire': there are"),
        ("fault", {"exchange": "binance", "kind": "stall", "seconds": "x"}, "could not convert"),
    ],
)
async def test_a_wrong_wish_is_answered_with_what_was_expected(
    sim: Simulation, path: str, body: Any, error: str
) -> None:
    status, reply = await request(sim, "POST", path, body)
    assert status == 400
    assert reply["error"].startswith(error)


async def test_a_scenario_with_an_unknown_symbol_does_not_start() -> None:
    wrong = BINANCE.replace("BTCUSDT", "NOUSDT")
    with pytest.raises(ScenarioError, match="binance: account 'one': Binance has no symbol"):
        async with running(scene(wrong)):
            pass


async def test_a_size_that_the_exchange_could_not_hold_does_not_start() -> None:
    wrong = BINANCE.replace("contracts = 0.02", "contracts = 0.0215")
    with pytest.raises(ScenarioError, match=r"0\.0215 contracts have more than 3 decimals"):
        async with running(scene(wrong)):
            pass


async def test_a_ticker_that_dies_does_not_pass_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binance, "cadence_seconds", 0.01)

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Binance, "step", broken)
    with pytest.raises(ZeroDivisionError):
        async with running(scene(BINANCE)) as sim:
            await request(sim, "GET", "events")
