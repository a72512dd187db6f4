"""
The truth of a Bybit account as margin pools, and what a liquidation leaves of it.

Only cross margin has a pool here: the other margin modes are declared, not computed.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from monitor.simulator.bybit_account import ZERO, Account, Prices, moved
from monitor.simulator.bybit_ledger import AccountFigures, PositionFigures, figures
from monitor.simulator.roots import nearest_root
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
        then = figures(account, moved(prices, symbol, price))
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
    _repay(account, now)
    return done


def _repay(account: Account, now: AccountFigures) -> None:
    """Sell the coins worth most until nothing is owed, and write off the rest."""
    index = {coin.coin: coin.index for coin in now.coins}
    for coin, borrowed in account.spot_borrow.items():
        account.wallets[coin] = account.wallets.get(coin, ZERO) - borrowed
    account.spot_borrow.clear()
    owed = sum((-amount * index[c] for c, amount in account.wallets.items() if amount < 0), ZERO)
    for coin in sorted(account.wallets, key=lambda c: -account.wallets[c] * index[c]):
        amount = account.wallets[coin]
        if amount > 0 and index[coin] > 0:
            sold = min(amount, owed / index[coin])
            account.wallets[coin] = amount - sold
            owed -= sold * index[coin]
        else:
            account.wallets[coin] = ZERO


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


def deposited(account: Account, coin: str, amount: Decimal) -> None:
    """Change a coin's wallet balance; a negative amount is taken out."""
    account.wallets[coin] = account.wallets.get(coin, ZERO) + amount


def resized(account: Account, symbol: str, side: str, size: Decimal) -> None:
    """Change the size of a position as if the difference had been closed at its entry."""
    account.positions = [
        replace(p, size=size) if (p.symbol, p.side) == (symbol, side) else p
        for p in account.positions
        if size > 0 or (p.symbol, p.side) != (symbol, side)
    ]
