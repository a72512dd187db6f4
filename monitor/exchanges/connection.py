"""
I/O. One WebSocket connection that brings marks, from its opening to its end.

It counts as ready only after every subscription is acknowledged and every wanted symbol has
been heard of; from then on each symbol has its own watchdog, since a socket that answers pings
may still be silent (F-01, F-07). A connection on which only some symbols are silent goes on
serving the others while it asks to be replaced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from monitor.errors import Malformed
from monitor.exchanges import trouble
from monitor.exchanges.port import Leave, MarksRead, Rejected, Subscribed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from websockets.asyncio.client import ClientConnection

    from monitor.exchanges.port import Exchange, MarkStream

log = structlog.get_logger()

OPEN_SECONDS = 10.0
ACK_SECONDS = 5.0
PING_SECONDS = 20.0
# So long after one kind of address the other is tried as well (RFC 8305).
EYEBALLS_SECONDS = 0.25
LIFE_SECONDS = 23 * 3600.0
PACE_SECONDS = 0.2
MALFORMED_LIMIT = 5
MALFORMED_SECONDS = 60.0
MAX_FRAME_BYTES = 1024 * 1024
MAX_QUEUED_FRAMES = 64
_NAMES_SHOWN = 5


class Lost(Exception):  # noqa: N818 - a word for inside this room
    """This connection is no good any more, and why."""


class RejectedByExchange(Lost):
    """The exchange does not serve what was subscribed; asking the same again helps rarely."""


class Listener(Protocol):
    """
    Who takes what a connection brings.

    `wanted` are the symbols that must be heard of. `take` gives back by how many seconds each
    symbol's news is late: an old event time is no sign of life, however often it comes.
    """

    exchange: Exchange
    ws_url: str | None
    patience_seconds: float
    wanted: frozenset[str]

    def take(self, frame: MarksRead) -> Mapping[str, float]: ...


class Connection:
    """
    One socket, from opening to its end.

    `ready` is set once everything wanted was heard of; `leaving` when a successor is wanted,
    while this one still serves.
    """

    def __init__(self, listener: Listener, stream: MarkStream) -> None:
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()
        self._listener = listener
        self._stream = stream
        self._heard: dict[str, float] = {}
        self._silent: frozenset[str] = frozenset()
        self._acks = 0
        self._malformed: deque[float] = deque(maxlen=MALFORMED_LIMIT)
        self._last_frame = 0.0

    async def run(self) -> None:
        """Serve until the connection is lost. Raises Lost with the reason, never returns."""
        base = self._listener.ws_url or self._stream.host
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
                happy_eyeballs_delay=EYEBALLS_SECONDS,
            ) as socket:
                await self._serve(socket)
        except ConnectionClosed as error:
            raise Lost(_closed(error)) from error
        except TimeoutError as error:
            raise Lost(f"no connection within {OPEN_SECONDS:.0f} s") from error
        except (OSError, WebSocketException, EOFError) as error:
            why = trouble.words(error) or type(error).__name__
            raise Lost(f"no connection ({why})") from error
        raise Lost("the connection ended")

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
                raise Lost("no answer to our pings")

    async def _watch(self, opened: float) -> None:
        paced = PACE_SECONDS * len(self._stream.subscribe)
        while True:
            await asyncio.sleep(1.0)
            now = self._now()
            if self._acks < self._stream.acks and now - opened > ACK_SECONDS + paced:
                raise Lost("the subscription was not acknowledged")
            self._look_for_silence(opened)
            if now - opened > LIFE_SECONDS:
                self.leaving.set()

    @property
    def _wanted(self) -> frozenset[str]:
        """A symbol that nobody holds any more may be silent: it may have been delisted."""
        return self._stream.symbols & self._listener.wanted

    def _look_for_silence(self, opened: float) -> None:
        now, wanted = self._now(), self._wanted
        patience = self._listener.patience_seconds
        silent = frozenset(s for s in wanted if now - self._heard.get(s, opened) > patience)
        names = ", ".join(sorted(silent)[:_NAMES_SHOWN])
        if silent and silent == wanted:
            raise Lost(f"nothing heard of {names}")
        if silent - self._silent:
            log.warning("symbols.silent", exchange=self._listener.exchange.name, symbols=names)
        self._silent = silent
        if silent:
            self.leaving.set()

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            data = await socket.recv(decode=False)
            self._last_frame = self._now()
            try:
                frame = self._listener.exchange.read_frame(data)
            except Malformed as error:
                self._count_malformed(error)
                continue
            match frame:
                case MarksRead():
                    self._take(frame)
                case Subscribed(count=count):
                    self._acks += count
                case Rejected(because=because):
                    raise RejectedByExchange(f"the subscription was rejected: {because}")
                case Leave():
                    self.leaving.set()

    def _take(self, frame: MarksRead) -> None:
        now = self._now()
        for symbol, late_seconds in self._listener.take(frame).items():
            if late_seconds <= self._listener.patience_seconds:
                self._heard[symbol] = now - late_seconds
        if (
            not self.ready.is_set()
            and self._acks >= self._stream.acks
            and self._wanted <= self._heard.keys()
        ):
            self.ready.set()

    def _count_malformed(self, error: Malformed) -> None:
        now = self._now()
        self._malformed.append(now)
        log.info("frame.dropped", exchange=self._listener.exchange.name, because=error.because)
        if len(self._malformed) == MALFORMED_LIMIT and now - self._malformed[0] < MALFORMED_SECONDS:
            raise Lost(f"{MALFORMED_LIMIT} unreadable frames within a minute: {error.because}")


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the connection broke"
    reason = f" {error.rcvd.reason[:80]}" if error.rcvd.reason else ""
    return f"closed by the exchange ({error.rcvd.code}{reason})"
