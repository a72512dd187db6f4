"""The product's figures of one account against the simulator's."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk import evaluate, liquidation_prices, reconcile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.risk import AccountSnapshot, MarginPool, PoolRisk
    from monitor.simulator.truth import PoolTruth

ZERO = Decimal(0)


@dataclass(frozen=True)
class Gap:
    """A relative difference; absolute where theirs is 0."""

    relative: Decimal
    ours: str
    theirs: str
    seed: int


@dataclass
class Compared:
    gaps: dict[str, Gap] = field(default_factory=dict)
    worst_ratio: Decimal = ZERO
    two_sided: bool = False
    owes: bool = False
    bases: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    def note(self, name: str, ours: Decimal | None, theirs: Decimal | None, seed: int) -> None:
        assert (ours is None) == (theirs is None), f"{name}: ours {ours}, its {theirs}"
        if ours is None or theirs is None:
            return
        off = ZERO if ours == theirs else abs(ours - theirs) / (abs(theirs) or 1)
        if name not in self.gaps or off > self.gaps[name].relative:
            self.gaps[name] = Gap(off, f"{ours:.12g}", f"{theirs:.12g}", seed)


def compare(snapshot: AccountSnapshot, truth: Sequence[PoolTruth], seed: int) -> Compared:
    """
    All figures of all pools, held against the exchange's own books.

    Raises:
        AssertionError: If a pool or position stands on one side only.
    """
    found = Compared()
    pools = {pool.id.name: pool for pool in snapshot.pools}
    for theirs in truth:
        ours = pools.pop(theirs.pool, None)
        assert ours is not None, f"pool {theirs.pool} is missing among {sorted(pools)}"
        _pool(found, snapshot, ours, theirs, seed)
    left = [name for name, pool in pools.items() if pool.positions]
    assert not left, f"pools {left} are not the exchange's"
    return found


def _pool(
    found: Compared, snapshot: AccountSnapshot, pool: MarginPool, truth: PoolTruth, seed: int
) -> None:
    risk = evaluate(pool, snapshot.marks, snapshot.at)
    held = risk.requirement
    assert held.unit == truth.unit, f"unit {held.unit}, its {truth.unit}"
    found.note("margin balance", held.margin_balance, truth.margin_balance, seed)
    found.note("maintenance margin", held.maintenance_margin, truth.maintenance_margin, seed)
    found.note("ratio", held.ratio, truth.ratio, seed)
    found.worst_ratio = max(found.worst_ratio, truth.ratio)
    found.owes |= any(c.balance + c.unrealized_pnl < ZERO for c in risk.collateral)
    if truth.maintenance_margin > ZERO:
        verdict = reconcile(risk, snapshot.reported.get(pool.id)).verdict
        found.verdicts.append(verdict.value)
        found.bases.append(pool.basis.value)
    _positions(found, risk, truth, seed)


def _positions(found: Compared, risk: PoolRisk, truth: PoolTruth, seed: int) -> None:
    ours = {
        (p.position.instrument.exchange_symbol, p.position.side.value): p for p in risk.positions
    }
    theirs = {(p.exchange_symbol, p.side): p for p in truth.positions}
    assert ours.keys() == theirs.keys(), f"positions {sorted(ours)}, its {sorted(theirs)}"
    for leg, its in theirs.items():
        mine = ours[leg]
        found.note("contracts", mine.position.contracts, its.contracts, seed)
        found.note("mark", mine.mark.price, its.mark_price, seed)
        if mine.position.tiers is None:
            continue  # its requirement is no rule's of ours between two snapshots: no price
        solved = liquidation_prices(risk.pool, risk.marks, mine.position.instrument.symbol)
        row = its.row()
        price = row["liquidation_price"]
        found.note(
            "liquidation price",
            solved.nearest,
            None if price is None else Decimal(str(price)),
            seed,
        )
        if "other_liquidation_price" in row:
            other = row["other_liquidation_price"]
            found.note(
                "other liquidation price",
                solved.other,
                None if other is None else Decimal(str(other)),
                seed,
            )
        found.two_sided |= solved.other is not None
