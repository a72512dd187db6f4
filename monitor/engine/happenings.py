"""
What the exchange itself did to an account, or warned of: told at once, whatever the ladder says.

What was taken is told when the first of it is heard of; what follows of the same episode is
gathered and told again ever more rarely. Everything taken is told once, by its id, over
restarts too, however often and by whichever way it comes. A booking alone says it as well,
unless what it is about was told already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from monitor.alerts import conditions
from monitor.alerts.facts import TakenPart
from monitor.alerts.incident import Subject
from monitor.alerts.ladder import Severity
from monitor.risk.cash import BookingKind
from monitor.risk.model import ZERO, Side
from monitor.risk.news import Taken, Warned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.facts import Drift, Facts
    from monitor.alerts.incident import Incident
    from monitor.engine.briefing import Briefing
    from monitor.engine.casebook import Casebook
    from monitor.engine.effects import IncidentChanged
    from monitor.risk.cash import Booking
    from monitor.risk.model import AccountSnapshot, PoolId, Position
    from monitor.risk.news import Cause, News

OVER_AFTER = timedelta(minutes=10)
"""An episode is over when nothing was heard of it for so long."""

TELL_AGAIN_AFTER = tuple(timedelta(seconds=s) for s in (10, 60, 300, 900))
"""So long after the first message, the second, … what came meanwhile is told; the last stays."""

SAME_WITHIN = timedelta(minutes=1)
"""A booking so near to what was told of the same contract is a booking of that."""

HISTORY = timedelta(days=1)
"""What happened earlier than this before the start is not told, even if nobody was."""

MOST_IDS = 2000
"""So many are remembered, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Something taken, by the exchange's word or by a booking (`cause` None)."""

    id: str
    at: datetime
    cause: Cause | None
    symbol: str | None
    is_long: bool | None = None
    contracts: Decimal | None = None
    price: Decimal | None = None
    asset: str | None = None
    amount: Decimal | None = None


class Happenings:
    """
    The news of one account.

    Args:
        told: Its earlier incidents; those of what was taken hold the ids that were told.
        was_watched: Whether it was watched before this run: then what happened meanwhile is
            news, otherwise only what happens from now on.
    """

    def __init__(
        self, casebook: Casebook, told: Iterable[Incident] = (), *, was_watched: bool = False
    ) -> None:
        told = tuple(told)
        self._casebook = casebook
        self._was_watched = was_watched
        self._since: datetime | None = None
        self.taken_at: datetime | None = None
        earlier = [i for i in told if i.subject is Subject.TAKEN]
        self._known: dict[str, None] = {id_: None for i in earlier for id_ in i.told}
        # When something of which contract (None: any) was taken, so that bookings find it.
        self._times: list[tuple[str | None, datetime, datetime]] = [
            (None, i.opened_at - SAME_WITHIN, i.changed_at) for i in earlier
        ]
        self._pending: dict[PoolId | None, list[_Piece]] = {}
        self._messages: dict[PoolId | None, int] = {}
        self._told_pieces: dict[PoolId | None, list[_Piece]] = {}
        self._heard_at: dict[PoolId | None, datetime] = {}
        self._left_taken = [i.pool for i in earlier if i.is_open]
        self._warnings: dict[PoolId | None, dict[str, Warned]] = {}
        self._left_open = [i for i in told if i.subject is Subject.WARNED and i.is_open]
        self._drifts: tuple[Drift, ...] = ()
        self._places: dict[tuple[str, bool | None], PoolId] = {}
        self._names: dict[str, str] = {}

    # -- facts in -----------------------------------------------------------------------------

    def read(self, snapshot: AccountSnapshot, at: datetime) -> None:
        """What a book holds, and what it says beside that."""
        for pool in snapshot.pools:
            for held in pool.positions:
                own = held.instrument.exchange_symbol
                self._names[own] = held.instrument.symbol
                for side in (held.side is Side.LONG, None):
                    self._places[own, side] = pool.id
        self.note(snapshot.news, at)
        for booking in snapshot.bookings:
            if booking.kind is BookingKind.LIQUIDATION:
                self._note_booking(booking, at)

    def note(self, news: Iterable[News], at: datetime) -> None:
        """News as they come, by stream or by reading."""
        self._since = self._since or at
        for each in news:
            if isinstance(each, Warned):
                pool = self._place(each.exchange_symbol, None)
                key = f"{each.exchange_symbol or 'account'}, critical: {each.is_critical}"
                self._warnings.setdefault(pool, {})[key] = replace(each, at=at)
            else:
                self._note_taken(each, at)

    def drifted(self, drifts: tuple[Drift, ...]) -> None:
        """A reading showed what no event had told; of each pool by itself what is to be said."""
        self._drifts += drifts

    def was_taken_near(self, at: datetime) -> Callable[[Position], bool]:
        """Of a position, whether it was told by now that some of it was taken about that time."""
        taken = {symbol for symbol, since, until in self._times if since <= at <= until}
        return lambda held: not taken.isdisjoint({None, held.instrument.exchange_symbol})

    def _note_taken(self, taken: Taken, at: datetime) -> None:
        piece = _Piece(
            id=taken.id,
            at=taken.at,
            cause=taken.cause,
            symbol=taken.exchange_symbol,
            is_long=taken.is_long,
            contracts=taken.contracts,
            price=taken.price,
            asset=taken.asset,
            amount=taken.amount,
        )
        if self._is_news(piece, at):
            self._times.append((piece.symbol, piece.at - SAME_WITHIN, piece.at + SAME_WITHIN))
            del self._times[:-MOST_IDS]
            self._add(piece, at)

    def _note_booking(self, booking: Booking, at: datetime) -> None:
        piece = _Piece(
            id=f"booking {booking.id}",
            at=booking.at,
            cause=None,
            symbol=booking.symbol,
            asset=booking.asset,
            amount=booking.amount,
        )
        if self._is_news(piece, at) and not any(
            symbol in (None, booking.symbol) and since <= booking.at <= until
            for symbol, since, until in self._times
        ):
            self._add(piece, at)

    def _is_news(self, piece: _Piece, at: datetime) -> bool:
        """Whether nobody heard of it, and it is not from before anybody watched."""
        if piece.id in self._known:
            return False
        self._known[piece.id] = None
        while len(self._known) > MOST_IDS:
            del self._known[next(iter(self._known))]
        since = self._since or at
        return piece.at >= since - (HISTORY if self._was_watched else SAME_WITHIN)

    def _add(self, piece: _Piece, at: datetime) -> None:
        pool = self._place(piece.symbol, piece.is_long)
        self.taken_at = at
        self._pending.setdefault(pool, []).append(piece)
        self._heard_at[pool] = at

    def _place(self, symbol: str | None, is_long: bool | None) -> PoolId | None:  # noqa: FBT001 - a side
        if symbol is None:
            return None
        return self._places.get((symbol, is_long)) or self._places.get((symbol, None))

    # -- what follows ---------------------------------------------------------------------------

    def changes(self, now: Briefing) -> tuple[IncidentChanged, ...]:
        """Every incident that changes by what was heard."""
        self._take_up(now.at)
        found = [*self._takings(now), *self._warned(now), *self._drift_changes(now)]
        return tuple(change for change in found if change is not None)

    def _take_up(self, at: datetime) -> None:
        """What was warned of before a restart may hold still: it is not told anew."""
        for incident in self._left_open:
            heard = self._warnings.setdefault(incident.pool, {})
            for key in incident.told:
                critical = incident.severity is Severity.CRITICAL
                before = Warned(at=at, words=incident.because, is_critical=critical)
                heard.setdefault(key, before)
        self._left_open = []

    def _drift_changes(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        drifts, self._drifts = self._drifts, ()
        for drift in drifts:
            yield self._casebook.happened(
                conditions.shrunk(drift.pool, drift.shrunk)
                if drift.shrunk
                else conditions.drifted(drift.pool, drift.ratio_before, drift.ratio_after),
                now.at,
                facts=partial(_with_drift, now, drift),
            )

    def _takings(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        yield from self._ends_of_what_was_left(now)
        for pool, heard_at in list(self._heard_at.items()):
            incident = self._casebook.open(pool, Subject.TAKEN)
            pieces = self._pending.get(pool, [])
            if pieces and self._is_due(incident, pool, now.at):
                yield self._told(pool, pieces, now)
            elif not pieces and now.at - heard_at >= OVER_AFTER:
                del self._heard_at[pool]
                self._messages.pop(pool, None)
                self._told_pieces.pop(pool, None)
                yield self._over(pool, Subject.TAKEN, now)

    def _ends_of_what_was_left(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        """
        What was taken before a restart is an episode of its own, and over.

        Nobody knows its pieces any more: a message that went on with it would take the place of
        one that names them and was not delivered yet.
        """
        left, self._left_taken = self._left_taken, []
        for pool in left:
            yield self._over(pool, Subject.TAKEN, now)

    def _is_due(self, incident: Incident | None, pool: PoolId | None, at: datetime) -> bool:
        if incident is None:
            return True
        if not self._casebook.has_room(pool, at):
            return False
        count = self._messages.get(pool, 1)
        wait = TELL_AGAIN_AFTER[min(count, len(TELL_AGAIN_AFTER)) - 1]
        return at - (incident.spoken_at or incident.opened_at) >= wait

    def _told(
        self, pool: PoolId | None, pieces: list[_Piece], now: Briefing
    ) -> IncidentChanged | None:
        parts = self._parts(pieces, now)
        earlier = self._told_pieces.get(pool, [])
        before = self._parts(earlier, now)
        condition = conditions.taken(
            now.known.account,
            pool,
            tuple(part.cause for part in parts),
            ids=tuple(piece.id for piece in pieces),
        )
        change = self._casebook.consider(
            (pool, Subject.TAKEN),
            condition,
            now.at,
            may_ease=False,
            facts=lambda: replace(self._facts(pool, now), taken=parts, taken_before=before),
            may_repeat=False,
        )
        self._messages[pool] = self._messages.get(pool, 0) + 1
        self._told_pieces[pool] = [*earlier, *pieces][-MOST_IDS:]
        del self._pending[pool]
        return change

    def _warned(self, now: Briefing) -> Iterator[IncidentChanged | None]:
        for pool, heard in list(self._warnings.items()):
            live = {k: w for k, w in heard.items() if now.at - w.at < OVER_AFTER}
            if not live:
                del self._warnings[pool]
                yield self._over(pool, Subject.WARNED, now)
                continue
            self._warnings[pool] = live
            yield self._casebook.consider(
                (pool, Subject.WARNED),
                conditions.warned(now.known.account, pool, live),
                now.at,
                may_ease=False,
                facts=partial(self._facts, pool, now),
            )

    def _over(self, pool: PoolId | None, subject: Subject, now: Briefing) -> IncidentChanged | None:
        return self._casebook.consider(
            (pool, subject),
            None,
            now.at,
            may_ease=True,
            facts=partial(self._facts, pool, now),
            is_final=True,
        )

    @staticmethod
    def _facts(pool: PoolId | None, now: Briefing) -> Facts:
        watch = None if pool is None else now.watches.get(pool)
        if watch is None or watch.now is None:
            return now.of_account(None, ())
        return now.of_pool(watch, watch.now)

    def _parts(self, pieces: list[_Piece], now: Briefing) -> tuple[TakenPart, ...]:
        """What was taken, by contract, side and cause, in the order in which it was heard of."""
        groups: dict[tuple[object, ...], list[_Piece]] = {}
        for piece in pieces:
            groups.setdefault((piece.symbol, piece.is_long, piece.cause), []).append(piece)
        return tuple(self._part(group, now) for group in groups.values())

    def _part(self, group: list[_Piece], now: Briefing) -> TakenPart:
        first = group[0]
        amounts: dict[str, Decimal] = {}
        for piece in group:
            if piece.asset is not None and piece.amount is not None:
                amounts[piece.asset] = amounts.get(piece.asset, ZERO) + piece.amount
        return TakenPart(
            name=self._named(first),
            cause=first.cause,
            contracts=_sum(piece.contracts for piece in group),
            price=_mean_price(group),
            amounts=tuple(sorted(amounts.items())),
            pieces=len(group),
            last_at=max(piece.at for piece in group),
            left=self._left(first, now),
        )

    def _named(self, piece: _Piece) -> str:
        if piece.symbol is None:
            return "the account"
        name = self._names.get(piece.symbol, piece.symbol)
        side = (
            ""
            if piece.is_long is None
            else f" {(Side.LONG if piece.is_long else Side.SHORT).value}"
        )
        return f"{name}{side}"

    @staticmethod
    def _left(piece: _Piece, now: Briefing) -> Decimal | None:
        """The contracts of it that are held still, as far as is known now; None without a side."""
        book = now.known.snapshot
        if piece.symbol is None or piece.is_long is None:
            return None
        if book is None or book.at < piece.at:
            return None  # it is not known yet what this piece left of it
        side = Side.LONG if piece.is_long else Side.SHORT
        return sum(
            (
                held.contracts
                for watch in now.watches.values()
                for held in watch.pool.positions
                if (held.instrument.exchange_symbol, held.side) == (piece.symbol, side)
            ),
            ZERO,
        )


def _with_drift(now: Briefing, drift: Drift) -> Facts:
    return replace(now.of_account(None, ()), drift=drift)


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; None where one is not known."""
    listed = list(values)
    known = [each for each in listed if each is not None]
    return sum(known, ZERO) if len(known) == len(listed) else None


def _mean_price(group: list[_Piece]) -> Decimal | None:
    """The mean price, by contracts; None where one of them is not known."""
    contracts, paid = ZERO, ZERO
    for piece in group:
        if piece.price is None or piece.contracts is None:
            return group[0].price if len(group) == 1 else None
        contracts, paid = contracts + piece.contracts, paid + piece.price * piece.contracts
    return paid / contracts if contracts else None
