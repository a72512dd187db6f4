"""
An isolated position of a Bybit unified account: its own pool, in its settle coin.

What stands for it is its initial margin on the entry price, what was added by hand, and its
unrealised PnL; what is held against that is its maintenance margin on the mark. The fee to
close is in both. It is liquidated where the two meet, whatever the rest of the account holds.

The published liquidation price of 2024 has the maintenance margin on the entry price; since
2025-09 that margin is on the mark, and the price solved with it is derived, not confirmed on a
wire.

Source: Bybit "Liquidation price (isolated margin)" (2024-09), "Maintenance margin"
(2025-09-18).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from monitor.simulator.bybit_account import ZERO, Account, Position, Prices
from monitor.simulator.bybit_ledger import (
    PositionFigures,
    figures,
    position_figures,
    value_at,
)
from monitor.simulator.bybit_tables import INSTRUMENTS, RISK_LIMITS, RiskTier


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """An isolated position as a pool; both figures in its settle coin."""

    position: PositionFigures
    margin_balance: Decimal
    maintenance_margin: Decimal

    @property
    def slack(self) -> Decimal:
        return self.margin_balance - self.maintenance_margin


def isolated_pools(account: Account, prices: Prices) -> tuple[Isolated, ...]:
    """One pool for each position, in the account's order."""
    return tuple(_pool(mine) for mine in figures(account, prices).positions)


def slack_at(account: Account, mine: PositionFigures) -> Callable[[Decimal], Decimal]:
    """What is left of the position's pool as its mark goes; orders beside it take nothing."""
    position, rate = mine.position, account.charged_rate

    def slack(price: Decimal) -> Decimal:
        return _pool(position_figures(position, price, rate, isolated=True)).slack

    return slack


def added_margin(position: Position) -> Decimal:
    """What was added by hand to the initial margin, in settle coin."""
    return max(ZERO, position.isolated_margin - _initial(position))


def with_margin(position: Position, amount: Decimal) -> Position:
    """The position with so much more added by hand."""
    stands = max(position.isolated_margin, _initial(position))
    return replace(position, isolated_margin=stands + amount)


def liquidation_price(position: Position) -> Decimal | None:
    """
    The price that the wire shows: the formula solved for the tier that holds there.

    linear: (E (1 -/+ 1/L) -/+ (extra + d) / q) / (1 -/+ m), inverse the same in 1 / price; fees
    cancel out. None where no price above 0 does, or it lies outside the price limits.
    """
    instrument, tiers = INSTRUMENTS[position.symbol], RISK_LIMITS[position.symbol]
    for tier in tiers:
        price = _at_tier(position, tier)
        if price is None or price <= 0:
            continue
        if value_at(instrument, position.size, price) <= tier.limit or tier is tiers[-1]:
            inside = instrument.least_price <= price <= instrument.greatest_price
            return price if inside else None
    return None


def _at_tier(position: Position, tier: RiskTier) -> Decimal | None:
    linear = INSTRUMENTS[position.symbol].category == "linear"
    sign = 1 if position.side == "Buy" else -1
    rate, size, added = tier.maintenance_rate, position.size, added_margin(position)
    if linear:
        entry = size * (position.pnl_from - sign * position.entry / position.leverage)
        return (entry - sign * (added + tier.deduction)) / (size * (1 - sign * rate))
    entry = size / position.pnl_from + sign * size / position.entry / position.leverage
    coins = entry + sign * (added + tier.deduction)
    return size * (1 + sign * rate) / coins if coins > 0 else None


def _initial(position: Position) -> Decimal:
    """Initial margin on the entry price, without the fee to close."""
    instrument = INSTRUMENTS[position.symbol]
    return value_at(instrument, position.size, position.entry) / position.leverage


def _pool(mine: PositionFigures) -> Isolated:
    return Isolated(
        position=mine,
        margin_balance=mine.initial_margin + added_margin(mine.position) + mine.unrealised_pnl,
        maintenance_margin=mine.maintenance_margin,
    )
