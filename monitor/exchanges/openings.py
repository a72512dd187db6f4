"""
How often connections to one host may be opened, all accounts behind it together.

A host that does not let anybody in is asked by one of them now and then, for all: at most ten
times in five minutes, so that recovery itself gets nobody banned (F-06). As soon as one is let
in, the others follow. One that is let in and then rejected is no trouble of the host while
others stand. Whatever happens, 80 % of what Binance allows (300 in five minutes) is not exceeded.

Source: Binance «Websocket Market Streams: connection limit» (300 per attempt per 5 minutes per
IP), Bybit «Connect: IP limits» (500 in 5 minutes), read November 2026.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakSet

from monitor.alerts.words import moment
from monitor.exchanges.quiet import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 15.0
WINDOW_SECONDS = 300.0
# So many failures in a row are met with each account's own waits; then one asks for all.
QUICK_TRIES = 4
# 4 tries in the first seconds and one each 45 s after them are ten in five minutes.
SPACING_SECONDS = 45.0
# Up to so much longer than a host asked for, each by its own lot.
SPREAD_SECONDS = 3.0
# Fifty accounts with three sockets each begin with 150; Binance allows 300.
MOST_IN_WINDOW = 240
# So many of them are left to those who lead: private streams that are refused take none of these.
KEPT_FOR_LEADERS = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def full_jitter(most: float) -> float:
    """Anything up to that, so that many accounts do not come back in one instant."""
    return random.uniform(0.1, most)  # noqa: S311 - no secret


def longer(wait: float, longest: float) -> float:
    """The next upper bound of a wait, after one that did not help."""
    return min(2 * wait, longest)


class Openings:
    """
    The turns to open a connection to one host. `now` in seconds; the loop's clock if None.

    `quiet` is what the host asked for where it let no connection in, by `clock`: nobody tries
    before that is over. What it asked of calls is another matter, and so is this for them.
    """

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self.quiet = Quiet()
        self._now = now or _loop_time
        self.clock: Callable[[], datetime] = lambda: _EPOCH + timedelta(seconds=self._now())
        self._failures = 0
        self._tried_at = 0.0
        self._tries: deque[float] = deque(maxlen=MOST_IN_WINDOW)
        self._well = asyncio.Event()
        self._standing: WeakSet[asyncio.Task[None]] = WeakSet()

    def failed(self, *, is_let_in: bool = False) -> None:
        """
        A connection was lost before it brought what it was opened for.

        Args:
            is_let_in: The host answered on it: the trouble is its own, unless no other stands.
        """
        if not is_let_in or not self.is_serving:
            self._failures += 1

    def asked_for_quiet(self, seconds: float) -> None:
        """The host wants no other connection for so long."""
        at = self.clock()
        self.quiet.ask(at + timedelta(seconds=seconds), at)

    @property
    def is_serving(self) -> bool:
        """Whether any connection to the host brings what it was opened for."""
        return any(not task.done() for task in self._standing)

    def succeeded(self, connection: asyncio.Task[None] | None = None) -> None:
        """A connection (it stands until its task is over) brings what it was opened for."""
        self._failures = 0
        self.quiet.answered(self.clock())
        self._well.set()
        if connection is not None:
            self._standing.add(connection)

    async def turn(self, *, leads: bool = True) -> None:
        """
        Wait for a turn to open a connection; who gets it says `opened` without further delay.

        Who does not lead lets the others try a host that lets nobody in, and follows them.
        """
        while (left := self.seconds_left(leads=leads)) > 0:
            self._well.clear()
            # Whom all were asked to leave alone they don't all come back to in one instant.
            spread = full_jitter(SPREAD_SECONDS) if self.quiet.seconds_left(self.clock()) else 0.0
            with suppress(TimeoutError):
                await asyncio.wait_for(self._well.wait(), left + spread)

    def why_waits(self, at: datetime, *, leads: bool = True) -> str:
        """What keeps a turn away, for people; empty where nothing does."""
        quiet, crowd, trouble = self._waits(leads=leads)
        if not quiet and not crowd and not trouble:
            return ""
        if quiet:
            until = moment(at + timedelta(seconds=quiet))
            return f"no connection yet: the exchange asked for none before {until}"
        if crowd >= trouble:
            return "no connection yet: so many were opened lately that some have to wait"
        return "no connection yet: the exchange let nobody in lately, it is tried now and then"

    def opened(self) -> None:
        """A connection is being opened, for whatever reason."""
        self._tried_at = self._now()
        self._tries.append(self._tried_at)

    def seconds_left(self, *, leads: bool = True) -> float:
        """Until somebody may try; 0 where that is now."""
        return max(self._waits(leads=leads))

    def _waits(self, *, leads: bool) -> tuple[float, float, float]:
        """
        How long for each reason, 0 where it is none: the host asked for quiet; too many were
        opened of late; the host lets nobody in.
        """
        now, crowd, trouble = self._now(), 0.0, 0.0
        most = MOST_IN_WINDOW if leads else MOST_IN_WINDOW - KEPT_FOR_LEADERS
        if len(self._tries) >= most:
            crowd = self._tries[-most] + WINDOW_SECONDS - now
        if self._failures >= QUICK_TRIES:
            # Where one is served nobody needs the turns that are kept for those who lead.
            is_kept = not leads and not self.is_serving
            spacing = 2 * SPACING_SECONDS if is_kept else SPACING_SECONDS
            trouble = self._tried_at + spacing - now
        return self.quiet.seconds_left(self.clock()), max(0.0, crowd), max(0.0, trouble)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
