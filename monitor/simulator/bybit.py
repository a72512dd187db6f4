"""Bybit, pretended: the unified accounts of a scenario."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from monitor.simulator import bybit_auth as auth
from monitor.simulator import bybit_rows as rows
from monitor.simulator.bybit_account import ZERO, Order
from monitor.simulator.bybit_accounts import NAME, BybitAccount, BybitState
from monitor.simulator.bybit_cash import charge_funding, lost, realise, transfer
from monitor.simulator.bybit_isolated import with_margin
from monitor.simulator.bybit_ledger import figures
from monitor.simulator.bybit_pools import Liquidation, liquidate, pools
from monitor.simulator.bybit_rest import BybitRest
from monitor.simulator.bybit_steering import mount_steering
from monitor.simulator.bybit_stream import BybitStream
from monitor.simulator.bybit_tables import has_legs
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
        owner, prices = self._state.by_name(account), self._state.prices()
        orders = list(owner.ledger.orders)
        before = dict(owner.ledger.wallets)
        done = liquidate(owner.ledger, prices, pool)
        for coin in {**before, **owner.ledger.wallets}:
            taken = owner.ledger.wallets.get(coin, ZERO) - before.get(coin, ZERO)
            if taken:
                lost(owner.ledger, coin, taken, _one_symbol(done), self._state.server_ms())
        gone = [order for order in orders if order not in owner.ledger.orders]
        self._tell(owner, done, gone)
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
        owner, at_ms = self._state.by_name(account), self._state.server_ms()
        ledger = owner.ledger
        if change.coin is not None:
            transfer(ledger, change.coin, change.amount, at_ms)
        else:
            self._resize(owner, change, at_ms)
        now = figures(ledger, self._state.prices())
        owner.outbox.append(("wallet", [rows.wallet(ledger, now)]))

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
        """Charge all accounts; each position's charge is an execution, and the wallet is told."""
        prices, at_ms = self._state.prices(), self._state.server_ms()
        for owner in self._state.accounts:
            booked = charge_funding(owner.ledger, prices, self._state.funding_rate, at_ms)
            for number, booking in enumerate(booked):
                row = rows.funding(booking, f"{at_ms:x}-f{number:03x}")
                owner.executions.insert(0, row)
                category = {"category": rows.category_of(booking.symbol)}
                owner.outbox.append(("execution", [row | category]))
            if booked:
                now = figures(owner.ledger, prices)
                owner.outbox.append(("wallet", [rows.wallet(owner.ledger, now)]))

    def _resize(self, owner: BybitAccount, change: Change, at_ms: int) -> None:
        """Close or open a part at the mark."""
        ledger, prices = owner.ledger, self._state.prices()
        now = figures(ledger, prices)
        side = "Buy" if change.side == "long" else "Sell"
        mine = next(
            p
            for p in now.positions
            if (p.position.symbol, p.position.side) == (change.symbol, side)
        )
        size, it = change.contracts, mine.position
        place = ledger.positions.index(it)
        if change.margin is not None:
            ledger.positions[place] = with_margin(it, change.margin)
            transfer(ledger, mine.instrument.settle, change.margin, at_ms)
        else:
            if size < it.size:
                realise(ledger, it, it.size - size, mine.mark, at_ms)
            left = [it.resized(size, mine.mark)] if size else []
            ledger.positions[place : place + 1] = left
        self._push_position(owner, change.symbol or "", mine.mark, at_ms)

    def _push_position(self, owner: BybitAccount, symbol: str, mark: Decimal, at_ms: int) -> None:
        ledger = owner.ledger
        now = figures(ledger, self._state.prices())
        found = [
            rows.position(ledger, now, p, at_ms)
            for p in now.positions
            if p.position.symbol == symbol
        ]
        there = {row["positionIdx"] for row in found}
        category = rows.category_of(symbol)
        idxs = (1, 2) if ledger.hedge and has_legs(symbol) else (0,)
        found += [
            rows.flat_position(symbol, idx) | {"markPrice": plain(mark), "updatedTime": str(at_ms)}
            for idx in idxs
            if idx not in there
        ]
        owner.outbox.append(("position", [rows.as_pushed(row, category) for row in found]))

    def _tell(self, owner: BybitAccount, done: Liquidation, orders: list[Order]) -> None:
        """Queue the private frames of a liquidation and note its executions."""
        at_ms = self._state.server_ms()
        cancelled = [
            rows.open_order(order, at_ms, "Cancelled")
            | {"category": rows.category_of(order.symbol)}
            for order in orders
        ]
        if cancelled:
            owner.outbox.append(("order", cancelled))
        for number, closed in enumerate(done.positions):
            execution = rows.takeover(closed, f"{at_ms:x}-{number:04x}", at_ms)
            owner.executions.insert(0, execution)
            category = {"category": closed.instrument.category}
            owner.outbox.append(("execution", [execution | category]))
            row = rows.closed_position(closed.position, closed.mark, at_ms)
            pushed = rows.as_pushed(row, closed.instrument.category)
            owner.outbox.append(("position", [pushed]))
        now = figures(owner.ledger, self._state.prices())
        owner.outbox.append(("wallet", [rows.wallet(owner.ledger, now)]))


def _one_symbol(done: Liquidation) -> str:
    """The symbol that was closed, where it is one."""
    symbols = {p.position.symbol for p in done.positions}
    return symbols.pop() if len(symbols) == 1 else ""
