"""OKX, pretended: the trading accounts of a scenario."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from monitor.simulator import okx_auth as auth
from monitor.simulator import okx_bills as bills
from monitor.simulator import okx_changes as changes
from monitor.simulator import okx_orders as orders
from monitor.simulator import okx_rows as rows
from monitor.simulator.changes import Change, mount_changes
from monitor.simulator.okx_account import Order
from monitor.simulator.okx_accounts import NAME, OkxAccount, OkxState
from monitor.simulator.okx_events import next_trade, position_rows, tell
from monitor.simulator.okx_pools import UNIFIED, Liquidation, liquidate, pools
from monitor.simulator.okx_rest import OkxRest
from monitor.simulator.okx_steering import OkxSteering
from monitor.simulator.okx_stream import OkxStream
from monitor.simulator.truth import PoolTruth, plain
from monitor.simulator.world import World

_WAIT_SECONDS = "2"
# The exchange warns where equity is three times the requirement.
_WARNED_FROM = 1 / Decimal(3)


class Okx:
    """The exchange as the world sees it."""

    name = NAME
    cadence_seconds = 0.2
    totals = frozenset({"adjEq", "mgnRatio"})

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = OkxState(world)
        self._rest = OkxRest(self._state)
        self._stream = OkxStream(self._state)
        self._steering = OkxSteering(self._state, self._stream)
        self._warned: set[tuple[str, str]] = set()

    @property
    def accounts(self) -> Sequence[OkxAccount]:
        return self._state.accounts

    def mount(self, app: web.Application) -> None:
        self._steering.mount(app)
        mount_changes(app, self)
        self._stream.mount(app)
        self._rest.mount(app)  # last: it answers every other path

    async def step(self, now: datetime) -> None:
        self._steering.step(now)
        for account in self.accounts:
            self._warn(account)
        await self._stream.step(now)

    def pools(self, account: str) -> Sequence[PoolTruth]:
        return pools(self._state.by_name(account).ledger, self._state.prices())

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        owner, prices = self._state.by_name(account), self._state.prices()
        before = list(owner.ledger.orders)
        done = liquidate(owner.ledger, prices, pool)
        for mine in done.positions:
            owner.bills.write(
                owner.ledger,
                bills.LIQUIDATION,
                mine.ccy,
                mine.upl - mine.mmr - mine.fee,
                self._state.server_ms(),
                inst_id=mine.instrument.inst_id,
                margin_mode="isolated" if mine.position.is_isolated else "cross",
                contracts=mine.position.contracts,
                price=mine.mark,
                second=mine.position.direction < 0,
                trade=next_trade(owner, mine.position.pos_id),
            )
        self._tell(owner, done, before, unified=pool == UNIFIED)
        return {
            "closed": ", ".join(
                f"{p.instrument.inst_id} {plain(p.position.contracts * p.position.direction)}"
                for p in done.positions
            ),
            "cancelled_orders": str(done.cancelled_orders),
            "fee": plain(done.paid),
        }

    def change(self, account: str, change: Change) -> None:
        """A transfer or a trade, told on the private channels."""
        changes.change(self._state, self._state.by_name(account), change)

    def refusal(self, kind: str, value: str | None) -> web.Response:
        match kind:
            case "429" | "418":  # OKX has no 418: it goes on answering 50011
                return auth.too_many(value or _WAIT_SECONDS).response()
            case "bad_key":
                return auth.refused(value or "50111").response()
            case "no_permission":
                return auth.refused("50120").response()
            case "ip":
                return auth.refused("50110").response()
            case _:
                return web.json_response({"code": "0", "data": [], "msg": ""})

    def _warn(self, owner: OkxAccount) -> None:
        """Push the warning once when a pool comes near, and again only after it left."""
        for pool in self.pools(owner.spec.name):
            key = (owner.spec.name, pool.pool)
            if pool.ratio < _WARNED_FROM:
                self._warned.discard(key)
            elif key not in self._warned:
                self._warned.add(key)
                names = {position.exchange_symbol for position in pool.positions}
                for row in position_rows(self._state, owner):
                    if row["instId"] in names:
                        told = _warning(row) | {"pTime": str(self._state.server_ms())}
                        owner.outbox.append(("liquidation-warning", told))

    def _tell(
        self, owner: OkxAccount, done: Liquidation, before: list[Order], *, unified: bool
    ) -> None:
        """Queue the private frames of a liquidation."""
        at = self._state.server_ms()
        closed = [rows.closed_position(p, at) for p in done.positions]
        coins = {*owner.ledger.cash} if unified else {p.ccy for p in done.positions}
        pos_ids = [p.position.pos_id for p in done.positions]
        tell(self._state, owner, "liquidation", coins=coins, pos_ids=pos_ids, closed=closed)
        for order in before:
            if order not in owner.ledger.orders:
                if order.trigger is None:
                    told = "orders", orders.open_order(order, at, "canceled")
                else:
                    told = "orders-algo", orders.algo_order(order, at, "canceled")
                owner.outbox.append(told)


def _warning(row: rows.Row) -> rows.Row:
    kept = "instType instId mgnMode posSide pos posCcy posId lever markPx mgnRatio ccy cTime uTime"
    return {name: row[name] for name in kept.split()}
