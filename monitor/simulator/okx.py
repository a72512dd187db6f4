"""OKX, pretended: the trading accounts of a scenario."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from aiohttp import web

from monitor.simulator import okx_auth as auth
from monitor.simulator import okx_orders as orders
from monitor.simulator import okx_rows as rows
from monitor.simulator.changes import Change, mount_changes
from monitor.simulator.okx_account import ZERO, MarginPosition, Order
from monitor.simulator.okx_accounts import NAME, OkxAccount, OkxState
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_pools import Liquidation, liquidate, pools
from monitor.simulator.okx_rest import OkxRest, position_rows
from monitor.simulator.okx_stream import (
    OkxStream,
    account_row,
    balance_and_position,
    position_event,
)
from monitor.simulator.truth import PoolTruth, plain
from monitor.simulator.world import World

_WAIT_SECONDS = "2"
_LEAVE_SECONDS = 60.0
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
        self._warned: set[tuple[str, str]] = set()

    @property
    def accounts(self) -> Sequence[OkxAccount]:
        return self._state.accounts

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/sim/okx/notice", self._notice)
        app.router.add_post("/sim/okx/close", self._close)
        mount_changes(app, self)
        self._stream.mount(app)
        self._rest.mount(app)  # last: it answers every other path

    async def step(self, now: datetime) -> None:
        for account in self.accounts:
            self._warn(account)
        await self._stream.step(now)

    def pools(self, account: str) -> Sequence[PoolTruth]:
        return pools(self._state.by_name(account).ledger, self._state.prices())

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        owner, prices = self._state.by_name(account), self._state.prices()
        before = list(owner.ledger.orders)
        done = liquidate(owner.ledger, prices, pool)
        self._tell(owner, done, before)
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
        owner = self._state.by_name(account)
        cash = owner.ledger.cash
        if change.coin is not None:
            cash[change.coin] = cash.get(change.coin, ZERO) + change.amount
            event = balance_and_position(self._state, owner, "transferred")
        else:
            self._resize(owner, change)
            event = balance_and_position(self._state, owner, "filled")
        owner.outbox.append(("balance_and_position", event))
        owner.outbox.append(("account", account_row(self._state, owner)))

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

    async def _notice(self, request: web.Request) -> web.Response:
        """Announce an upgrade; `{"seconds": n}` until the sockets are closed."""
        body = await request.json() if request.can_read_body else {}
        seconds = float(body.get("seconds", _LEAVE_SECONDS))
        self._stream.give_notice(self._world.now() + timedelta(seconds=seconds))
        return web.json_response({"ok": True})

    async def _close(self, request: web.Request) -> web.Response:
        """Close sockets with a code, 4007 where `{"code": n}` says nothing else."""
        body = await request.json() if request.can_read_body else {}
        self._stream.close_all(int(body.get("code", 4007)), body.get("account"))
        return web.json_response({"ok": True})

    def _resize(self, owner: OkxAccount, change: Change) -> None:
        """Close or open a part at the mark; no fee is charged."""
        ledger = owner.ledger
        direction = 1 if change.side == "long" else -1
        now = figures(ledger, self._state.prices())
        mine = next(
            p
            for p in now.positions
            if (p.position.inst_id, p.position.direction) == (change.symbol, direction)
        )
        it, size, settle = mine.position, change.contracts, mine.ccy
        if size < it.contracts:
            part = (it.contracts - size) / it.contracts
            freed = (it.margin or ZERO) * part
            ledger.cash[settle] = ledger.cash.get(settle, ZERO) + mine.upl * part + freed
        if isinstance(it, MarginPosition):
            place = ledger.loans.index(it)
            ledger.loans[place : place + 1] = [it.resized(size, mine.mark)] if size else []
        else:
            place = ledger.positions.index(it)
            ledger.positions[place : place + 1] = [it.resized(size, mine.mark)] if size else []
        row = rows.closed_position(mine, self._state.server_ms())
        if size:
            row = next(r for r in position_rows(self._state, owner) if r["posId"] == it.pos_id)
        owner.outbox.append(("positions", row | {"pTime": row["uTime"]}))

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
                        owner.outbox.append(("liquidation-warning", _warning(row)))

    def _tell(self, owner: OkxAccount, done: Liquidation, before: list[Order]) -> None:
        """Queue the private frames of a liquidation."""
        at = self._state.server_ms()
        closed = [rows.closed_position(p, at) | {"pTime": str(at)} for p in done.positions]
        event = balance_and_position(self._state, owner, "liquidation")
        event["posData"] = [position_event(row) for row in closed]
        event["trades"] = [{"instId": row["instId"], "tradeId": "2"} for row in closed]
        owner.outbox.append(("balance_and_position", event))
        for row in closed:
            owner.outbox.append(("positions", row))
        owner.outbox.append(("account", account_row(self._state, owner)))
        for order in before:
            if order not in owner.ledger.orders:
                if order.trigger is None:
                    told = "orders", orders.open_order(order, at, "canceled")
                else:
                    told = "orders-algo", orders.algo_order(order, at, "canceled")
                owner.outbox.append(told)


def _warning(row: rows.Row) -> rows.Row:
    kept = "instType instId mgnMode posSide pos posCcy posId lever markPx mgnRatio ccy cTime uTime"
    return {name: row[name] for name in kept.split()} | {"pTime": row["uTime"]}
