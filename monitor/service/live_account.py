"""
An account between two readings: the last one, and what its streams told since.

Pure: frames and readings in, snapshots out. REST is the truth and the streams are quick, so
each reading is held against what was told: frames that came while it was under way go on top
of it; one that shows less than what was told before it began is of an older moment, and is
not believed at once (F-22); what it shows and nobody told is taken over, and said (F-21).
What comes on a connection before a reading has filled the gap before it is held back (F-20).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.engine.events import Source
from monitor.errors import ExchangeError
from monitor.service.closings import Closings
from monitor.service.untold import NOT_UNDERSTOOD, Untold, differences, untold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.exchanges.port import AccountView, Frame
    from monitor.risk.model import AccountSnapshot, HeldKey

LAG = timedelta(seconds=30)
"""A reading is held against what was told for so long before it began."""

DISAGREEMENTS_AT_MOST = 3
"""The reading that shows less than what was told for the third time in a row is right."""

MOST_FRAMES = 5000
LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """
    What a frame led to: the account after it, or why only a reading can tell.

    Both are None where the frame is held back, or changes nothing. `closed`: the positions
    whose end was told since a reading showed it, by this frame or those before it.
    """

    snapshot: AccountSnapshot | None = None
    ask: str | None = None
    closed: frozenset[HeldKey] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    What to believe after a reading.

    `source` is REST where the snapshot is the reading's own, LIVE where frames stand on top
    of it. `is_behind`: the reading is older than what was told; ask again soon. `untold` is
    set where it shows what no frame told, while all streams were whole. `beneath` is the
    reading's own snapshot, of the time when it began, where the other is not.
    """

    snapshot: AccountSnapshot
    source: Source
    beneath: AccountSnapshot | None = None
    is_behind: bool = False
    untold: Untold | None = None


class LiveAccount:
    """One account's view, kept up by its streams. Connections go by their numbers."""

    def __init__(self) -> None:
        self.snapshot: AccountSnapshot | None = None
        self._view: AccountView | None = None
        self._frames: deque[tuple[int, Frame]] = deque(maxlen=MOST_FRAMES)
        # Connections whose gap is not filled: since when they tell all, None while they don't.
        self._gaps: dict[int, datetime | None] = {}
        # When a connection ended whose gap no reading had filled: nor has its successor.
        self._left_gap_at: datetime | None = None
        # Whether all was told since the last reading, which was sound.
        self._is_whole = False
        self._began: datetime | None = None
        self._behind = 0
        self._behind_since: datetime | None = None
        self._closings = Closings()
        # What readings showed first, for as long as it may be told yet.
        self._untold: list[Untold] = []

    # -- connections ------------------------------------------------------------------------

    def opened(self, number: int) -> None:
        """What comes on this connection is held back from now on."""
        self._gaps[number] = None

    def listening(self, number: int, at: datetime, *, is_gapless: bool) -> tuple[After, ...]:
        """
        This connection tells all from now on; what it told so far, if there was no gap.

        Otherwise, or where the connection before it had a gap still, a reading that begins from
        now on fills it.
        """
        if not is_gapless or self._left_gap_at is not None:
            self._gaps[number] = at
            self._is_whole = False
            return ()
        self._gaps.pop(number, None)
        return tuple(self._told(frame) for n, frame in tuple(self._frames) if n == number)

    def closed(self, number: int, at: datetime) -> None:
        """
        Nothing more comes on this connection; whether another tells all is not known here.

        One that never listened leaves no gap of its own: nobody went by it.
        """
        if self._gaps.pop(number, None) is not None:
            self._left_gap_at = at

    @property
    def has_gaps(self) -> bool:
        """Whether something may be missing that no reading has shown yet."""
        return bool(self._gaps) or self._view is None

    def is_left(self, untold: Untold) -> bool:
        """Whether something of it was not told until now; to be asked once, at the end."""
        self._untold = [each for each in self._untold if each is not untold]
        return bool(untold.left)

    # -- frames -----------------------------------------------------------------------------

    def heard(self, number: int, frame: Frame) -> After:
        """What a frame leads to that changes the account."""
        oldest = min(self._began or frame.at, frame.at - LAG)
        while self._frames and self._frames[0][1].at < oldest:
            self._frames.popleft()
        self._frames.append((number, frame))
        for each in self._untold:
            each.hear(frame)
        return After() if number in self._gaps else self._told(frame)

    def _told(self, frame: Frame) -> After:
        after, closed = self._taken(frame), self._closed(frame)
        if not closed or after.ask is not None or self.snapshot is None:
            return after
        # A reading has shown it already: then nothing changes, but the cause is known.
        return After(snapshot=replace(self.snapshot, at=frame.at), closed=closed)

    def _closed(self, frame: Frame) -> frozenset[HeldKey]:
        try:
            return self._closings.hear(frame)
        except (ExchangeError, *NOT_UNDERSTOOD):
            return frozenset()

    def _taken(self, frame: Frame) -> After:
        if self._view is None:
            return After()
        try:
            view = self._view.updated(frame)
            if view is self._view:
                return After()
            snapshot = view.snapshot(frame.at)
        except ExchangeError as error:
            return After(ask=f"an event that can't be placed: {error.because}")
        except NOT_UNDERSTOOD as error:
            return After(ask=f"an event that our rules can't read ({type(error).__name__})")
        if self.snapshot is not None and snapshot.mode != self.snapshot.mode:
            return After(ask=f"the account's mode changed to «{snapshot.mode}»")
        self._view, self.snapshot = view, snapshot
        return After(snapshot=snapshot)

    # -- readings ---------------------------------------------------------------------------

    def reading_begins(self, at: datetime) -> None:
        """Frames from now on are newer than what the reading may show."""
        self._began = at

    def read(self, view: AccountView, began: datetime, *, are_whole: bool) -> Reading:
        """
        What to believe after a reading that began at this time.

        Args:
            are_whole: Whether every stream of the account tells all right now.

        Raises:
            ExchangeError: If the reading itself can't be understood.
        """
        plain = view.snapshot(began)
        base, told = self._held_against(view, plain, began)
        newer = self._between(began)
        final, ahead = _with(base, newer, began)
        ahead = ahead or told
        at = max([began, *(frame.at for frame in newer)])
        snapshot, source = replace(plain, at=at), Source.REST
        if ahead is not None and differences(plain, ahead):
            snapshot, source = replace(ahead, at=at), Source.LIVE
        found = None
        is_sound = are_whole and self._is_whole and told is None
        if is_sound and self._view is not None and self.snapshot is not None:
            found = untold(self._view, self.snapshot, snapshot)
        if found is not None:
            for each in self._untold:
                each.undone_by(found)
            self._untold.append(found)
        before, shown = self.snapshot, snapshot.held
        if self._view is not None and before is not None and before.held - shown:
            self._closings.vanished(self._view, began)
        self._view, self.snapshot, self._began = final, snapshot, None
        self._gaps = {n: at for n, at in self._gaps.items() if at is None or at > began}
        if self._left_gap_at is not None and self._left_gap_at <= began:
            self._left_gap_at = None
        self._is_whole = are_whole and not self._gaps
        return Reading(
            snapshot=snapshot,
            source=source,
            beneath=plain if source is Source.LIVE else None,
            is_behind=told is not None,
            untold=found,
        )

    def _held_against(
        self, view: AccountView, plain: AccountSnapshot, began: datetime
    ) -> tuple[AccountView, AccountSnapshot | None]:
        """The reading; where it is behind, with what was told before on top, as a snapshot too."""
        since, has_waited = began - LAG, self._behind + 1 >= DISAGREEMENTS_AT_MOST
        if has_waited and self._behind_since is not None:
            # What was told before the first of these readings had its chance, and no more.
            since = max(since, self._behind_since)
            self._frames = deque((e for e in self._frames if e[1].at >= since), MOST_FRAMES)
        told, ahead = _with(view, self._between(since, began), began)
        if ahead is not None and differences(plain, ahead):
            is_first = has_waited or not self._behind
            self._behind = 1 if is_first else self._behind + 1
            self._behind_since = began if is_first else self._behind_since
            return told, ahead
        self._behind = 0
        self._frames = deque((each for each in self._frames if each[1].at >= began), MOST_FRAMES)
        return view, None

    def _between(self, since: datetime, until: datetime | None = None) -> tuple[Frame, ...]:
        return tuple(
            frame
            for _, frame in self._frames
            if since <= frame.at and (until is None or frame.at < until)
        )


def _with(
    view: AccountView, frames: Iterable[Frame], at: datetime
) -> tuple[AccountView, AccountSnapshot | None]:
    """
    The view after these frames, and its snapshot where they changed anything.

    A frame that it can't take is left out: the next reading tells.
    """
    after = view
    for frame in frames:
        try:
            after = after.updated(frame)
        except (ExchangeError, *NOT_UNDERSTOOD):
            continue
    if after is view:
        return view, None
    try:
        return after, after.snapshot(at)
    except (ExchangeError, *NOT_UNDERSTOOD):
        return view, None
