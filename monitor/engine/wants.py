"""
What is to be asked of the exchange beside its turn: late marks, and the account after a jump.

Each is asked for again only after a while, however many events come in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.place import climbed
from monitor.engine.effects import LogsWanted, MarksWanted, SnapshotWanted, TablesWanted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import Effect
    from monitor.engine.events import SnapshotTaken, TablesAnnounced
    from monitor.engine.knowledge import Knowledge
    from monitor.engine.moves import Touched
    from monitor.engine.watch import Watch
    from monitor.risk.model import AccountSnapshot, PoolId

AGAIN_AFTER = timedelta(seconds=5)
NEAR_AGAIN_AFTER = timedelta(seconds=3)
LOGS_AGAIN_AFTER = timedelta(seconds=10)
UNREAD_AGAIN_AFTER = timedelta(minutes=1)
TABLES_AGAIN_AFTER = timedelta(minutes=10)
TABLES_AT_LEAST_EVERY = timedelta(hours=1)


class Wants:
    """Remembers when each was last asked for."""

    def __init__(self) -> None:
        self._marks_asked_at: dict[str, datetime] = {}
        self._account_asked_at: datetime | None = None
        self._tables_asked_at: datetime | None = None
        self._tables_wait = TABLES_AGAIN_AFTER
        self._logs_asked_at: datetime | None = None
        self._unread_asked_at: datetime | None = None
        self._unread: frozenset[PoolId] = frozenset()
        self._announced_at: dict[str, datetime] = {}
        self._has_moved = False

    def after(
        self,
        known: Knowledge,
        watches: Iterable[Watch],
        touched: Touched,
        at: datetime,
        ladder: Ladder,
    ) -> tuple[Effect, ...]:
        """What is to be asked now."""
        wanted = {s for watch in watches for s in self._late(known, watch, at, ladder)}
        jumped = {s for s in touched.jumps if self._is_due(s, at, AGAIN_AFTER)}
        for symbol in wanted | jumped:
            self._marks_asked_at[symbol] = at
        effects: list[Effect] = []
        if names := known.exchange_symbols(wanted | jumped):
            effects.append(MarksWanted(symbols=names))
        if touched.jumps and known.must_act is None and self._may_ask_account(at):
            self._account_asked_at = at
            moves = ", ".join(f"{s} by {words.move(m)}" for s, m in sorted(touched.jumps.items()))
            effects.append(SnapshotWanted(because=f"marks jumped in one step: {moves}"))
        return tuple(effects)

    def tables(self, watches: Iterable[Watch], at: datetime) -> tuple[Effect, ...]:
        """
        The tables, where the exchange's own maintenance margins no longer follow from ours.

        To be asked after each reading. At once for the first time, then after ever longer
        waits for as long as it lasts.
        """
        lost = {f"{w.pool.id}: {name}": None for w in watches for name in w.unfollowed}
        if not lost:
            self._tables_wait = TABLES_AGAIN_AFTER
            return ()
        asked_at = self._tables_asked_at
        if asked_at is not None and at - asked_at < self._tables_wait:
            return ()
        if asked_at is not None:
            self._tables_wait = min(2 * self._tables_wait, TABLES_AT_LEAST_EVERY)
        self._tables_asked_at = at
        return (TablesWanted(because=", ".join(lost)),)

    def announced(self, known: Knowledge, event: TablesAnnounced) -> tuple[Effect, ...]:
        """The tables, where the exchange says that those of something held are others now."""
        held = known.exchange_symbols(known.live_symbols())
        asked_at = self._announced_at.get(event.symbol)
        again = asked_at is not None and event.at - asked_at < AGAIN_AFTER
        if event.symbol not in held or again:
            return ()
        self._announced_at[event.symbol] = event.at
        return (TablesWanted(because=event.because),)

    def unread(self, known: Knowledge, event: SnapshotTaken) -> tuple[Effect, ...]:
        """
        The account, where pools of it could not be read; to be asked after each reading.

        What an event leaves open a reading tells, so it is asked for at once. What a reading
        could not make sense of may be a table that has changed: those are asked for anew, and
        again after a minute for as long as it lasts.
        """
        unread, before, at = frozenset(known.unread), self._unread, event.at
        self._unread = unread
        if not unread:
            self._unread_asked_at = None
            return ()
        because = "; ".join(each.because for each in known.unread.values())
        if event.reading_at is None:
            return () if unread <= before else (SnapshotWanted(because=because),)
        asked_at = self._unread_asked_at
        if asked_at is not None and unread <= before and at - asked_at < UNREAD_AGAIN_AFTER:
            return ()
        self._unread_asked_at = at
        return (TablesWanted(because=because),)

    def logs(
        self, before: AccountSnapshot | None, now: AccountSnapshot, at: datetime
    ) -> tuple[Effect, ...]:
        """
        What was booked, where a balance moved; to be asked after each reading.

        The logs are kept for minutes. Who hears of a rung next wants to know of the funding
        that led there, and it is laid to the time in which it was booked.
        """
        self._has_moved = self._has_moved or (
            before is not None and before.mode == now.mode and _coins(before) != _coins(now)
        )
        asked_at = self._logs_asked_at
        if not self._has_moved or (asked_at is not None and at - asked_at < LOGS_AGAIN_AFTER):
            return ()
        self._logs_asked_at, self._has_moved = at, False
        return (LogsWanted(),)

    def _late(self, known: Knowledge, watch: Watch, at: datetime, ladder: Ladder) -> Iterable[str]:
        """Symbols of a pool whose live mark is silent for half of what it may be, or never was."""
        near = watch.is_near(known.budgets.near_distance) or _is_held_back(watch, ladder)
        wait = NEAR_AGAIN_AFTER if near else AGAIN_AFTER
        for symbol in known.live_symbols(watch.pool.symbols()):
            silent = known.silent_for(symbol, at) >= known.budgets.probe(near=near)
            if (silent or known.mark_age(symbol, at) is None) and self._is_due(symbol, at, wait):
                yield symbol

    def _is_due(self, symbol: str, at: datetime, wait: timedelta) -> bool:
        asked_at = self._marks_asked_at.get(symbol)
        return asked_at is None or at - asked_at >= wait

    def _may_ask_account(self, at: datetime) -> bool:
        return self._account_asked_at is None or at - self._account_asked_at >= AGAIN_AFTER


def _is_held_back(watch: Watch, ladder: Ladder) -> bool:
    """Whether only a mark that lags keeps a pool below a rung: it may stand in truth."""
    now, place = watch.now, watch.place
    if now is None or watch.abreast is None:
        return False
    return climbed(place, now.requirement, ladder, may_ease=False).alarms != place.alarms


def _coins(snapshot: AccountSnapshot) -> dict[tuple[PoolId, str], Decimal]:
    """What each pool owns of each asset; nothing and none are the same."""
    return {(p.id, c.asset): c.balance for p in snapshot.pools for c in p.collateral if c.balance}
