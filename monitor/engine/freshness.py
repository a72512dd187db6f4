"""
Whether figures may be given as current: fresh, stale or blind, and why.

Rules: a pool is fresh while the account view and every live mark that it needs are within
their budgets; stale while only REST keeps its marks within theirs; blind otherwise, and
wherever the account itself is refused or not modelled. What is late by the grace beyond its
budget is due to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.engine.effects import FeedHealth, State
from monitor.engine.knowledge import ACCOUNT, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.engine.knowledge import Knowledge
    from monitor.risk.model import MarginPool, PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """
    Why no (live) figure can be given, and whether that is due to be told by now.

    `since` is when the figures were last good, None where they never were.
    """

    because: str
    is_due: bool
    since: datetime | None
    owner_must_act: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """
    How far one pool's figures may be relied on; `age_seconds` is that of the oldest input.

    `blind` is set where the pool's own marks or figures are missing (of the whole account's
    troubles `account_trouble` tells), `stale` where live marks are silent.
    """

    state: State
    age_seconds: float
    blind: Trouble | None = None
    stale: Trouble | None = None


def account_trouble(known: Knowledge, at: datetime) -> Trouble | None:
    """Why no figure of the whole account can be given; None while its view is within budget."""
    budgets = known.budgets
    if known.must_act is not None:
        return Trouble(
            because=known.must_act.because,
            is_due=True,
            since=known.failed_at,
            owner_must_act=True,
        )
    told = budgets.account_seconds + budgets.grace_seconds
    age = known.view_age(at)
    why = f": {known.failure.because}" if known.failure is not None else _lost(known, ACCOUNT)
    if age is None:
        waited = 0.0 if known.started_at is None else (at - known.started_at).total_seconds()
        because = f"the account was never read yet{why}"
        return Trouble(because=because, is_due=waited > told, since=None)
    since = known.awaited_since
    if since is not None and (at - since).total_seconds() > budgets.grace_seconds:
        because = f"{known.awaited}, and the account was not read since{why}"
        return Trouble(because=because, is_due=True, since=since)
    if age > budgets.account_seconds:
        because = f"the account was last read {words.duration(age)} ago{why}"
        return Trouble(because=because, is_due=age > told, since=_ago(at, age))
    return None


def of_pool(
    known: Knowledge, pool: MarginPool, at: datetime, *, near: bool, error: str = ""
) -> Freshness:
    """
    How far this pool's figures may be relied on at `at`.

    Args:
        near: Whether the pool stands so near to liquidation that marks must be younger.
        error: Why its figures can't be computed, in words; empty where they can.
    """
    view_age = known.view_age(at) or 0.0
    ages = [known.mark_age(symbol, at) for symbol in pool.symbols()]
    age = max([view_age, *(each for each in ages if each is not None)])
    if pool.id in known.unread:
        age = max(age, _unread_for(known, pool.id, at))
    stale = _stale(known, pool, at, near=near)
    blind = _unread(known, pool.id, at) or _missing_marks(known, pool, at)
    if blind is None and error:
        blind = Trouble(because=f"the figures can't be computed: {error}", is_due=True, since=at)
    state = State.FRESH if stale is None else State.STALE
    if blind is not None or account_trouble(known, at) is not None:
        state = State.BLIND
    return Freshness(state=state, age_seconds=age, blind=blind, stale=stale)


def of_unread(known: Knowledge, pool: PoolId, at: datetime) -> Freshness:
    """Of a pool that never could be read: it is there, and that is all that is known of it."""
    return Freshness(
        state=State.BLIND,
        age_seconds=_unread_for(known, pool, at),
        blind=_unread(known, pool, at),
    )


def _unread(known: Knowledge, pool: PoolId, at: datetime) -> Trouble | None:
    """
    Why a pool can't be read; told once the readings that ask again have had their chance.
    """
    unread = known.unread.get(pool)
    if unread is None:
        return None
    return Trouble(
        because=f"{pool.name} can't be read: {unread.because}",
        is_due=(at - unread.since).total_seconds() > known.budgets.grace_seconds,
        since=unread.read_at,
    )


def _unread_for(known: Knowledge, pool: PoolId, at: datetime) -> float:
    unread = known.unread[pool]
    return max(0.0, (at - (unread.read_at or unread.since)).total_seconds())


def of_account(
    known: Knowledge, fresh: Mapping[PoolId, Freshness], at: datetime
) -> tuple[State, str]:
    """The state of the worst of its pools, and why; blind where the account is not readable."""
    whole = account_trouble(known, at)
    if whole is not None:
        return State.BLIND, whole.because
    for state in (State.BLIND, State.STALE):
        concerned = [f.blind or f.stale for f in fresh.values() if f.state is state]
        if concerned:
            trouble = joined(each for each in concerned if each is not None)
            return state, "" if trouble is None else trouble.because
    return State.FRESH, ""


def joined(troubles: Iterable[Trouble]) -> Trouble | None:
    """Several pools' troubles as one: every cause once, since the first; None for none."""
    listed = tuple(troubles)
    if not listed:
        return None
    return Trouble(
        because="; ".join(dict.fromkeys(each.because for each in listed)),
        is_due=any(each.is_due for each in listed),
        since=min((each.since for each in listed if each.since is not None), default=None),
    )


def feeds(known: Knowledge, at: datetime) -> tuple[FeedHealth, ...]:
    """The health of the marks feed, of the account view, and of any other feed heard of."""
    others = [
        FeedHealth(
            name=feed.name,
            state=State.FRESH if feed.lost_at is None else State.STALE,
            age_seconds=None,
            because=feed.because,
        )
        for feed in known.feeds.values()
        if feed.name not in (MARKS, ACCOUNT)
    ]
    return (_marks_feed(known, at), _account_feed(known, at), *others)


def _marks_feed(known: Knowledge, at: datetime) -> FeedHealth:
    symbols = known.live_symbols()
    budget = known.budgets.marks_seconds
    live = [known.live_age(symbol, at) for symbol in symbols]
    newest = [known.mark_age(symbol, at) for symbol in symbols]
    age = None if None in live else max((each for each in live if each is not None), default=None)
    lost = known.feeds.get(MARKS)
    because = lost.because if lost is not None and lost.lost_at is not None else ""
    if all(each is not None and each <= budget for each in live) and not because:
        state = State.FRESH
    elif all(each is not None and each <= budget for each in newest):
        state = State.STALE
    else:
        state = State.BLIND
    return FeedHealth(name=MARKS, state=state, age_seconds=age, because=because)


def _account_feed(known: Knowledge, at: datetime) -> FeedHealth:
    trouble = account_trouble(known, at)
    lost = known.feeds.get(ACCOUNT)
    because = lost.because if lost is not None and lost.lost_at is not None else ""
    state = State.STALE if because else State.FRESH
    if trouble is not None:
        state, because = State.BLIND, trouble.because
    return FeedHealth(name=ACCOUNT, state=state, age_seconds=known.view_age(at), because=because)


def _stale(known: Knowledge, pool: MarginPool, at: datetime, *, near: bool) -> Trouble | None:
    budgets = known.budgets
    late = []
    for symbol in known.live_symbols(pool.symbols()):
        age, patience = known.live_age(symbol, at), budgets.live(near=near)
        if (age is None or age > patience) and not known.stands(symbol, at, patience):
            late.append((known.silent_for(symbol, at), symbol))
    if not late:
        return None
    longest = max(seconds for seconds, _ in late)
    names = ", ".join(symbol for _, symbol in late)
    because = f"no live mark of {names} for {words.duration(longest)}{_lost(known, MARKS)}"
    is_due = longest > budgets.told(near=near)
    return Trouble(because=because, is_due=is_due, since=_ago(at, longest))


def _missing_marks(known: Knowledge, pool: MarginPool, at: datetime) -> Trouble | None:
    """A mark that is nowhere, or that is too old by any source."""
    budgets = known.budgets
    live = known.live_symbols(pool.symbols())
    ages = {symbol: known.mark_age(symbol, at) for symbol in sorted(pool.symbols())}
    missing = [symbol for symbol, age in ages.items() if age is None]
    old = [s for s in live if (age := ages[s]) is not None and age > budgets.marks_seconds]
    if not missing and not old:
        return None
    waited = max(
        age if (age := ages[symbol]) is not None else known.silent_for(symbol, at)
        for symbol in (*missing, *old)
    )
    names = ", ".join((*missing, *old))
    # A mark that only a reading of the account can bring is not worth waiting for.
    is_due = waited > budgets.marks_seconds + budgets.grace_seconds or bool(
        set(missing) - set(live)
    )
    because = f"no mark of {names} for {words.duration(waited)}{_lost(known, MARKS)}"
    return Trouble(because=because, is_due=is_due, since=_ago(at, waited))


def _ago(at: datetime, seconds: float) -> datetime:
    return at - timedelta(seconds=seconds)


def _lost(known: Knowledge, name: str) -> str:
    feed = known.feeds.get(name)
    if feed is None or feed.lost_at is None:
        return ""
    return f" (the {name} feed is lost: {feed.because})"
