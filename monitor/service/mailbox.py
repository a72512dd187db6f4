"""
Facts on their way to one account's engine.

Events keep their order. Of marks only what matters is kept: per symbol the newest, and the
lowest and highest since the last time the box was emptied, so that a slow moment costs the
prices between and no spike. Marks that nothing can follow from wait for the next second; it
wakes the reader, who gets them all. The box is bounded by the number of symbols and by the
rate of everything else, which is a few events a second.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.engine.events import MarksMoved, SnapshotTaken, Source, TimePassed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.engine.calm import Span
    from monitor.engine.events import Event
    from monitor.risk.model import Mark


class Mailbox:
    """
    One writer or many, one reader.

    `calm` is the reader's: live marks within these prices need not wake it.
    """

    def __init__(self) -> None:
        self.calm: Mapping[str, Span] = {}
        self._waiting: list[Event | _LiveMarks] = []
        self._filled = asyncio.Event()

    def put(self, event: Event) -> None:
        """
        Keep an event; marks join those that wait.

        A second passed, and a live book, replace one of their kind that came just before.
        """
        last = self._waiting[-1] if self._waiting else None
        if isinstance(event, MarksMoved) and event.source is Source.LIVE:
            if not isinstance(last, _LiveMarks):
                last = _LiveMarks()
                self._waiting.append(last)
            last.add(event)
            if self._may_wait(event):
                return
        elif _replaces(event, last):
            self._waiting[-1] = event
        else:
            self._waiting.append(event)
        self._filled.set()

    def _may_wait(self, event: MarksMoved) -> bool:
        for symbol, mark in event.marks.items():
            span = self.calm.get(symbol)
            if span is None or not span[0] <= mark.price <= span[1]:
                return False
        return not event.worst and event.confirmed.keys() <= self.calm.keys()

    async def take(self) -> tuple[Event, ...]:
        """Everything that waits, oldest first; at least one event."""
        await self._filled.wait()
        self._filled.clear()
        waiting, self._waiting = self._waiting, []
        return tuple(each.as_event() if isinstance(each, _LiveMarks) else each for each in waiting)

    def put_back(self, events: Iterable[Event]) -> None:
        """Events that were taken and not processed: they come first again."""
        self._waiting[:0] = events
        if self._waiting:
            self._filled.set()

    def __len__(self) -> int:
        return len(self._waiting)


def _replaces(event: Event, last: Event | _LiveMarks | None) -> bool:
    """Whether nothing is lost with the one before: a second, or a live book, that is older."""
    if isinstance(event, TimePassed):
        return isinstance(last, TimePassed)
    return _is_live_book(event) and _is_live_book(last)


def _is_live_book(event: Event | _LiveMarks | None) -> bool:
    return isinstance(event, SnapshotTaken) and event.source is Source.LIVE


class _LiveMarks:
    """Live marks that wait: of each symbol the newest, the lowest and the highest."""

    def __init__(self) -> None:
        self._last: MarksMoved | None = None
        self._newest: dict[str, Mark] = {}
        self._lowest: dict[str, Mark] = {}
        self._highest: dict[str, Mark] = {}
        self._confirmed: dict[str, datetime] = {}

    def add(self, event: MarksMoved) -> None:
        self._last = event
        self._confirmed.update(event.confirmed)
        for symbol, mark in event.marks.items():
            # Two connections overlap in a handover: what comes later may be older.
            if mark.at >= self._newest.setdefault(symbol, mark).at:
                self._newest[symbol] = mark
            self._note(symbol, mark)
        for symbol, marks in event.worst.items():
            for mark in marks:
                self._note(symbol, mark)

    def _note(self, symbol: str, mark: Mark) -> None:
        if mark.price < self._lowest.setdefault(symbol, mark).price:
            self._lowest[symbol] = mark
        if mark.price > self._highest.setdefault(symbol, mark).price:
            self._highest[symbol] = mark

    def as_event(self) -> MarksMoved:
        """All of them as one event: the newest marks, and the extremes that differ from them."""
        if self._last is None:
            raise ValueError("nothing was added")
        worst = {s: extremes for s in self._newest if (extremes := self._extremes(s))}
        return replace(self._last, marks=self._newest, worst=worst, confirmed=self._confirmed)

    def _extremes(self, symbol: str) -> tuple[Mark, ...]:
        newest = self._newest[symbol].price
        both = (self._lowest[symbol], self._highest[symbol])
        return tuple({mark.price: mark for mark in both if mark.price != newest}.values())
