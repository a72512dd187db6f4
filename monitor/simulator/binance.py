"""Binance, pretended: every account of the scenario that names it, in all its margin modes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import NAME, BinanceAccount, BinanceState
from monitor.simulator.binance_auth import bad_key_format, banned, not_permitted, too_many
from monitor.simulator.binance_changes import change as carry_out
from monitor.simulator.binance_forced import tell_orders
from monitor.simulator.binance_ledger import ZERO, Ledger, Leg
from monitor.simulator.binance_liquidation import (
    Closed,
    liquidate,
    settle_debts,
    settle_portfolio,
)
from monitor.simulator.binance_pools import Pool
from monitor.simulator.binance_prices import Prices
from monitor.simulator.binance_quotes import milliseconds
from monitor.simulator.binance_rest import BinanceRest
from monitor.simulator.binance_steering import BinanceSteering
from monitor.simulator.binance_stream import BinanceStream
from monitor.simulator.changes import Change, mount_changes
from monitor.simulator.truth import PoolTruth, plain
from monitor.simulator.world import World

_WAIT_SECONDS = "10"
_BAN_SECONDS = "120"
# The ratio of the margin call is not published; 80 % is of our choosing.
_CALL_RATIO = Decimal("0.8")


class Binance:
    """The exchange as the world sees it."""

    name = NAME
    cadence_seconds = 1.0
    totals = frozenset({"totalMaintMargin", "maintMargin", "accountMaintMargin"})

    def __init__(self, world: World) -> None:
        self._state = BinanceState(world)
        self._stream = BinanceStream(self._state)
        self._rest = BinanceRest(self._state)
        self._steering = BinanceSteering(self._state, self._stream)
        self._called: set[tuple[str, str]] = set()
        for account in self.accounts:  # a scenario that can't be priced fails here
            self.pools(account.spec.name)

    @property
    def accounts(self) -> Sequence[BinanceAccount]:
        return self._state.accounts

    def mount(self, app: web.Application) -> None:
        mount_changes(app, self)
        self._steering.mount(app)
        self._stream.mount(app)
        self._rest.mount(app)  # last: it answers every other path

    async def step(self, now: datetime) -> None:
        self._steering.step()
        for account in self.accounts:
            self._call_for_margin(account)
        await self._stream.step(now)

    def pools(self, account: str) -> Sequence[PoolTruth]:
        owner = self._state.by_name(account)
        prices = self._state.prices(owner)
        return tuple(pool.truth(prices) for pool in owner.pools())

    def liquidate(self, account: str, pool: str) -> dict[str, str]:
        owner = self._state.by_name(account)
        doomed = next(each for each in owner.pools() if each.name == pool)
        at = milliseconds(self._state.server_time())
        closed: tuple[Closed, ...] = ()
        paid: dict[str, Decimal] = {}
        for ledger in (owner.ledger, owner.coin):
            legs = tuple(leg for leg in doomed.legs if owner.ledger_of(leg) is ledger)
            if not legs:
                continue
            before = dict(ledger.cross_wallets)
            gone = liquidate(ledger, legs, self._state.quotes.mark, at)
            closed += gone
            if not owner.is_portfolio:
                paid = settle_debts(ledger, self._state.quotes.rates())
            self._tell(owner, ledger, gone, before)
            if paid:
                told = frames.account_update(self._state, ledger, "INSURANCE_CLEAR", paid, ())
                owner.tell(told, ledger)
        if owner.is_portfolio:
            settle_portfolio(owner.portfolio, self._state.prices(owner))
        return {
            "closed": ", ".join(f"{c.leg.symbol.name} {plain(c.leg.amount)}" for c in closed),
            "fee": plain(sum((c.fee for c in closed), ZERO)),
            "insurance_fund_paid": ", ".join(f"{plain(a)} {n}" for n, a in paid.items()) or "0",
        }

    def change(self, account: str, change: Change) -> None:
        carry_out(self._state, self._state.by_name(account), change)
        self._stream.push_private()

    def refusal(self, kind: str, value: str | None) -> web.Response:
        match kind:
            case "429":
                return too_many(value or _WAIT_SECONDS).response()
            case "418":
                return banned(value or _BAN_SECONDS, self._state.server_time()).response()
            case "bad_key":
                return bad_key_format().response()
            case "no_permission" | "ip":
                return not_permitted().response()
            case _:
                return web.json_response([])

    def _tell(
        self,
        account: BinanceAccount,
        ledger: Ledger,
        closed: tuple[Closed, ...],
        before: dict[str, Decimal],
    ) -> None:
        """Queue the private frames of a liquidation and note its orders and income."""
        at = milliseconds(self._state.server_time())
        tell_orders(self._state, account, ledger, closed)
        emptied = tuple(_emptied(item.leg, at) for item in closed)
        assets = dict.fromkeys(before | ledger.cross_wallets, ZERO)
        touched = {
            asset: ZERO
            for asset in assets
            if before.get(asset, ZERO) != ledger.cross_wallets.get(asset, ZERO)
        }
        frame = frames.account_update(self._state, ledger, "ORDER", touched, emptied)
        account.tell(frame, ledger)

    def _call_for_margin(self, account: BinanceAccount) -> None:
        """Push MARGIN_CALL once when a pool comes to 80 %, and again only after it left."""
        prices = self._state.prices(account)
        for pool in account.pools():
            key = (account.spec.name, pool.name)
            if pool.truth(prices).ratio < _CALL_RATIO:
                self._called.discard(key)
            elif key not in self._called:
                self._called.add(key)
                self._push_call(account, pool, prices)

    def _push_call(self, account: BinanceAccount, pool: Pool, prices: Prices) -> None:
        """Tell legs and figures; a portfolio's level by its own event."""
        if not account.is_portfolio:
            ledger = account.ledger_of(pool.legs[0])
            account.tell(frames.margin_call(self._state, ledger, pool.legs), ledger)
            return
        book = account.portfolio
        figures = (
            book.uni_mmr(prices),
            book.account_equity(prices),
            book.actual_equity(prices),
            book.account_maint_margin(prices),
        )
        frame = frames.risk_level(self._state, book.status(prices), figures)
        account.warn(frame)


def _emptied(leg: Leg, at: int) -> Leg:
    return Leg(
        symbol=leg.symbol,
        side=leg.side,
        amount=ZERO,
        entry_price=ZERO,
        leverage=leg.leverage,
        isolated_wallet=leg.isolated_wallet,
        updated_at=at,
    )
