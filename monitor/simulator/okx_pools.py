"""
The truth of an OKX account as margin pools, and what a liquidation leaves of them.

Futures mode has one pool per settle currency, the two USD-valued modes one in all, and every
isolated position is a pool of its own. Spot mode has one where it may borrow, and else none.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from monitor.simulator.okx_account import FUTURES, PORTFOLIO, ZERO, Account, Prices
from monitor.simulator.okx_ledger import AccountFigures, figures
from monitor.simulator.okx_legs import PositionFigures
from monitor.simulator.okx_roots import both_roots
from monitor.simulator.takeover import repay
from monitor.simulator.truth import PoolTruth, PositionTruth

UNIFIED = "unified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """What was closed, at the marks that were published."""

    positions: tuple[PositionFigures, ...]
    cancelled_orders: int
    paid: Decimal  # in the pool's unit: what closing cost beyond the loss at the mark


def pools(account: Account, prices: Prices) -> tuple[PoolTruth, ...]:
    """All pools of the account at these prices that hold a position or owe a requirement."""
    now = figures(account, prices)
    names = dict.fromkeys(pool_of(now, mine) for mine in now.positions)
    if account.is_unified:
        names = {UNIFIED: None, **names}
    if account.level == FUTURES:
        names |= {coin.ccy: None for coin in now.coins if coin.requirement > 0}
    return tuple(_pool(account, prices, now, name) for name in names)


def pool_of(now: AccountFigures, mine: PositionFigures) -> str:
    """The name of the pool that a position belongs to."""
    if mine.position.is_isolated:
        name = f"isolated/{mine.instrument.inst_id}"
        side = mine.position.pos_side
        return name if side == "net" else f"{name}/{side}"
    return mine.ccy if now.account.level == FUTURES else UNIFIED


def room_and_need(now: AccountFigures, pool: str) -> tuple[Decimal, Decimal]:
    """Equity of a pool and the whole requirement held against it, in the pool's unit."""
    if pool == UNIFIED:
        return now.adjusted_equity, now.requirement
    mine = next((p for p in now.positions if pool_of(now, p) == pool), None)
    if mine is not None and mine.position.is_isolated:
        return mine.equity, mine.mmr + mine.fee
    coin = now.coin(pool)
    return coin.cross_equity, coin.requirement


def liquidate(account: Account, prices: Prices, pool: str) -> Liquidation:
    """
    Take a pool over: its orders cancelled, its positions closed.

    Positions leave at the mark, and what was required for them, fees included, is lost with
    them, since a takeover happens at the bankruptcy price.

    Source: OKX help "Liquidation" (2025-05), in one step where the exchange takes several.
    """
    now = figures(account, prices)
    closed = tuple(p for p in now.positions if pool_of(now, p) == pool)
    isolated = any(p.position.is_isolated for p in closed)
    paid = room_and_need(now, pool)[1]
    gone = {p.position.pos_id for p in closed}
    account.positions = [p for p in account.positions if p.pos_id not in gone]
    account.loans = [p for p in account.loans if p.pos_id not in gone]
    if isolated:
        return Liquidation(positions=closed, cancelled_orders=0, paid=paid)
    for coin in now.coins:
        if pool in {UNIFIED, coin.ccy}:
            account.cash[coin.ccy] = coin.own - coin.requirement
            account.interest.pop(coin.ccy, None)
    account.others = [o for o in account.others if pool not in {UNIFIED, o.ccy}]
    before = len(account.orders)
    cancelled = {o.order.order_id for o in now.orders if pool in {UNIFIED, o.settle}}
    account.orders = [o for o in account.orders if o.order_id not in cancelled]
    if pool == UNIFIED:
        repay(account.cash, prices.usd)
    else:
        account.cash[pool] = max(ZERO, account.cash[pool])
    return Liquidation(positions=closed, cancelled_orders=before - len(account.orders), paid=paid)


def _pool(account: Account, prices: Prices, now: AccountFigures, pool: str) -> PoolTruth:
    balance, needed = room_and_need(now, pool)
    ccy = next((p.ccy for p in now.positions if pool_of(now, p) == pool), pool)
    return PoolTruth(
        pool=pool,
        unit="USD" if pool == UNIFIED else ccy,
        margin_balance=balance,
        maintenance_margin=needed,
        positions=tuple(
            _position(account, prices, mine, pool)
            for mine in now.positions
            if pool_of(now, mine) == pool
        ),
    )


def _position(account: Account, prices: Prices, mine: PositionFigures, pool: str) -> PositionTruth:
    inst_id = mine.instrument.inst_id
    alone = _alone(account, mine)

    def slack(price: Decimal) -> Decimal:
        balance, needed = room_and_need(figures(alone, prices.with_mark(inst_id, price)), pool)
        return balance - needed

    @cache
    def roots() -> tuple[Decimal | None, Decimal | None]:
        return both_roots(slack, mine.mark)

    stressed = account.level == PORTFOLIO and not mine.position.is_isolated
    return PositionTruth(
        exchange_symbol=inst_id,
        side="long" if mine.position.direction > 0 else "short",
        contracts=mine.position.contracts,
        entry_price=mine.position.avg_px,
        mark_price=mine.mark,
        notional=mine.notional,
        unrealized_pnl=mine.upl,
        maintenance_margin=None if stressed else mine.mmr + mine.fee,
        liquidation_price=lambda: roots()[0],
        other_liquidation_price=lambda: roots()[1],
    )


def _alone(account: Account, mine: PositionFigures) -> Account:
    """The account without what stands in other pools: less to figure, the same in this one."""
    it = mine.position
    if it.is_isolated:
        mine_only = replace(account, cash={}, strategy={}, interest={}, orders=[], others=[])
        mine_only.positions = [p for p in account.positions if p.pos_id == it.pos_id]
        mine_only.loans = [p for p in account.loans if p.pos_id == it.pos_id]
        return mine_only
    return replace(
        account,
        positions=[p for p in account.positions if not p.is_isolated],
        loans=[p for p in account.loans if not p.is_isolated],
    )
