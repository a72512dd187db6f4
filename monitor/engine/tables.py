"""
Leverage tiers as they change: what a new table does to what is held, and whether ours is old.

Pure comparisons of one reading with the one before.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.facts import TierChange, TierChanges
from monitor.errors import RiskError
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ZERO
from monitor.risk.solve import liquidation_prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitor.alerts.facts import Leg
    from monitor.risk.model import MarginPool, Mark, Reported
    from monitor.risk.result import PoolRisk, PositionRisk

FOLLOWS_WITHIN = Decimal("0.00005")
"""Half a basis point of notional: what marks a moment apart make of a maintenance margin."""


def tier_changes(
    old: MarginPool, new: MarginPool, marks: Mapping[str, Mark], at: datetime
) -> TierChanges | None:
    """
    What new leverage tiers do to the positions held before; None where they touch none of them.

    The old positions under the old and under the new tables, at the same marks: trading in
    between makes no difference.
    """
    tables = {p.instrument.symbol: p.tiers for p in new.positions}
    retiered = replace(
        old,
        positions=tuple(
            replace(p, tiers=tables.get(p.instrument.symbol) or p.tiers) if p.tiers else p
            for p in old.positions
        ),
    )
    if retiered == old:
        return None
    try:
        before, after = evaluate(old, marks, at), evaluate(retiered, marks, at)
        touched = tuple(_touched(before, after))
    except RiskError:
        return None
    if not touched:
        return None
    return TierChanges(
        ratio_before=before.requirement.ratio,
        ratio_after=after.requirement.ratio,
        positions=touched,
    )


def _touched(before: PoolRisk, after: PoolRisk) -> Iterator[TierChange]:
    for was, becomes in zip(before.positions, after.positions, strict=True):
        if was.maintenance_margin is None or becomes.maintenance_margin is None:
            continue
        if was.position.tiers == becomes.position.tiers:
            continue
        symbol = was.position.instrument.symbol
        ends = [liquidation_prices(r.pool, r.marks, symbol).nearest for r in (before, after)]
        if was.maintenance_margin != becomes.maintenance_margin or ends[0] != ends[1]:
            yield TierChange(
                position=was.position,
                maintenance_before=was.maintenance_margin,
                maintenance_after=becomes.maintenance_margin,
                liquidation_before=ends[0],
                liquidation_after=ends[1],
            )


class Following:
    """
    Whether the exchange's own maintenance margins go along with ours, position by position.

    They may differ by what one counts and the other does not (a fee), always alike; where
    that difference changes, the tables that we go by are no longer theirs.
    """

    def __init__(self) -> None:
        self._usual: dict[Leg | None, Decimal] = {}

    def lost(self, risk: PoolRisk, reported: Reported | None) -> tuple[str, ...]:
        """The names of what no longer follows; the first look at each sets what is usual."""
        found: list[str] = []
        seen: set[Leg | None] = set()
        for key, name, gap, resolution in _gaps(risk, reported):
            seen.add(key)
            usual = self._usual.setdefault(key, gap)
            if abs(gap - usual) > max(FOLLOWS_WITHIN, resolution):
                found.append(name)
            else:
                self._usual[key] = gap
        for key in self._usual.keys() - seen:
            del self._usual[key]
        return tuple(found)


def _gaps(
    risk: PoolRisk, reported: Reported | None
) -> Iterator[tuple[Leg | None, str, Decimal, Decimal]]:
    """Theirs − ours in parts of notional, and what the wire's digits leave of it."""
    for leg in risk.positions:
        theirs, ours = leg.position.reported_maintenance_margin, leg.maintenance_margin
        if theirs is not None and ours is not None and leg.notional > ZERO:
            key = (leg.position.instrument.symbol, leg.position.side)
            yield key, _name(leg), (theirs - ours) / leg.notional, _digit(theirs) / leg.notional
    if reported is None or reported.maintenance_margin is None or risk.gross_notional <= ZERO:
        return
    gap = reported.maintenance_margin - risk.requirement.maintenance_margin
    resolution = max(reported.resolution, _digit(reported.maintenance_margin))
    yield None, "the pool", gap / risk.gross_notional, resolution / risk.gross_notional


def _name(leg: PositionRisk) -> str:
    return f"{leg.position.instrument.symbol} {leg.position.side.value}"


def _digit(value: Decimal) -> Decimal:
    """The worth of the last digit that the wire gave."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else ZERO
