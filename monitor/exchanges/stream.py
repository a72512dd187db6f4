"""
I/O. Live marks: reconnecting WebSocket connections for any exchange.

It knows no payload: what a frame says is the exchange's `read_frame`'s word. A connection
counts only after every subscription is acknowledged and every symbol has been heard of; from
then on each symbol has its own watchdog, since a socket that answers pings may still be
silent (F-01, F-07). A connection that is to end (24 h, or the exchange asks us to leave) is
replaced by one that has already delivered (F-03, F-04).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved
from monitor.errors import Malformed
from monitor.exchanges.port import Leave, MarksRead, Rejected, Subscribed
from monitor.risk.model import Mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from websockets.asyncio.client import ClientConnection

    from monitor.exchanges.port import Exchange, MarkStream
    from monitor.risk.model import Instrument

log = structlog.get_logger()

FEED = "marks"
OPEN_SECONDS = 10.0
ACK_SECONDS = 5.0
PING_SECONDS = 20.0
LIFE_SECONDS = 23 * 3600.0
HANDOVER_SECONDS = 30.0
PACE_SECONDS = 0.2
GOOD_SECONDS = 60.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 15.0
MALFORMED_LIMIT = 5
MALFORMED_SECONDS = 60.0
MAX_FRAME_BYTES = 1024 * 1024
MAX_QUEUED_FRAMES = 64


class _Lost(Exception):  # noqa: N818 - a word for inside this file
    """This connection is no good any more, and why."""


class _Connection:
    """One socket, from opening to its end."""

    def __init__(self, feed: MarkFeed, stream: MarkStream) -> None:
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()
        self._feed = feed
        self._stream = stream
        self._heard: dict[str, float] = {}
        self._acks = 0
        self._malformed: deque[float] = deque(maxlen=MALFORMED_LIMIT)
        self._last_frame = 0.0

    async def run(self) -> None:
        """Serve until the connection is lost. Raises _Lost with the reason, never returns."""
        base = self._feed.ws_url or self._stream.host
        try:
            async with connect(
                base.rstrip("/") + self._stream.path,
                compression=None,
                open_timeout=OPEN_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                close_timeout=1.0,
                max_size=MAX_FRAME_BYTES,
                max_queue=MAX_QUEUED_FRAMES,
            ) as socket:
                await self._serve(socket)
        except ConnectionClosed as error:
            raise _Lost(_closed(error)) from error
        except TimeoutError as error:
            raise _Lost(f"no connection within {OPEN_SECONDS:.0f} s") from error
        except (OSError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise _Lost(f"no connection ({type(error).__name__})") from error
        raise _Lost("the connection ended")

    async def _serve(self, socket: ClientConnection) -> None:
        opened = self._now()
        self._last_frame = opened
        helpers = [
            asyncio.create_task(self._subscribe(socket)),
            asyncio.create_task(self._watch(opened)),
        ]
        if self._stream.keepalive is not None:
            helpers.append(asyncio.create_task(self._ping(socket)))
        reader = asyncio.create_task(self._read(socket))
        try:
            done, _ = await asyncio.wait(
                (reader, *helpers[1:]), return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in (reader, *helpers):
                task.cancel()
            await asyncio.gather(reader, *helpers, return_exceptions=True)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _subscribe(self, socket: ClientConnection) -> None:
        for text in self._stream.subscribe:
            await socket.send(text)
            await asyncio.sleep(PACE_SECONDS)

    async def _ping(self, socket: ClientConnection) -> None:
        keepalive = self._stream.keepalive
        while keepalive is not None:
            await asyncio.sleep(keepalive.seconds)
            await socket.send(keepalive.text)
            if self._now() - self._last_frame > 2 * keepalive.seconds:
                raise _Lost("no answer to our pings")

    async def _watch(self, opened: float) -> None:
        paced = PACE_SECONDS * len(self._stream.subscribe)
        while True:
            await asyncio.sleep(1.0)
            now = self._now()
            if self._acks < self._stream.acks and now - opened > ACK_SECONDS + paced:
                raise _Lost("the subscription was not acknowledged")
            since = {s: now - self._heard.get(s, opened) for s in self._stream.symbols}
            silent = sorted(s for s, age in since.items() if age > self._feed.patience_seconds)
            if silent:
                raise _Lost(f"nothing heard of {', '.join(silent[:5])}")
            if now - opened > LIFE_SECONDS:
                self.leaving.set()

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            data = await socket.recv(decode=False)
            self._last_frame = self._now()
            try:
                frame = self._feed.exchange.read_frame(data)
            except Malformed as error:
                self._count_malformed(error)
                continue
            match frame:
                case MarksRead():
                    self._take(frame)
                case Subscribed(count=count):
                    self._acks += count
                case Rejected(because=because):
                    raise _Lost(f"the subscription was rejected: {because}")
                case Leave():
                    self.leaving.set()

    def _take(self, frame: MarksRead) -> None:
        now = self._now()
        for symbol in (*frame.marks, *frame.confirmed):
            self._heard[symbol] = now
        self._feed.take(frame)
        if (
            not self.ready.is_set()
            and self._acks >= self._stream.acks
            and self._stream.symbols <= self._heard.keys()
        ):
            self.ready.set()

    def _count_malformed(self, error: Malformed) -> None:
        now = self._now()
        self._malformed.append(now)
        log.info("frame.dropped", exchange=self._feed.exchange.name, because=error.because)
        if len(self._malformed) == MALFORMED_LIMIT and now - self._malformed[0] < MALFORMED_SECONDS:
            raise _Lost(f"{MALFORMED_LIMIT} unreadable frames within a minute: {error.because}")


class MarkFeed:
    """
    The live marks of one account's instruments.

    `deliver` is called with MarksMoved for every frame that tells of marks, FeedLost when a
    connection is lost and FeedRestored once all of them deliver again. `now` is the monitor's
    clock, `offset_seconds` the exchange's clock minus ours: event times are turned to ours
    and never lie later than now. A symbol that is silent for `patience_seconds` costs the
    connection.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        exchange: Exchange,
        *,
        account: str,
        now: Callable[[], datetime],
        offset_seconds: Callable[[], float],
        deliver: Callable[[MarksMoved | FeedLost | FeedRestored], None],
        ws_url: str | None = None,
        patience_seconds: float = 15.0,
    ) -> None:
        self.exchange = exchange
        self.ws_url = ws_url
        self.patience_seconds = patience_seconds
        self._account = account
        self._clock = now
        self._offset_seconds = offset_seconds
        self._deliver = deliver
        self._instruments: tuple[Instrument, ...] = ()
        self._changed = asyncio.Event()
        self._lost: set[int] = set()

    def watch(self, instruments: tuple[Instrument, ...]) -> None:
        """Follow at least these. Fewer than before change nothing: their marks are harmless."""
        known = {i.exchange_symbol for i in self._instruments}
        if {i.exchange_symbol for i in instruments} <= known:
            return
        merged = {i.exchange_symbol: i for i in (*self._instruments, *instruments)}
        self._instruments = tuple(merged.values())
        self._changed.set()

    def reconnect(self) -> None:
        """Open every connection anew (after a suspend, say)."""
        self._changed.set()

    def take(self, frame: MarksRead) -> None:
        at = self._clock()
        self._deliver(
            MarksMoved(
                marks={symbol: self._on_our_clock(m, at) for symbol, m in frame.marks.items()},
                confirmed={s: min(at, self._ours(when)) for s, when in frame.confirmed.items()},
                at=at,
            )
        )

    def _ours(self, theirs: datetime) -> datetime:
        return theirs - timedelta(seconds=self._offset_seconds())

    def _on_our_clock(self, mark: Mark, at: datetime) -> Mark:
        return Mark(price=mark.price, at=min(at, self._ours(mark.at)))

    async def run(self) -> None:
        """Hold the connections for ever; replaced whenever `watch` asks for more symbols."""
        keepers: list[asyncio.Task[None]] = []
        try:
            while True:
                await self._change(keepers)
                keepers = await self._replaced(keepers)
        finally:
            await _end(keepers)

    async def _change(self, keepers: list[asyncio.Task[None]]) -> None:
        """Until `watch` asks for more. A keeper ends only by a bug, which is raised here."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait((changed, *keepers), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        for task in done - {changed}:
            task.result()
        self._changed.clear()

    async def _replaced(self, old: list[asyncio.Task[None]]) -> list[asyncio.Task[None]]:
        """New connections for the present instruments; the old ones end when they deliver."""
        streams = self.exchange.mark_streams(self._instruments)
        ready = [asyncio.Event() for _ in streams]
        self._lost.clear()
        new = [
            asyncio.create_task(self._keep(number, stream, event))
            for number, (stream, event) in enumerate(zip(streams, ready, strict=True))
        ]
        if old:
            with suppress(TimeoutError):
                async with asyncio.timeout(HANDOVER_SECONDS):
                    await asyncio.gather(*(event.wait() for event in ready))
            await _end(old)
        return new

    async def _keep(self, number: int, stream: MarkStream, first: asyncio.Event) -> None:
        """One connection after another for one stream."""
        wait = FIRST_WAIT_SECONDS
        connection, task = self._open(stream)
        try:
            while True:
                became_ready = await self._serve(number, connection, task, first)
                if connection.leaving.is_set() and not task.done():
                    connection, task = await self._handed_over(stream, connection, task)
                    continue
                wait = FIRST_WAIT_SECONDS if became_ready else min(2 * wait, LONGEST_WAIT_SECONDS)
                # Full jitter, so that many accounts do not come back in one instant.
                await asyncio.sleep(random.uniform(0.1, wait))  # noqa: S311
                connection, task = self._open(stream)
        finally:
            await _end([task])

    def _open(self, stream: MarkStream) -> tuple[_Connection, asyncio.Task[None]]:
        connection = _Connection(self, stream)
        return connection, asyncio.create_task(connection.run())

    async def _serve(
        self,
        number: int,
        connection: _Connection,
        task: asyncio.Task[None],
        first: asyncio.Event,
    ) -> bool:
        """Until the connection is lost or must be left; whether it was good for a minute."""
        began = asyncio.get_running_loop().time()
        await _first(task, connection.ready)
        if connection.ready.is_set():
            first.set()
            self._restored(number)
        await _first(task, connection.leaving)
        if task.done():
            self._report_lost(number, task)
        return asyncio.get_running_loop().time() - began > GOOD_SECONDS

    async def _handed_over(
        self, stream: MarkStream, old: _Connection, old_task: asyncio.Task[None]
    ) -> tuple[_Connection, asyncio.Task[None]]:
        """The successor once it delivers; the old connection ends only then."""
        new, task = self._open(stream)
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                await _first(task, new.ready)
        if not new.ready.is_set() and not old_task.done():
            await _end([task])
            old.leaving.clear()
            return old, old_task
        await _end([old_task])
        return new, task

    def _report_lost(self, number: int, task: asyncio.Task[None]) -> None:
        error = task.exception()
        if error is not None and not isinstance(error, _Lost):
            raise error
        if number in self._lost:
            return
        self._lost.add(number)
        because = str(error) if error is not None else "the connection ended"
        log.warning(
            "feed.lost",
            exchange=self.exchange.name,
            account=self._account,
            feed=FEED,
            because=because,
        )
        self._deliver(FeedLost(feed=FEED, because=because, at=self._clock()))

    def _restored(self, number: int) -> None:
        was_lost = number in self._lost
        self._lost.discard(number)
        if self._lost:
            return
        if was_lost:
            log.info("feed.restored", exchange=self.exchange.name, account=self._account, feed=FEED)
        self._deliver(FeedRestored(feed=FEED, at=self._clock()))


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the connection broke"
    reason = f" {error.rcvd.reason[:80]}" if error.rcvd.reason else ""
    return f"closed by the exchange ({error.rcvd.code}{reason})"


async def _first(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait for the task's end or the event, whichever comes first."""
    waiter = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((task, waiter), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
