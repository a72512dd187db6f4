"""
What Binance itself says of every pool, at the marks of the position rows.

Must not know how our own pools are built, beyond the tier table that a position goes by: the
two are compared elsewhere.

Source: Binance «Account Information V3», «Position Information V3», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.exchanges.binance.pools import fitting_table, isolated_name
from monitor.risk.model import ONE, ZERO, PoolId, Reported
from monitor.risk.result import Requirement
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import AssetRow, PositionKey, PositionRow, Sketch, Told
    from monitor.exchanges.binance.pools import Holding

# Binance's money has 8 decimals; a figure that shows fewer has had its zeros cut.
_MONEY_EXPONENT = -8


def read_reported(
    account: str,
    assets: Mapping[str, AssetRow],
    holdings: tuple[Holding, ...],
    sketches: Mapping[PositionKey, Sketch],
    at: datetime,
) -> Mapping[PoolId, Reported]:
    """
    What Binance says of every pool, at the marks of the position rows.

    A pool that an event has changed since has no report.
    """
    reported = {}
    for name, asset in assets.items():
        mine = [holding for holding in holdings if holding.asset == name]
        figures = _cross_figures(asset, mine, sketches)
        shown = asset.cross_wallet != ZERO or any(not holding.is_isolated for holding in mine)
        if figures is not None and shown:
            reported[PoolId(account=account, name=name)] = _reported(name, figures, at)
    for holding in holdings:
        row = holding.row
        if holding.is_isolated and row.told is not None:
            pool = PoolId(account=account, name=isolated_name(row))
            reported[pool] = _reported(holding.asset, _isolated_figures(row, row.told), at)
    return reported


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """
    Binance's figures of one pool.

    `wire` is every amount that they were put together from, `contracts` how many contracts
    they were carried to other marks with.
    """

    balance: Decimal
    maintenance: Decimal
    initial: Decimal | None
    wire: tuple[Decimal, ...]
    contracts: Decimal


def _isolated_figures(row: PositionRow, told: Told) -> _Figures:
    return _Figures(
        balance=told.isolated_margin,
        maintenance=told.maintenance,
        initial=told.initial,
        wire=(told.isolated_margin, told.maintenance),
        contracts=abs(row.amount),
    )


def _cross_figures(
    row: AssetRow, mine: list[Holding], sketches: Mapping[PositionKey, Sketch]
) -> _Figures | None:
    """
    An asset's own totals, carried to the marks of the position rows.

    Wallet and position rows are two calls, some milliseconds and mark moves apart, but the
    account reply tells at which notional its totals hold. Where it leaves a position out,
    the position rows' own figures stand in for the totals.
    """
    inside = [holding for holding in mine if not holding.is_isolated]
    told = [holding.row.told for holding in inside if holding.row.told is not None]
    if row.cross_pnl is None or row.maintenance is None or len(told) != len(inside):
        return None
    in_rows = sum((figures.maintenance for figures in told), ZERO)
    carried = [_carried(holding, sketches.get(holding.row.key)) for holding in inside]
    whole = [change for change in carried if change is not None]
    if len(whole) == len(inside):
        pnl = row.cross_pnl + sum((change[0] for change in whole), ZERO)
        total = _without_isolated(row.maintenance, mine, sketches, in_rows)
        maintenance = total + sum((change[1] for change in whole), ZERO)
    else:
        pnl = sum((figures.unrealized_pnl for figures in told), ZERO)
        maintenance = in_rows
    wire = [figure for figures in told for figure in (figures.unrealized_pnl, figures.maintenance)]
    return _Figures(
        balance=row.cross_wallet + pnl,
        maintenance=maintenance,
        initial=row.initial if len(mine) == len(inside) else None,
        wire=(row.cross_wallet, row.cross_pnl, row.maintenance, *wire),
        contracts=sum((abs(holding.row.amount) for holding in inside), ZERO),
    )


def _carried(holding: Holding, sketch: Sketch | None) -> tuple[Decimal, Decimal] | None:
    """
    How profit and maintenance margin change from the account reply's mark to the row's own.

    None where either mark is unknown.
    """
    if sketch is None or sketch.notional is None or holding.mark is None:
        return None
    table = fitting_table(holding)
    after = abs(holding.row.amount) * holding.mark
    before = sketch.notional
    sign = ONE if holding.row.amount > ZERO else -ONE
    return (
        sign * (after - before),
        maintenance_margin(after, after, table) - maintenance_margin(before, before, table),
    )


def _without_isolated(
    total: Decimal,
    mine: list[Holding],
    sketches: Mapping[PositionKey, Sketch],
    in_rows: Decimal,
) -> Decimal:
    """
    An asset's maintenance margin without its isolated positions.

    Whether Binance counts these in is not published: of the two readings, the one nearer to
    the sum of the cross positions' own rows.
    """
    alone = [sketches.get(holding.row.key) for holding in mine if holding.is_isolated]
    apart = sum((sketch.maintenance or ZERO for sketch in alone if sketch is not None), ZERO)
    return min((total, total - apart), key=lambda reading: abs(reading - in_rows))


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
    return ONE.scaleb(finest) * len(figures.wire) + ONE.scaleb(_MONEY_EXPONENT) * figures.contracts
