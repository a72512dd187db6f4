"""
OKX's position tiers as tier tables.

A tier is picked by contracts (not by notional), and its rate applies to the whole position,
without any deduction: maintenance margin jumps at a tier's edge.

Source: OKX help, «Position tiers» and «Liquidation and clearing»; API guide, «Get position
tiers», copies of July 2026. `minSz` is not looked at: rows leave gaps between whole numbers
while contracts are fractional, so the first row with size ≤ `maxSz` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.risk.model import ZERO, LeverageTier, TierMeasure, TierTable

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.payload import Row


def read_tiers(rows: tuple[Row, ...], family: str, group: str | None) -> TierTable:
    """
    The tiers of an instrument family, from rows that may tell of others too.

    ``{"instFamily": "BTC-USDT", "tier": "1", "minSz": "0", "maxSz": "1000", "mmr": "0.004",
    "imr": "0.01", "maxLever": "100", …}``

    Args:
        group: What positions that are tiered on their sum share; None for one that is alone.

    Raises:
        Malformed: If the family has no tier, or a rate or an edge can't be.
    """
    of_family = [row for row in rows if row.text("instFamily") == family]
    if not of_family:
        raise Malformed("data", f"the position tiers of {family}", "none")
    tiers: list[LeverageTier] = []
    for row in sorted(of_family, key=lambda row: row.decimal("maxSz")):
        floor = tiers[-1].cap if tiers else ZERO
        tiers.append(_tier(row, ZERO if floor is None else floor))
    return TierTable(tiers=tuple(tiers), measured_in=TierMeasure.CONTRACTS, group=group)


def _tier(row: Row, floor: Decimal) -> LeverageTier:
    cap = row.positive("maxSz")
    if cap <= floor:
        raise Malformed(row.at("maxSz"), f"an edge above {floor}", str(cap))
    return LeverageTier(
        floor=floor,
        cap=cap,
        maintenance_rate=row.positive("mmr"),
        deduction=ZERO,
        max_leverage=row.positive("maxLever") if row.has("maxLever") else None,
    )
