"""
I/O. Live marks: reconnecting WebSocket connections for any exchange.

It knows no payload: what a frame says is the exchange's `read_frame`'s word. A connection
that is to end (24 h, the exchange asks us to leave, a symbol of it is silent) is replaced by
one that has already delivered (F-03, F-04). What the exchange rejects is set apart from the
rest, so that one symbol which can't be streamed costs no other its marks (F-07, F-34).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import structlog

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved, TablesAnnounced
from monitor.exchanges.connection import Connection, Lost, RejectedByExchange, heed
from monitor.exchanges.openings import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    QUICK_TRIES,
    SPACING_SECONDS,
    Openings,
    full_jitter,
    longer,
)
from monitor.exchanges.waiting import end, first_of
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.exchanges.port import Exchange, MarksRead, MarkStream, TablesMoved
    from monitor.risk.model import Instrument

log = structlog.get_logger()

FEED = "marks"
HANDOVER_SECONDS = 30.0
GOOD_SECONDS = 60.0
# The first rejection may be a passing mood of the exchange.
REJECTIONS_BELIEVED = 2


class MarkFeed:
    """
    The live marks of one account's instruments.

    `deliver` is called with MarksMoved for every frame that tells of marks, TablesAnnounced for
    one that tells of new tables, FeedLost when a connection is lost and FeedRestored once all of
    them deliver. `now` is the monitor's
    clock, `offset_seconds` the exchange's clock minus ours: event times are turned to ours
    and never lie later than now. A symbol that is silent for `patience_seconds` is asked for
    on a new connection. `openings` are the turns to connect that all accounts of a host share.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        exchange: Exchange,
        *,
        account: str,
        now: Callable[[], datetime],
        offset_seconds: Callable[[], float],
        deliver: Callable[[MarksMoved | TablesAnnounced | FeedLost | FeedRestored], None],
        ws_url: str | None = None,
        patience_seconds: float = 15.0,
        openings: Openings | None = None,
    ) -> None:
        self.exchange = exchange
        self.ws_url = ws_url
        self.patience_seconds = patience_seconds
        self.wanted: frozenset[str] = frozenset()
        self._openings = openings or Openings()
        self._account = account
        self._clock = now
        self._offset_seconds = offset_seconds
        self._deliver = deliver
        self._instruments: dict[str, Instrument] = {}
        self._apart: list[frozenset[str]] = []
        self._changed = asyncio.Event()
        self._numbers = count()
        # Of the present connections those that do not deliver, by number; all of them at first.
        self._down: set[int] = set()
        self._present: dict[int, frozenset[str]] = {}
        self._is_lost = False

    def watch(self, instruments: tuple[Instrument, ...]) -> None:
        """
        Follow these. Others than before are followed on new connections.

        Fewer change nothing (their marks are harmless), unless they are what keeps a
        connection from being whole.
        """
        wanted = {i.exchange_symbol: i for i in instruments}
        gone = self.wanted - wanted.keys()
        self.wanted = frozenset(wanted)
        ailing = {s for number in self._down for s in self._present.get(number, ())}
        if wanted.keys() <= self._instruments.keys() and not gone & ailing:
            return
        self._instruments = wanted
        self._changed.set()

    def reconnect(self) -> None:
        """Open every connection anew (after a suspend, say)."""
        self._changed.set()

    def take(self, frame: MarksRead) -> Mapping[str, float]:
        """Deliver a frame's marks; by how many seconds each symbol's news is late."""
        at = self._clock()
        marks = {symbol: self._on_our_clock(m, at) for symbol, m in frame.marks.items()}
        confirmed = {s: min(at, self._ours(when)) for s, when in frame.confirmed.items()}
        self._deliver(MarksMoved(marks=marks, confirmed=confirmed, at=at))
        held_at = {symbol: mark.at for symbol, mark in marks.items()} | confirmed
        return {symbol: (at - when).total_seconds() for symbol, when in held_at.items()}

    def take_tables(self, frame: TablesMoved) -> None:
        """Deliver what a frame says of tables."""
        at = self._clock()
        self._deliver(TablesAnnounced(symbol=frame.symbol, because=frame.because, at=at))

    def _ours(self, theirs: datetime) -> datetime:
        return theirs - timedelta(seconds=self._offset_seconds())

    def _on_our_clock(self, mark: Mark, at: datetime) -> Mark:
        return Mark(price=mark.price, at=min(at, self._ours(mark.at)))

    async def run(self) -> None:
        """Hold the connections for ever; replaced whenever others are needed."""
        keepers: list[asyncio.Task[None]] = []
        # What was asked before (this is a new start after a fault) is asked again.
        if self._instruments:
            self._changed.set()
        try:
            while True:
                await self._change(keepers)
                await self._replace(keepers)
        finally:
            await end(*keepers)

    async def _change(self, keepers: list[asyncio.Task[None]]) -> None:
        """Until other connections are needed. A keeper ends only by a bug, raised here."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait((changed, *keepers), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        for task in done - {changed}:
            task.result()
        self._changed.clear()

    def _streams(self) -> tuple[MarkStream, ...]:
        """The connections of the present instruments; those set apart have their own."""
        left = dict(self._instruments)
        streams: list[MarkStream] = []
        for symbols in self._apart:
            together = tuple(left.pop(symbol) for symbol in sorted(symbols & left.keys()))
            streams += self.exchange.mark_streams(together) if together else ()
        return (*streams, *(self.exchange.mark_streams(tuple(left.values())) if left else ()))

    def _set_apart(self, symbols: frozenset[str]) -> None:
        """Something among these was rejected: halves are asked for, until it stands alone."""
        ordered = sorted(symbols)
        if len(ordered) == 1:
            return
        half = len(ordered) // 2
        kept = [group for group in self._apart if not group & symbols]
        self._apart = [*kept, frozenset(ordered[:half]), frozenset(ordered[half:])]
        self._changed.set()

    async def _replace(self, keepers: list[asyncio.Task[None]]) -> None:
        """New connections for the present instruments; the old ones end when they deliver."""
        streams = {next(self._numbers): stream for stream in self._streams()}
        ready = {number: asyncio.Event() for number in streams}
        self._present = {number: stream.symbols for number, stream in streams.items()}
        self._down = set(streams)
        old = tuple(keepers)
        # Among the others at once: whatever ends this feed meanwhile ends them as well.
        keepers += [
            asyncio.create_task(self._keep(number, stream, ready[number], is_first=not old))
            for number, stream in streams.items()
        ]
        if not streams and self._is_lost:
            self._restored(None)
        if not old:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                await self._all_or_changed(list(ready.values()))
        if self._changed.is_set():
            return  # others still are needed: until they deliver, the old ones do what they can
        await end(*old)
        del keepers[: len(old)]

    async def _all_or_changed(self, ready: list[asyncio.Event]) -> None:
        """Until all are ready, or others still are needed."""
        everything = asyncio.gather(*(event.wait() for event in ready))
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait((everything, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything.cancel()
            changed.cancel()
            await asyncio.gather(everything, changed, return_exceptions=True)

    async def _keep(
        self, number: int, stream: MarkStream, first: asyncio.Event, *, is_first: bool
    ) -> None:
        """
        One connection after another for one stream. Where it replaces others it begins at once.
        """
        if is_first:
            await self._first_turn(number)
        wait, rejections, unheard = FIRST_WAIT_SECONDS, 0, 0
        tasks: list[asyncio.Task[None]] = []
        connection, task = self._open(stream, tasks)
        try:
            while True:
                became_ready = await self._serve(number, connection, task, first)
                if connection.leaving.is_set() and not task.done():
                    connection, task = await self._handed_over(stream, connection, task, tasks)
                    continue
                rejections = rejections + 1 if _was_rejected(task) else 0
                if rejections == REJECTIONS_BELIEVED and number in self._present:
                    self._set_apart(stream.symbols)
                is_unheard = connection.is_let_in and not connection.ready.is_set()
                if not connection.ready.is_set():
                    self._openings.failed(is_let_in=is_unheard)
                # Where no other is served either, it is the host's trouble, not this stream's.
                is_own = is_unheard and self._openings.is_serving
                unheard = unheard + 1 if is_own else 0
                wait = FIRST_WAIT_SECONDS if became_ready else longer(wait, LONGEST_WAIT_SECONDS)
                await asyncio.sleep(_pause(wait, unheard))
                await self._openings.turn(leads=not is_own)
                connection, task = self._open(stream, tasks)
        finally:
            await end(*tasks)

    async def _first_turn(self, number: int) -> None:
        """A feed begins anew with every reload: what was opened before it counts as well."""
        because = self._openings.why_waits(self._clock())
        if because:
            self._say_lost(number, because)
        await self._openings.turn()

    def _open(
        self, stream: MarkStream, tasks: list[asyncio.Task[None]]
    ) -> tuple[Connection, asyncio.Task[None]]:
        """A new connection; it joins the `tasks` that are to be ended with their keeper."""
        self._openings.opened()
        connection = Connection(self, stream)
        task = asyncio.create_task(connection.run())
        task.add_done_callback(partial(heed, self._openings))
        tasks[:] = [*(each for each in tasks if not each.done()), task]
        return connection, task

    async def _serve(
        self,
        number: int,
        connection: Connection,
        task: asyncio.Task[None],
        first: asyncio.Event,
    ) -> bool:
        """Until the connection is lost or must be left; whether it was good for a minute."""
        began = asyncio.get_running_loop().time()
        await first_of(task, connection.ready, connection.leaving)
        if connection.ready.is_set():
            first.set()
            self._openings.succeeded(task)
            self._restored(number)
        await first_of(task, connection.leaving)
        if task.done():
            self._report_lost(number, task)
        return asyncio.get_running_loop().time() - began > GOOD_SECONDS

    async def _handed_over(
        self,
        stream: MarkStream,
        old: Connection,
        old_task: asyncio.Task[None],
        tasks: list[asyncio.Task[None]],
    ) -> tuple[Connection, asyncio.Task[None]]:
        """
        The successor once it delivers; the old connection ends only then.

        Where the host has no turn for it, the old one goes on.
        """
        if not self._openings.seconds_left(leads=False):
            new, task = self._open(stream, tasks)
            with suppress(TimeoutError):
                async with asyncio.timeout(HANDOVER_SECONDS):
                    await first_of(task, new.ready)
            if new.ready.is_set() or old_task.done():
                await end(old_task)
                _raise_fault(old_task)
                return new, task
            await end(task)
            _raise_fault(task)
        # A successor that fails at once is not asked for again at once.
        await asyncio.wait((old_task,), timeout=LONGEST_WAIT_SECONDS)
        old.leaving.clear()
        return old, old_task

    def _report_lost(self, number: int, task: asyncio.Task[None]) -> None:
        _raise_fault(task)
        error = task.exception()
        self._say_lost(number, str(error) if error is not None else "the connection ended")

    def _say_lost(self, number: int, because: str) -> None:
        if number in self._present:
            self._down.add(number)
        elif not self._down:
            return  # one that is being replaced, by others that deliver
        if self._is_lost:
            return
        self._is_lost = True
        log.warning(
            "feed.lost",
            exchange=self.exchange.name,
            account=self._account,
            feed=FEED,
            because=because,
        )
        self._deliver(FeedLost(feed=FEED, because=because, at=self._clock()))

    def _restored(self, number: int | None) -> None:
        """A connection delivers (None: there are none to wait for)."""
        if number is not None:
            self._down.discard(number)
        if self._down or (number is not None and number not in self._present):
            return
        if self._is_lost:
            log.info("feed.restored", exchange=self.exchange.name, account=self._account, feed=FEED)
        self._is_lost = False
        self._deliver(FeedRestored(feed=FEED, at=self._clock()))


def _pause(wait: float, unheard: int) -> float:
    """Before the next try: after four answered for nothing, as seldom as a host in trouble."""
    pause = full_jitter(wait)
    return pause if unheard < QUICK_TRIES else max(pause, SPACING_SECONDS)


def _raise_fault(task: asyncio.Task[None]) -> None:
    """Raise what ended a connection where that is a bug of ours, and no loss."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Lost):
        raise error


def _was_rejected(task: asyncio.Task[None]) -> bool:
    return task.done() and isinstance(task.exception(), RejectedByExchange)
