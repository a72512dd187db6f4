"""
A crash through the engine at a chosen speed: what is told, when, and how long before the end.

Time is the engine's argument: nothing waits. At 60× a minute of the market takes the engine one
second. The account is read every 15 s of the engine's time and its clock ticks every second;
while a book is far from every rung, and that can't change within a step, both come as rarely as
the budgets allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.alerts.incident import Subject
from monitor.engine.events import TimePassed
from tests.build import NOON
from tests.engine.scene import Scene, changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.engine.effects import IncidentChanged
    from tests.crashes.books import Book
    from tests.crashes.candles import Crash

READ_SECONDS, MARK_SECONDS, RARELY_SECONDS = 15.0, 5.0, 14.0
# The default ladder by what a rung asks for: the nearer to the end, the later in this list.
GRAVITY = ("near", "very near", "warning", "critical")
_FIGURES = re.compile(r"(; peak|, last known)? ?(at|is|stands|over)? ?(over )?[\d.]+ %.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message: the market's second, and its title without figures."""

    second: float
    what: str


@dataclass(slots=True, kw_only=True)
class Story:
    """
    What one book met. `incidents`: per incident that was told as an alarm the gravest rung it
    stood on, in the order of their openings. `others`: subjects of any other incident, of which
    there should be none. `ended` is the market's second of its liquidation.
    """

    said: list[Said] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    others: set[Subject] = field(default_factory=set)
    ended: float | None = None

    @property
    def words(self) -> list[str]:
        return [each.what for each in self.said]

    @property
    def peaks(self) -> list[str]:
        return list(self.incidents.values())

    def lead(self, rung: str) -> float | None:
        """Market seconds from the first word of this rung since the last calm to the end."""
        if self.ended is None:
            return None
        since = max((n for n, each in enumerate(self.said) if "RESOLVED" in each.what), default=0)
        found = [each.second for each in self.said[since:] if each.what.startswith(rung)]
        return self.ended - found[0] if found else None


class Replay:
    """One book through one crash. `speed` is how many market seconds pass in one of ours."""

    def __init__(self, crash: Crash, book: Book, speed: int) -> None:
        self.story = Story()
        self._crash, self._book, self._speed = crash, book, speed
        self._scene = Scene()
        self._read_at = self._marked_at = self._ticked_at = 0.0
        self._market_second = 0.0

    def run(self) -> Story:
        prices = self._crash.first_prices()
        self._read(prices)
        self._mark(prices)
        for second, after in self._crash.prices():
            far = self._book.is_far(prices) and self._book.is_far(after)
            self._wait_until(second / self._speed, prices, far=far)
            self._market_second, prices = second, after
            self._mark(prices)
            if self._book.is_liquidated(prices):
                self.story.ended = second
                break
        return self.story

    @property
    def _seconds(self) -> float:
        return (self._scene.at - NOON).total_seconds()

    def _wait_until(self, end: float, prices: Mapping[str, Decimal], *, far: bool) -> None:
        """All that falls due before `end`, in the engine's seconds, while the marks hold."""
        every = RARELY_SECONDS if far else 1.0
        while (due := self._ticked_at + every) < end:
            self._market_second = due * self._speed
            self._scene.later(due - self._seconds)
            self._ticked_at = due
            self._scene.feed(TimePassed(at=self._scene.at))
            self._hear()
            if due - self._marked_at >= MARK_SECONDS:
                self._mark(prices)
            if due - self._read_at >= READ_SECONDS:
                self._read(prices)
        self._scene.later(end - self._seconds)

    def _mark(self, prices: Mapping[str, Decimal]) -> None:
        self._marked_at = self._seconds
        self._scene.tick(**{leg.coin: prices[leg.coin] for leg in self._book.legs})
        self._hear()

    def _read(self, prices: Mapping[str, Decimal]) -> None:
        self._read_at = self._seconds
        marks = {leg.coin: prices[leg.coin] for leg in self._book.legs}
        self._scene.read(self._book.pool(prices), **marks)
        self._hear()

    def _hear(self) -> None:
        for change in changes(self._scene.latest):
            self._note(change)
            if change.notification is not None:
                rung, _, where = change.notification.title.partition(":")
                what = f"{rung}:{_FIGURES.sub('', where)}"
                self.story.said.append(Said(second=self._market_second, what=what))
        self._scene.latest = ()
        self._scene.effects.clear()

    def _note(self, change: IncidentChanged) -> None:
        incident, story = change.incident, self.story
        if incident.subject is not Subject.STANDING:
            story.others.add(incident.subject)
        for rung in incident.alarms:
            known = story.incidents.get(incident.id)
            if known is None or GRAVITY.index(rung) > GRAVITY.index(known):
                story.incidents[incident.id] = rung
