"""A Binance account whose mode changes while it is read: the next reading goes by the new one."""

from datetime import UTC, datetime

import aiohttp

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.port import Credentials
from monitor.exchanges.rest import RestClient
from monitor.risk import Verdict, evaluate, reconcile
from monitor.risk.model import AccountSnapshot
from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Access, Simulation, running

ACCOUNT = """
mode = "single_asset"
wallets = { USDT = 2500, USDC = 300, BTC = 0.05 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 96001.1, leverage = 10 },
  { symbol = "BTCUSD_PERP", side = "short", contracts = 100, entry_price = 93911.5, leverage = 20 },
]
extra = { coin_wallets = { BTC = 0.05 }, spot = { USDT = 512.25 } }
"""
SINGLE = "USDⓈ-M single-asset and COIN-M, one-way"
MULTI = "USDⓈ-M Multi-Assets Mode and COIN-M, one-way"


def scenario() -> Scenario:
    head = 'name = "modes"\ndescription = "one"\nseed = 3\nduration_seconds = 60\n'
    market = "[market.BTC]\nstart = 94321.7\n[market.ETH]\nstart = 3456.78\n"
    words = f'[[accounts]]\nname = "main"\nexchange = "binance"\n{ACCOUNT}'
    return parse(head + market + words, "modes.toml")


def pin(simulation: Simulation) -> None:
    for path in simulation.world.scenario.paths:
        simulation.world.pin(path.base, path.start)
    for exchange in simulation.world.exchanges:
        simulation.world.publish(exchange.name)


def client(access: Access) -> RestClient:
    return RestClient(
        EXCHANGE,
        Credentials(api_key=access.api_key, api_secret=access.api_secret),
        account="main",
        now=lambda: datetime.now(UTC),
        rest_url=access.rest_url,
    )


async def read(rest: RestClient) -> AccountSnapshot:
    replies = await rest.read_account()
    taken = EXCHANGE.read_account("main", replies).snapshot(datetime.now(UTC))
    for pool in taken.pools:
        risk = evaluate(pool, taken.marks, taken.at)
        verdict = reconcile(risk, taken.reported.get(pool.id)).verdict
        assert verdict is (Verdict.AGREES if pool.positions else Verdict.UNKNOWN), pool.id
    return taken


async def change(access: Access, mode: str) -> None:
    address = access.rest_url.removesuffix("/binance") + "/sim/binance/mode"
    async with aiohttp.ClientSession() as session:
        words = {"account": "main", "mode": mode}
        async with session.post(address, json=words) as answer:
            assert answer.status == 200, await answer.text()


async def test_every_change_of_mode_is_followed_by_the_next_reading() -> None:
    async with running(scenario()) as simulation:
        pin(simulation)
        (access,) = simulation.access()
        rest = client(access)
        try:
            seen = [await read(rest)]
            for mode in ("multi_assets", "portfolio_margin", "pm_pro", "single_asset"):
                await change(access, mode)
                seen.append(await read(rest))
        finally:
            await rest.close()

    assert [taken.mode for taken in seen] == [
        SINGLE,
        MULTI,
        "portfolio margin, one-way",
        "portfolio margin Pro, one-way",
        SINGLE,
    ]
    assert [[pool.id.name for pool in taken.pools] for taken in seen] == [
        ["usdm/BTC", "USDC", "USDT", "BTC"],
        ["unified", "BTC"],
        ["unified"],
        ["unified"],
        ["usdm/BTC", "USDC", "USDT", "BTC"],
    ]
