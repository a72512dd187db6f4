"""
I/O. One WebSocket connection that brings marks, from its opening to its end.

What every connection needs stands here as well: opening, text pings, counting unreadable
frames, and the words for why one was lost.

It counts as ready only after every subscription is acknowledged and every wanted symbol has
been heard of; from then on each symbol has its own watchdog, since a socket that answers pings
may still be silent (F-01, F-07). A connection on which only some symbols are silent goes on
serving the others while it asks to be replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from monitor.alerts.words import duration
from monitor.errors import Malformed
from monitor.exchanges import trouble, turned_away
from monitor.exchanges.port import Leave, MarksRead, Rejected, Subscribed, TablesMoved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from websockets.asyncio.client import ClientConnection
    from websockets.http11 import Response

    from monitor.exchanges.openings import Openings
    from monitor.exchanges.port import Exchange, KeepAlive, MarkStream

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
LONGEST_SAMPLE = 200
_NAMES_SHOWN = 5
_WAITS = ("Retry-After", "Date")
# At DEBUG it would write out every address and frame, tickets and logins among them.
_MUTE = logging.getLogger("monitor.exchanges.socket")
_MUTE.disabled = True


class Lost(Exception):  # noqa: N818 - a word for inside this room
    """This connection is no good any more, and why."""


class ClosedByExchange(Lost):
    """The exchange closed it, with this code (None where the connection just broke)."""

    def __init__(self, because: str, code: int | None) -> None:
        super().__init__(because)
        self.code = code


class TurnedAway(Lost):
    """
    The host did not let it in, and asks for no other try for so long (None: it does not ask).
    """

    def __init__(self, because: str, wait_seconds: float | None) -> None:
        super().__init__(because)
        self.wait_seconds = wait_seconds


class RejectedByExchange(Lost):
    """The exchange does not serve what was subscribed; asking the same again helps rarely."""


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[ClientConnection]:
    """
    An open socket. Whatever ends it, inside the block too, becomes a Lost with words for people.

    An address may hold a ticket and a frame a login: neither is in any text that leaves here.
    """
    try:
        async with connect(
            address,
            compression=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1.0,
            max_size=MAX_FRAME_BYTES,
            max_queue=MAX_QUEUED_FRAMES,
            happy_eyeballs_delay=_head_start(address),
            logger=_MUTE,
        ) as socket:
            yield socket
    except ConnectionClosed as error:
        code = None if error.rcvd is None else error.rcvd.code
        raise ClosedByExchange(_closed(error), code) from None
    except TimeoutError:
        raise Lost(f"no connection within {OPEN_SECONDS:.0f} s") from None
    except InvalidStatus as error:
        raise _turned_away(error.response) from None
    except (OSError, WebSocketException, EOFError) as error:
        why = trouble.words(error) or type(error).__name__
        raise Lost(f"no connection ({why})") from None


def _turned_away(answer: Response) -> TurnedAway:
    status, headers = answer.status_code, answer.headers
    # What is given twice is no word to go by.
    plain = {name: found[0] for name in _WAITS if len(found := headers.get_all(name)) == 1}
    wait = turned_away.wait_seconds(status, plain)
    asks = "" if wait is None else f": it asks us to stay away for {duration(wait)}"
    return TurnedAway(f"no connection ({turned_away.words(status)}{asks})", wait)


def _head_start(address: str) -> float | None:
    """
    Seconds until a host's next address is tried beside the first; None where it has but one.

    asyncio's race of several leaves a socket open where it is cancelled as one of them wins.
    """
    try:
        ip_address(urlsplit(address).hostname or "")
    except ValueError:
        return EYEBALLS_SECONDS
    return None


class Socket:
    """An open socket, and when its last frame came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.heard_at = _now()
        self._socket = socket

    async def receive(self) -> bytes:
        data = await self._socket.recv(decode=False)
        self.heard_at = _now()
        return data

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def send_paced(self, texts: Iterable[str]) -> None:
        """All of them, no faster than the exchanges bear."""
        for text in texts:
            await self.send(text)
            await asyncio.sleep(PACE_SECONDS)

    async def ping(self, keepalive: KeepAlive) -> None:
        """Send the exchange's own text ping for ever; raises Lost where nothing comes back."""
        while True:
            await asyncio.sleep(keepalive.seconds)
            await self.send(keepalive.text)
            if _now() - self.heard_at > 2 * keepalive.seconds:
                raise Lost("no answer to our pings")


class Unreadable:
    """
    How many frames could not be read of late: one is dropped, many end the connection.

    `hidden` takes out of a text what must not be shown.
    """

    def __init__(self, exchange: str, hidden: Callable[[str], str] = str) -> None:
        self._exchange = exchange
        self._hidden = hidden
        self._times: deque[float] = deque(maxlen=MALFORMED_LIMIT)

    def count(self, error: Malformed) -> None:
        """One more. Raises Lost at the fifth within a minute."""
        now = _now()
        self._times.append(now)
        because = self._hidden(error.because)[:LONGEST_SAMPLE]
        log.info("frame.dropped", exchange=self._exchange, because=because)
        if len(self._times) == MALFORMED_LIMIT and now - self._times[0] < MALFORMED_SECONDS:
            raise Lost(f"{MALFORMED_LIMIT} unreadable frames within a minute: {because}")


def heed(openings: Openings, over: asyncio.Task[None]) -> None:
    """What a host asks for that turned a connection away is kept by all who share its turns."""
    error = None if over.cancelled() else over.exception()
    if isinstance(error, TurnedAway) and error.wait_seconds is not None:
        openings.asked_for_quiet(error.wait_seconds)


async def until_one_fails(*parts: Awaitable[None]) -> None:
    """Run these side by side until one of them raises; then the others are over as well."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()


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

    def take_tables(self, frame: TablesMoved) -> None: ...


class Connection:
    """
    One socket, from opening to its end.

    `ready` is set once everything wanted was heard of; `leaving` when a successor is wanted,
    while this one still serves. `is_let_in`: the exchange has answered on it.
    """

    def __init__(self, listener: Listener, stream: MarkStream) -> None:
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()
        self.is_let_in = False
        self._listener = listener
        self._stream = stream
        self._heard: dict[str, float] = {}
        # Whose latest mark on this connection is known: what may be confirmed without it.
        self._told: set[str] = set()
        self._silent: frozenset[str] = frozenset()
        self._acks = 0
        self._unreadable = Unreadable(listener.exchange.name)

    async def run(self) -> None:
        """Serve until the connection is lost. Raises Lost with the reason, never returns."""
        base = self._listener.ws_url or self._stream.host
        async with opened(base.rstrip("/") + self._stream.path) as connected:
            socket, keepalive = Socket(connected), self._stream.keepalive
            parts = [self._read(socket), self._watch(_now())]
            parts.append(socket.send_paced(self._stream.subscribe))
            if keepalive is not None:
                parts.append(socket.ping(keepalive))
            await until_one_fails(*parts)
        raise Lost("the connection ended")

    async def _watch(self, opened: float) -> None:
        paced = PACE_SECONDS * len(self._stream.subscribe)
        while True:
            await asyncio.sleep(1.0)
            now = _now()
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
        now, wanted = _now(), self._wanted
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

    async def _read(self, socket: Socket) -> None:
        while True:
            data = await socket.receive()
            self.is_let_in = True
            try:
                frame = self._listener.exchange.read_frame(data)
            except Malformed as error:
                # It may have held a mark: the one before it is no longer the latest.
                self._told.clear()
                self._unreadable.count(error)
                continue
            match frame:
                case MarksRead():
                    self._take(self._known(frame))
                case TablesMoved():
                    self._listener.take_tables(frame)
                case Subscribed(count=count):
                    self._acks += count
                case Rejected(because=because):
                    raise RejectedByExchange(f"the subscription was rejected: {because}")
                case Leave():
                    self.leaving.set()

    def _known(self, frame: MarksRead) -> MarksRead:
        """The frame without confirmation of marks that this connection did not tell readably."""
        self._told |= frame.marks.keys()
        confirmed = {s: at for s, at in frame.confirmed.items() if s in self._told}
        return replace(frame, confirmed=confirmed)

    def _take(self, frame: MarksRead) -> None:
        now = _now()
        for symbol, late_seconds in self._listener.take(frame).items():
            if late_seconds <= self._listener.patience_seconds:
                self._heard[symbol] = now - late_seconds
        if (
            not self.ready.is_set()
            and self._acks >= self._stream.acks
            and self._wanted <= self._heard.keys()
        ):
            self.ready.set()


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the connection broke"
    reason = f" {error.rcvd.reason[:80]}" if error.rcvd.reason else ""
    return f"closed by the exchange ({error.rcvd.code}{reason})"
