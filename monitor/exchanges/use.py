"""
What is used of a host's limits: by this process, as it counts itself, and by all behind the
address, as the answers' headers tell.

Pure: the time comes in, nothing is sent from here. One value is shared by all accounts of a
host; limits that count each account by itself are kept in one of the account's own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import Budget, Used

MINUTE = timedelta(minutes=1)
# Of a limit, in its present window: from here on nothing is sent before the next window.
CROWDED_SHARE = 0.9
# What others use may take so much of a limit before our own part begins to shrink.
TOTAL_SHARE = 0.8
HALVED_FOR = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Minute:
    """One minute of the clock: what we sent in it, and the most that others were seen to use."""

    number: int
    own: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """
    One limit: units sent by us, and used by others, in the last minute; `per_minute` allowed.

    `others` is None where the exchange does not tell.
    """

    budget: Budget
    own: int
    others: int | None

    @property
    def share(self) -> float:
        """All that is used, as a fraction of the limit."""
        return (self.own + (self.others or 0)) / self.budget.per_minute


class Use:
    """Counts by limit, over a minute; what is older is forgotten."""

    def __init__(self) -> None:
        self._budgets: dict[str, Budget] = {}
        self._sent: dict[str, deque[tuple[datetime, int]]] = {}
        self._minutes: dict[str, deque[_Minute]] = {}
        self._told: set[str] = set()
        self._full_until: dict[str, datetime] = {}
        self._limited_at: datetime | None = None

    def spent(self, budget: Budget, weight: int, at: datetime) -> None:
        """A call of this weight was sent."""
        self._budgets[budget.name] = budget
        sent = self._sent.setdefault(budget.name, deque())
        sent.append((at, weight))
        while sent[0][0] <= at - MINUTE:
            sent.popleft()
        self._minute(budget, at).own += weight

    def sent(self, budget: Budget, at: datetime) -> int:
        """Units that we sent in the last minute."""
        return sum(weight for sent, weight in self._sent.get(budget.name, ()) if sent > at - MINUTE)

    def told(self, used: Used, at: datetime, offset: timedelta = timedelta(0)) -> None:
        """
        An answer that came at `at` told what is used. `offset`: the exchange's clock less ours.

        What it counts beyond our own is others'.
        """
        budget, theirs = used.budget, at + offset
        self._budgets[budget.name] = budget
        if used.resets_at is None:
            self._told.add(budget.name)
            minute = self._minute(budget, theirs)
            minute.others = max(minute.others, used.used - minute.own)
        resets_at = _next_minute(theirs) if used.resets_at is None else used.resets_at
        if used.used >= CROWDED_SHARE * used.limit and resets_at > theirs:
            self._full_until[budget.name] = resets_at - offset

    def limited(self, at: datetime) -> None:
        """The exchange said «too many» (F-41): half of everything for ten minutes from its end."""
        self._limited_at = at if self._limited_at is None else max(at, self._limited_at)

    def is_halved(self, at: datetime) -> bool:
        return self._limited_at is not None and at < self._limited_at + HALVED_FOR

    def seconds_until_room(self, budget: Budget, at: datetime) -> float:
        """How long nothing may be sent because the present window is nearly used up; else 0."""
        until = self._full_until.get(budget.name)
        return 0.0 if until is None else max(0.0, (until - at).total_seconds())

    def allowance(self, budget: Budget, share: float, at: datetime) -> float:
        """
        Units a minute that steady reading may take: `share` of the limit, less where others
        need the room, half of it after a «too many».
        """
        free = TOTAL_SHARE * budget.per_minute - self._others(budget, at)
        most = share * budget.per_minute * (0.5 if self.is_halved(at) else 1.0)
        return max(0.0, min(most, free))

    def in_use(self, at: datetime) -> Mapping[str, InUse]:
        """Every limit that was met, by its name."""
        return {
            name: InUse(
                budget=budget,
                own=self.sent(budget, at),
                others=self._others(budget, at) if name in self._told else None,
            )
            for name, budget in self._budgets.items()
        }

    def _others(self, budget: Budget, at: datetime) -> int:
        """The most of the present minute and the one before: the present one has just begun."""
        present = _number(at)
        minutes = self._minutes.get(budget.name, ())
        return max((m.others for m in minutes if m.number >= present - 1), default=0)

    def _minute(self, budget: Budget, at: datetime) -> _Minute:
        minutes = self._minutes.setdefault(budget.name, deque(maxlen=3))
        number = _number(at)
        for minute in minutes:
            if minute.number == number:
                return minute
        minutes.append(_Minute(number))
        return minutes[-1]


def _number(at: datetime) -> int:
    return (at - _EPOCH) // MINUTE


def _next_minute(at: datetime) -> datetime:
    return _EPOCH + (_number(at) + 1) * MINUTE
