"""
What Binance itself says of every pool, at the marks of the position rows.

Must not know how our own pools are built, beyond the tier table that a position goes by: the
two are compared elsewhere.

Source: Binance «Account Information V3», «Position Information V3», «Account Information»
and «Position Information» (COIN-M), «Multi-Assets Mode», read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.pools import fitting_table, isolated_name, pool_assets
from monitor.risk.model import ONE, ZERO, Payoff, PoolId, Reported
from monitor.risk.result import Requirement
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import (
        AssetRow,
        Book,
        PositionKey,
        PositionRow,
        Sketch,
        Told,
    )
    from monitor.exchanges.binance.pools import Holding

# Binance's money has 8 decimals; a figure that shows fewer has had its zeros cut.
_MONEY_EXPONENT = -8
# Wallet and position rows come a moment apart: no mark doubles or halves in it.
_FAR = 2


def read_reported(
    account: str, book: Book, holdings: tuple[Holding, ...], names: Mapping[str, str]
) -> Mapping[PoolId, Reported]:
    """
    What Binance says of every pool of a wallet whose assets stand each for itself.

    A pool that an event has changed since has no report. `names` as in `build_pools`.
    """
    reported: dict[PoolId, Reported] = {}
    for name in pool_assets(book, holdings):
        mine = [holding for holding in holdings if holding.asset == name]
        figures = _cross_figures(book.assets[name], mine, book.sketches)
        if figures is not None:
            pool = PoolId(account=account, name=names.get(name, name))
            reported[pool] = as_reported(name, figures, book.told_at)
    return {**reported, **read_isolated(account, holdings, book.told_at)}


def read_isolated(
    account: str, holdings: Iterable[Holding], at: datetime
) -> Mapping[PoolId, Reported]:
    """What Binance says of every isolated position."""
    reported = {}
    for holding in holdings:
        figures = _isolated_figures(holding.row, holding.row.told) if holding.row.told else None
        if holding.is_isolated and figures is not None:
            pool = PoolId(account=account, name=isolated_name(holding.row))
            reported[pool] = as_reported(holding.asset, figures, at)
    return reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    Binance's figures of one pool.

    `wire` is every amount that they were put together from, `contracts` how many coins or
    contracts they were carried to other marks with.
    """

    balance: Decimal
    maintenance: Decimal
    initial: Decimal | None
    wire: tuple[Decimal, ...]
    contracts: Decimal


def _isolated_figures(row: PositionRow, told: Told) -> Figures | None:
    if told.maintenance is None:
        return None
    return Figures(
        balance=told.isolated_margin,
        maintenance=told.maintenance,
        initial=told.initial,
        wire=(told.isolated_margin, told.maintenance),
        contracts=abs(row.amount),
    )


def _cross_figures(
    row: AssetRow, mine: list[Holding], sketches: Mapping[PositionKey, Sketch]
) -> Figures | None:
    """
    An asset's own totals, carried to the marks of the position rows.

    Wallet and position rows are two calls, some milliseconds and mark moves apart, but the
    account reply tells at which notional its totals hold. Where it leaves a position out,
    the position rows' own figures stand in for the totals.
    """
    inside = [holding for holding in mine if not holding.is_isolated]
    told = [holding.row.told for holding in inside if holding.row.told is not None]
    margins = [figures.maintenance for figures in told if figures.maintenance is not None]
    if row.cross_pnl is None or row.maintenance is None or len(margins) != len(inside):
        return None
    in_rows = sum(margins, ZERO)
    changes = carried(inside, sketches)
    if changes is not None:
        pnl = row.cross_pnl + sum((change.pnl for change in changes), ZERO)
        total = _without_isolated(row.maintenance, mine, sketches, in_rows)
        maintenance = total + sum((change.maintenance for change in changes), ZERO)
    else:
        pnl = sum((figures.unrealized_pnl for figures in told), ZERO)
        maintenance = in_rows
    return Figures(
        balance=row.cross_wallet + pnl,
        maintenance=maintenance,
        initial=row.initial if len(mine) == len(inside) else None,
        wire=(
            row.cross_wallet,
            row.cross_pnl,
            row.maintenance,
            *margins,
            *(figures.unrealized_pnl for figures in told),
        ),
        contracts=sum((abs(holding.row.amount) for holding in inside), ZERO),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one position's figures change from the account reply's mark to its own row's."""

    holding: Holding
    pnl: Decimal
    maintenance: Decimal


def carried(
    holdings: Iterable[Holding], sketches: Mapping[PositionKey, Sketch]
) -> tuple[Change, ...] | None:
    """Every position's change from the account reply to the rows; None where one is unknown."""
    changes = []
    for holding in holdings:
        change = _carried(holding, sketches.get(holding.row.key))
        if change is None:
            return None
        changes.append(change)
    return tuple(changes)


def _carried(holding: Holding, sketch: Sketch | None) -> Change | None:
    """Raises Malformed where the two replies differ by more than any market moves in between."""
    table = fitting_table(holding)
    if sketch is None or sketch.notional is None or holding.mark is None or table is None:
        return None
    if sketch.amount != holding.row.amount:
        return None  # an event has changed the position since
    after, before = holding.notional(holding.mark), sketch.notional
    # A coin-settled long gains as what it is worth in coins shrinks.
    inverse = holding.terms.instrument.payoff is Payoff.INVERSE
    if not after < _FAR * before < _FAR * _FAR * after:
        if inverse:
            return None  # in which unit COIN-M's account reply has it is not published
        where = f"account.positions.{holding.row.symbol}.notional"
        raise Malformed(where, f"about {after:f}, as its mark has it", f"{before:f}")
    gains = (holding.row.amount > ZERO) != inverse
    return Change(
        holding=holding,
        pnl=after - before if gains else before - after,
        maintenance=maintenance_margin(after, after, table)
        - maintenance_margin(before, before, table),
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
    alone = [holding.row for holding in mine if holding.is_isolated]
    apart = sum((_told_maintenance(row, sketches) for row in alone), ZERO)
    return min((total, total - apart), key=lambda reading: abs(reading - in_rows))


def _told_maintenance(row: PositionRow, sketches: Mapping[PositionKey, Sketch]) -> Decimal:
    """As the account reply has it, else the position's own row; 0 where neither does."""
    sketch = sketches.get(row.key)
    if sketch is not None and sketch.maintenance is not None:
        return sketch.maintenance
    return (row.told.maintenance if row.told else None) or ZERO


def as_reported(unit: str, figures: Figures, at: datetime, more: Decimal = ZERO) -> Reported:
    """Binance's figures as a report; `more` is what else its digits may be off by."""
    # Carried from one mark to another, what is 0 may come out a digit below.
    maintenance = max(figures.maintenance, ZERO)
    requirement = Requirement(
        unit=unit,
        margin_balance=figures.balance,
        initial_margin=figures.initial or ZERO,
        maintenance_margin=maintenance,
    )
    return Reported(
        at=at,
        margin_balance=figures.balance,
        maintenance_margin=maintenance,
        initial_margin=figures.initial,
        ratio=requirement.ratio,
        resolution=_resolution(figures) + more,
    )


def _resolution(figures: Figures) -> Decimal:
    """One unit of the finest digit seen per amount, and of a mark's 8 decimals per contract."""
    exponents = [figure.as_tuple().exponent for figure in figures.wire]
    finest = min([_MONEY_EXPONENT, *(e for e in exponents if isinstance(e, int))])
    return ONE.scaleb(finest) * len(figures.wire) + ONE.scaleb(_MONEY_EXPONENT) * figures.contracts
