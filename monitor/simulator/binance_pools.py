"""Binance's margin pools, their liquidation prices, and what a liquidation does to the ledger."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import pairwise

from monitor.simulator.binance_ledger import ZERO, Ledger, Leg, Marks, Rates
from monitor.simulator.truth import PoolTruth, PositionTruth

MULTI_ASSETS_POOL = "multi-assets"
Slack = Callable[[Decimal], Decimal]  # price -> balance less maintenance margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a liquidation did to one leg and its asset's wallet."""

    leg: Leg
    mark: Decimal
    realized: Decimal
    fee: Decimal


def pools(ledger: Ledger, marks: Marks, rates: Mapping[str, Rates]) -> tuple[PoolTruth, ...]:
    """Give all margin pools of the account at these marks."""
    return (*_cross_pools(ledger, marks, rates), *_isolated_pools(ledger, marks))


def _cross_pools(ledger: Ledger, marks: Marks, rates: Mapping[str, Rates]) -> Iterator[PoolTruth]:
    if ledger.multi_assets:
        yield PoolTruth(
            pool=MULTI_ASSETS_POOL,
            unit="USD",
            margin_balance=ledger.equity(marks, rates),
            maintenance_margin=ledger.account_maint_margin(marks, rates),
            positions=_positions(ledger, tuple(ledger.cross_legs()), marks, rates),
        )
        return
    for asset in ledger.assets():
        yield PoolTruth(
            pool=asset,
            unit=asset,
            margin_balance=ledger.cross_balance(asset, marks),
            maintenance_margin=ledger.cross_maint_margin(asset, marks),
            positions=_positions(ledger, tuple(ledger.cross_legs(asset)), marks, rates),
        )


def _isolated_pools(ledger: Ledger, marks: Marks) -> Iterator[PoolTruth]:
    for leg in ledger.legs:
        if leg.isolated_wallet is None:
            continue
        mark = marks(leg.symbol.name)
        yield PoolTruth(
            pool=leg.pool,
            unit=leg.symbol.margin_asset,
            margin_balance=leg.isolated_wallet + leg.unrealized_profit(mark),
            maintenance_margin=leg.maint_margin(mark),
            positions=_positions(ledger, (leg,), marks, {}),
        )


def _positions(
    ledger: Ledger, legs: tuple[Leg, ...], marks: Marks, rates: Mapping[str, Rates]
) -> tuple[PositionTruth, ...]:
    rows = []
    for leg in legs:
        mark = marks(leg.symbol.name)
        rows.append(
            PositionTruth(
                exchange_symbol=leg.symbol.name,
                side="long" if leg.amount > 0 else "short",
                contracts=abs(leg.amount),
                entry_price=leg.entry_price,
                mark_price=mark,
                notional=abs(leg.notional(mark)),
                unrealized_pnl=leg.unrealized_profit(mark),
                maintenance_margin=leg.maint_margin(mark),
                liquidation_price=partial(liquidation_price, ledger, leg, marks, rates),
            )
        )
    return tuple(rows)


def liquidation_price(
    ledger: Ledger, leg: Leg, marks: Marks, rates: Mapping[str, Rates]
) -> Decimal | None:
    """
    Give the mark of the leg's symbol at which its pool is liquidated, all other marks frozen.

    Both legs of a hedged symbol share it in cross mode. The price is sought where the net
    exposure hurts (below for a net long, above for a net short or equal legs), and where there
    is none, on the other side. None where no positive price does it.
    """
    together = [other for other in ledger.cross_legs() if other.symbol.name == leg.symbol.name]
    moved = [leg] if leg.is_isolated else together
    mark = marks(leg.symbol.name)

    def slack(price: Decimal) -> Decimal:
        if leg.isolated_wallet is not None:
            balance = leg.isolated_wallet + leg.unrealized_profit(price)
            return balance - leg.maint_margin(price)
        return _cross_slack(ledger, leg, _moved(marks, leg.symbol.name, price), rates)

    kinks = sorted(set(_kinks(ledger, moved, marks, rates)))
    below = [ZERO, *(kink for kink in kinks if 0 < kink < mark), mark]
    above = [mark, *(kink for kink in kinks if kink > mark)]
    down = _root(list(pairwise(below))[::-1], slack)
    up = _root(list(pairwise(above)), slack) or _root_beyond(above[-1], slack)
    net = sum((other.amount for other in moved), ZERO)
    return (down or up) if net > 0 else (up or down)


def _moved(marks: Marks, symbol: str, price: Decimal) -> Marks:
    return lambda name: price if name == symbol else marks(name)


def _cross_slack(ledger: Ledger, leg: Leg, marks: Marks, rates: Mapping[str, Rates]) -> Decimal:
    if ledger.multi_assets:
        return ledger.equity(marks, rates) - ledger.account_maint_margin(marks, rates)
    asset = leg.symbol.margin_asset
    return ledger.cross_balance(asset, marks) - ledger.cross_maint_margin(asset, marks)


def _kinks(
    ledger: Ledger, moved: list[Leg], marks: Marks, rates: Mapping[str, Rates]
) -> Iterator[Decimal]:
    """Give the prices at which slack changes its slope: bracket caps, and a balance of zero."""
    for leg in moved:
        for bracket in leg.symbol.brackets[:-1]:
            yield bracket.cap / abs(leg.amount)
    net = sum((leg.amount for leg in moved), ZERO)
    if ledger.multi_assets and rates and net:
        symbol = moved[0].symbol
        balance = ledger.cross_balance(symbol.margin_asset, marks)
        yield marks(symbol.name) - balance / net


def _root(intervals: list[tuple[Decimal, Decimal]], slack: Slack) -> Decimal | None:
    """Give the first root of a function that is linear within each interval."""
    for left, right in intervals:
        at_left, at_right = slack(left), slack(right)
        if (at_left <= 0) != (at_right <= 0):
            root = left + (right - left) * at_left / (at_left - at_right)
            if root > 0:
                return Decimal(root)
    return None


def _root_beyond(start: Decimal, slack: Slack) -> Decimal | None:
    """Give the root above `start`, where the function is linear for good."""
    here, there = slack(start), slack(start + 1)
    slope = there - here
    if here > 0 and slope < 0:
        return Decimal(start - here / slope)
    return None


def liquidate(ledger: Ledger, pool: str, marks: Marks, at: int) -> tuple[Closed, ...]:
    """
    Close everything in a pool at its marks and give what was done.

    The liquidation fee of the symbol is charged on the notional; it is no part of the trigger.
    A wallet that would fall below zero is made whole by the insurance fund: it ends at zero.
    """
    closed = []
    for leg in [leg for leg in ledger.legs if pool in {leg.pool, _cross_pool(ledger, leg)}]:
        mark = marks(leg.symbol.name)
        fee = abs(leg.notional(mark)) * leg.symbol.liquidation_fee
        realized = leg.unrealized_profit(mark)
        closed.append(Closed(leg=leg, mark=mark, realized=realized, fee=fee))
        ledger.legs.remove(leg)
        asset = leg.symbol.margin_asset
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


def _cross_pool(ledger: Ledger, leg: Leg) -> str | None:
    return MULTI_ASSETS_POOL if ledger.multi_assets and not leg.is_isolated else None
