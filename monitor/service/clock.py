"""
The only reader of clocks.

The wall clock is read once, when the process starts; from then on time is that anchor plus
CLOCK_BOOTTIME, which neither a stepped wall clock nor NTP moves and which goes on while the
machine sleeps.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SUSPENDED_SECONDS = 5.0


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """
    UTC for everything that decides, and the notice that the machine has slept.

    `boottime` counts suspended seconds, `monotonic` does not; both in seconds.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        boottime: Callable[[], float] = _boottime,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._boottime = boottime
        self._monotonic = monotonic
        self._anchor = datetime.fromtimestamp(wall(), UTC) - timedelta(seconds=boottime())
        self._slept = boottime() - monotonic()

    def now(self) -> datetime:
        """This moment, aware, UTC."""
        return self._anchor + timedelta(seconds=self._boottime())

    def slept_seconds(self) -> float:
        """Seconds that the machine was suspended since this was last asked, if over five."""
        slept = self._boottime() - self._monotonic()
        gap, self._slept = slept - self._slept, slept
        return gap if gap > SUSPENDED_SECONDS else 0.0
