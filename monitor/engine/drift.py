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
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.engine.events import Drifted
    from monitor.risk.model import MarginPool, Mark

TOLD_FROM = Decimal("0.02")
"""A ratio that was off by more than this is told."""


def drift_of(event: Drifted, marks: Mapping[str, Mark], at: datetime) -> Drift | None:
    """The pool that was off the most, at the same marks; None where none was by much."""
    before = {pool.id: pool for pool in event.before.pools}
    known = {**event.before.marks, **event.after.marks, **marks}
    found = [
        drift
        for pool in event.after.pools
        if pool.id in before and (drift := _drift(before[pool.id], pool, known, at)) is not None
    ]
    return max(found, key=lambda drift: abs(drift.ratio_after - drift.ratio_before), default=None)


def _drift(
    old: MarginPool, new: MarginPool, marks: Mapping[str, Mark], at: datetime
) -> Drift | None:
    try:
        before = evaluate(old, marks, at).requirement.ratio
        after = evaluate(new, marks, at).requirement.ratio
    except RiskError:
        return None  # without a mark it is told by being blind
    if before == after or abs(after - before) <= TOLD_FROM:
        return None
    return Drift(pool=new.id, parts=_parts(old, new), ratio_before=before, ratio_after=after)


def _parts(old: MarginPool, new: MarginPool) -> tuple[str, ...]:
    """Each position and balance that differs, in words."""
    said = []
    sizes_before, sizes_after = _sizes(old), _sizes(new)
    for name in sorted(sizes_before.keys() | sizes_after.keys()):
        was, now = sizes_before.get(name, ZERO), sizes_after.get(name, ZERO)
        if was != now:
            said.append(f"{name}: from {words.plain(was)} to {words.plain(now)} contracts")
    coins_before = {each.asset: each.balance for each in old.collateral}
    coins_after = {each.asset: each.balance for each in new.collateral}
    for asset in sorted(coins_before.keys() | coins_after.keys()):
        had, has = coins_before.get(asset, ZERO), coins_after.get(asset, ZERO)
        if had != has:
            said.append(f"balance from {words.money(had, asset)} to {words.money(has, asset)}")
    return tuple(said)


def _sizes(pool: MarginPool) -> dict[str, Decimal]:
    return {f"{p.instrument.symbol} {p.side.value}": p.contracts for p in pool.positions}
