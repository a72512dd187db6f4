"""What a liquidation does to Binance's ledgers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.binance_declared import MarginAsset
from monitor.simulator.binance_ledger import ZERO, Ledger, Leg, Marks, Rates
from monitor.simulator.binance_portfolio import Portfolio
from monitor.simulator.binance_prices import Prices
from monitor.simulator.takeover import repay


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a trade did to one leg and its asset's wallet; `amount` has the sign of the leg."""

    leg: Leg
    amount: Decimal
    mark: Decimal
    realized: Decimal
    fee: Decimal


def liquidate(ledger: Ledger, legs: tuple[Leg, ...], marks: Marks, at: int) -> tuple[Closed, ...]:
    """
    Close these legs of a ledger at their marks and give what was done.

    The liquidation fee of the symbol is charged on the notional; it is no part of the trigger.
    """
    closed = []
    for leg in legs:
        mark = marks(leg.symbol.name)
        fee = abs(leg.notional(mark)) * leg.symbol.liquidation_fee
        realized = leg.unrealized_profit(mark)
        closed.append(Closed(leg=leg, amount=leg.amount, mark=mark, realized=realized, fee=fee))
        ledger.legs.remove(leg)
        asset = leg.margin_asset
        if leg.isolated_wallet is not None:
            left = max(leg.isolated_wallet + realized - fee, ZERO)
        else:
            left = realized - fee
        ledger.cross_wallets[asset] = ledger.cross_wallets.get(asset, ZERO) + left
        ledger.touched_at[asset] = at
    names = {item.leg.symbol.name for item in closed}
    ledger.orders = [order for order in ledger.orders if order.symbol not in names]
    return tuple(closed)


def settle_debts(ledger: Ledger, rates: Mapping[str, Rates]) -> dict[str, Decimal]:
    """
    Raise negative wallets to zero and give what the insurance fund paid, per asset.

    In multi-assets mode the account's other assets pay first (auto-exchange): a debt is bought
    at its ask rate with an asset at its bid rate.
    """
    paid = {}
    for asset, balance in ledger.cross_wallets.items():
        if balance >= 0:
            continue
        debt = -balance
        if ledger.multi_assets:
            debt -= _exchanged(ledger, asset, debt, rates)
        ledger.cross_wallets[asset] = ZERO
        if debt > 0:
            paid[asset] = debt
    return paid


def _exchanged(ledger: Ledger, debtor: str, debt: Decimal, rates: Mapping[str, Rates]) -> Decimal:
    """Take from the other assets what a debt needs and give how much of it was covered."""
    covered = ZERO
    for asset, balance in ledger.cross_wallets.items():
        if asset == debtor or balance <= 0:
            continue
        price = rates[debtor].ask / rates[asset].bid  # of one unit of the debt, in this asset
        part = min(balance / price, debt - covered)
        ledger.cross_wallets[asset] = balance - part * price
        covered += part
    return covered


def settle_portfolio(portfolio: Portfolio, prices: Prices) -> None:
    """
    Pay what a liquidated portfolio owes out of its coins; what is left stands in cross margin.

    How Binance goes about it is not published.
    """
    nets = {asset: portfolio.net(asset, prices) for asset in portfolio.assets()}
    repay(nets, lambda asset: prices.rates[asset].ask)
    for ledger in (portfolio.usd, portfolio.coin):
        ledger.cross_wallets = dict.fromkeys(ledger.cross_wallets, ZERO)
    portfolio.extras.margin = {name: MarginAsset(free=left) for name, left in nets.items()}
