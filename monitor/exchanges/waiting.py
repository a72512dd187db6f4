"""I/O. Waiting for tasks, ending them, and how long to wait before a connection is tried again."""

from __future__ import annotations

import asyncio
from collections import deque

from monitor.exchanges.openings import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    full_jitter,
    longer,
)

GOOD_SECONDS = 60.0
ATTEMPTS_AT_MOST = 10
ATTEMPTS_SECONDS = 300.0


class Backoff:
    """
    The pauses between one stream's attempts: doubling, with full jitter.

    They begin anew only after a connection that was good for a minute, and there are at most
    ten attempts in five minutes: who knocks faster is banned by address, with all others there.
    """

    def __init__(self) -> None:
        self._wait = FIRST_WAIT_SECONDS
        self._attempts: deque[float] = deque(maxlen=ATTEMPTS_AT_MOST)

    def tried(self, now: float) -> None:
        """An attempt is made."""
        self._attempts.append(now)

    def pause(self, now: float, *, good_seconds: float) -> float:
        """Seconds to wait after a connection that was good for so long."""
        if good_seconds > GOOD_SECONDS:
            self._wait = FIRST_WAIT_SECONDS
            self._attempts.clear()
        pause = full_jitter(self._wait)
        self._wait = longer(self._wait, LONGEST_WAIT_SECONDS)
        if len(self._attempts) == ATTEMPTS_AT_MOST:
            pause = max(pause, self._attempts[0] + ATTEMPTS_SECONDS - now)
        return pause


async def first_of(*awaited: asyncio.Task[None] | asyncio.Event) -> None:
    """Wait for the end of one of these tasks or for one of the events, whichever comes first."""
    tasks = [each for each in awaited if isinstance(each, asyncio.Task)]
    waiters = [asyncio.create_task(e.wait()) for e in awaited if isinstance(e, asyncio.Event)]
    try:
        await asyncio.wait((*tasks, *waiters), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel these and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
