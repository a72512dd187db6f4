"""
The truth of a Bybit account as margin pools, and what a liquidation leaves of it.

Only cross margin has a pool here: the other margin modes are declared, not computed.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.bybit_account import ZERO, Account, Prices
from monitor.simulator.bybit_ledger import PositionFigures, figures
from monitor.simulator.roots import nearest_root
from monitor.simulator.takeover import repay
from monitor.simulator.truth import PoolTruth, PositionTruth

POOL = "unified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """What was closed, at the marks that were published."""

    positions: tuple[PositionFigures, ...]
    cancelled_orders: int
    paid: Decimal  # USD: what closing cost beyond the loss at the mark


def pools(account: Account, prices: Prices) -> tuple[PoolTruth, ...]:
    """The unified pool at these prices; empty in isolated and portfolio margin."""
    if account.margin_mode != "REGULAR_MARGIN":
        return ()
    now = figures(account, prices)
    return (
        PoolTruth(
            pool=POOL,
            unit="USD",
            margin_balance=now.carrying,
            maintenance_margin=now.maintenance_margin,
            positions=tuple(_position(account, prices, mine) for mine in now.positions),
        ),
    )


def liquidation_price(account: Account, prices: Prices, symbol: str) -> Decimal | None:
    """
    The nearest mark of this symbol that brings the account to 100 %.

    The index of the symbol's base coin moves with it, so collateral held in that coin does.
    """

    def slack(price: Decimal) -> Decimal:
        then = figures(account, prices.moved(symbol, price))
        return then.carrying - then.maintenance_margin

    mark = next(p.mark for p in figures(account, prices).positions if p.position.symbol == symbol)
    return nearest_root(slack, mark)


def liquidate(account: Account, prices: Prices) -> Liquidation:
    """
    Take the account over: orders cancelled, positions closed, borrowings repaid.

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
        cancelled_orders=len(account.orders),
        paid=sum((c.position_mm * c.index for c in now.coins), ZERO),
    )
    account.positions.clear()
    account.orders.clear()
    account.options.clear()
    for borrowed_coin, borrowed in account.spot_borrow.items():
        account.wallets[borrowed_coin] = account.wallets.get(borrowed_coin, ZERO) - borrowed
    account.spot_borrow.clear()
    repay(account.wallets, prices.index)
    return done


def _position(account: Account, prices: Prices, mine: PositionFigures) -> PositionTruth:
    return PositionTruth(
        exchange_symbol=mine.position.symbol,
        side="long" if mine.position.side == "Buy" else "short",
        contracts=mine.position.size,
        entry_price=mine.position.entry,
        mark_price=mine.mark,
        notional=mine.value,
        unrealized_pnl=mine.unrealised_pnl,
        maintenance_margin=mine.maintenance_margin,
        liquidation_price=lambda: liquidation_price(account, prices, mine.position.symbol),
    )
