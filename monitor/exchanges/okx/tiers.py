"""
OKX's position tiers as tier tables: of contracts, of margin trading, of borrowing.

A tier is picked by contracts (not by notional), of loans by the coins owed, and its rate
applies to the whole, without any deduction: maintenance margin jumps at a tier's edge.

Source: OKX help, «Position tiers» and «Liquidation and clearing»; API guide, «Get position
tiers», copies of July 2026. `minSz` is not looked at: rows leave gaps between whole numbers
while contracts are fractional, so the first row with size ≤ `maxSz` holds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.risk.model import ONE, ZERO, LeverageTier, TierMeasure, TierTable

if TYPE_CHECKING:
    from monitor.exchanges.payload import Row

_LEAST_GAP = Decimal("0.003")
_LEAST_RATE = Decimal("0.004")
_WORST = Decimal("0.495")


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
    return _table(of_family, ("maxSz",), group)


def read_loan_tiers(rows: tuple[Row, ...], inst_id: str, *, of_base: bool) -> TierTable:
    """
    The tiers of margin trading on one pair, by the coins borrowed of its base or its quote.

    ``{"instId": "ETH-USDT", "tier": "1", "baseMaxLoan": "500", "quoteMaxLoan": "200000",
    "maxSz": "500", "mmr": "0.03", "imr": "0.1", "maxLever": "10", …}``

    Raises:
        Malformed: As `read_tiers` does.
    """
    of_pair = [row for row in rows if (row.optional_text("instId") or inst_id) == inst_id]
    if not of_pair:
        raise Malformed("data", f"the position tiers of {inst_id}", "none")
    return _table(of_pair, ("baseMaxLoan",) if of_base else ("quoteMaxLoan",), None)


def read_borrow_tiers(rows: tuple[Row, ...], ccy: str) -> TierTable:
    """
    The tiers of an account's borrowing of one coin, by the coins owed (`maxSz`).

    Raises:
        Malformed: As `read_tiers` does.
    """
    if not rows:
        raise Malformed("data", f"the borrowing tiers of {ccy}", "none")
    return _table(list(rows), ("maxSz", "baseMaxLoan", "quoteMaxLoan"), None)


def initial_rate(rows: tuple[Row, ...], size: Decimal) -> Decimal | None:
    """Initial margin per coin owed at a debt of this size; None where the tier tells none."""
    for row in sorted(rows, key=lambda row: _cap(row, ("maxSz", "baseMaxLoan", "quoteMaxLoan"))):
        if size <= _cap(row, ("maxSz", "baseMaxLoan", "quoteMaxLoan")):
            return row.optional_decimal("imr")
    return None


def worst_rate(leverage: Decimal | None) -> Decimal:
    """
    The maintenance rate that no tier known exceeds at this leverage; without one, at any.

    A position stands in a tier whose initial rate is at most 1 ÷ leverage, and in every table
    seen the maintenance rate stays below the initial one by 0.3 points or more (1 % against
    1.3 % in SOL's first tier); the last tiers ask for 49.5 % against 50 %.
    """
    if leverage is None:
        return _WORST
    return min(max(ONE / leverage - _LEAST_GAP, _LEAST_RATE), _WORST)


def flat_table(rate: Decimal) -> TierTable:
    """A table of one tier, which a position has to itself."""
    tier = LeverageTier(floor=ZERO, cap=None, maintenance_rate=rate, deduction=ZERO)
    return TierTable(tiers=(tier,), measured_in=TierMeasure.CONTRACTS)


def _table(rows: list[Row], edges: tuple[str, ...], group: str | None) -> TierTable:
    tiers: list[LeverageTier] = []
    for row in sorted(rows, key=lambda row: _cap(row, edges)):
        floor = tiers[-1].cap if tiers else ZERO
        tiers.append(_tier(row, edges, ZERO if floor is None else floor))
    return TierTable(tiers=tuple(tiers), measured_in=TierMeasure.CONTRACTS, group=group)


def _cap(row: Row, edges: tuple[str, ...]) -> Decimal:
    """The tier's upper edge: the first of these fields that tells it."""
    told = next((key for key in edges if row.has(key)), edges[0])
    return row.positive(told)


def _tier(row: Row, edges: tuple[str, ...], floor: Decimal) -> LeverageTier:
    cap = _cap(row, edges)
    if cap <= floor:
        raise Malformed(row.at(edges[0]), f"an edge above {floor}", str(cap))
    return LeverageTier(
        floor=floor,
        cap=cap,
        maintenance_rate=row.positive("mmr"),
        deduction=ZERO,
        max_leverage=row.positive("maxLever") if row.has("maxLever") else None,
    )
