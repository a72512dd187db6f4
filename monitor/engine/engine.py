"""
One account: facts in, effects out.

`Engine.process` takes one event with its time and gives back everything that follows from it:
what is known now, incidents that changed with what is to be said, and what is to be asked.
It holds no clock and does no I/O; the same events give the same effects. It routes: what is
known lies in `knowledge` and `watch`, whether it may be relied on in `freshness`, what is
wrong in `alerts`, and the questions to be asked in `wants`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.alerts.place import Place
from monitor.alerts.policy import Policy
from monitor.engine import freshness
from monitor.engine.abreast import Course
from monitor.engine.allowance import Allowance
from monitor.engine.briefing import Briefing
from monitor.engine.calm import common
from monitor.engine.casebook import Casebook
from monitor.engine.drift import drifts_of
from monitor.engine.effects import AccountAssessment, Assessed, SnapshotWanted, State
from monitor.engine.events import (
    Drifted,
    FeedLost,
    FeedRestored,
    KeyRightsRead,
    MarksMoved,
    NewsCame,
    PollFailed,
    ReadingAwaited,
    SnapshotTaken,
    Source,
    TablesAnnounced,
    TaskDied,
    TimePassed,
)
from monitor.engine.happenings import Happenings
from monitor.engine.inquest import Inquest
from monitor.engine.knowledge import ASK_AGAIN_SECONDS, Budgets, Feed, Knowledge
from monitor.engine.moves import Touched
from monitor.engine.openings import Opened, openings
from monitor.engine.unread import completed
from monitor.engine.wants import Wants
from monitor.risk.result import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.alerts.incident import Incident
    from monitor.alerts.ladder import Ladder
    from monitor.engine.calm import Span
    from monitor.engine.effects import Effect
    from monitor.engine.events import Event, Noted
    from monitor.engine.freshness import Freshness
    from monitor.engine.watch import Watch
    from monitor.risk.model import AccountSnapshot, Mark, PoolId

_NOTHING = Touched(worst={}, jumps={})


class Engine:
    """
    All that is known of one account, and what follows from each further fact.

    Args:
        incidents: Those that were open when the monitor last ran, and those resolved within
            the last hour: what was told is not told again, and a recovery in between is.
        was_watched: Whether this account was watched by an earlier run. What stands near its
            end at the first reading then came there meanwhile, and is an alarm; otherwise its
            owner knew it when he began to watch it.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        *,
        account: str,
        exchange: str,
        ladder: Ladder = DEFAULT_LADDER,
        budgets: Budgets | None = None,
        target: Target | None = None,
        policy: Policy | None = None,
        incidents: Iterable[Incident] = (),
        was_watched: bool = False,
    ) -> None:
        self._known = Knowledge(account=account, exchange=exchange, budgets=budgets or Budgets())
        self._target = target or Target()
        self._watches: dict[PoolId, Watch] = {}
        self._course = Course()
        self._wants = Wants()
        earlier = tuple(i for i in incidents if i.account == account)
        allowance = Allowance(ladder, earlier)
        casebook = Casebook(policy or Policy(), earlier, allowance=allowance)
        self._happenings = Happenings(casebook, earlier, was_watched=was_watched)
        self._ladder = ladder
        self._inquest = Inquest(known=self._known, casebook=casebook, ladder=ladder)
        self._was_watched = was_watched
        self._at: datetime | None = None
        self._state = State.BLIND

    def process(self, event: Event) -> tuple[Effect, ...]:
        """Everything that follows from one event, in the order in which it is to be done."""
        self._at = event.at
        self._known.begin(event.at)
        match event:
            case SnapshotTaken():
                return self._read(event)
            case MarksMoved():
                return self._moved(event)
            case TimePassed():
                self._inquest.forget_old(event.at)
                self._known.tick()
                return self._concluded(event.at, _NOTHING, solve=True)
            case TablesAnnounced():
                asked = self._wants.announced(self._known, event)
                return (*asked, *self._concluded(event.at, _NOTHING))
            case _:
                self._note(event)
        return self._concluded(event.at, _NOTHING)

    def _note(self, event: Noted) -> None:
        """Facts that move no figure by themselves."""
        match event:
            case FeedLost():
                self._known.feeds[event.feed] = _lost(event.feed, event.because, event.at)
            case FeedRestored():
                self._known.feeds[event.feed] = Feed(name=event.feed)
            case TaskDied():
                because = f"a part of the monitor ended by a fault: {event.because}"
                self._known.feeds[event.feed] = _lost(event.feed, because, event.at, died=True)
            case PollFailed():
                self._known.fail(event.error, event.at)
            case KeyRightsRead():
                self._inquest.key_read(event)
            case ReadingAwaited(because=because):
                self._known.await_reading(because, event.at)
            case NewsCame(news=news):
                self._happenings.note(news, event.at)
                self._known.taken_at = self._happenings.taken_at
            case Drifted():
                is_told = self._happenings.was_taken_near(event.after.at)
                self._happenings.drifted(drifts_of(event, self._known.marks(), event.at, is_told))
            case _:
                assert_never(event)

    def assessment(self) -> AccountAssessment:
        """
        What is known as of the latest event.

        Raises:
            LookupError: If there was no event yet: nothing is known, not even the time.
        """
        if self._at is None:
            raise LookupError(f"nothing has happened yet in account {self._known.account}")
        return self._assessment(self._at, self._freshness(self._at))

    def calm(self) -> Mapping[str, Span]:
        """
        Per exchange symbol the prices between which live marks may wait for the next second.

        As of the latest event: within them no rung can be reached, whatever the other marks do.
        A symbol that is not named waits for nothing.
        """
        if self._state is not State.FRESH:
            return {}
        near = self._known.budgets.near_distance
        watches = self._watches.values()
        return self._known.by_exchange_symbol(
            common((w.pool.symbols(), w.settle(self._ladder, near)) for w in watches)
        )

    # -- the ways of the events -----------------------------------------------------------

    def _read(self, event: SnapshotTaken) -> tuple[Effect, ...]:
        known, snapshot, at = self._known, event.snapshot, event.at
        if known.snapshot is not None and snapshot.at < known.snapshot.at:
            return self._concluded(at, _NOTHING)
        snapshot = completed(snapshot, known.snapshot)
        known.take_reading(snapshot, at, event.reading_at)
        self._happenings.read(snapshot, at)
        known.taken_at = self._happenings.taken_at
        if known.must_doubt(event, snapshot):
            known.doubt(snapshot, at)
            again = SnapshotWanted(
                because="a reading shows fewer positions and nothing explains it",
                after_seconds=ASK_AGAIN_SECONDS,
            )
            self._evaluate(self._watches.values(), _NOTHING, at)
            return (again, *self._concluded(at, _NOTHING))
        before = known.snapshot
        known.note_unread(event.snapshot, at)
        event = replace(event, snapshot=snapshot)
        doubts = self._inquest.confirm(event, is_first=before is None)
        marks = known.marks()  # those of what is no longer held among them
        known.believe(snapshot, at, viewed_at=event.viewed_at)
        if before is not None and before.mode != snapshot.mode:
            self._inquest.mode_changed(before, snapshot, at)
        self._adopt(event, before, marks)
        watches = self._watches.values()
        self._evaluate(watches, _NOTHING, at)
        # What was opened or closed is known to stand where it stands at once, not a second later.
        solve = before is None or any(w.opened or w.place != Place() for w in watches)
        is_compared = event.source is Source.REST or event.beneath is not None
        tables = self._wants.tables(watches, at) if is_compared else ()
        logs = self._wants.logs(before, snapshot, at)
        asked = (*tables, *logs, *self._wants.unread(known, event))
        return (*doubts, *asked, *self._concluded(at, _NOTHING, solve=solve))

    def _moved(self, event: MarksMoved) -> tuple[Effect, ...]:
        touched = self._known.take_marks(event)
        if not touched.symbols and not touched.worst:
            return ()
        symbols = touched.symbols | touched.worst.keys()
        concerned = [w for w in self._watches.values() if w.pool.symbols() & symbols]
        self._evaluate(concerned, touched, event.at)
        return self._concluded(event.at, touched)

    def _adopt(
        self, event: SnapshotTaken, before: AccountSnapshot | None, marks: Mapping[str, Mark]
    ) -> None:
        snapshot = event.snapshot
        watches, self._watches = self._watches, {}
        has_new_mode = before is not None and before.mode != snapshot.mode
        for pool in snapshot.pools:
            watch = watches.get(pool.id)
            if watch is not None and pool.id in self._known.unread:
                self._watches[pool.id] = watch  # the book is the one that it has
                continue
            if watch is None:
                watch = self._inquest.watch(pool, is_first=before is None)
                watch.opened = self._newly_seen(watch, before, has_new_mode=has_new_mode)
            elif has_new_mode:
                watch.reconciliation = None  # it was about the rules of the old one
            else:
                watch.compare(pool, marks, event.at)
            watch.adopt(pool, snapshot, event.source, event.beneath)
            self._watches[pool.id] = watch

    def _newly_seen(
        self, watch: Watch, before: AccountSnapshot | None, *, has_new_mode: bool
    ) -> Opened | None:
        """What its owner did to a pool that is seen for the first time; None where nothing."""
        if has_new_mode:
            return Opened(is_told=False)
        if before is not None:
            return Opened(openings=openings((), watch.pool.positions))
        is_known = self._was_watched or watch.place != Place()
        return None if is_known else Opened()

    def _evaluate(self, watches: Iterable[Watch], touched: Touched, at: datetime) -> None:
        marks = self._known.marks()
        self._course.follow(marks)
        for watch in watches:
            watch.evaluate(marks, touched.worst, at, self._course.abreast(watch.pool, marks))

    # -- what follows ---------------------------------------------------------------------

    def _concluded(
        self, at: datetime, touched: Touched, *, solve: bool = False
    ) -> tuple[Effect, ...]:
        near = self._known.budgets.near_distance
        for watch in self._watches.values():
            if solve:
                watch.look_ahead(self._target, self._ladder, at, near)
            else:
                watch.look_again()
        fresh = self._freshness(at)
        briefing = Briefing(
            known=self._known,
            watches=self._watches,
            fresh=fresh,
            touched=touched,
            ladder=self._ladder,
            target=self._target,
            at=at,
        )
        happened = self._happenings.changes(briefing)
        changes = (*happened, *self._inquest.held(briefing))
        watches = self._watches.values()
        asked = self._wants.after(self._known, watches, touched, at, self._ladder)
        assessed = Assessed(assessment=self._assessment(at, fresh))
        self._state = assessed.assessment.state
        for watch in self._watches.values():
            watch.adverse, watch.looked = None, False
        return (*changes, *asked, assessed)

    def _freshness(self, at: datetime) -> dict[PoolId, Freshness]:
        known = self._known
        near_distance = known.budgets.near_distance
        never_read = known.unread.keys() - self._watches.keys()
        return {pool: freshness.of_unread(known, pool, at) for pool in sorted(never_read)} | {
            pool: freshness.of_pool(
                known,
                watch.pool,
                at,
                near=watch.is_near(near_distance),
                error=watch.error,
            )
            for pool, watch in self._watches.items()
        }

    def _assessment(self, at: datetime, fresh: Mapping[PoolId, Freshness]) -> AccountAssessment:
        known, snapshot = self._known, self._known.snapshot
        state, because = freshness.of_account(known, fresh, at)
        pools = (w.assessment(fresh[pool], self._ladder, at) for pool, w in self._watches.items())
        return AccountAssessment(
            account=known.account,
            exchange=known.exchange,
            mode=None if snapshot is None else snapshot.mode,
            state=state,
            because=because,
            feeds=freshness.feeds(known, at),
            pools=tuple(pool for pool in pools if pool is not None),
            at=at,
            free=() if snapshot is None else snapshot.free,
        )


def _lost(feed: str, because: str, at: datetime, *, died: bool = False) -> Feed:
    return Feed(name=feed, lost_at=at, because=because, died=died)
