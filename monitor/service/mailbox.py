"""
Facts on their way to one account's engine.

Events keep their order. Of marks only what matters is kept: per symbol the newest, and the
lowest and highest since the last time the box was emptied, so that a slow moment costs the
prices between and no spike. The box is bounded by the number of symbols and by the rate of
everything else, which is a few events a second.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.engine.events import MarksMoved, Source, TimePassed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.engine.events import Event
    from monitor.risk.model import Mark


class Mailbox:
    """One writer or many, one reader."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._filled = asyncio.Event()

    def put(self, event: Event) -> None:
        """Keep an event; marks join those that wait, a second passed replaces the one before."""
        last = self._events[-1] if self._events else None
        if isinstance(event, MarksMoved) and _joins(last, event):
            self._events[-1] = joined(last, event)  # type: ignore[arg-type]  # _joins said so
        elif isinstance(event, TimePassed) and isinstance(last, TimePassed):
            self._events[-1] = event
        else:
            self._events.append(event)
        self._filled.set()

    async def take(self) -> tuple[Event, ...]:
        """Everything that waits, oldest first; at least one event."""
        await self._filled.wait()
        self._filled.clear()
        events, self._events = tuple(self._events), []
        return events

    def put_back(self, events: Iterable[Event]) -> None:
        """Events that were taken and not processed: they come first again."""
        self._events[:0] = events
        if self._events:
            self._filled.set()

    def __len__(self) -> int:
        return len(self._events)


def _joins(last: Event | None, event: MarksMoved) -> bool:
    return isinstance(last, MarksMoved) and last.source is event.source is Source.LIVE


def joined(first: MarksMoved, second: MarksMoved) -> MarksMoved:
    """One event that says what two said: the newest marks, and the extremes of both."""
    marks = dict(first.marks)
    for symbol, mark in second.marks.items():
        # Two connections overlap in a handover: what comes later may be older.
        if symbol not in marks or mark.at >= marks[symbol].at:
            marks[symbol] = mark
    worst = {
        symbol: extremes
        for symbol in marks
        if (extremes := _extremes(symbol, marks[symbol], first, second))
    }
    confirmed = {**first.confirmed, **second.confirmed}
    return replace(second, marks=marks, worst=worst, confirmed=confirmed)


def _extremes(symbol: str, newest: Mark, *events: MarksMoved) -> tuple[Mark, ...]:
    """The lowest and the highest mark of a symbol beside its newest."""
    seen = [mark for event in events for mark in _of(symbol, event.marks, event.worst)]
    lowest = min(seen, key=lambda mark: mark.price)
    highest = max(seen, key=lambda mark: mark.price)
    kept = {mark.price: mark for mark in (lowest, highest) if mark.price != newest.price}
    return tuple(kept.values())


def _of(
    symbol: str, marks: Mapping[str, Mark], worst: Mapping[str, tuple[Mark, ...]]
) -> tuple[Mark, ...]:
    mark = marks.get(symbol)
    return (*worst.get(symbol, ()), *((mark,) if mark is not None else ()))
