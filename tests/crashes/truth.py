"""
What a crash does to a book by arithmetic alone: at which tick each rung is an alarm at first.

It shares nothing with the monitor but the meaning of the default ladder. Rungs on distance that
the book stands on from its first price are taken on by its owner: such a one is an alarm once
half of that distance is gone, or once it was left and reached again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.crashes.books import Book
    from tests.crashes.candles import Crash

NEAR, VERY_NEAR, WARNING, CRITICAL = RUNGS = ("near", "very near", "warning", "critical")
_NEAR, _NEAR_LEFT = Decimal("0.05"), Decimal("0.06")
_VERY_NEAR, _VERY_NEAR_LEFT = Decimal("0.02"), Decimal("0.025")
_WARNING, _CRITICAL = Decimal("0.80"), Decimal("0.90")


@dataclass(slots=True, kw_only=True)
class Truth:
    """Per rung the market's second of the first tick at which it is an alarm; that of the end."""

    reached: dict[str, float] = field(default_factory=dict)
    ended: float | None = None


def in_order(reached: Mapping[str, float]) -> list[list[str]]:
    """The rungs as they were first reached; those of one tick, which were jumped over, together."""
    seconds = sorted(set(reached.values()))
    return [[rung for rung in RUNGS if reached.get(rung) == second] for second in seconds]


def truth_of(crash: Crash, book: Book) -> Truth:
    """The truth up to the end of the book, or of the file."""
    found, standing = Truth(), _Standing(book.distance(crash.first_prices()))
    for second, prices in crash.prices():
        for rung in standing.alarms(book, prices):
            found.reached.setdefault(rung, second)
        if book.is_liquidated(prices):
            found.ended = second
            break
    return found


class _Standing:
    """The state that hysteresis and what was taken on need, from tick to tick."""

    def __init__(self, distance: Decimal) -> None:
        self._taken_on = distance if distance <= _NEAR else None
        self._is_very_near = False

    def alarms(self, book: Book, prices: Mapping[str, Decimal]) -> Iterable[str]:
        left = book.distance(prices)
        self._is_very_near = left <= (_VERY_NEAR_LEFT if self._is_very_near else _VERY_NEAR)
        if self._taken_on is not None:
            is_half_gone = not self._is_very_near and left <= self._taken_on / 2
            if left > _NEAR_LEFT or is_half_gone:
                self._taken_on = None
        if left <= _NEAR and self._taken_on is None:
            yield NEAR
        if self._is_very_near:
            yield VERY_NEAR
        balance, held = book.balance(prices), book.requirement(prices)
        if held >= _WARNING * balance:
            yield WARNING
        if held >= _CRITICAL * balance:
            yield CRITICAL
