"""Bybit, pretended: the unified accounts of a scenario."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from monitor.simulator import bybit_auth as auth
from monitor.simulator import bybit_changes as changes
from monitor.simulator.bybit_accounts import NAME, BybitAccount, BybitState
from monitor.simulator.bybit_changes import Moment
from monitor.simulator.bybit_pools import pools
from monitor.simulator.bybit_rest import BybitRest
from monitor.simulator.bybit_steering import mount_steering
from monitor.simulator.bybit_stream import BybitStream
from monitor.simulator.changes import Change, mount_changes
from monitor.simulator.truth import PoolTruth, plain
from monitor.simulator.world import World

_WAIT_SECONDS = "5"


class Bybit:
    """The exchange as the world sees it."""

    name = NAME
    cadence_seconds = 0.1
    totals = frozenset(
        {
            "totalMaintenanceMargin",
            "totalMaintenanceMarginByMp",
            "accountMMRate",
            "accountMMRateByMp",
        }
    )

    def __init__(self, world: World) -> None:
        self._state = BybitState(world)
        self._rest = BybitRest(self._state)
        self._stream = BybitStream(self._state)

    @property
    def accounts(self) -> Sequence[BybitAccount]:
        return self._state.accounts

    def mount(self, app: web.Application) -> None:
        self._stream.mount(app)
        mount_changes(app, self)
        mount_steering(app, self._state)
        self._rest.mount(app)  # last: it answers every other path

    async def step(self, now: datetime) -> None:
        if self._state.funding_is_due():
            self._charge_funding()
        await self._stream.step(now)

    def pools(self, account: str) -> Sequence[PoolTruth]:
        return pools(self._state.by_name(account).ledger, self._state.prices())

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        done = changes.liquidated(self._state.by_name(account), self._moment(), pool)
        return {
            "closed": ", ".join(
                f"{p.position.symbol} {p.position.side} {plain(p.position.size)}"
                for p in done.positions
            ),
            "cancelled_orders": str(done.cancelled_orders),
            "fee": plain(done.paid),
        }

    def change(self, account: str, change: Change) -> None:
        """A deposit, a withdrawal or a trade, told on the private stream."""
        owner = self._state.by_name(account)
        if change.coin is not None:
            changes.moved(owner, self._moment(), change.coin, change.amount)
            return
        mine = owner.ledger.held(change.symbol or "", "Buy" if change.side == "long" else "Sell")
        if change.margin is not None:
            changes.margined(owner, self._moment(), mine, change.margin)
        else:
            changes.resized(owner, self._moment(), mine, change.contracts)

    def refusal(self, kind: str, value: str | None) -> web.Response:
        at_ms = self._state.server_ms()
        match kind:
            case "429":
                return auth.too_many(at_ms, value or _WAIT_SECONDS, status=429).response(at_ms)
            case "418":
                # Bybit's ban of an address is a 403 with this text, for at least ten minutes.
                return web.Response(status=403, text="access too frequent")
            case "bad_key":
                refused = auth.expired_key() if value == "33004" else auth.unknown_key()
                return refused.response(at_ms)
            case "no_permission":
                return auth.no_permission().response(at_ms)
            case "ip":
                return auth.wrong_address().response(at_ms)
            case _:
                body = {"retCode": 0, "retMsg": "OK", "result": {"list": []}, "retExtInfo": {}}
                return web.json_response(body | {"time": at_ms})

    def _charge_funding(self) -> None:
        moment = self._moment()
        for owner in self._state.accounts:
            changes.funded(owner, moment, self._state.funding_rate)

    def _moment(self) -> Moment:
        return Moment(prices=self._state.prices(), at_ms=self._state.server_ms())
