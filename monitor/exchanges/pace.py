"""
I/O. A limit to which calls keep, and in which order: who is nearest to its end goes first.

Where there is no room for all at once, as in a crash of fifty accounts behind one address,
calls that answer an alarm go before routine, and among equals those of the account that is
nearest to liquidation. Before all of them goes whose view is so old that it would soon be none,
and first who was never read: else those near the end, read again and again, would make the
others blind. Not so who is read in vain, again and again, for what is wrong with him alone. So
that nobody is kept waiting for ever, every fourth turn belongs to who has waited longest, once
that is long.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

# What is not known counts as this: behind who is known to be near, before who is known not to.
UNKNOWN_DISTANCE = 0.05
LONG_SECONDS = 10.0
# A view of this age must be renewed before its budget (60 s) is used up, whoever is nearer.
OLD_SECONDS = 40.0
# Of so many turns one is theirs who have waited for longer than that.
OLDEST_EVERY = 4
_NOTHING = 1e-6
_LEAST = 1.0
_SHORTEST_SECONDS = 0.001


@dataclass(slots=True)
class Standing:
    """
    How an account stands: `distance` left to liquidation as a fraction, None where not known.

    `is_alarmed`: a reading of it is to answer an alarm. `read_at`: when its last good reading
    began, by the loop's clock; 0 before the first. Of equals the one whose view is oldest goes
    first, all of its calls: were fifty read side by side, each would take as long as all.
    `is_unreadable`: its last readings brought what makes no sense, as the next may.

    Who waits is looked at as it stands then, not as it stood when it came.
    """

    distance: float | None = None
    is_alarmed: bool = False
    read_at: float = 0.0
    is_unreadable: bool = False


@dataclass(slots=True, eq=False)
class _Waiting:
    turn: asyncio.Future[None]
    weight: float
    standing: Standing
    is_urgent: bool
    since: float

    @property
    def rank(self) -> tuple[bool, bool, bool, float, float]:
        standing, read_at = self.standing, self.standing.read_at
        is_seen = read_at > 0 or standing.is_unreadable
        is_current = standing.is_unreadable or (is_seen and _loop_time() - read_at < OLD_SECONDS)
        is_routine = not (self.is_urgent or standing.is_alarmed)
        near = UNKNOWN_DISTANCE if standing.distance is None else standing.distance
        return is_current, is_seen, is_routine, near, read_at


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Pace:
    """
    Lets calls through as room for them comes: `room` units in `seconds`, evenly, and before
    that the part `at_once` of as many without a pause.

    So that 1 + `at_once` times the room is the most in any such span. Whoever is first waits
    for room for all of its weight: were lighter ones let through meanwhile, a heavy call might
    wait for ever.
    """

    def __init__(self, room: float, seconds: float, *, at_once: float = 1.0) -> None:
        self._room = room
        self._seconds = seconds
        self._at_once = at_once
        self._level = 0.0
        self._at = 0.0
        self._queue: deque[_Waiting] = deque()
        self._turns = 0
        self._timer: asyncio.TimerHandle | None = None

    def is_at_ease(self, weight: float) -> bool:
        """Whether nobody waits, and this much leaves half of what may go at once for others."""
        self._leak()
        return not self._queue and self._level + weight <= self._at_once * self._room / 2

    async def acquire(
        self,
        weight: float,
        standing: Standing | None = None,
        *,
        is_urgent: bool = False,
        room: float | None = None,
    ) -> None:
        """
        Wait until there is room for this much, and take it.

        Args:
            is_urgent: It answers an alarm, whatever the account's standing says.
            room: From now on there is so much for all; None leaves it as it is.
        """
        loop = asyncio.get_running_loop()
        self._resize(room)
        waiting = _Waiting(
            turn=loop.create_future(),
            weight=weight,
            standing=standing or Standing(),
            is_urgent=is_urgent,
            since=loop.time(),
        )
        self._queue.append(waiting)
        self._admit()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
                self._admit()
            raise

    def _resize(self, room: float | None) -> None:
        if room is not None and room != self._room:
            self._leak()
            self._room = room

    def _leak(self) -> None:
        now = asyncio.get_running_loop().time()
        self._level = max(0.0, self._level - (now - self._at) * self._room / self._seconds)
        self._at = now

    def _admit(self) -> None:
        """Let through all for whom there is room, and come back when there is for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._leak()
        while self._queue:
            first = self._first()
            most = max(_LEAST, self._at_once * self._room)
            over = self._level + min(first.weight, most) - most
            if over > _NOTHING:
                wait = max(_SHORTEST_SECONDS, over * self._seconds / self._room)
                self._timer = asyncio.get_running_loop().call_later(wait, self._admit)
                return
            self._level += first.weight
            self._turns += 1
            self._queue.remove(first)
            if not first.turn.done():
                first.turn.set_result(None)

    def _first(self) -> _Waiting:
        """Of equals, and of those who waited long, who came first."""
        oldest = self._queue[0]
        waited = asyncio.get_running_loop().time() - oldest.since
        if waited >= LONG_SECONDS and self._turns % OLDEST_EVERY == 0:
            return oldest
        return min(self._queue, key=lambda each: each.rank)
