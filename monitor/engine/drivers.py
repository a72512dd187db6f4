"""What changed a pool's headroom between two moments: its positions, bookings, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.alerts.facts import Booked, Changes, LegChange
from monitor.risk.cash import BookingKind
from monitor.risk.collateral import price_of
from monitor.risk.model import ONE, ZERO, MarginMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.facts import Leg
    from monitor.risk.cash import Booking
    from monitor.risk.model import MarginPool
    from monitor.risk.result import PoolRisk, PositionRisk


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """
    A pool as it was when it was last told of, at `at`.

    `read_at` is when the account's state held on which that rested: what was booked later is
    not in it.
    """

    at: datetime
    read_at: datetime
    risk: PoolRisk


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """One position in the pool's unit."""

    unrealized_pnl: Decimal
    maintenance_margin: Decimal | None


def changes_since(baseline: Baseline, now: PoolRisk, bookings: Iterable[Booking]) -> Changes:
    """
    The change of the headroom since `baseline`, split up; the parts add up to it.

    Args:
        bookings: Those of this pool, whenever they were made.
    """
    before, after = _legs(baseline.risk), _legs(now)
    legs = {key: _change(before.get(key), held) for key, held in after.items()}
    booked = _sums(each for each in bookings if each.at > baseline.read_at)
    prices = {c.asset: price_of(c, now.marks) for c in now.pool.collateral}
    headroom = now.requirement.headroom - baseline.risk.requirement.headroom
    by_legs = sum((c.unrealized_pnl - (c.maintenance_margin or ZERO) for c in legs.values()), ZERO)
    by_bookings = sum((each.amount * prices.get(each.asset, ZERO) for each in booked), ZERO)
    return Changes(
        since=baseline.at,
        headroom=headroom,
        legs=legs,
        booked=booked,
        rest=headroom - by_legs - by_bookings,
    )


def bookings_of(
    pool: MarginPool, others: Iterable[MarginPool], bookings: Iterable[Booking]
) -> tuple[Booking, ...]:
    """
    The bookings that concern a pool: of contracts that it holds, and of coins that it owns.

    A contract that another pool holds, and this one does not, is that pool's; to an isolated
    pool belongs only what names its contract.
    """
    held, assets = _held(pool), {c.asset for c in pool.collateral}
    shares = pool.margin_mode is MarginMode.CROSS
    elsewhere = frozenset[str]().union(*(_held(other) for other in others if other is not pool))
    return tuple(
        each
        for each in bookings
        if each.asset in assets
        and (each.symbol in held or (shares and each.symbol not in elsewhere))
    )


def _held(pool: MarginPool) -> frozenset[str]:
    return frozenset(p.instrument.exchange_symbol for p in pool.positions)


def _legs(risk: PoolRisk) -> Mapping[Leg, _Worth]:
    prices = {c.asset: price_of(c, risk.marks) for c in risk.pool.collateral}
    rates = {c.asset: c.rate_if_negative for c in risk.pool.collateral}
    return {
        (leg.position.instrument.symbol, leg.position.side): _worth(
            leg,
            prices.get(leg.position.instrument.settle, ONE),
            rates.get(leg.position.instrument.settle, ONE) * risk.pool.maintenance_factor,
        )
        for leg in risk.positions
    }


def _worth(leg: PositionRisk, price: Decimal, rate: Decimal) -> _Worth:
    margin = leg.maintenance_margin
    return _Worth(
        unrealized_pnl=leg.unrealized_pnl * price,
        maintenance_margin=None if margin is None else margin * price * rate,
    )


def _change(before: _Worth | None, after: _Worth) -> LegChange:
    if before is None:
        return LegChange(
            unrealized_pnl=after.unrealized_pnl, maintenance_margin=after.maintenance_margin
        )
    held = None
    if before.maintenance_margin is not None and after.maintenance_margin is not None:
        held = after.maintenance_margin - before.maintenance_margin
    return LegChange(
        unrealized_pnl=after.unrealized_pnl - before.unrealized_pnl, maintenance_margin=held
    )


def _sums(bookings: Iterable[Booking]) -> tuple[Booked, ...]:
    """One sum for each kind and asset, in the order of the kinds; those of nothing left out."""
    sums: dict[tuple[str, str], Booked] = {}
    for each in {each.id: each for each in bookings}.values():
        key = (each.kind.value, each.asset)
        so_far = sums[key].amount if key in sums else ZERO
        sums[key] = Booked(kind=each.kind, asset=each.asset, amount=so_far + each.amount)
    kinds = list(BookingKind)
    ordered = sorted(sums.values(), key=lambda each: (kinds.index(each.kind), each.asset))
    return tuple(each for each in ordered if each.amount)
