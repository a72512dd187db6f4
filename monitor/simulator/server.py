"""I/O. One aiohttp server that plays all exchanges on one port, and `/sim/` to steer it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from monitor.simulator.binance import Binance
from monitor.simulator.bybit import Bybit
from monitor.simulator.faulty_rest import faulty_rest
from monitor.simulator.okx import Okx
from monitor.simulator.scenario import AccountSpec, Scenario, ScenarioError
from monitor.simulator.steering import mount_steering
from monitor.simulator.world import Exchange, World

# One line for each exchange.
EXCHANGES: Mapping[str, Callable[[World], Exchange]] = {
    "binance": Binance,
    "bybit": Bybit,
    "okx": Okx,
}
_SHUTDOWN_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client needs to play one account."""

    account: str
    exchange: str
    rest_url: str
    ws_url: str
    api_key: str
    api_secret: str
    passphrase: str | None


class Simulation:
    """A running simulator."""

    def __init__(self, world: World, host: str, port: int) -> None:
        self.world = world
        self.host = host
        self.port = port

    def url(self, exchange: str) -> str:
        """Give the base address of an exchange's REST calls."""
        return f"http://{self.host}:{self.port}/{exchange}"

    def ws_url(self, exchange: str) -> str:
        """Give the base address of an exchange's WebSockets."""
        return f"ws://{self.host}:{self.port}/{exchange}"

    @property
    def accounts(self) -> tuple[AccountSpec, ...]:
        return self.world.scenario.accounts

    async def tick(self) -> None:
        """Tick every exchange now, beside its own cadence."""
        for exchange in self.world.exchanges:
            await self.world.tick(exchange)

    def access(self) -> tuple[Access, ...]:
        """Give the addresses and keys of all accounts, for a person or a config file."""
        return tuple(
            Access(
                account=account.name,
                exchange=account.exchange,
                rest_url=self.url(account.exchange),
                ws_url=self.ws_url(account.exchange),
                api_key=account.key,
                api_secret=account.secret,
                passphrase=account.passphrase if account.exchange == "okx" else None,
            )
            for account in self.accounts
        )


def open_exchanges(world: World) -> tuple[Exchange, ...]:
    """
    Give the exchanges that the scenario's accounts name, each known to the world.

    Raises:
        ScenarioError: If an account can't be opened at its exchange.

    """
    for name in dict.fromkeys(account.exchange for account in world.scenario.accounts):
        try:
            world.exchanges.append(EXCHANGES[name](world))
        except (KeyError, ValueError) as error:
            raise ScenarioError(f"scenario {world.scenario.name!r}: {name}: {error}") from error
    return tuple(world.exchanges)


@contextlib.asynccontextmanager
async def running(
    scenario: Scenario, host: str = "127.0.0.1", port: int = 0, speed: float = 1
) -> AsyncIterator[Simulation]:
    """
    Run a scenario until the block ends; port 0 takes a free one.

    The price path starts when the server listens, and stays at its end when it is over.
    """
    world = World(scenario, speed=speed)
    app = web.Application(middlewares=[faulty_rest(world)])
    for exchange in open_exchanges(world):
        exchange.mount(app)
    mount_steering(app, world)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_SECONDS, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    simulation = Simulation(world, host, runner.addresses[0][1])
    world.restart_clock()
    tickers = [asyncio.create_task(_ticker(world, exchange)) for exchange in world.exchanges]
    try:
        yield simulation
    finally:
        for ticker in tickers:
            ticker.cancel()
        results = await asyncio.gather(*tickers, return_exceptions=True)
        await runner.cleanup()
        _raise_first(results)


async def _ticker(world: World, exchange: Exchange) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await world.tick(exchange)
        due = max(due + exchange.cadence_seconds, loop.time())
        await asyncio.sleep(due - loop.time())


def _raise_first(results: Sequence[object]) -> None:
    """A ticker that died is a bug of the simulator: it must not pass unseen."""
    for result in results:
        if isinstance(result, Exception):
            raise result
