"""
What is wrong in an account after each event, and what becomes of its incidents.

It holds every condition against the casebook. Things may get worse on any data; they are
believed to be better only on data that is fresh and confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from monitor.alerts import conditions
from monitor.alerts.incident import Subject
from monitor.alerts.place import Place
from monitor.engine.effects import SnapshotWanted, State
from monitor.engine.freshness import Trouble, account_trouble, joined
from monitor.engine.key import Key
from monitor.engine.knowledge import ASK_AGAIN_SECONDS, BELIEVED_AFTER
from monitor.engine.watch import Watch
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Condition
    from monitor.alerts.ladder import Ladder
    from monitor.engine.assessment import Figures
    from monitor.engine.briefing import Briefing
    from monitor.engine.casebook import Casebook
    from monitor.engine.effects import Effect, IncidentChanged
    from monitor.engine.events import KeyRightsRead, SnapshotTaken
    from monitor.engine.knowledge import Knowledge
    from monitor.risk.model import AccountSnapshot, MarginPool, PoolId

    Pools = tuple[PoolId, ...]

_POOL_SUBJECTS = (Subject.STANDING, Subject.DISAGREES, Subject.PREDICTION)
_TOLD_OF_MODE_FOR = timedelta(minutes=5)
"""So long a pool that goes is said to have gone with the mode that changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModeChange:
    """A change of the account's mode, and the pools that went with it."""

    condition: Condition
    gone: frozenset[PoolId]
    at: datetime


class Inquest:
    """The incidents of one account, and what is known of it beside its pools."""

    def __init__(self, *, known: Knowledge, casebook: Casebook, ladder: Ladder) -> None:
        self._known = known
        self._casebook = casebook
        self._ladder = ladder
        self._key = Key(known.account)
        self._unconfirmed_since: datetime | None = None
        self._balances: dict[PoolId, tuple[str, Decimal]] = {}
        self._without_positions: set[PoolId] = set()
        self._mode: _ModeChange | None = None
        self._mode_is_news = False

    # -- facts in -------------------------------------------------------------------------

    def key_read(self, event: KeyRightsRead) -> None:
        """What the key may do, as of now."""
        self._key.read(event)

    def confirm(self, event: SnapshotTaken, *, is_first: bool) -> tuple[Effect, ...]:
        """
        What is to be asked before a reading that is believed may end an incident.

        The first of a run must be confirmed where it shows no position in a pool whose
        incident is open from before: there is no book to hold it against. Those after it do,
        once they have said so for long enough.
        """
        since, snapshot, at = self._unconfirmed_since, event.snapshot, event.at
        if not is_first and since is None:
            return ()
        held = {pool.id for pool in snapshot.pools if pool.positions} | self._known.unread.keys()
        troubled = {i.pool for i in self._casebook.open_incidents() if i.pool is not None}
        is_reading = event.reading_at is not None
        late = since is not None and is_reading and at - since >= BELIEVED_AFTER
        if late or troubled <= held:
            self._unconfirmed_since = None
            return ()
        self._unconfirmed_since = since or at
        because = "positions of an open incident are gone"
        return (SnapshotWanted(because=because, after_seconds=ASK_AGAIN_SECONDS),)

    def watch(self, pool: MarginPool, *, is_first: bool) -> Watch:
        """
        A new pool's watch, standing where its open incident left it.

        With the first reading of a run also where one did that is over: the run before may have
        ended before it noted anew what the pool's owner took on.
        """
        left = self._casebook.latest(pool.id, Subject.STANDING)
        if left is None or not (left.is_open or (is_first and left.accepted)):
            return Watch(pool)
        place = Place(
            alarms=left.alarms, accepted=left.accepted, accepted_distance=left.accepted_distance
        )
        return Watch(pool, place)

    def mode_changed(self, before: AccountSnapshot, after: AccountSnapshot, at: datetime) -> None:
        """The account is of another kind since this reading."""
        condition = conditions.mode_changed(self._known.account, before.mode, after.mode)
        gone = {pool.id for pool in before.pools} - {pool.id for pool in after.pools}
        self._mode = _ModeChange(condition=condition, gone=frozenset(gone), at=at)
        self._mode_is_news = True

    def forget_old(self, at: datetime) -> None:
        """Drops incidents that are over and no longer count."""
        self._casebook.forget_old(at)

    # -- what follows ---------------------------------------------------------------------

    def held(self, now: Briefing) -> tuple[IncidentChanged, ...]:
        """Every incident that changes by what holds now; distances count where looked at."""
        self._remember_balances(now)
        found = [*self._data(now), *self._key_changes(now)]
        for watch in now.watches.values():
            of_pool = [
                self._tiers(watch, now),
                self._standing(watch, now),
                self._disagreement(watch, now),
                self._prediction(watch, now),
            ]
            if watch.baseline is None or any(c is not None and c.notification for c in of_pool):
                read_at = now.at if self._known.snapshot is None else self._known.snapshot.at
                watch.told(now.at, read_at)
            found += of_pool
        found += self._ends_of_absent_pools(now)
        # It comes before what follows from it, and tells where the pools stand after it.
        found.insert(0, self._mode_change(now))
        return tuple(change for change in found if change is not None)

    def _data(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        """Blind first: of a pool told to be blind it is not told that it is stale as well."""
        blind, trouble, pools = self._blind(now)
        yield self._casebook.consider(
            (None, Subject.BLIND),
            blind,
            now.at,
            may_ease=trouble is None,
            facts=partial(now.of_account, trouble, pools),
        )
        stale = {pool: f.stale for pool, f in now.fresh.items() if f.stale is not None}
        told_blind = self._casebook.open(None, Subject.BLIND) is not None
        due = {
            pool: each
            for pool, each in stale.items()
            if each.is_due and not (told_blind and now.fresh[pool].state is State.BLIND)
        }
        condition = conditions.stale(
            self._known.account,
            {pool: trouble.because for pool, trouble in due.items()},
            positions_open=any(now.watches[pool].is_at_stake for pool in due),
        )
        yield self._casebook.consider(
            (None, Subject.STALE),
            condition,
            now.at,
            may_ease=not stale and self._is_readable(now),
            facts=partial(now.of_account, joined(due.values()), tuple(due)),
        )

    def _blind(self, now: Briefing) -> tuple[Condition | None, Trouble | None, Pools]:
        """The condition once it is due to be told; the trouble as soon as there is one; where."""
        whole = account_trouble(self._known, now.at)
        blind = {pool: f.blind for pool, f in now.fresh.items() if f.blind is not None}
        due = {pool: trouble for pool, trouble in blind.items() if trouble.is_due}
        trouble, pools = joined(due.values()), tuple(due)
        if whole is not None and whole.is_due:
            trouble, pools = whole, tuple(now.fresh)
        if trouble is None:
            return None, whole or joined(blind.values()), ()
        # Of a pool that was never read the worst is thought: that something is at stake.
        held = set(now.fresh.keys() - now.watches.keys())
        held |= {pool for pool, watch in now.watches.items() if watch.is_at_stake}
        condition = conditions.blind(
            self._known.account,
            trouble.because,
            pools=pools,
            whole=trouble is whole or held <= set(pools),
            positions_open=self._known.snapshot is None or bool(held & set(pools)),
            owner_must_act=trouble.owner_must_act,
        )
        return condition, trouble, pools

    def _key_changes(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        for subject, condition in self._key.conditions(now.at).items():
            yield self._casebook.consider(
                (None, subject),
                condition,
                now.at,
                may_ease=True,
                facts=partial(now.of_account, None, ()),
            )

    def _mode_change(self, now: Briefing) -> IncidentChanged | None:
        if self._mode is None or not self._mode_is_news:
            return None
        self._mode_is_news = False
        return self._casebook.happened(
            self._mode.condition, now.at, facts=partial(now.of_account, None, ())
        )

    def _tiers(self, watch: Watch, now: Briefing) -> IncidentChanged | None:
        changes = watch.tiers
        if changes is None:
            return None
        condition = conditions.tiers_changed(
            watch.pool.id,
            tuple(change.position.instrument.symbol for change in changes.positions),
            is_worse=changes.ratio_after > changes.ratio_before,
        )
        change = self._casebook.happened(condition, now.at, facts=partial(now.of_tiers, watch))
        watch.tiers = None
        return change

    def _standing(self, watch: Watch, now: Briefing) -> IncidentChanged | None:
        """One incident for all rungs on which the pool stands, whatever they go by."""
        if watch.now is None:
            return None
        may_ease = self._may_ease(watch, now)
        alarms = watch.place.alarms
        by = watch.climb(self._ladder, may_ease=may_ease)
        if not watch.looked and set(watch.place.alarms) - set(alarms):
            # It is told now: the distance of a second ago would need a second message.
            watch.solve(now.target)
            watch.looked = True
        if watch.looked:
            watch.approach(self._ladder, may_ease=may_ease)
        figures = by or watch.now
        condition = conditions.standing(
            watch.pool.id,
            self._ladder,
            watch.place,
            ratio=figures.requirement.ratio,
            distance=watch.distance,
        )
        if watch.pool.positions:
            self._without_positions.discard(watch.pool.id)
        elif condition is not None and watch.is_at_stake:
            self._without_positions.add(watch.pool.id)
        change = self._casebook.consider(
            (watch.pool.id, Subject.STANDING),
            condition,
            now.at,
            may_ease=may_ease,
            facts=lambda: self._facts(watch, watch.now if condition is None else figures, now),
            is_final=not watch.is_at_stake,
            # Nobody knows whether it does; that is said by being blind, with the last figures.
            may_repeat=now.fresh[watch.pool.id].state is not State.BLIND,
        )
        if watch.looked and not watch.error:
            watch.opened = None  # without a mark for it, what it led to is not known yet
        return change

    def _prediction(self, watch: Watch, now: Briefing) -> IncidentChanged | None:
        """Where the figures themselves disagree, that is told, and not what follows from it."""
        reconciliation, verdict = watch.reconciliation, watch.predictions.verdict
        agree = reconciliation is not None and reconciliation.verdict is not Verdict.DISAGREES
        healed = agree and verdict is not Verdict.DISAGREES
        return self._casebook.consider(
            (watch.pool.id, Subject.PREDICTION),
            conditions.prediction_off(watch.pool.id, watch.predictions.latest, verdict)
            if agree and watch.pool.positions
            else None,
            now.at,
            may_ease=(healed or not watch.pool.positions) and self._may_ease(watch, now),
            facts=lambda: now.of_pool(watch, watch.now),
            is_final=not watch.pool.positions,
        )

    def _disagreement(self, watch: Watch, now: Briefing) -> IncidentChanged | None:
        """
        A gap drives the rungs at once. Where new tables may close it, they are read before it is
        told: else three messages would speak of what is one.
        """
        reconciliation = watch.reconciliation
        healed = not watch.pool.positions or (
            reconciliation is not None
            and reconciliation.verdict in (Verdict.AGREES, Verdict.DRIFTS)
        )
        return self._casebook.consider(
            (watch.pool.id, Subject.DISAGREES),
            None if watch.awaits_tables else conditions.disagrees(watch.pool.id, reconciliation),
            now.at,
            may_ease=healed and self._may_ease(watch, now),
            facts=lambda: now.of_pool(watch, watch.now),
            is_final=not watch.pool.positions,
        )

    def _ends_of_absent_pools(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        """Pools that are no more: what was open about them is over once that is sure."""
        for incident in self._casebook.open_incidents():
            pool = incident.pool
            if pool is None or pool in now.fresh or incident.subject not in _POOL_SUBJECTS:
                continue
            yield self._casebook.consider(
                (pool, incident.subject),
                None,
                now.at,
                may_ease=self._is_readable(now) and self._is_sure(now.at),
                facts=partial(
                    now.of_gone, pool, self._balances.get(pool), self._gone_by_mode(pool, now.at)
                ),
                is_final=True,
            )

    def _gone_by_mode(self, pool: PoolId, at: datetime) -> str:
        """The change of mode with which a pool went, in words; empty where it didn't."""
        mode = self._mode
        if mode is None or pool not in mode.gone or at - mode.at > _TOLD_OF_MODE_FOR:
            return ""
        return mode.condition.because

    def _facts(self, watch: Watch, by: Figures | None, now: Briefing) -> Facts:
        """About the pool as it is; or, where its positions were what stood there, their end."""
        if watch.pool.positions or watch.pool.id in self._without_positions:
            return now.of_pool(watch, by)
        return now.of_gone(watch.pool.id, self._balances.get(watch.pool.id))

    def _may_ease(self, watch: Watch, now: Briefing) -> bool:
        return now.fresh[watch.pool.id].state is State.FRESH and self._is_sure(now.at)

    def _is_readable(self, now: Briefing) -> bool:
        return account_trouble(self._known, now.at) is None

    def _is_sure(self, at: datetime) -> bool:
        """Whether no reading waits to be confirmed, and nothing is being taken right now."""
        known = self._known
        is_confirmed = self._unconfirmed_since is None and known.doubted is None
        return is_confirmed and not known.is_being_taken(at)

    def _remember_balances(self, now: Briefing) -> None:
        """The last balance of each pool with positions: what a message of their end compares."""
        for pool, watch in now.watches.items():
            if watch.now is not None and watch.now.risk.positions:
                needed = watch.now.requirement
                self._balances[pool] = (needed.unit, needed.margin_balance)
