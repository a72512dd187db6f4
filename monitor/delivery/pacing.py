"""
Which waiting messages go together, and how soon the next may follow.

Pure. Messages about a pool's rungs are paced, so that N pools that fall make at most N + 2 of
them in a minute: the first goes at once, and so does the word that another pool is critical;
what gets worse within the minute, or is told of beside it, is gathered. That a pool told of as
milder became critical is never kept back for longer than `GATHER`, be it a message too many; what
follows about pools told of already leaves room for one such of each pool that the minute knows as
milder only, and waits for its turn. All that is about no rungs goes at once, up to a flood: then
everything is gathered, for a second at least.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification

# An account that first goes stale and then blind has two incidents, and is no flood.
ACCOUNTS_AT_MOST = 5
POOLS_AT_MOST = 5
INCIDENTS_AT_MOST = 8
"""A minute's messages about more than so many (pools: about their rungs) are a flood."""
MINUTE = timedelta(seconds=60)
BEYOND = 2
"""So many messages more than there are pools a minute may have."""
GATHER_CRITICAL = timedelta(seconds=2)
GATHER = timedelta(seconds=10)
MOST_CRITICAL = int(MINUTE / GATHER)
"""So many messages a minute may tell first that pools told of as milder became critical."""
_AT_ONCE = timedelta(0)
SAME_INSTANT = timedelta(seconds=1)
"""A flood waits so long: what many pools come to in one fall is one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    at: datetime
    told: tuple[Notification, ...]


class Pace:
    """What one channel took within the last minute."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()
        self._flood_since: datetime | None = None
        # Of each incident that waits, since when: a newer message of it makes no new wait.
        self._since: dict[str, datetime] = {}

    def sent(self, batch: Sequence[Notification], at: datetime) -> None:
        """These went out as one message."""
        self._flood_since = None
        self._sent.append(_Sent(at=at, told=tuple(batch)))

    def next(
        self, newest: Sequence[Notification], now: datetime
    ) -> tuple[Sequence[Notification], float]:
        """
        What goes out next as one message, and in how many seconds (0 or less: now).

        `newest` are the newest messages of their incidents, at least one, the gravest first.
        """
        while self._sent and self._sent[0].at <= now - MINUTE:
            self._sent.popleft()
        self._since = {
            m.about: min(self._since.get(m.about, m.created_at), m.created_at) for m in newest
        }
        if self._is_flood(newest):
            return newest, self._wait(newest, now)
        on_rungs = [message for message in newest if message.is_on_rungs]
        if not on_rungs:
            return newest[:1], 0.0
        batch = on_rungs if self._gathers(on_rungs) else on_rungs[:1]
        wait = self._wait(batch, now)
        other = next((message for message in newest if not message.is_on_rungs), None)
        if other is None or (wait <= 0 and newest[0].is_on_rungs):
            return batch, wait
        return [other], 0.0

    def _is_flood(self, messages: Iterable[Notification]) -> bool:
        """Whether a minute's messages, these included, are more than a person reads singly."""
        minute = [*(message for sent in self._sent for message in sent.told), *messages]
        return (
            len({message.account for message in minute}) > ACCOUNTS_AT_MOST
            or len(_pools(minute)) > POOLS_AT_MOST
            or len({message.about for message in minute}) > INCIDENTS_AT_MOST
        )

    def _gathers(self, on_rungs: Sequence[Notification]) -> bool:
        told = self._told()
        if any(message.about in told for message in on_rungs):
            return True
        return not _is_critical(on_rungs[0]) and len(told | _pools(on_rungs)) > 1

    def _wait(self, batch: Sequence[Notification], now: datetime) -> float:
        """Seconds until a batch may go."""
        together = self._together(batch, now) if self._is_flood(batch) else None
        last = self._paced[-1].at if self._paced else None
        if together is not None and self._sent:
            last = self._sent[-1].at
        due = together or now
        if last is not None:
            due = max(due, last + self._gap(batch), self._room(batch) or now)
        return (due - now).total_seconds()

    def _together(self, batch: Sequence[Notification], now: datetime) -> datetime:
        """When a flood has its second behind it: since its oldest news, or since it was seen."""
        if self._flood_since is None or self._flood_since > now:  # a clock may be set back
            self._flood_since = now
        return min(self._flood_since, *(each.created_at for each in batch)) + SAME_INSTANT

    def _gap(self, batch: Sequence[Notification]) -> timedelta:
        """The least time between the last message and a batch."""
        told, critical = self._told(), self._told(Severity.CRITICAL)
        if any(_is_critical(m) and m.about not in told for m in batch):
            return GATHER_CRITICAL if len(batch) > 1 or self._is_flood(batch) else _AT_ONCE
        if any(_is_critical(m) and m.about not in critical for m in batch):
            return GATHER if critical else GATHER_CRITICAL
        pools = len(told | _pools(batch))
        if self._is_flood(batch):
            return GATHER
        return GATHER_CRITICAL if pools == 1 else max(GATHER, MINUTE / (pools + BEYOND))

    def _room(self, batch: Sequence[Notification]) -> datetime | None:
        """
        From when on each minute that began with an earlier message may have this one as well.

        Milder news leave room for one graver message; what is the first word of no pool, in each
        for the first critical word of every pool that is told there as milder, or for as many
        messages of such words as come in a minute. A milder first word leaves room for one of
        them: it may soon be one itself, so it waits, no longer than `GATHER`. None: from now on.
        """
        told_critical = self._told(Severity.CRITICAL)
        if any(_is_critical(m) and m.about not in told_critical for m in batch):
            return None
        least = 0 if any(map(_is_critical, batch)) else 1
        told, soon = self._told(), None
        first = [self._since[m.about] for m in batch if m.is_on_rungs and m.about not in told]
        pools, critical, messages = _pools(batch), _pools(batch, Severity.CRITICAL), 1
        for sent in reversed(self._paced):
            pools, messages = pools | _pools(sent.told), messages + 1
            critical |= _pools(sent.told, Severity.CRITICAL)
            left = len(pools) + BEYOND - messages
            may_come = min(len(pools - critical), 1 if first else MOST_CRITICAL)
            if left < least or (left < may_come and not first):
                return sent.at + MINUTE
            if left < may_come:
                soon = min(*first, sent.at + MINUTE - GATHER) + GATHER
        return soon

    @property
    def _paced(self) -> Sequence[_Sent]:
        """The minute's messages about rungs."""
        return [sent for sent in self._sent if _pools(sent.told)]

    def _told(self, least: Severity = Severity.INFO) -> frozenset[str]:
        """The pools whose rungs were told of within the minute, as of this severity."""
        return frozenset().union(*(_pools(sent.told, least) for sent in self._sent))


def _is_critical(message: Notification) -> bool:
    return message.urgency is Severity.CRITICAL


def _pools(messages: Iterable[Notification], least: Severity = Severity.INFO) -> frozenset[str]:
    """The incidents of the messages about rungs, of those as urgent as this."""
    return frozenset(
        message.about
        for message in messages
        if message.is_on_rungs and message.urgency.rank >= least.rank
    )
