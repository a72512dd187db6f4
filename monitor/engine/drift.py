"""What a reading changed though no event told of it, and how far a ratio was off without it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.facts import Drift
from monitor.errors import RiskError
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.engine.events import Drifted
    from monitor.risk.model import MarginPool, Mark, Position

TOLD_FROM = Decimal("0.02")
"""A ratio that was off by more than this is told; a position that shrank always is."""


def drifts_of(
    event: Drifted,
    marks: Mapping[str, Mark],
    at: datetime,
    is_explained: Callable[[Position], bool] = lambda _: False,
) -> tuple[Drift, ...]:
    """
    Every pool with a position that is smaller for no known cause; where there is none, the
    pool that was off the most, at the same marks. Nothing where none was by much.

    Args:
        is_explained: Whether it was told already what made a position smaller.
    """
    before = {pool.id: pool for pool in event.before.pools}
    known = {**event.before.marks, **event.after.marks, **marks}
    found = [
        drift
        for pool in event.after.pools
        if pool.id in before
        and (drift := _drift(before[pool.id], pool, known, at, is_explained)) is not None
    ]
    shrunk = tuple(drift for drift in found if drift.shrunk)
    if shrunk or not found:
        return shrunk
    return (max(found, key=lambda drift: abs(drift.ratio_after - drift.ratio_before)),)


def _drift(
    old: MarginPool,
    new: MarginPool,
    marks: Mapping[str, Mark],
    at: datetime,
    is_explained: Callable[[Position], bool],
) -> Drift | None:
    try:
        before = evaluate(old, marks, at).requirement.ratio
        after = evaluate(new, marks, at).requirement.ratio
    except RiskError:
        return None  # without a mark it is told by being blind
    shrunk = _shrunk(old, new, is_explained)
    is_told = before != after and abs(after - before) > TOLD_FROM
    if not (is_told or shrunk):
        return None
    return Drift(
        pool=new.id,
        parts=_parts(old, new),
        ratio_before=before,
        ratio_after=after,
        shrunk=shrunk,
    )


def _shrunk(
    old: MarginPool, new: MarginPool, is_explained: Callable[[Position], bool]
) -> tuple[str, ...]:
    """The positions that are smaller or gone, in words, but for those of which it is known why."""
    now = _sizes(new)
    return tuple(
        _resized(_name(p), p.contracts, left)
        for p in old.positions
        if (left := now.get(_name(p), ZERO)) < p.contracts and not is_explained(p)
    )


def _parts(old: MarginPool, new: MarginPool) -> tuple[str, ...]:
    """Each position and balance that differs, in words."""
    said = []
    sizes_before, sizes_after = _sizes(old), _sizes(new)
    for name in sorted(sizes_before.keys() | sizes_after.keys()):
        was, now = sizes_before.get(name, ZERO), sizes_after.get(name, ZERO)
        if was != now:
            said.append(_resized(name, was, now))
    coins_before = {each.asset: each.balance for each in old.collateral}
    coins_after = {each.asset: each.balance for each in new.collateral}
    for asset in sorted(coins_before.keys() | coins_after.keys()):
        had, has = coins_before.get(asset, ZERO), coins_after.get(asset, ZERO)
        if had != has:
            said.append(f"balance from {words.money(had, asset)} to {words.money(has, asset)}")
    return tuple(said)


def _sizes(pool: MarginPool) -> dict[str, Decimal]:
    return {_name(p): p.contracts for p in pool.positions}


def _name(position: Position) -> str:
    return f"{position.instrument.symbol} {position.side.value}"


def _resized(name: str, was: Decimal, now: Decimal) -> str:
    return f"{name}: from {words.plain(was)} to {words.plain(now)} contracts"
