"""The faults of a plan, begun and ended at their times: in exchanges, network, host, channels."""

import asyncio
import functools
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from monitor.simulator.sockets import Socket
from tests.hunt.life import Host, Life
from tests.hunt.network import Link, Network
from tests.hunt.plan import (
    CHANNEL_FAULTS,
    FRAME_FAULTS,
    HOST_FAULTS,
    NETWORK_FAULTS,
    PING_FAULTS,
    FaultPlan,
    Plan,
)
from tests.hunt.receivers import Pings, Receiver
from tests.hunt.record import Record, Struck
from tests.hunt.world import Stage

_BAD = re.compile(r'("(?:p|markPrice|markPx|i|indexPrice|idxPx)":\s*)"[^"]*"')
PAIR_SECONDS = 5.0
STEP_SECONDS = 1.0


class Director:
    """Carries out faults; what struck is noted with the pairs that met."""

    def __init__(  # noqa: PLR0917 - all that can fail
        self,
        plan: Plan,
        record: Record,
        stage: Stage,
        host: Host,
        life: Life,
        receivers: dict[str, Receiver],
        pings: Pings,
    ) -> None:
        self._plan = plan
        self._record = record
        self._stage = stage
        self._host = host
        self._life = life
        self._receivers = receivers
        self._pings = pings
        self._dice = random.Random(f"frames/{plan.seed}")  # noqa: S311 - repeatable on purpose
        self._frames: dict[str, list[FaultPlan]] = {}
        self._held_frames: dict[Socket, tuple[Socket, str]] = {}

    @property
    def _network(self) -> Network:
        return self._host.loop.network

    async def play(self, fault: FaultPlan) -> None:
        """One fault, from its beginning to its end."""
        now = self._host.now()
        self._meet(fault, now)
        for exchange in self._stage.exchanges:
            if fault.where in {"", exchange}:
                self._stage.wake(exchange, fault.seconds + 20)
        self._record.note(now, "fault", fault.kind, fault.where, fault.value, fault.seconds)
        self._record.counts["faults"] += 1
        end = self._begin(fault)
        if end is not None:
            # By the world's clock: nothing outside waits for a machine that sleeps.
            while (left := now + fault.seconds - self._host.now()) > 0:  # noqa: ASYNC110 - time is what is waited for
                await asyncio.sleep(min(left, STEP_SECONDS))
            end()
            self._record.note(self._host.now(), "over", fault.kind, fault.where)

    def _meet(self, fault: FaultPlan, now: float) -> None:
        struck = Struck(
            at=now,
            until=now + fault.seconds,
            kind=fault.kind,
            where=fault.where,
            value=fault.value,
        )
        for other in self._record.active(now - PAIR_SECONDS, now):
            first, second = sorted((fault.kind, other.kind))
            self._record.pairs.add((first, second))
        self._record.faults.append(struck)

    def _begin(self, fault: FaultPlan) -> Callable[[], None] | None:
        """Begin a fault; gives what ends it, None where it is over by itself."""
        if fault.kind in CHANNEL_FAULTS:
            return self._in_channel(fault)
        if fault.kind in PING_FAULTS:
            return self._in_pings(fault)
        if fault.kind in NETWORK_FAULTS:
            return self._in_network(fault, self._network.links[f"{fault.where}.test"])
        if fault.kind in HOST_FAULTS:
            return self._in_host(fault)
        if fault.kind in FRAME_FAULTS:
            return self._in_frames(fault)
        value = fault.value
        if fault.kind == "silent_symbol":
            value = self._a_symbol(fault.where)
        self._stage.world.fault(
            fault.where, fault.kind, path=fault.path, seconds=fault.seconds, value=value
        )
        return None

    def _a_symbol(self, exchange: str) -> str:
        for account in self._stage.exchanges[exchange].accounts:
            for pool in self._stage.exchanges[exchange].pools(account.spec.name):
                for position in pool.positions:
                    return position.exchange_symbol
        return "BTCUSDT"

    def _in_channel(self, fault: FaultPlan) -> Callable[[], None]:
        receiver = self._receivers[fault.where]
        receiver.fault, receiver.value = fault.kind, fault.value

        def end() -> None:
            if receiver.fault == fault.kind:
                receiver.fault = None

        return end

    def _in_pings(self, fault: FaultPlan) -> Callable[[], None]:
        if fault.kind == "ping_no_name":
            link = self._network.links[self._pings.HOST]
            link.has_name = False
            return lambda: setattr(link, "has_name", True)
        self._pings.fault = fault.kind
        return lambda: setattr(self._pings, "fault", None)

    def _in_network(self, fault: FaultPlan, link: Link) -> Callable[[], None] | None:
        match fault.kind:
            case "net_cut" | "net_half_open":
                (link.cut if fault.kind == "net_cut" else link.strand)()
                return None
            case "net_refused":
                link.refuses = True
                link.cut()
                return lambda: setattr(link, "refuses", False)
            case "net_held":
                link.holds = True
                return link.release
            case "net_slow":
                before, link.latency_seconds = link.latency_seconds, float(fault.value or 2)
                return lambda: setattr(link, "latency_seconds", min(before, 0.002))
            case _:
                link.has_name = False
                link.cut()
                return lambda: setattr(link, "has_name", True)

    def _in_host(self, fault: FaultPlan) -> Callable[[], None] | None:
        match fault.kind:
            case "no_dns":
                self._network.has_dns = False
                for link in self._network.links.values():
                    link.cut()
                return lambda: setattr(self._network, "has_dns", True)
            case "kill":
                self._life.kill()
                return self._start_again
            case "stop":
                return self._stopping()
            case "suspend" | "wall_step" | "blocked":
                self._in_time(fault.kind, float(fault.value or 30))
                return None
            case _:
                self._host.disk = fault.kind
                return lambda: setattr(self._host, "disk", None)

    def _start_again(self) -> None:
        if self._life.is_down:
            self._life.start()

    def _stopping(self) -> Callable[[], None]:
        stopping = asyncio.create_task(self._life.stop())
        return lambda: stopping.add_done_callback(lambda _: self._start_again())

    def _in_time(self, kind: str, seconds: float) -> None:
        """The wall clock steps; or nothing runs for a while; or the machine sleeps."""
        if kind == "wall_step":
            self._host.wall_off += seconds
            return
        if kind == "blocked":
            self._host.loop.block(seconds)
            self._record.wakes.append(self._host.now())
            return
        # Timers stand still, the world goes on, connections die.
        self._host.slept += seconds
        self._record.wakes.append(self._host.now())
        for link in self._network.links.values():
            link.strand()

    # --- frames

    def _in_frames(self, fault: FaultPlan) -> Callable[[], None]:
        faults = self._frames.setdefault(fault.where, [])
        faults.append(fault)
        return lambda: faults.remove(fault)

    @contextmanager
    def among_frames(self) -> Iterator[None]:
        """Every data frame of every exchange passes through here while the block lasts."""
        push = Socket.push

        def through(socket: Socket, text: str, *, is_event: bool = True) -> None:
            pushed = functools.partial(push, is_event=is_event)
            faults = self._frames.get(socket._hub._exchange)
            if not faults:
                held = self._held_frames.pop(socket, None)
                pushed(socket, text)
                if held is not None:
                    pushed(socket, held[1])
                return
            for fault in faults:
                if self._took(fault, socket, text, pushed):
                    return
            pushed(socket, text)

        with mock.patch.object(Socket, "push", through):
            yield

    def _took(
        self, fault: FaultPlan, socket: Socket, text: str, push: Callable[[Socket, str], None]
    ) -> bool:
        """Whether the fault dealt with a frame."""
        match fault.kind:
            case "frames_dropped":
                return self._dice.random() < float(fault.value or 0.5)
            case "frames_doubled":
                if self._dice.random() < float(fault.value or 0.5):
                    push(socket, text)
                return False
            case "frames_out_of_order":
                return self._swapped(fault, socket, text, push)
            case _:
                value = fault.value or ""
                mangled = "null" if value == "null" else f'"{value}"'
                push(socket, _BAD.sub(lambda found: found[1] + mangled, text))
                return True

    def _swapped(
        self, fault: FaultPlan, socket: Socket, text: str, push: Callable[[Socket, str], None]
    ) -> bool:
        """A frame is held back, and comes after the next one."""
        held = self._held_frames.pop(socket, None)
        if held is not None:
            push(socket, text)
            push(socket, held[1])
            return True
        if self._dice.random() < float(fault.value or 0.5):
            self._held_frames[socket] = (socket, text)
            return True
        return False
