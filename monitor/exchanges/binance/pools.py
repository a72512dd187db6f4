"""
Binance's margin rules: mode and rows → margin pools, and what Binance itself says of each.

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
    Reported,
    Side,
)
from monitor.risk.result import Requirement
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.exchanges.binance.account import AssetRow, PositionKey, PositionRow, Sketch
    from monitor.risk.model import Instrument, TierTable

WALLET = "USDⓈ-M Futures wallet"
# Binance's money has 8 decimals; a figure that shows fewer has had its zeros cut.
_MONEY_EXPONENT = -8
_TIERS_FIT = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    What a position's figures need beside its row.

    `tables`: the tier table, or the readings of it that are possible. `fee` and `leverage`
    are None where they were not told.
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
        tiers=_fitting_table(holding),
        margin_mode=MarginMode.ISOLATED if holding.is_isolated else MarginMode.CROSS,
        initial_rate=_initial_rate(holding),
        leverage=terms.leverage,
        taker_fee_rate=terms.fee if terms.fee is not None else ZERO,
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


def _fitting_table(holding: Holding) -> TierTable:
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


def read_reported(
    account: str,
    assets: Mapping[str, AssetRow],
    holdings: tuple[Holding, ...],
    sketches: Mapping[PositionKey, Sketch],
    at: datetime,
) -> Mapping[PoolId, Reported]:
    """
    What Binance says of every pool, at the marks of the position rows.

    The account reply and the position rows are two calls, some milliseconds and mark moves
    apart: an asset's totals are carried from the one to the other by Binance's own figures,
    position by position. A pool that an event has changed since has no report.
    """
    reported = {}
    for name, row in assets.items():
        inside = [h for h in holdings if h.asset == name and not h.is_isolated]
        alone = any(h.asset == name and h.is_isolated for h in holdings)
        told = _reported_cross(row, inside, sketches, alone=alone)
        if told is not None and (row.cross_wallet != ZERO or inside):
            reported[PoolId(account=account, name=name)] = _reported(row.asset, told, at)
    for holding in holdings:
        if holding.is_isolated and holding.row.told is not None:
            mine = holding.row.told
            figures = _Figures(
                balance=mine.isolated_margin,
                maintenance=mine.maintenance,
                initial=mine.initial,
                wire=(mine.isolated_margin, mine.maintenance),
                exposure=abs(holding.row.amount),
            )
            pool = PoolId(account=account, name=isolated_name(holding.row))
            reported[pool] = _reported(holding.asset, figures, at)
    return reported


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """Binance's figures of one pool; `wire` is every amount that they were put together from."""

    balance: Decimal
    maintenance: Decimal
    initial: Decimal | None
    wire: tuple[Decimal, ...]
    exposure: Decimal


def _reported_cross(
    row: AssetRow,
    inside: list[Holding],
    sketches: Mapping[PositionKey, Sketch],
    *,
    alone: bool,
) -> _Figures | None:
    told = [holding.row.told for holding in inside if holding.row.told is not None]
    if row.cross_pnl is None or row.maintenance is None or len(told) != len(inside):
        return None
    drawn = [sketches[h.row.key] for h in inside if h.row.key in sketches]
    pnl = sum((t.unrealized_pnl for t in told), ZERO)
    maintenance = sum((t.maintenance for t in told), ZERO)
    wire = [row.cross_wallet, row.cross_pnl, row.maintenance]
    wire += [figure for t in told for figure in (t.unrealized_pnl, t.maintenance)]
    if len(drawn) == len(inside):
        wire += [figure for s in drawn for figure in (s.unrealized_pnl, s.maintenance)]
        pnl += row.cross_pnl - sum((s.unrealized_pnl for s in drawn), ZERO)
        # Whether an asset's maintenance counts isolated positions in is not published.
        if not alone:
            maintenance += row.maintenance - sum((s.maintenance for s in drawn), ZERO)
    return _Figures(
        balance=row.cross_wallet + pnl,
        maintenance=maintenance,
        initial=None if alone else row.initial,
        wire=tuple(wire),
        exposure=sum((abs(holding.row.amount) for holding in inside), ZERO),
    )


def _reported(unit: str, figures: _Figures, at: datetime) -> Reported:
    requirement = Requirement(
        unit=unit,
        margin_balance=figures.balance,
        initial_margin=figures.initial or ZERO,
        maintenance_margin=figures.maintenance,
    )
    return Reported(
        at=at,
        margin_balance=figures.balance,
        maintenance_margin=figures.maintenance,
        initial_margin=figures.initial,
        ratio=requirement.ratio,
        resolution=_resolution(figures),
    )


def _resolution(figures: _Figures) -> Decimal:
    """One unit of the finest digit seen per amount, and of a mark's 8 decimals per contract."""
    exponents = [figure.as_tuple().exponent for figure in figures.wire]
    finest = min([_MONEY_EXPONENT, *(e for e in exponents if isinstance(e, int))])
    return ONE.scaleb(finest) * len(figures.wire) + ONE.scaleb(_MONEY_EXPONENT) * figures.exposure
