"""
The margin ratio: a pool and marks in, what it has and what it needs out.

This is the one definition. Liquidation prices, moves and advice are roots of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.errors import MissingCollateral, MissingMark
from monitor.risk.collateral import debt, debt_maintenance, haircut, price_of, worth
from monitor.risk.model import ONE, ZERO
from monitor.risk.payoff import notional, unrealized_pnl
from monitor.risk.result import CollateralValue, PoolRisk, PositionRisk, Requirement
from monitor.risk.tiers import group_sizes, maintenance_margin, rises_above, size_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.risk.carried import CarriedMargin
    from monitor.risk.model import Collateral, MarginPool, Mark, Position


class _Parts(NamedTuple):
    positions: tuple[PositionRisk, ...]
    collateral: tuple[CollateralValue, ...]
    requirement: Requirement
    gross_notional: Decimal


def evaluate(pool: MarginPool, marks: Mapping[str, Mark], at: datetime) -> PoolRisk:
    """
    The pool at these marks, with everything that makes its figures up.

    Raises:
        MissingMark: If a position or floating collateral has no mark; never guessed.
        MissingCollateral: If a position settles in an asset that the pool does not list.
    """
    parts = _parts(pool, marks)
    needed = pool.symbols()
    return PoolRisk(
        pool=pool,
        marks=marks,
        at=at,
        requirement=parts.requirement,
        positions=parts.positions,
        collateral=parts.collateral,
        gross_notional=parts.gross_notional,
        oldest_mark_at=min((marks[symbol].at for symbol in needed), default=None),
    )


def requirement(pool: MarginPool, marks: Mapping[str, Mark]) -> Requirement:
    """What `evaluate` says of the whole pool, without the parts. Raises as it does."""
    return _parts(pool, marks).requirement


def _parts(pool: MarginPool, marks: Mapping[str, Mark]) -> _Parts:
    legs = _legs(pool, marks)
    won = {collateral.asset: ZERO for collateral in pool.collateral}
    for leg in legs:
        settle = leg.position.instrument.settle
        if settle not in won:
            raise MissingCollateral(settle, str(pool.id))
        won[settle] += leg.unrealized_pnl
    prices = {c.asset: price_of(c, marks) for c in pool.collateral}
    values = tuple(_value(c, won[c.asset], prices[c.asset]) for c in pool.collateral)
    return _Parts(legs, values, *_held_against(pool, marks, prices, legs, values))


def _value(collateral: Collateral, unrealized_pnl: Decimal, price: Decimal) -> CollateralValue:
    """The asset as it counts, with the PnL that settles in it added before anything else."""
    amount = collateral.balance + unrealized_pnl
    owed = debt(collateral, amount)
    charged = debt_maintenance(collateral, owed)
    return CollateralValue(
        asset=collateral.asset,
        balance=collateral.balance,
        unrealized_pnl=unrealized_pnl,
        haircut=haircut(collateral, amount, price),
        value=worth(collateral, amount, price),
        debt=owed,
        maintenance_margin=charged * price * collateral.rate_if_negative,
    )


def _held_against(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    prices: Mapping[str, Decimal],
    legs: tuple[PositionRisk, ...],
    values: tuple[CollateralValue, ...],
) -> tuple[Requirement, Decimal]:
    """The pool's requirement, and its gross notional, both in its unit."""
    charges = {c.asset: prices[c.asset] * c.rate_if_negative for c in pool.collateral}
    initial, maintenance, gross = pool.other_initial, pool.other_maintenance, ZERO
    for carried in pool.carried_margins:
        maintenance += carried.at(price_behind(carried, pool, marks))
    for leg in legs:
        settle = leg.position.instrument.settle
        gross += leg.notional * prices[settle]
        if leg.maintenance_margin is not None:
            maintenance += leg.maintenance_margin * charges[settle] * pool.maintenance_factor
        if leg.initial_margin is not None:
            initial += leg.initial_margin * charges[settle]
    for collateral, value in zip(pool.collateral, values, strict=True):
        borrow = collateral.borrow
        if borrow is not None and value.debt:
            maintenance += value.maintenance_margin
            if borrow.initial_rate is not None:
                initial += value.debt * borrow.initial_rate * charges[collateral.asset]
            gross += value.debt * prices[collateral.asset]
    total = Requirement(
        unit=pool.unit,
        margin_balance=sum((value.value for value in values), pool.other_balance),
        initial_margin=initial,
        maintenance_margin=maintenance,
    )
    return total, gross


def price_behind(carried: CarriedMargin, pool: MarginPool, marks: Mapping[str, Mark]) -> Decimal:
    """
    The price that a carried margin goes by.

    Raises:
        MissingMark: If its symbol, or the one that its asset follows, has no mark.
        MissingCollateral: If the pool does not list its asset.
    """
    if carried.asset is None:
        return _mark(str(carried.symbol), marks).price
    for collateral in pool.collateral:
        if collateral.asset == carried.asset:
            return price_of(collateral, marks)
    raise MissingCollateral(carried.asset, str(pool.id))


def _legs(pool: MarginPool, marks: Mapping[str, Mark]) -> tuple[PositionRisk, ...]:
    held = [
        (p, mark := _mark(p.instrument.symbol, marks), notional(p, mark.price))
        for p in pool.positions
    ]
    groups = group_sizes(
        (p.tiers, p.side, size_of(p.contracts, amount, p.tiers))
        for p, _, amount in held
        if p.tiers is not None
    )
    return tuple(_leg(p, mark, amount, groups) for p, mark, amount in held)


def _leg(
    position: Position, mark: Mark, amount: Decimal, groups: Mapping[str, Decimal]
) -> PositionRisk:
    fee = position.close_fee.fixed + position.close_fee.rate_on_notional * amount
    rate, charged = position.initial_rate, _charged(position, amount, groups)
    return PositionRisk(
        position=position,
        mark=mark,
        notional=amount,
        unrealized_pnl=unrealized_pnl(position, mark.price),
        initial_margin=None if rate is None else amount * rate + fee,
        maintenance_margin=None if charged is None else charged.margin + fee,
        above_last_tier=charged is not None and charged.above_last_tier,
    )


class _Charged(NamedTuple):
    margin: Decimal
    above_last_tier: bool


def _charged(position: Position, amount: Decimal, groups: Mapping[str, Decimal]) -> _Charged | None:
    """The leg's maintenance margin without fees; None where it is not modelled by itself."""
    table, fixed = position.tiers, position.fixed_maintenance
    if table is None:
        return _Charged(fixed, above_last_tier=False) if fixed else None
    own_size = size_of(position.contracts, amount, table)
    size = own_size if table.group is None else groups[table.group]
    share = ONE if table.group is None else own_size / size
    margin = maintenance_margin(size, amount, table, share) + fixed
    return _Charged(margin, rises_above(size, table))


def _mark(symbol: str, marks: Mapping[str, Mark]) -> Mark:
    mark = marks.get(symbol)
    if mark is None:
        raise MissingMark(symbol)
    return mark
