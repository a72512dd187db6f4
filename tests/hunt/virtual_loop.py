"""
An event loop on a virtual clock: when nothing is ready, time jumps to the next timer.

Nothing here waits and no thread is started, so that a run is the same each time: timers run in
the order of their time and of their making, tasks hash by their number and never by an address,
and what would go to a thread is done at once. A process that is killed is told apart by its
context: from that moment nothing of it runs any more, not even its `finally` blocks.
"""

import asyncio
import contextvars
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tests.hunt.network import Network

T = TypeVar("T")

TURN_SECONDS = 1e-6

PROCESS: contextvars.ContextVar[int] = contextvars.ContextVar("process", default=0)
"""The number of the simulated process that a task belongs to; 0 is the world around it."""


class Deadlock(Exception):  # noqa: N818 - says what happened
    """Every task waits and no timer is set: virtual time can't go on."""


class NumberedTask(asyncio.Task[T]):
    """A task that hashes by its number: sets of tasks are walked alike in every run."""

    _numbers = itertools.count(1)

    def __init__(self, coro: Coroutine[Any, Any, T], **given: Any) -> None:
        self._number = next(self._numbers)
        self.process = PROCESS.get()
        super().__init__(coro, **given)

    def __hash__(self) -> int:
        return self._number


class _Selector:
    """What `asyncio.BaseEventLoop` asks to wait: it lets the clock jump."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self._loop.jump()
        else:
            # Work takes time too: what asks again and again until a moment has passed gets there.
            self._loop.block(TURN_SECONDS)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """`time()` begins at 0. `network` carries what is sent and knows every address."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._virtual = 0.0
        self._selector = _Selector(self)
        self._order = itertools.count()
        self._dead: set[int] = set()
        self._parked: list[tuple[Callable[..., object], tuple[Any, ...], contextvars.Context]] = []
        self._tasks: dict[int, list[asyncio.Task[Any]]] = {}
        self.set_task_factory(self._numbered)
        network.join(self)

    # --- the clock

    def time(self) -> float:
        return self._virtual

    def jump(self) -> None:
        """To the next timer that is set."""
        self._virtual = max(self._virtual, self._scheduled[0]._when)

    def block(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as while a call holds up the loop."""
        self._virtual += seconds

    # --- what a loop of the system would do

    def _process_events(self, _: list[Any]) -> None:
        """No file is ever ready."""

    def _write_to_self(self) -> None:
        """There is no thread that would have to wake this one."""

    def run_in_executor(self, _: object, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on to who waits
            done.set_exception(error)
        return done

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        return await self.network.look_up(str(host), int(port))

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **given: Any
    ) -> Any:
        sock = given.get("sock")
        if sock is not None:
            return await self.network.connect(protocol_factory, *sock.getpeername())
        found = await self.network.look_up(str(host), int(port))
        return await self.network.connect(protocol_factory, *found[0][4])

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        return self.network.listen(protocol_factory, str(host), int(port or 0))

    async def create_unix_server(self, *_: Any, **__: Any) -> Any:
        raise OSError("there are no files to listen on")

    # --- processes

    def _numbered(self, _: object, coro: Any, **given: Any) -> asyncio.Task[Any]:
        task: NumberedTask[Any] = NumberedTask(coro, loop=self, **given)
        if task.process:
            tasks = self._tasks.setdefault(task.process, [])
            tasks.append(task)
            if len(tasks) % 512 == 0:
                tasks[:] = [each for each in tasks if not each.done()]
        return task

    def pending(self, process: int) -> int:
        """How many tasks of a process have not ended."""
        return sum(not task.done() for task in self._tasks.get(process, ()))

    def kill(self, process: int) -> None:
        """End a process as SIGKILL does: nothing that it is about to do happens any more."""
        self._dead.add(process)
        # Cancelled where they stand: the loop counts what it is about to run.
        for handle in (*self._ready, *self._scheduled):
            if self._is_dead(handle._context):
                self._park(handle)
                handle.cancel()

    def bury(self) -> None:
        """Let every killed task unwind, once nobody looks any more: no run is left half done."""
        dead, self._dead = sorted(self._dead), set()
        for process in dead:
            for task in self._tasks.pop(process, ()):
                task.cancel()
        parked, self._parked = self._parked, []
        for callback, args, context in parked:
            self.call_soon(callback, *args, context=context)

    def _park(self, handle: asyncio.Handle) -> None:
        if not handle._cancelled:
            self._parked.append((handle._callback, handle._args, handle._context))

    def _is_dead(self, context: contextvars.Context) -> bool:
        return context.get(PROCESS, 0) in self._dead

    def call_soon(
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self._dead:
            context = contextvars.copy_context() if context is None else context
            if self._is_dead(context):
                handle = asyncio.Handle(callback, args, self, context)
                self._park(handle)
                return handle
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        if self._dead:
            context = contextvars.copy_context() if context is None else context
            if self._is_dead(context):
                return asyncio.TimerHandle(when, callback, args, self, context)
        timer = _OrderedTimer(when, next(self._order), callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class _OrderedTimer(asyncio.TimerHandle):
    """Of two timers of one instant the one that was made first comes first."""

    __slots__ = ("_order",)

    def __init__(  # noqa: PLR0917 - the handle's own, and its number
        self,
        when: float,
        order: int,
        callback: Any,
        args: Any,
        loop: Any,
        context: contextvars.Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._order = order

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _OrderedTimer):
            return (self._when, self._order) < (other._when, other._order)
        return NotImplemented


def run(loop: VirtualLoop, main: Awaitable[T]) -> T:
    """What `main` gives, and a loop with nothing left to do."""
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_all_of(loop, main))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _all_of(loop: VirtualLoop, main: Awaitable[T]) -> T:
    try:
        return await main
    finally:
        loop.bury()
        await _settled(loop)


def _settled(loop: VirtualLoop) -> Awaitable[None]:
    async def settle() -> None:
        for _ in range(30):
            others = [t for t in asyncio.all_tasks(loop) if t is not asyncio.current_task()]
            if not others:
                return
            for task in sorted(others, key=hash):
                task.cancel()
            await asyncio.sleep(1)

    return settle()
