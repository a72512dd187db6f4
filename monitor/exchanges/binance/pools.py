"""
Binance's margin rules: mode and rows → margin pools.

Single-asset mode: the cross positions of one margin asset stand together on that asset's
cross wallet (isolated wallets and their profit left out), every isolated position alone on
its own. Maintenance margin is charged on each leg at the mark, hedge legs are not netted, open
orders add initial margin only, and no fee counts into the trigger.

Must not know replies, frames or other account kinds.

Source: Binance «Liquidation Protocols», «Leverage and Margin of USDⓈ-M Futures», «How to
Calculate Liquidation Price of USDⓈ-M Futures Contracts», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import (
    ONE,
    ZERO,
    Collateral,
    MarginMode,
    MarginPool,
    PoolId,
    Position,
    Side,
)
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.exchanges.binance.account import AssetRow, PositionRow
    from monitor.risk.model import Instrument, TierTable

# What a regular user pays, the most that there is: advice must hold where no fee was told.
REGULAR_TAKER_FEE = Decimal("0.0005")
WALLET = "USDⓈ-M Futures wallet"
_TIERS_FIT = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    What a position's figures need beside its row.

    `tables`: the tier table, or the readings of it that are possible. `fee` and `leverage`
    are None where they were not told; advice then counts the fee of a regular user.
    """

    instrument: Instrument
    tables: tuple[TierTable, ...]
    leverage: Decimal | None
    fee: Decimal | None
    has_stop_loss: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One open position with its terms; `mark` as of its own row, None without one."""

    row: PositionRow
    terms: Terms
    mark: Decimal | None

    @property
    def asset(self) -> str:
        return self.terms.instrument.settle

    @property
    def is_isolated(self) -> bool:
        return self.row.isolated_wallet is not None


def build_pools(
    account: str, assets: Mapping[str, AssetRow], holdings: Iterable[Holding]
) -> tuple[MarginPool, ...]:
    """
    The account's pools: one per asset with a balance or a cross position, one per isolated
    position; ordered by asset, then by symbol and side.
    """
    held = tuple(holdings)
    crossed = [holding for holding in held if not holding.is_isolated]
    backed = {holding.asset for holding in crossed}
    cross = [
        _cross_pool(account, row, [holding for holding in crossed if holding.asset == name])
        for name, row in sorted(assets.items())
        if row.cross_wallet != ZERO or name in backed
    ]
    isolated = [_isolated_pool(account, holding) for holding in held if holding.is_isolated]
    return (*cross, *isolated)


def _cross_pool(account: str, row: AssetRow, holdings: list[Holding]) -> MarginPool:
    return MarginPool(
        id=PoolId(account=account, name=row.asset),
        unit=row.asset,
        margin_mode=MarginMode.CROSS,
        collateral=(Collateral(asset=row.asset, balance=row.cross_wallet),),
        positions=tuple(build_position(holding) for holding in holdings),
        top_up_asset=row.asset,
        wallet=WALLET,
        other_initial=row.order_initial,
    )


def isolated_name(row: PositionRow) -> str:
    """``isolated/SYMBOL``, and in hedge mode the side, for each side is a pool of its own."""
    return f"isolated/{row.symbol}" + ("" if row.side == "BOTH" else f"/{row.side.lower()}")


def _isolated_pool(account: str, holding: Holding) -> MarginPool:
    row = holding.row
    which = row.symbol if row.side == "BOTH" else f"{row.symbol} {row.side}"
    return MarginPool(
        id=PoolId(account=account, name=isolated_name(row)),
        unit=holding.asset,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=holding.asset, balance=row.isolated_wallet or ZERO),),
        positions=(build_position(holding),),
        top_up_asset=holding.asset,
        wallet=f"isolated margin of {which}",
    )


def build_position(holding: Holding) -> Position:
    row, terms = holding.row, holding.terms
    return Position(
        instrument=terms.instrument,
        side=Side.LONG if row.amount > ZERO else Side.SHORT,
        contracts=abs(row.amount),
        entry_price=row.entry_price,
        tiers=fitting_table(holding),
        margin_mode=MarginMode.ISOLATED if holding.is_isolated else MarginMode.CROSS,
        initial_rate=_initial_rate(holding),
        leverage=terms.leverage,
        taker_fee_rate=terms.fee if terms.fee is not None else REGULAR_TAKER_FEE,
        adl_rank=row.adl,
        has_stop_loss=terms.has_stop_loss,
        reported_liquidation_price=row.told.liquidation_price if row.told else None,
        reported_maintenance_margin=row.told.maintenance if row.told else None,
    )


def _initial_rate(holding: Holding) -> Decimal | None:
    """1 ÷ leverage; where that was not told, what Binance itself holds per notional."""
    if holding.terms.leverage is not None:
        return ONE / holding.terms.leverage
    told = holding.row.told
    if told is None or not told.initial or holding.mark is None:
        return None
    return told.initial / (abs(holding.row.amount) * holding.mark)


def fitting_table(holding: Holding) -> TierTable:
    """
    The first reading of the tier table that gives Binance's own maintenance margin.

    There is a choice only where Binance has adjusted the account's brackets; if none fits,
    the table as it stands.
    """
    first, *others = holding.terms.tables
    told = holding.row.told
    if not others or told is None or holding.mark is None:
        return first
    notional = abs(holding.row.amount) * holding.mark
    for table in holding.terms.tables:
        gap = maintenance_margin(notional, notional, table) - told.maintenance
        if abs(gap) <= _TIERS_FIT * max(ONE, told.maintenance):
            return table
    return first
