"""
The truth of an OKX account as margin pools, and what a liquidation leaves of them.

Futures mode has one pool per settle currency, the two USD-valued modes one in all, and every
isolated position is a pool of its own. Spot mode has none.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.okx_account import (
    FUTURES,
    MULTI_CURRENCY,
    PORTFOLIO,
    ZERO,
    Account,
    Prices,
)
from monitor.simulator.okx_ledger import AccountFigures, PositionFigures, figures
from monitor.simulator.roots import nearest_root
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
    if now.level in {MULTI_CURRENCY, PORTFOLIO}:
        names = {UNIFIED: None, **names}
    if now.level == FUTURES:
        names |= {coin.ccy: None for coin in now.coins if coin.requirement > 0}
    return tuple(_pool(account, prices, now, name) for name in names)


def pool_of(now: AccountFigures, mine: PositionFigures) -> str:
    """The name of the pool that a position belongs to."""
    if mine.position.is_isolated:
        name = f"isolated/{mine.instrument.inst_id}"
        side = mine.position.pos_side
        return name if side == "net" else f"{name}/{side}"
    return mine.instrument.settle if now.level == FUTURES else UNIFIED


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
    if isolated:
        return Liquidation(positions=closed, cancelled_orders=0, paid=paid)
    for coin in now.coins:
        if pool in {UNIFIED, coin.ccy}:
            account.cash[coin.ccy] = coin.cash + coin.upl - coin.iso_upl - coin.requirement
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
    isolated = pool.startswith("isolated/")
    settle = next((p.instrument.settle for p in now.positions if pool_of(now, p) == pool), pool)
    return PoolTruth(
        pool=pool,
        unit="USD" if pool == UNIFIED else settle if isolated else pool,
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

    def slack(price: Decimal) -> Decimal:
        balance, needed = room_and_need(figures(account, prices.with_mark(inst_id, price)), pool)
        return balance - needed

    return PositionTruth(
        exchange_symbol=inst_id,
        side="long" if mine.position.direction > 0 else "short",
        contracts=mine.position.contracts,
        entry_price=mine.position.avg_px,
        mark_price=mine.mark,
        notional=mine.notional,
        unrealized_pnl=mine.upl,
        maintenance_margin=mine.mmr + mine.fee,
        liquidation_price=lambda: nearest_root(slack, mine.mark),
    )
