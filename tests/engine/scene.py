"""
An account's day as a list of facts: each line of a test adds one and looks at what followed.

The pool of most scenes is a long of 10 SOL from 100 with 500 USDT at 40 % maintenance, so that
its ratio is 4 × mark ÷ (10 × mark − 500): 80 % at a mark of 100, 90 % at 90, 68.6 % at 120,
104.0 % at 81.2; it is liquidated at 83.33.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.engine.effects import (
    AccountAssessment,
    Assessed,
    Effect,
    IncidentChanged,
    MarksWanted,
    SnapshotWanted,
)
from monitor.engine.engine import Engine
from monitor.engine.events import (
    Event,
    FeedLost,
    FeedRestored,
    KeyRightsRead,
    MarksMoved,
    PollFailed,
    SnapshotTaken,
    Source,
    TimePassed,
)
from monitor.risk.model import AccountSnapshot, HeldKey, MarginPool, Mark, Position, Reported
from tests.build import NOON, Number, a_pool, flat, long, mark

if TYPE_CHECKING:
    from monitor.alerts.incident import Step, Subject
    from monitor.errors import ExchangeError

LONG = long("SOL", contracts=10, entry=100, tiers=flat("0.4"))


def the_pool(*positions: Position, cash: Number = 500, **changes: Any) -> MarginPool:
    return a_pool(*(positions or (LONG,)), cash=cash, **changes)


def snapshot(
    *pools: MarginPool,
    at: datetime = NOON,
    reported: dict[str, Reported] | None = None,
    **prices: Number,
) -> AccountSnapshot:
    """A reading; `reported` is by the pool's name, prices by base coin."""
    said = reported or {}
    return AccountSnapshot(
        account="main",
        exchange="bybit",
        at=at,
        mode="unified, cross",
        pools=pools,
        reported={pool.id: said[pool.id.name] for pool in pools if pool.id.name in said},
        marks={f"{base}/USDT:USDT": mark(price, at) for base, price in prices.items()},
    )


class Scene:
    """One engine and its clock; every effect is kept, and what the latest fact led to."""

    def __init__(self, **settings: Any) -> None:
        self.engine = Engine(account="main", exchange="bybit", **settings)
        self.at = NOON
        self.latest: tuple[Effect, ...] = ()
        self.effects: list[Effect] = []

    def feed(self, event: Event) -> Scene:
        self.at = event.at
        self.latest = self.engine.process(event)
        self.effects += self.latest
        return self

    def later(self, seconds: float) -> Scene:
        self.at += timedelta(seconds=seconds)
        return self

    def read(
        self,
        *pools: MarginPool,
        source: Source = Source.REST,
        age: float = 0,
        reported: dict[str, Reported] | None = None,
        is_reading: bool = False,
        closed: frozenset[HeldKey] = frozenset(),
        beneath: AccountSnapshot | None = None,
        **prices: Number,
    ) -> Scene:
        """`is_reading`: a live book on a reading of that moment; `closed`: ends that were told."""
        read_at = self.at - timedelta(seconds=age)
        taken = snapshot(*pools, at=read_at, reported=reported, **prices)
        began = read_at if is_reading else None
        return self.feed(
            SnapshotTaken(
                snapshot=taken,
                at=self.at,
                source=source,
                read_at=began,
                closed=closed,
                beneath=beneath,
            )
        )

    def tick(
        self,
        *,
        source: Source = Source.LIVE,
        age: float = 0,
        unchanged_seconds: float = 0,
        worst: dict[str, tuple[Number, ...]] | None = None,
        **prices: Number,
    ) -> Scene:
        held_at = self.at - timedelta(seconds=age)
        return self.feed(
            MarksMoved(
                marks={f"{base}USDT": mark(price, held_at) for base, price in prices.items()},
                at=self.at,
                source=source,
                unchanged_seconds=unchanged_seconds,
                worst={
                    f"{base}USDT": tuple(mark(price, held_at) for price in marks)
                    for base, marks in (worst or {}).items()
                },
            )
        )

    def confirm(self, *bases: str) -> Scene:
        return self.feed(
            MarksMoved(marks={}, at=self.at, confirmed={f"{base}USDT": self.at for base in bases})
        )

    def second(self) -> Scene:
        return self.later(1).feed(TimePassed(at=self.at))

    def silence(self, seconds: int) -> Scene:
        """So many seconds in which nothing is heard but the clock."""
        before = len(self.effects)
        for _ in range(seconds):
            self.second()
        self.latest = tuple(self.effects[before:])
        return self

    def steady(self, seconds: int, *pools: MarginPool, **prices: Number) -> Scene:
        """So many seconds of live marks each second and a reading each 15."""
        before = len(self.effects)
        for second in range(seconds):
            self.second().tick(**prices)
            if second % 15 == 14:
                self.read(*(pools or (the_pool(),)), **prices)
        self.latest = tuple(self.effects[before:])
        return self

    def fail(self, error: ExchangeError) -> Scene:
        return self.feed(PollFailed(error=error, at=self.at))

    def lose(self, feed: str = "marks", because: str = "no pong for 35 s") -> Scene:
        return self.feed(FeedLost(feed=feed, because=because, at=self.at))

    def restore(self, feed: str = "marks") -> Scene:
        return self.feed(FeedRestored(feed=feed, at=self.at))

    def key(self, *powers: str, allowed: bool = False) -> Scene:
        return self.feed(KeyRightsRead(powers=powers, allowed=allowed, at=self.at))

    # -- what followed --------------------------------------------------------------------

    @property
    def steps(self) -> list[tuple[Subject, Step]]:
        """Steps of the latest fact, told or not."""
        return _steps(self.latest)

    @property
    def told(self) -> list[str]:
        """Titles of what the latest fact led to telling."""
        return _titles(self.latest)

    @property
    def all_told(self) -> list[str]:
        return _titles(self.effects)

    @property
    def body(self) -> str:
        """The body of the latest message."""
        return [c.notification for c in changes(self.effects) if c.notification][-1].body

    @property
    def now(self) -> AccountAssessment:
        return [each.assessment for each in self.effects if isinstance(each, Assessed)][-1]

    @property
    def marks_wanted(self) -> list[set[str]]:
        return [set(each.symbols) for each in self.latest if isinstance(each, MarksWanted)]

    @property
    def snapshots_wanted(self) -> list[str]:
        return [each.because for each in self.latest if isinstance(each, SnapshotWanted)]


def calm(**settings: Any) -> Scene:
    """The pool of most scenes, read and live, at a mark of 120: 68.6 %."""
    return Scene(**settings).read(the_pool(), SOL=120).tick(SOL=120)


def changes(effects: Any) -> list[IncidentChanged]:
    return [each for each in effects if isinstance(each, IncidentChanged)]


def renamed(pool: MarginPool, name: str) -> MarginPool:
    return replace(pool, id=replace(pool.id, name=name))


def _steps(effects: Any) -> list[tuple[Subject, Step]]:
    return [(each.incident.subject, each.transition.step) for each in changes(effects)]


def _titles(effects: Any) -> list[str]:
    return [each.notification.title for each in changes(effects) if each.notification]


__all__ = ["LONG", "Mark", "Scene", "calm", "changes", "renamed", "snapshot", "the_pool"]
