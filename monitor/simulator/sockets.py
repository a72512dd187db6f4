"""I/O. Open WebSockets of one exchange: topics, one queue each, and the faults of sockets."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator

from aiohttp import WSMsgType, web

from monitor.simulator.world import World

_QUEUE_LENGTH = 2000  # a reader this far behind is cut off, as exchanges do
_GARBAGE = '{"e":"markPriceUpdate","s":"BTC'
_LATE_SECONDS = "2"


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
        self._late: deque[tuple[float, str]] = deque()
        self._overtaken: str | None = None
        self._sent = 0

    def push(self, text: str, *, is_event: bool = True) -> None:
        """
        Queue a data frame, unless a fault holds data back on this path.

        What is no event repeats itself: the fault `lost` leaves it alone.
        """
        if self._hub.has_fault("stall", self.path):
            return
        if is_event and self._hub.has_fault("lost", self.path):
            return
        shown = _GARBAGE if self._hub.has_fault("garbage", self.path) else text
        seconds = self._hub.fault_value("late", self.path, _LATE_SECONDS)
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._late.append((loop.time() + float(seconds), shown))
            loop.call_later(float(seconds), self.release)
        elif self._late:  # what comes after a late one waits for it
            self._late.append((self._late[-1][0], shown))
        else:
            self._queue_in_order(shown)

    def _queue_in_order(self, text: str) -> None:
        if self._hub.has_fault("swapped", self.path) and self._overtaken is None:
            self._overtaken = text
            return
        for _ in range(2 if self._hub.has_fault("doubled", self.path) else 1):
            self.answer(text)
        self._let_go_overtaken()

    def _let_go_overtaken(self) -> None:
        if self._overtaken is not None:
            self.answer(self._overtaken)
            self._overtaken = None

    def release(self) -> None:
        """Queue what was held back and is due; called when it is, and at each tick."""
        now = asyncio.get_running_loop().time()
        while self._late and self._late[0][0] <= now:
            self._queue_in_order(self._late.popleft()[1])
        if not self._hub.has_fault("swapped", self.path):
            self._let_go_overtaken()

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
        """Give the client's text frames until the socket closes, or its peer has gone."""
        # A ping is answered in here: by then who sent it may have left.
        with contextlib.suppress(ConnectionError):
            async for message in self.response:
                if message.type is WSMsgType.TEXT:
                    yield message.data

    async def write_queue(self) -> None:
        while not self.response.closed:
            item = await self._queue.get()
            most = self._hub.fault_value("cut", self.path, "1")
            if most is not None and self._sent >= int(most):
                self.abort()
                return
            self._sent += 1
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

    def fault_value(self, kind: str, path: str, default: str) -> str | None:
        """Give what the fault of this kind on this path says, None where there is none."""
        fault = self._world.faults.find(self._exchange, path, kind, self._world.now())
        return None if fault is None else fault.value or default

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
        """Cut the sockets that `drop` strikes, let go what others held; called at each tick."""
        for socket in self:
            socket.release()
            if self.has_fault("drop", socket.path):
                socket.abort()

    async def close(self, _: web.Application) -> None:
        """Close all in order; for `app.on_shutdown`."""
        for socket in self:
            with contextlib.suppress(ConnectionError):
                await socket.response.close(code=1001)
