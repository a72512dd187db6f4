"""
A stand-in for OKX's portfolio margin: one shock to each coin's price, up and down.

This is not the exchange's rule, which has several stress tests for each risk unit and is not
published in full. What it has in common: one requirement for all that stands on one coin,
less for what is hedged, and no requirement that a client could work out from the positions.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from monitor.simulator.okx_account import ZERO, Position
from monitor.simulator.okx_legs import PositionFigures, unrealised_pnl


def stress_mmr(
    positions: Iterable[PositionFigures], usd: Mapping[str, Decimal], shock: Decimal
) -> dict[str, Decimal]:
    """For each base coin, the worse of both shocks' losses on its cross positions, in USD."""
    lost: dict[str, list[Decimal]] = {}
    for mine in positions:
        it = mine.position
        if it.is_isolated or not isinstance(it, Position):
            continue
        worse = lost.setdefault(mine.instrument.base, [ZERO, ZERO])
        for place, sign in enumerate((-1, 1)):
            then = unrealised_pnl(it, mine.mark * (1 + sign * shock))
            worse[place] += (mine.upl - then) * usd[mine.ccy]
    return {base: max(ZERO, *losses) for base, losses in lost.items()}
