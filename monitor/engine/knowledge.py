"""
What is known of one account: its last reading, its marks, how old each is, and its feeds.

It takes facts in and says what may be relied on. It knows neither figures nor incidents.
Ages go by the time that a fact held at the exchange, never later than its arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from monitor.engine.events import Source
from monitor.engine.moves import Touched, Unmoved
from monitor.engine.unread import noted
from monitor.errors import Refused, Unmodelled, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.engine.events import MarksMoved, SnapshotTaken
    from monitor.engine.unread import Unread
    from monitor.errors import ExchangeError
    from monitor.risk.cash import Booking
    from monitor.risk.model import AccountSnapshot, HeldKey, Mark, PoolId

T = TypeVar("T")

MARKS = "marks"
ACCOUNT = "account"
"""The two feeds whose ages decide on the figures."""

BELIEVED_AFTER = timedelta(seconds=4)
"""Positions that vanish without a cause are gone only if readings say so for that long."""

BELIEVED_AT_LAST = timedelta(seconds=12)
"""The same where every reading shows others gone: somebody is trading."""

ASK_AGAIN_SECONDS = 2.0
"""Between the readings that are to confirm a doubtful one."""

TAKING_LASTS = timedelta(seconds=5)
"""Positions that are taken go one after the other: what is left meanwhile is no recovery."""

BOOKINGS_KEPT_FOR = timedelta(days=1)

JUMP = Decimal("0.10")
"""A mark that moves by more than this in one step is read again (it counts all the same)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """
    How old an input may be before its figure no longer counts as current.

    `account_seconds`, `marks_seconds`: the age of the account view and of a mark;
    `grace_seconds`: how much later it is told. Within the fraction `near_distance` of
    liquidation a live mark silent for `near_probe_seconds` is asked for, and one silent for
    `near_told_seconds` is told.
    """

    account_seconds: float = 60
    marks_seconds: float = 15
    grace_seconds: float = 5
    near_distance: Decimal = Decimal("0.02")
    near_probe_seconds: float = 3
    near_told_seconds: float = 6

    def __post_init__(self) -> None:
        spans = (
            ("account", self.account_seconds),
            ("marks", self.marks_seconds),
            ("near_probe", self.near_probe_seconds),
            ("near_told", self.near_told_seconds),
        )
        for word, seconds in spans:
            if not 0 < seconds < float("inf"):
                raise ValueError(f"budget '{word}' ({seconds}) must be a number of seconds above 0")
        if not 0 <= self.grace_seconds < float("inf"):
            raise ValueError(f"budget 'grace' ({self.grace_seconds}) must be a number of seconds")

    def live(self, *, near: bool) -> float:
        """Up to this age of its live mark a pool counts as fresh."""
        return min(self.near_told_seconds, self.marks_seconds) if near else self.marks_seconds

    def told(self, *, near: bool) -> float:
        """From this age of a live mark on it is told."""
        return self.live(near=True) if near else self.marks_seconds + self.grace_seconds

    def probe(self, *, near: bool) -> float:
        """From this age of a live mark on it is asked for by REST."""
        half = self.marks_seconds / 2
        return min(self.near_probe_seconds, half) if near else half


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """
    A live feed as last heard of: `lost_at` is None while it stands.

    `died`: its reader ended by a fault; what it brings next says that it is back.
    """

    name: str
    lost_at: datetime | None = None
    because: str = ""
    died: bool = False


class Knowledge:
    """What is known; `process` of the engine is the only one that changes it."""

    def __init__(self, *, account: str, exchange: str, budgets: Budgets) -> None:
        self.account = account
        self.exchange = exchange
        self.budgets = budgets
        self.started_at: datetime | None = None
        self.snapshot: AccountSnapshot | None = None
        self.doubted: AccountSnapshot | None = None
        self.doubted_since: datetime | None = None
        self._alike_since: datetime = datetime.min.replace(tzinfo=UTC)
        self.failure: ExchangeError | None = None
        self.failed_at: datetime | None = None
        self.taken_at: datetime | None = None
        self.read_at: datetime | None = None
        self._viewed_at: datetime | None = None
        self.awaited = ""
        self.awaited_since: datetime | None = None
        self.feeds: dict[str, Feed] = {}
        self.unread: Mapping[PoolId, Unread] = {}
        self._live: dict[str, Mark] = {}
        self._asked: dict[str, Mark] = {}
        self._wanted_since: dict[str, datetime] = {}
        self._unmoved = Unmoved()
        self._symbols: dict[str, str] = {}
        self._bookings: dict[str, Booking] = {}

    # -- facts in -------------------------------------------------------------------------

    def begin(self, at: datetime) -> None:
        """The first event fixes when the waiting for a first reading began."""
        if self.started_at is None:
            self.started_at = at

    def take_reading(
        self, snapshot: AccountSnapshot, at: datetime, read_at: datetime | None
    ) -> None:
        """
        A reading that began at `read_at` came: the account can be read.

        Of a live update (None) only the marks are worth having: it may come while every
        reading is refused.
        """
        if read_at is not None:
            self.failure = self.failed_at = None
            self.read_at = read_at
            self._revive(ACCOUNT)
            if self.awaited_since is not None and read_at >= self.awaited_since:
                self.awaited, self.awaited_since = "", None
        for symbol, mark in snapshot.marks.items():
            self._take(self._asked, symbol, mark, at)

    def note_unread(self, reading: AccountSnapshot, at: datetime) -> None:
        """Which pools a reading could not read; their book is the last known one."""
        self.unread = noted(self.unread, self.snapshot, reading, at)

    def fail(self, error: ExchangeError, at: datetime) -> None:
        """
        The account could not be read; of failures in a row the time of the first counts.

        Who refused and can't be reached now refuses still, until a reading comes.
        """
        self.failed_at = self.failed_at or at
        if self.must_act is None or not isinstance(error, Unreachable):
            self.failure = error

    def await_reading(self, because: str, at: datetime) -> None:
        """Only a reading that begins from now on can tell the rest of what happened."""
        if self.awaited_since is None:
            self.awaited, self.awaited_since = because, at

    def tick(self) -> None:
        """The clock ticks: of the parts that died only those that bring facts are waited for."""
        for name in self.feeds.keys() - {MARKS, ACCOUNT}:
            self._revive(name)

    def _revive(self, name: str) -> None:
        feed = self.feeds.get(name)
        if feed is not None and feed.died:
            del self.feeds[name]

    def believe(
        self, snapshot: AccountSnapshot, at: datetime, *, viewed_at: datetime | None = None
    ) -> None:
        """
        This reading is the book from now on, and all of the account stood so at `viewed_at`.
        None: what it does not change is as old as before.
        """
        viewed = (each for each in (self._viewed_at, viewed_at) if each is not None)
        self._viewed_at = max(viewed, default=snapshot.at)
        self.snapshot, self.doubted, self.doubted_since = snapshot, None, None
        self._remember(snapshot)
        held = {i.symbol: i.exchange_symbol for i in snapshot.instruments()}
        self._symbols = {exchange_symbol: symbol for symbol, exchange_symbol in held.items()}
        self._wanted_since = {s: self._wanted_since.get(s, at) for s in held}
        needed = {s for pool in snapshot.pools for s in pool.symbols()} | set(held)
        for store in (self._live, self._asked):
            for symbol in store.keys() - needed:
                del store[symbol]

    def _remember(self, snapshot: AccountSnapshot) -> None:
        """The bookings of the last day, each once: a reading brings only the latest."""
        oldest = snapshot.at - BOOKINGS_KEPT_FOR
        known = {**self._bookings, **{each.id: each for each in snapshot.bookings}}
        self._bookings = {i: each for i, each in known.items() if each.at >= oldest}

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """What was booked within the last day, as far as readings told of it."""
        return tuple(self._bookings.values())

    def doubt(self, snapshot: AccountSnapshot, at: datetime) -> None:
        """This reading shows positions gone for which there is no cause: it must be confirmed."""
        if not self._was_doubted(snapshot):
            self._alike_since = at
        self.doubted_since = self.doubted_since or at
        self.doubted = snapshot

    def must_doubt(self, event: SnapshotTaken, snapshot: AccountSnapshot) -> bool:
        """
        Whether a reading shows positions gone that others must confirm.

        A live update explains what it shows. Where it builds on the very reading in doubt, it
        explains of that only what events themselves told the end of.

        Args:
            snapshot: The event's, completed.
        """
        gone = self.vanished(snapshot) - event.closed
        if not gone:
            return False
        if event.reading_at is None:
            return self.doubted is not None and bool(gone & self.vanished(self.doubted))
        same, since, at = self._was_doubted(snapshot), self.doubted_since, event.at
        if since is None or at - since >= BELIEVED_AT_LAST:
            return since is None
        return not same or at - self._alike_since < BELIEVED_AFTER

    def _was_doubted(self, snapshot: AccountSnapshot) -> bool:
        """Whether all that this reading shows gone was gone in the reading in doubt as well."""
        return self.doubted is not None and self.vanished(snapshot) <= self.vanished(self.doubted)

    def vanished(self, snapshot: AccountSnapshot) -> frozenset[HeldKey]:
        """
        The positions of the book that a reading no longer shows, by pool, symbol and side.

        Where the account's mode changed they may stand in another pool: there only symbol and
        side count.
        """
        if self.snapshot is None:
            return frozenset()
        gone = self.snapshot.held - snapshot.held
        if self.snapshot.mode == snapshot.mode:
            return gone
        elsewhere = {each[1:] for each in snapshot.held}
        return frozenset(each for each in gone if each[1:] not in elsewhere)

    def take_marks(self, event: MarksMoved) -> Touched:
        """
        What the marks of an event changed. Unknown symbols and marks older than what is known
        change nothing; a confirmed symbol's last live mark holds at the later time.
        """
        before = self.marks()
        if event.source is Source.LIVE:
            self._revive(MARKS)
            told = {*event.marks, *event.confirmed} & self._symbols.keys()
            self._unmoved.heard((self._symbols[each] for each in told), event.at)
        store = self._live if event.source is Source.LIVE else self._asked
        changed = set()
        for exchange_symbol, mark in event.marks.items():
            symbol = self._symbols.get(exchange_symbol)
            if symbol is None:
                continue
            if event.source is Source.REST:
                live = self._live.get(symbol)
                self._unmoved.asked(symbol, live, mark, event.unchanged_seconds)
            if self._take(store, symbol, mark, event.at):
                changed.add(symbol)
        for exchange_symbol, held_at in event.confirmed.items():
            last = store.get(self._symbols.get(exchange_symbol, ""))
            if last is not None:
                symbol = self._symbols[exchange_symbol]
                if self._take(store, symbol, replace(last, at=held_at), event.at):
                    changed.add(symbol)
        now = self.marks()
        return Touched(
            symbols=frozenset(changed),
            worst=self._between(event, before),
            jumps={
                s: now[s].price / before[s].price - 1
                for s in changed
                if s in before and abs(now[s].price / before[s].price - 1) > JUMP
            },
        )

    def _between(
        self, event: MarksMoved, before: Mapping[str, Mark]
    ) -> dict[str, tuple[Mark, ...]]:
        found = {}
        for exchange_symbol, marks in event.worst.items():
            symbol = self._symbols.get(exchange_symbol)
            if symbol is None:
                continue
            known = before.get(symbol)
            newer = tuple(m for m in marks if known is None or m.at >= known.at)
            if newer:
                found[symbol] = newer
        return found

    @staticmethod
    def _take(store: dict[str, Mark], symbol: str, mark: Mark, at: datetime) -> bool:
        """Whether the mark was news: no older than the one known of this source, and not it."""
        mark = mark if mark.at <= at else replace(mark, at=at)
        known = store.get(symbol)
        if known is not None and (mark.at < known.at or mark == known):
            return False
        store[symbol] = mark
        return True

    def is_being_taken(self, at: datetime) -> bool:
        """Whether the exchange took something so lately that what is left may go next."""
        return self.taken_at is not None and at - self.taken_at < TAKING_LASTS

    # -- what may be relied on ------------------------------------------------------------

    def marks(self) -> dict[str, Mark]:
        """The newest mark of each symbol, however it came."""
        newest = dict(self._asked)
        for symbol, mark in self._live.items():
            if symbol not in newest or mark.at >= newest[symbol].at:
                newest[symbol] = mark
        return newest

    def view_age(self, at: datetime) -> float | None:
        """
        Seconds since the account's state held as it is known; None before the first.

        A live event says so too while all streams tell all, but for where readings come and
        can't be understood: then nobody knows what it leaves out.
        """
        if self._viewed_at is None:
            return None
        is_told = self.failure is None or isinstance(self.failure, Unreachable)
        return _seconds(self._viewed_at if is_told else self.read_at or self._viewed_at, at)

    def mark_age(self, symbol: str, at: datetime) -> float | None:
        """Seconds since the newest mark held, however it came; None if there never was one."""
        ages = [_seconds(s[symbol].at, at) for s in (self._live, self._asked) if symbol in s]
        return min(ages, default=None)

    def live_age(self, symbol: str, at: datetime) -> float | None:
        """Seconds since the newest mark of the live feed held; None if there never was one."""
        mark = self._live.get(symbol)
        return None if mark is None else _seconds(mark.at, at)

    def stands(self, symbol: str, at: datetime, within_seconds: float) -> bool:
        """Whether the last live mark was found to stand so lately; its feed may be silent then."""
        live = self._live.get(symbol)
        return live is not None and self._unmoved.stands(symbol, live, at, within_seconds)

    def silent_for(self, symbol: str, at: datetime) -> float:
        """Seconds for which the live feed has said nothing of a symbol that it should."""
        age = self.live_age(symbol, at)
        since = self._wanted_since.get(symbol, at)
        return _seconds(since, at) if age is None else age

    def live_symbols(self, symbols: Iterable[str] | None = None) -> tuple[str, ...]:
        """Those of these symbols (None: of all) whose marks a live feed should bring."""
        wanted = self._wanted_since
        return tuple(sorted(wanted if symbols is None else wanted.keys() & set(symbols)))

    def by_exchange_symbol(self, of: Mapping[str, T]) -> dict[str, T]:
        """The same by the exchange's own names; symbols without one are left out."""
        return {own: of[symbol] for own, symbol in self._symbols.items() if symbol in of}

    def exchange_symbols(self, symbols: Iterable[str]) -> frozenset[str]:
        """The exchange's own names of these symbols."""
        names = {symbol: own for own, symbol in self._symbols.items()}
        return frozenset(names[symbol] for symbol in symbols if symbol in names)

    @property
    def must_act(self) -> ExchangeError | None:
        """A failure that lasts until somebody acts: refused, or not modelled."""
        return self.failure if isinstance(self.failure, (Refused, Unmodelled)) else None


def _seconds(since: datetime, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds())
