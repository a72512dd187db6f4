"""
The truth of a Bybit account as margin pools, and what a liquidation leaves of it.

Cross and portfolio margin are one pool in USD, isolated margin one for each position in its
settle coin. An account that is no unified trading account 2.0 has none here: its rules are
older than the sources.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from monitor.simulator.bybit_account import ZERO, Account, Position, Prices
from monitor.simulator.bybit_isolated import Isolated, added_margin, isolated_pools, slack_at
from monitor.simulator.bybit_ledger import PositionFigures, figures
from monitor.simulator.bybit_search import ends
from monitor.simulator.bybit_tables import INSTRUMENTS
from monitor.simulator.takeover import repay
from monitor.simulator.truth import PoolTruth, PositionTruth

UNIFIED_2 = frozenset({5, 6})
_UNIFIED = "unified"
Ends = tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """What was closed, at the marks that were published."""

    positions: tuple[PositionFigures, ...]
    costs: tuple[Decimal, ...]  # of each, in its settle coin, beyond the loss at the mark
    cancelled_orders: int
    paid: Decimal  # USD: the costs together


def pools(account: Account, prices: Prices) -> tuple[PoolTruth, ...]:
    """Every pool at these prices; none of an account that is no unified account 2.0."""
    if account.unified_status not in UNIFIED_2:
        return ()
    if account.isolated:
        return tuple(_isolated(account, pool) for pool in isolated_pools(account, prices))
    now = figures(account, prices)
    return (
        PoolTruth(
            pool=_UNIFIED,
            unit="USD",
            margin_balance=now.carrying,
            maintenance_margin=now.maintenance_margin,
            positions=tuple(_position(account, prices, mine) for mine in now.positions),
        ),
    )


def pool_name(position: Position) -> str:
    """Of an isolated position; in hedge mode each side is a pool of its own."""
    side = "long" if position.side == "Buy" else "short"
    return f"isolated/{position.symbol}" + (f"/{side}" if position.idx else "")


def liquidation_prices(account: Account, prices: Prices, symbol: str) -> Ends:
    """
    The nearest mark of this symbol that brings the account to 100 %, and the other one.

    The index of the symbol's base coin moves with it, so collateral held in that coin does.
    """

    def slack(price: Decimal) -> Decimal:
        then = figures(account, prices.moved(symbol, price))
        return then.carrying - then.maintenance_margin

    return ends(slack, prices.mark(INSTRUMENTS[symbol]))


def liquidate(account: Account, prices: Prices, pool: str = _UNIFIED) -> Liquidation:
    """
    Take a pool over.

    Raises:
        KeyError: If the account has no such pool.
    """
    if not account.isolated:
        if pool != _UNIFIED:
            raise KeyError(pool)
        return _liquidate_all(account, prices)
    found = {pool_name(it.position.position): it for it in isolated_pools(account, prices)}
    return _liquidate_one(account, prices, found[pool])


def _liquidate_one(account: Account, prices: Prices, pool: Isolated) -> Liquidation:
    """The margin posted for it is lost, its orders are cancelled; the others stay."""
    mine = pool.position.position
    settle = pool.position.instrument.settle
    lost = pool.position.initial_margin + added_margin(mine)
    orders = [o for o in account.orders if o.symbol == mine.symbol and o.idx == mine.idx]
    account.wallets[settle] = account.wallets.get(settle, ZERO) - lost
    account.positions.remove(mine)
    account.orders[:] = [o for o in account.orders if o not in orders]
    return Liquidation(
        positions=(pool.position,),
        costs=(lost + pool.position.unrealised_pnl,),
        cancelled_orders=len(orders),
        paid=(lost + pool.position.unrealised_pnl) * prices.index(settle),
    )


def _liquidate_all(account: Account, prices: Prices) -> Liquidation:
    """
    Orders are cancelled, positions closed, borrowings repaid.

    Positions leave at the mark, and what the maintenance margin was held for is lost with
    them, since a takeover happens at the bankruptcy price. A coin that ends below zero is
    repaid out of the other coins; what then still lacks is the insurance pool's.

    Source: Bybit "Liquidation process: unified trading account" (2025), in one step where
    the exchange takes several.
    """
    now = figures(account, prices)
    for coin in now.coins:
        rest = coin.wallet + coin.unrealised_pnl - coin.position_mm
        account.wallets[coin.coin] = rest + coin.option_value
    done = Liquidation(
        positions=now.positions,
        costs=tuple(it.maintenance_margin for it in now.positions),
        cancelled_orders=len(account.orders),
        paid=sum((c.position_mm * c.index for c in now.coins), ZERO),
    )
    account.positions.clear()
    account.orders.clear()
    account.options.clear()
    account.declared_im = account.declared_mm = ZERO
    for borrowed_coin, borrowed in account.spot_borrow.items():
        account.wallets[borrowed_coin] = account.wallets.get(borrowed_coin, ZERO) - borrowed
    account.spot_borrow.clear()
    repay(account.wallets, prices.index)
    return done


def _isolated(account: Account, pool: Isolated) -> PoolTruth:
    mine = pool.position

    def solved() -> Ends:
        return ends(slack_at(account, mine), mine.mark)

    return PoolTruth(
        pool=pool_name(mine.position),
        unit=mine.instrument.settle,
        margin_balance=pool.margin_balance,
        maintenance_margin=pool.maintenance_margin,
        positions=(_truth(mine, mine.maintenance_margin, solved),),
    )


def _position(account: Account, prices: Prices, mine: PositionFigures) -> PositionTruth:
    maintenance = None if account.portfolio else mine.maintenance_margin
    symbol = mine.position.symbol
    return _truth(mine, maintenance, lambda: liquidation_prices(account, prices, symbol))


def _truth(
    mine: PositionFigures, maintenance: Decimal | None, solve: Callable[[], Ends]
) -> PositionTruth:
    solved = cache(solve)
    return PositionTruth(
        exchange_symbol=mine.position.symbol,
        side="long" if mine.position.side == "Buy" else "short",
        contracts=mine.position.size,
        entry_price=mine.position.entry,
        mark_price=mine.mark,
        notional=mine.value,
        unrealized_pnl=mine.unrealised_pnl,
        maintenance_margin=maintenance,
        liquidation_price=lambda: solved()[0],
        other_liquidation_price=lambda: solved()[1],
    )
