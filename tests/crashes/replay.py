"""
A crash through the engine at a chosen speed: what is told, when, and how long before the end.

Time is the engine's argument: nothing waits. At 60× a minute of the market takes the engine one
second. The account is read every 15 s of the engine's time and its clock ticks every second.
Seconds from which nothing can follow are left out: a rung is reached with a mark and left with
a tick of the clock, so where none can be left, or the clock has ticked at prices that hold
since, it ticks, and the account is read, only as often as the budgets ask. Marks that the engine
says may wait come with the next tick, as they do from the mailbox.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from math import ceil, floor
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from monitor.alerts import incident as incidents
from monitor.alerts.incident import OPENINGS_WITHIN, Subject
from monitor.engine import casebook
from monitor.engine.events import TimePassed
from monitor.engine.knowledge import Budgets
from tests.build import NOON
from tests.engine.scene import Scene, changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.engine.calm import Span
    from monitor.engine.effects import IncidentChanged
    from tests.crashes.books import Book
    from tests.crashes.candles import Crash

_MARK_SECONDS = 5.0
"""Marks that hold are sent again before a tick that comes later than this."""
_RARELY_SECONDS = 45.0
"""So rarely the clock ticks where nothing follows: an account is read at least once a minute."""
# Short of 2.5 % and 6 %, at which the rungs on distance are left.
_VERY_NEAR_HOLDS, _NEAR_HOLDS = Decimal("0.024"), Decimal("0.058")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    The product's rules that act in its own time, each in seconds of it.

    `looks`: how often distance is looked at where nothing is reached, which is when a rung may
    be left. `readings`: of the account, with which prices of stablecoins come. `openings`: the
    hour in which an incident may open twice; what opens then stays open till it is over.
    """

    looks: float = 1.0
    readings: float = 15.0
    openings: float = OPENINGS_WITHIN.total_seconds()

    def stretched(self, by: float, *names: str) -> Rules:
        """With these rules so many times as long."""
        return replace(self, **{name: getattr(self, name) * by for name in names})

    def budgets(self) -> Budgets:
        """The usual ones, as much longer as what they wait for comes more rarely."""
        usual, rarer = Budgets(), max(1.0, self.looks, self.readings / 15)
        return replace(
            usual,
            account_seconds=usual.account_seconds * rarer,
            marks_seconds=usual.marks_seconds * rarer,
            near_probe_seconds=usual.near_probe_seconds * rarer,
            near_told_seconds=usual.near_told_seconds * rarer,
        )


@dataclass(slots=True, kw_only=True)
class Met:
    """One incident: every rung that was an alarm in it, by when, those of one moment together."""

    opened: float
    rungs: list[list[str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Story:
    """
    What one book met; every time is the market's second.

    `reached`: per rung when it was an alarm first, `untold` those of which no message spoke then.
    `since`: the same since the pool last stood on no rung. `incidents`: in the order of their
    openings. `others`: subjects of any other incident, of which there should be none. `ended`
    is when the book was liquidated. `titles` are those of its messages.
    """

    reached: dict[str, float] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    since: dict[str, float] = field(default_factory=dict)
    incidents: list[Met] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    ended: float | None = None
    titles: list[str] = field(default_factory=list)

    def lead(self, rung: str) -> float | None:
        """Market seconds from when it was reached since the last calm to the end."""
        if self.ended is None or rung not in self.since:
            return None
        return self.ended - self.since[rung]

    @property
    def ways(self) -> list[list[list[str]]]:
        """Per incident the rungs in the order in which they were reached."""
        return [met.rungs for met in self.incidents]

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Story:
        return cls(**{**data, "incidents": [Met(**met) for met in data["incidents"]]})


class Replay:
    """
    One book through one crash.

    Args:
        speed: How many market seconds pass in one of ours.
        every_second: Leave no second out.
    """

    def __init__(
        self,
        crash: Crash,
        book: Book,
        speed: int,
        *,
        rules: Rules | None = None,
        every_second: bool = False,
    ) -> None:
        self.story = Story()
        self._crash, self._book, self._speed = crash, book, speed
        self._rules, self._every_second = rules or Rules(), every_second
        self._scene = Scene(budgets=self._rules.budgets())
        self._read_at = self._marked_at = self._changed_at = 0.0
        self._ticked_at = -1.0
        self._market_second = 0.0
        self._by_id: dict[str, Met] = {}
        self._stands: tuple[str, ...] = ()
        self._calm: Mapping[str, Span] | None = None
        self._held_back = False

    def run(self) -> Story:
        with _openings_within(self._rules.openings):
            return self._run()

    def _run(self) -> Story:
        prices = self._crash.first_prices()
        self._read(prices)
        self._mark(prices)
        left = self._book.distance(prices)
        for second, after in self._crash.prices():
            self._wait_until(second / self._speed, prices, left)
            self._market_second = second
            has_moved, prices = after != prices, after
            if has_moved:
                left, self._changed_at = self._book.distance(after), self._seconds
            self._held_back = self._may_wait(prices)
            if not self._held_back:
                self._mark(prices)
            if self._book.is_liquidated(prices):
                self.story.ended = second
                break
        return self.story

    @property
    def _seconds(self) -> float:
        return (self._scene.at - NOON).total_seconds()

    def _wait_until(self, end: float, prices: Mapping[str, Decimal], left: Decimal) -> None:
        """All that falls due before `end`, in the engine's seconds, while the marks hold."""
        wait = self._idle_seconds()
        while (due := self._next_look(wait, left)) < end:
            self._market_second = due * self._speed
            self._advance(due)
            if self._held_back or due - self._marked_at >= _MARK_SECONDS:
                self._mark(prices)
            if due - self._read_at >= self._rules.readings:
                self._read(prices)
            self._scene.feed(TimePassed(at=self._scene.at))
            self._ticked_at = due
            self._hear()
        self._advance(end)

    def _idle_seconds(self) -> float:
        """From tick to tick where nothing follows; prices of stablecoins come with readings."""
        if self._every_second:
            return self._rules.looks
        idle = _RARELY_SECONDS if self._book.held_in is None else self._rules.readings
        return max(idle, self._rules.looks)

    def _next_look(self, wait: float, left: Decimal) -> float:
        looks, last = self._rules.looks, self._ticked_at
        if last >= self._changed_at or not self._may_leave(left):
            return last + wait
        return max(floor(last / looks) + 1, ceil(self._seconds / looks)) * looks

    def _may_leave(self, left: Decimal) -> bool:
        """Whether a rung on distance that the pool stands on may be left at this distance."""
        if not self._stands:
            return self._every_second
        if self._every_second or self._book.held_in is not None:
            return True
        return left > (_VERY_NEAR_HOLDS if "very near" in self._stands else _NEAR_HOLDS)

    def _advance(self, to: float) -> None:
        self._scene.at = NOON + timedelta(seconds=to)

    def _may_wait(self, prices: Mapping[str, Decimal]) -> bool:
        """Whether all marks lie where the engine lets them wait."""
        if self._every_second:
            return False
        if self._calm is None:
            self._calm = self._scene.engine.calm()
        spans = ((self._calm.get(f"{leg.coin}USDT"), prices[leg.coin]) for leg in self._book.legs)
        return all(span is not None and span[0] <= price <= span[1] for span, price in spans)

    def _mark(self, prices: Mapping[str, Decimal]) -> None:
        self._marked_at, self._held_back = self._seconds, False
        self._scene.tick(**{leg.coin: prices[leg.coin] for leg in self._book.legs})
        self._hear()

    def _read(self, prices: Mapping[str, Decimal]) -> None:
        self._read_at = self._seconds
        marks = {leg.coin: prices[leg.coin] for leg in self._book.legs}
        self._scene.read(self._book.pool(prices), **marks)
        self._hear()

    def _hear(self) -> None:
        self._calm = None
        for change in changes(self._scene.latest):
            self._note(change)
        self._scene.latest = ()
        self._scene.effects.clear()

    def _note(self, change: IncidentChanged) -> None:
        incident, story, second = change.incident, self.story, self._market_second
        if change.notification is not None:
            story.titles.append(change.notification.title)
        if incident.subject is not Subject.STANDING:
            story.others.append(incident.subject.value)
            return
        self._stands = (*incident.alarms, *incident.accepted)
        if not incident.alarms:
            story.since.clear()
            return
        new = [rung for rung in incident.alarms if rung not in story.reached]
        if change.notification is None:
            story.untold += new
        for rung in incident.alarms:
            story.reached.setdefault(rung, second)
            story.since.setdefault(rung, second)
        if incident.id not in self._by_id:
            met = self._by_id[incident.id] = Met(opened=second)
            story.incidents.append(met)
        met = self._by_id[incident.id]
        known = {rung for group in met.rungs for rung in group}
        if fresh := [rung for rung in incident.alarms if rung not in known]:
            met.rungs.append(fresh)


@contextmanager
def _openings_within(seconds: float) -> Iterator[None]:
    span = timedelta(seconds=seconds)
    with patch.object(incidents, "OPENINGS_WITHIN", span), patch.object(
        casebook, "OPENINGS_WITHIN", span
    ):  # fmt: skip
        yield
