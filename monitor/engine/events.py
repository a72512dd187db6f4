"""
Facts, each with its time. `at` is always now, by the monitor's own clock (UTC, aware).

Marks are keyed by the exchange's own symbol; their own time is the exchange's event time on
our clock, never later than when they were received.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.errors import ExchangeError
    from monitor.risk.model import AccountSnapshot, HeldKey, Mark
    from monitor.risk.news import News


class Source(Enum):
    """How a fact came: by a live feed, or asked for."""

    LIVE = "live"
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """
    `read_at`: when the reading began on which a live book stands that came with it; None where
    an event alone was laid on what was known. `closed`: the positions whose end events told of
    since a reading showed fewer, by pool, symbol and side. `is_view`: all of the account stands
    like this at the snapshot's own time, since everything else would have been told until then;
    otherwise a reading says so of when it began, and an event of nothing. `beneath`: the reading
    itself, without the events that a live book has on top of it; None where it is the snapshot,
    or its replies were not of one moment.
    """

    snapshot: AccountSnapshot
    at: datetime
    source: Source = Source.REST
    read_at: datetime | None = None
    closed: frozenset[HeldKey] = frozenset()
    is_view: bool = True
    beneath: AccountSnapshot | None = None

    @property
    def reading_at(self) -> datetime | None:
        """When the reading began that this is; None for an event alone."""
        if self.read_at is None and self.source is Source.REST:
            return self.snapshot.at
        return self.read_at

    @property
    def viewed_at(self) -> datetime | None:
        """When all of the account stood like this; None where only what changed is told."""
        return self.snapshot.at if self.is_view else self.reading_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksMoved:
    """
    `confirmed`: symbols whose last mark still holds at that time. `worst` holds, beside each
    newest mark, others since the last event (the lowest and the highest of a spike).
    `unchanged_seconds`: of marks that were asked for, how long their live feed may be silent
    about one that does not move; 0 where it tells of each all the time.
    """

    marks: Mapping[str, Mark]
    at: datetime
    source: Source = Source.LIVE
    confirmed: Mapping[str, datetime] = field(default_factory=dict)
    worst: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)
    unchanged_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLost:
    feed: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRestored:
    """After confirmed subscription and first data."""

    feed: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFailed:
    """An account could not be read; `error` says in its type what that means."""

    error: ExchangeError
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRightsRead:
    """What the key may do beyond reading (`powers`), and whether the owner allowed that."""

    powers: tuple[str, ...]
    allowed: bool
    at: datetime
    missing: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDied:
    """A part that fed this account ended by a bug; it is being started again."""

    feed: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsCame:
    """The exchange itself warned of something, or took something."""

    news: tuple[News, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingAwaited:
    """Something happened of which only the next reading by REST can tell the rest."""

    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A reading changed the book though the live stream told nothing of it: an event was lost."""

    before: AccountSnapshot
    after: AccountSnapshot
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesAnnounced:
    """The exchange announced other tables of a symbol (its own name for it)."""

    symbol: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Once a second."""

    at: datetime


Noted = (
    FeedLost
    | FeedRestored
    | PollFailed
    | KeyRightsRead
    | TaskDied
    | NewsCame
    | ReadingAwaited
    | Drifted
)
"""What moves no figure by itself."""

Event = SnapshotTaken | MarksMoved | TablesAnnounced | TimePassed | Noted
