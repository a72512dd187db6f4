"""I/O. Open WebSockets of one exchange: topics, one queue each, and the faults of sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import WSMsgType, web

from monitor.simulator.world import World

_QUEUE_LENGTH = 2000  # a reader this far behind is cut off, as exchanges do
_GARBAGE = '{"e":"markPriceUpdate","s":"BTC'
_LATE_SECONDS = "2"  # `event_late` without a value


class Socket:
    """One open socket. `topics` is what it is subscribed to, `account` who has logged in."""

    def __init__(self, response: web.WebSocketResponse, hub: "Hub", path: str) -> None:
        self.response = response
        self.path = path
        self.topics: dict[str, None] = {}  # insertion order; values mean nothing
        self.account: str | None = None
        self.notes: dict[str, str] = {}  # what an exchange wants to remember of it
        self._hub = hub
        self._queue: asyncio.Queue[str | bytes] = asyncio.Queue(_QUEUE_LENGTH)
        self._held: str | None = None

    def push(self, text: str) -> None:
        """Queue a data frame, unless a fault holds data back on this path."""
        if self._hub.has_fault("stall", self.path):
            return
        self.answer(_GARBAGE if self._hub.has_fault("garbage", self.path) else text)

    def tell(self, text: str) -> None:
        """Queue an event of the account that listens, as the faults of private streams let it."""
        held, self._held = self._held, None
        if self._hub.has_fault("event_lost", self.path):
            self._held = held
        elif held is None and self._hub.has_fault("event_swapped", self.path):
            self._held = text
        else:
            times = 2 if self._hub.has_fault("event_doubled", self.path) else 1
            for event in (*[text] * times, held):
                if event is not None:
                    self._tell_in_time(event)

    def release(self) -> None:
        """Queue the event that waits for another, if the fault that held it is over."""
        if self._held is not None and not self._hub.has_fault("event_swapped", self.path):
            held, self._held = self._held, None
            self.push(held)

    def _tell_in_time(self, text: str) -> None:
        wait = self._hub.lateness(self.path)
        if wait is None:
            self.push(text)
        else:
            asyncio.get_running_loop().call_later(wait, self.push, text)

    def answer(self, text: str | bytes) -> None:
        """Queue a reply to the client (acknowledgements and pongs get through a stall)."""
        if self._queue.full():
            self.abort()
        else:
            self._queue.put_nowait(text)

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        transport = self.response._req.transport if self.response._req else None  # noqa: SLF001
        if transport is not None:
            transport.abort()

    async def texts(self) -> AsyncIterator[str]:
        """Give the client's text frames until the socket closes."""
        async for message in self.response:
            if message.type is WSMsgType.TEXT:
                yield message.data

    async def write_queue(self) -> None:
        while not self.response.closed:
            item = await self._queue.get()
            with contextlib.suppress(ConnectionError):
                if isinstance(item, bytes):
                    await self.response.ping(item)
                else:
                    await self.response.send_str(item)


class Hub:
    """The open sockets of one exchange."""

    def __init__(self, world: World, exchange: str) -> None:
        self._world = world
        self._exchange = exchange
        self._sockets: dict[Socket, None] = {}

    def __iter__(self) -> Iterator[Socket]:
        return iter(tuple(self._sockets))

    def has_fault(self, kind: str, path: str) -> bool:
        return self._world.faults.find(self._exchange, path, kind, self._world.now()) is not None

    def lateness(self, path: str) -> float | None:
        """Seconds by which private events come late on this path; None where they don't."""
        now = self._world.now()
        fault = self._world.faults.find(self._exchange, path, "event_late", now)
        return None if fault is None else float(fault.value or _LATE_SECONDS)

    def silent_symbols(self, path: str) -> frozenset[str]:
        return self._world.faults.silent_symbols(self._exchange, path, self._world.now())

    @contextlib.asynccontextmanager
    async def opened(self, request: web.Request) -> AsyncIterator[Socket]:
        """
        Accept a client's socket and give it while it is open.

        Raises:
            web.HTTPServiceUnavailable: While the fault `refuse` or `drop` holds.

        """
        path = request.path.removeprefix(f"/{self._exchange}")
        if self.has_fault("refuse", path) or self.has_fault("drop", path):
            raise web.HTTPServiceUnavailable
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        socket = Socket(response, self, path)
        self._sockets[socket] = None
        writer = asyncio.create_task(socket.write_queue())
        try:
            yield socket
        finally:
            self._sockets.pop(socket, None)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    def apply_drop(self) -> None:
        """Cut the sockets that the fault `drop` strikes; called at each tick."""
        for socket in self:
            socket.release()
            if self.has_fault("drop", socket.path):
                socket.abort()

    async def close(self, _: web.Application) -> None:
        """Close all in order; for `app.on_shutdown`."""
        for socket in self:
            with contextlib.suppress(ConnectionError):
                await socket.response.close(code=1001)
