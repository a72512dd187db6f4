"""
Marks that may wait for the next second, since nothing follows from them before.

A pool far from every rung is bounded: between two prices of each symbol none can be reached,
whatever the other marks do. Marks outside are looked at at once, all others once a second,
none is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts.place import next_below
from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.alerts.place import Place
    from monitor.risk.model import Mark
    from monitor.risk.result import PoolRisk

Span = tuple["Decimal", "Decimal"]
"""A lowest and a highest price."""


def look_at(
    headroom: Decimal, distance: Decimal | None, place: Place, ladder: Ladder
) -> Decimal | None:
    """
    The headroom at which the distance left is to be looked at again, be the second over or not.

    Solving is too dear for every mark, and headroom, which runs out as distance does, is known
    with each. So it is solved again where half of the way to the next rung is gone, and then
    where half of the rest is: by bisection, wherever the market goes within a second. None
    where no rung on distance can be reached by falling marks.

    Args:
        headroom: Of the figures at which `distance`, a positive fraction, was solved.
    """
    reached = None if distance is None else next_below(place, distance, ladder)
    if distance is None or reached is None or headroom <= ZERO:
        return None
    return headroom * (distance + reached) / (2 * distance)


def spans(risk: PoolRisk, leeway: Decimal) -> dict[str, Span]:
    """The span that `leeway`, a fraction, gives each mark of a pool; nothing where it is 0."""
    if leeway <= ZERO:
        return {}
    low, high = ONE - leeway, ONE + leeway
    prices = {symbol: risk.marks[symbol].price for symbol in risk.pool.symbols()}
    return {symbol: (price * low, price * high) for symbol, price in prices.items()}


def is_within(marks: Mapping[str, tuple[Mark, ...]], within: Mapping[str, Span]) -> bool:
    """Whether all of these marks lie in their symbols' spans; not where one has none."""
    return all(
        symbol in within and within[symbol][0] <= mark.price <= within[symbol][1]
        for symbol, of_symbol in marks.items()
        for mark in of_symbol
    )


def common(settled: Iterable[tuple[frozenset[str], Mapping[str, Span]]]) -> dict[str, Span]:
    """What all pools agree on, each given by its symbols and their spans (nothing: no calm)."""
    found: dict[str, Span] = {}
    urgent: set[str] = set()
    for symbols, within in settled:
        urgent |= symbols - within.keys()
        for symbol, (low, high) in within.items():
            lowest, highest = found.get(symbol, (low, high))
            found[symbol] = (max(low, lowest), min(high, highest))
    return {symbol: span for symbol, span in found.items() if symbol not in urgent}
