"""
Which leverage tier a size stands in, and the maintenance margin that follows from it.

Knows tier tables alone; must not know marks, pools or where a table was read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.risk.model import ONE, ZERO, Side, TierMeasure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from monitor.risk.model import LeverageTier, TierTable


def size_of(contracts: Decimal, notional: Decimal, table: TierTable) -> Decimal:
    """The size of a position in the table's own measure."""
    return contracts if table.measured_in is TierMeasure.CONTRACTS else notional


def tier_of(size: Decimal, table: TierTable) -> LeverageTier:
    """The tier with floor < size ≤ cap; the last one for a size above every cap."""
    for tier in table.tiers:
        if tier.cap is None or size <= tier.cap:
            return tier
    return table.tiers[-1]


def rises_above(size: Decimal, table: TierTable) -> bool:
    """Whether `size` lies above the last tier's cap, where the last tier's rule holds on."""
    cap = table.tiers[-1].cap
    return cap is not None and size > cap


def jumping_edges(table: TierTable) -> Iterator[Decimal]:
    """The tier edges at which maintenance is not continuous, for want of a deduction."""
    for lower, upper in pairwise(table.tiers):
        step = (upper.maintenance_rate - lower.maintenance_rate) * upper.floor
        if step != upper.deduction - lower.deduction:
            yield upper.floor


def rough_edges(table: TierTable) -> Iterator[Decimal]:
    """The tier edges at which maintenance jumps, or grows more slowly from there on."""
    jumping = set(jumping_edges(table))
    for lower, upper in pairwise(table.tiers):
        if upper.floor in jumping or upper.maintenance_rate < lower.maintenance_rate:
            yield upper.floor


def group_sizes(legs: Iterable[tuple[TierTable, Side, Decimal]]) -> Mapping[str, Decimal]:
    """
    The size on which each tier group is tiered: the larger of its longs and its shorts.

    Args:
        legs: Table, side and size (in the table's measure) of every leg of a pool; those
            whose table has no group are left out.

    Source: OKX «Position tiers» (all contracts of an instrument family together), Bybit
    «Risk limit» (the larger of the two sides in hedge mode), read November 2026.
    """
    longs: dict[str, Decimal] = {}
    shorts: dict[str, Decimal] = {}
    for table, side, size in legs:
        if table.group is not None:
            sums = longs if side is Side.LONG else shorts
            sums[table.group] = sums.get(table.group, ZERO) + size
    return {
        group: max(longs.get(group, ZERO), shorts.get(group, ZERO)) for group in {*longs, *shorts}
    }


def maintenance_margin(
    size: Decimal, notional: Decimal, table: TierTable, share: Decimal = ONE
) -> Decimal:
    """
    Maintenance margin of one leg in its settle asset, without fees.

    The rate of the tier in which `size` falls applies to the whole notional, less that
    tier's deduction: continuous in the size where the exchange deducts, a jump where not.
    A leg that is only part of a group's size is deducted in proportion, so that legs of one
    side pay together what one position of their sum would.

    Args:
        size: The leg's size, or its group's, in the table's measure; never negative.
        notional: The leg's own notional in the settle asset.
        share: The leg's own size ÷ `size`; 1 for a leg that stands alone.

    Source: Binance «Leverage and margin of USDⓈ-M futures» (cum), Bybit «Maintenance margin
    calculation» (MM deduction), OKX «Position tiers» (whole size, no deduction), read
    November 2026.
    """
    tier = tier_of(size, table)
    return notional * tier.maintenance_rate - tier.deduction * share
