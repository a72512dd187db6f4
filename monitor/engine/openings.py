"""What a reading shows to be new in a pool, by its owner's act and not by a move of prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.alerts.facts import Opening
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from monitor.risk.model import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    What a reading shows to be new in a pool, by its owner's act and not by a move of prices.

    `unopened` is the distance that the pool would have without it, at the same marks; None
    where no move would end it. Without `is_told` others tell of it.
    """

    openings: tuple[Opening, ...] = ()
    unopened: Decimal | None = None
    is_told: bool = True


def openings(old: Iterable[Position], new: Iterable[Position]) -> tuple[Opening, ...]:
    """The positions that are new, or larger than they were."""
    held = {(p.instrument.symbol, p.side): p.contracts for p in old}
    return tuple(
        Opening(position=p, before=held.get((p.instrument.symbol, p.side)))
        for p in new
        if p.contracts > held.get((p.instrument.symbol, p.side), ZERO)
    )
