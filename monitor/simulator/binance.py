"""Binance USD-M futures, pretended: the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from monitor.simulator.scenario import AccountSpec
from monitor.simulator.sockets import Hub
from monitor.simulator.truth import PoolTruth
from monitor.simulator.world import World


@dataclass(slots=True, kw_only=True)
class BinanceAccount:
    spec: AccountSpec


class Binance:
    name = "binance"
    cadence_seconds = 1.0
    totals = frozenset({"totalMaintMargin", "maintMargin"})

    def __init__(self, world: World) -> None:
        self._world = world
        self._hub = Hub(world, self.name)
        self.accounts: Sequence[BinanceAccount] = tuple(
            BinanceAccount(spec=spec)
            for spec in world.scenario.accounts
            if spec.exchange == self.name
        )

    def mount(self, app: web.Application) -> None:
        app.router.add_get("/binance/fapi/v1/time", self._time)

    async def step(self, now: datetime) -> None:
        self._hub.apply_drop()

    def pools(self, account: str) -> Sequence[PoolTruth]:
        return ()

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        return {}

    def refusal(self, kind: str, value: str | None) -> web.Response:
        return web.json_response({"code": -1003, "msg": kind}, status=429)

    async def _time(self, _: web.Request) -> web.Response:
        now = self._world.server_time(self.name, "/fapi/v1/time")
        return web.json_response({"serverTime": int(now.timestamp() * 1000)})
