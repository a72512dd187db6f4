"""
The network between the processes of one run: addresses, latency, and everything that breaks.

Connections are pairs of in-memory transports. What is written on one side arrives at the other
after the link's latency, in order, by the context of its receiver. Faults belong to a link,
which is one host's name: no lookup, refused, held (nothing passes, all of it arrives later, as
TCP would send it again), half open (what is connected now is dead and nobody is told), cut.
"""

import asyncio
import contextvars
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.hunt.virtual_loop import VirtualLoop

LATENCY_SECONDS = 0.002
_FIRST_PORT = 40000


@dataclass(slots=True)
class Link:
    """The way to one host."""

    name: str
    address: str
    latency_seconds: float = LATENCY_SECONDS
    has_name: bool = True
    refuses: bool = False
    holds: bool = False
    wires: "dict[Wire, None]" = field(default_factory=dict)
    opened: int = 0

    def cut(self) -> None:
        """Every connection is reset, on both sides."""
        for wire in tuple(self.wires):
            wire.reset()

    def strand(self) -> None:
        """Every connection is half open from now on: what is sent is lost, and nobody is told."""
        for wire in tuple(self.wires):
            wire.is_stranded = True

    def release(self) -> None:
        """Let pass what was held."""
        self.holds = False
        for wire in tuple(self.wires):
            wire.flush()


class FakeSocket:
    """What libraries ask of a socket."""

    family = socket.AF_INET

    def __init__(self, here: tuple[str, int], there: tuple[str, int]) -> None:
        self._here, self._there = here, there

    def getsockname(self) -> tuple[str, int]:
        return self._here

    def getpeername(self) -> tuple[str, int]:
        return self._there

    def setsockopt(self, *_: object) -> None:
        """There is nothing to set."""

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        """Nothing is held."""


class Wire:
    """One connection; equal to none but itself, and ordered by its making."""

    def __init__(self, network: "Network", link: Link, number: int) -> None:
        self.network = network
        self.link = link
        self.number = number
        self.is_stranded = False
        self.ends: tuple[End, End] | None = None
        self._held: deque[tuple[End, Callable[[], None]]] = deque()

    def __hash__(self) -> int:
        return self.number

    def carry(self, to: "End", arrive: Callable[[], None]) -> None:
        """Bring something to an end of this wire, behind all that is under way to it."""
        loop = self.network.loop
        when = max(to.busy_until, loop.time() + self.link.latency_seconds)
        to.busy_until = when
        loop.call_at(when, self._arrived, to, arrive, context=to.context)

    def _arrived(self, to: "End", arrive: Callable[[], None]) -> None:
        if self.is_stranded:
            return
        if self.link.holds:
            self._held.append((to, arrive))
        else:
            arrive()

    def flush(self) -> None:
        held, self._held = self._held, deque()
        for to, arrive in held:
            self.network.loop.call_soon(arrive, context=to.context)

    def reset(self) -> None:
        for end in self.ends or ():
            end.lose(ConnectionResetError("reset"))

    def gone(self) -> None:
        self.link.wires.pop(self, None)


class End(asyncio.Transport):
    """One end of a wire, for one protocol."""

    def __init__(self, wire: Wire, protocol: Any, addresses: FakeSocket) -> None:
        super().__init__(
            {
                "socket": addresses,
                "sockname": addresses.getsockname(),
                "peername": addresses.getpeername(),
            }
        )
        self.context = contextvars.copy_context()
        self.busy_until = 0.0
        self.peer: End | None = None
        self._wire = wire
        self._protocol = protocol
        self._closing = False
        self._lost = False
        self._eof_sent = False
        self._paused = False
        self._waiting: deque[bytes | None] = deque()

    # --- asked by the protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: Any) -> None:
        if self._closing or self._eof_sent or self.peer is None or not data:
            return
        peer, sent = self.peer, bytes(data)
        self._wire.carry(peer, lambda: peer.take(sent))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._eof_sent or self.peer is None:
            return
        self._eof_sent = True
        peer = self.peer
        self._wire.carry(peer, lambda: peer.take(None))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """What is written is under way at once."""

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        while self._waiting and not self._paused:
            self._give(self._waiting.popleft())

    def is_reading(self) -> bool:
        return not self._paused

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        peer = self.peer
        if peer is not None and not self._eof_sent:
            self._wire.carry(peer, lambda: peer.take(None))
        self._wire.network.loop.call_soon(self._end, None, context=self.context)

    def abort(self) -> None:
        if self._lost:
            return
        self._closing = True
        peer = self.peer
        if peer is not None:
            self._wire.carry(peer, lambda: peer.lose(ConnectionResetError("reset")))
        self._wire.network.loop.call_soon(self._end, None, context=self.context)

    # --- brought by the wire

    def take(self, data: bytes | None) -> None:
        """Bytes, or None for the end of them."""
        if self._closing:
            return
        if self._paused:
            self._waiting.append(data)
        else:
            self._give(data)

    def _give(self, data: bytes | None) -> None:
        if data is not None:
            self._protocol.data_received(data)
        elif not self._protocol.eof_received():
            self.close()

    def lose(self, error: Exception | None) -> None:
        """The connection is gone, by no act of this side."""
        if not self._closing:
            self._closing = True
            self._wire.network.loop.call_soon(self._end, error, context=self.context)

    def _end(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._wire.gone()
            self._protocol.connection_lost(error)


class Server:
    """What listens on one port of every address."""

    def __init__(self, network: "Network", factory: Any, port: int) -> None:
        self.factory = factory
        self.context = contextvars.copy_context()
        self.sockets = [FakeSocket(("127.0.0.1", port), ("", 0))]
        self._network = network
        self._port = port

    def close(self) -> None:
        self._network.servers.pop(self._port, None)

    async def wait_closed(self) -> None:
        """It is closed at once."""


class Network:
    """All links of one run."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.servers: dict[int, Server] = {}
        self.has_dns = True
        self._by_address: dict[str, Link] = {}
        self._ports = iter(range(_FIRST_PORT, 2**31))
        self._loop: VirtualLoop | None = None

    @property
    def loop(self) -> "VirtualLoop":
        if self._loop is None:
            raise RuntimeError("no loop has joined")
        return self._loop

    def join(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def add(self, name: str) -> Link:
        """A host of this name, or of this address."""
        number = len(self.links) + 1
        address = name if name[0].isdigit() else f"10.0.{number // 250}.{number % 250 + 1}"
        link = Link(name=name, address=address)
        self.links[name] = link
        self._by_address[address] = link
        return link

    def listen(self, factory: Any, host: str, port: int) -> Server:
        if host not in self.links:
            self.add(host)
        port = port or next(self._ports)
        self.servers[port] = Server(self, factory, port)
        return self.servers[port]

    async def look_up(self, host: str, port: int) -> list[Any]:
        await asyncio.sleep(LATENCY_SECONDS)
        link = self.links.get(host) or self._by_address.get(host)
        if link is None or not (self.has_dns and link.has_name):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (link.address, port))]

    async def connect(self, factory: Any, address: str, port: int) -> tuple[End, Any]:
        link = self._by_address.get(address)
        if link is None:
            raise OSError("no route to host")
        link.opened += 1
        await asyncio.sleep(link.latency_seconds)
        while link.holds:  # noqa: ASYNC110 - once a virtual second costs nothing
            await asyncio.sleep(1)
        server = self.servers.get(port)
        if link.refuses or server is None:
            raise ConnectionRefusedError(111, "Connection refused")
        wire = Wire(self, link, next(self._ports))
        here, there = ("10.9.9.9", wire.number), (address, port)
        protocol = factory()
        client = End(wire, protocol, FakeSocket(here, there))
        accepted = server.context.run(server.factory)
        far = server.context.run(End, wire, accepted, FakeSocket(there, here))
        client.peer, far.peer = far, client
        wire.ends = (client, far)
        link.wires[wire] = None
        self.loop.call_soon(accepted.connection_made, far, context=far.context)
        await asyncio.sleep(link.latency_seconds)
        protocol.connection_made(client)
        return client, protocol

    def end_of_process(self, is_of_it: Callable[[contextvars.Context], bool]) -> None:
        """The system closes what a process held: its peers see a reset."""
        for name in sorted(self.links):
            for wire in tuple(self.links[name].wires):
                ends = wire.ends or ()
                if any(is_of_it(end.context) for end in ends):
                    for end in ends:
                        if not is_of_it(end.context):
                            wire.carry(end, lambda e=end: e.lose(ConnectionResetError("reset")))
                    wire.gone()
        for port, server in tuple(self.servers.items()):
            if is_of_it(server.context):
                del self.servers[port]


def start_connection(addr_infos: Any, **_: Any) -> Any:
    """For aiohttp, which connects its sockets itself: a socket that knows where it leads."""

    async def started() -> FakeSocket:
        return FakeSocket(("10.9.9.9", 0), addr_infos[0][4])

    return started()
