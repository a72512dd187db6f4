"""
I/O. One WebSocket connection that tells what happens to an account, from ticket to end.

It logs in before it subscribes, each time with a fresh timestamp by the exchange's clock, and
is ready once everything is acknowledged. What comes before that is passed on as well: it is
for the listener to hold it back. A ticket is got and prolonged by REST and never given back:
that would end the stream of every other program of the same account.

Neither ticket nor login stands in any text that leaves here; what the exchange says may repeat
them and is to be passed through `hidden`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, assert_never

import structlog

from monitor.errors import ExchangeError, Malformed, Refused
from monitor.exchanges.connection import (
    ACK_SECONDS,
    LIFE_SECONDS,
    PACE_SECONDS,
    ClosedByExchange,
    Lost,
    RejectedByExchange,
    Socket,
    Unreadable,
    opened,
    until_one_fails,
)
from monitor.exchanges.port import (
    Frame,
    Ignored,
    Leave,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    TicketEnded,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from monitor.exchanges.call import Reply, RestCall
    from monitor.exchanges.port import AccountStream, Credentials, Exchange, Ticket

log = structlog.get_logger()

FEED = "account"
"""What frames of these connections are called in a capture."""

TICKET = "{ticket}"
HIDDEN = "***"
UNREADABLE = "something came on the private stream that could not be read"
LOOK_SECONDS = 1.0


class NotGiven(Lost):
    """The exchange does not give this key the stream; `for_good` as in `NotAdmitted`."""

    def __init__(self, because: str, *, for_good: bool) -> None:
        super().__init__(because)
        self.for_good = for_good


class Rest(Protocol):
    """The account's REST, as far as a stream needs it."""

    @property
    def offset_seconds(self) -> float | None: ...

    async def call(self, call: RestCall) -> Reply: ...

    async def measure_offset(self) -> float: ...

    def hidden(self, text: str) -> str: ...


class Listener(Protocol):
    """Who takes what a connection brings."""

    exchange: Exchange
    ws_url: str | None
    rest: Rest

    def now(self) -> datetime: ...

    def their_now(self) -> datetime: ...

    def credentials(self) -> Credentials: ...

    def take(self, connection: AccountConnection, frame: Frame, told: Told) -> None: ...


class AccountConnection:
    """
    One socket of an account, from its ticket to its end.

    `ready` is set once everything is acknowledged, `leaving` when a successor is wanted while
    this one still serves. `is_doubted`: it may be deaf without knowing it, so that only a
    reading by REST can tell what it missed.
    """

    def __init__(self, listener: Listener, stream: AccountStream) -> None:
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()
        self.is_doubted = False
        self._listener = listener
        self._stream = stream
        self._ticket = ""
        self._logged_in = asyncio.Event()
        self._acks = 0
        self._told_at = 0.0
        self._unreadable = Unreadable(listener.exchange.name, self.hidden)

    async def run(self) -> None:
        """
        Serve until the connection is lost; never returns.

        Raises:
            NotGiven: If the exchange does not give the stream.
            Lost: With the reason, in every other case.
        """
        if self._stream.ticket is not None:
            self._ticket = await self._got(self._stream.ticket)
        base = self._listener.ws_url or self._stream.host
        address = base.rstrip("/") + self._stream.path.replace(TICKET, self._ticket)
        try:
            async with opened(address) as connected:
                await self._serve(Socket(connected))
        except ClosedByExchange as error:
            meaning = self._stream.ends_for_good.get(error.code or 0)
            if meaning is None:
                raise
            raise NotGiven(meaning, for_good=True) from None
        raise Lost("the connection ended")

    async def _serve(self, socket: Socket) -> None:
        parts: list[Awaitable[None]] = [
            self._read(socket),
            self._enter(socket),
            self._watch(),
        ]
        if self._stream.keepalive is not None:
            parts.append(socket.ping(self._stream.keepalive))
        if self._stream.ticket is not None:
            parts.append(self._keep(self._stream.ticket))
        await until_one_fails(*parts)

    # --- tickets ------------------------------------------------------------------------

    async def _got(self, ticket: Ticket) -> str:
        try:
            reply = await self._listener.rest.call(ticket.get)
            key = ticket.read(reply.body)
        except Refused as error:
            # Without a code of the exchange it was a firewall, whose moods pass.
            raise NotGiven(error.because, for_good=error.code is not None) from None
        except ExchangeError as error:
            raise Lost(f"no ticket: {error.because}") from None
        if not key:
            raise Lost("no ticket: the answer holds none")
        return key

    async def _keep(self, ticket: Ticket) -> None:
        """
        Prolong the ticket for ever; where that fails, ask for a successor with a new one.

        This one serves on meanwhile: it may be deaf already, or hear all as before.
        """
        while True:
            await asyncio.sleep(ticket.keep_seconds)
            try:
                await self._listener.rest.call(ticket.keep)
            except ExchangeError as error:
                log.info(
                    "ticket.unkept",
                    exchange=self._listener.exchange.name,
                    because=self.hidden(error.because),
                )
                self.is_doubted = True
                self.leaving.set()

    def hidden(self, text: str) -> str:
        """The text without ticket or secrets, should the exchange have repeated them."""
        text = text.replace(self._ticket, HIDDEN) if self._ticket else text
        return self._listener.rest.hidden(text)

    # --- from the opening to being whole --------------------------------------------------

    async def _enter(self, socket: Socket) -> None:
        """Log in, subscribe, and see that both are answered in time."""
        login = self._stream.login
        if login is not None:
            await socket.send(login(self._listener.credentials(), self._listener.their_now()))
            await self._answered(self._logged_in, ACK_SECONDS, "the login was not answered")
        await socket.send_paced(self._stream.subscribe)
        self._note_whole()
        patience = ACK_SECONDS + PACE_SECONDS * len(self._stream.subscribe)
        await self._answered(self.ready, patience, "the subscription was not acknowledged")

    @staticmethod
    async def _answered(event: asyncio.Event, seconds: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            raise Lost(otherwise) from None

    def _note_whole(self) -> None:
        is_in = self._stream.login is None or self._logged_in.is_set()
        if is_in and self._acks >= self._stream.acks:
            self.ready.set()

    # --- from then on ---------------------------------------------------------------------

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        began = self._told_at = loop.time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now, patience = loop.time(), self._stream.silent_seconds
            if patience is not None and now - self._told_at > patience:
                raise Lost(f"nothing told for {patience:.0f} s")
            if now - began > LIFE_SECONDS:
                self.leaving.set()

    async def _read(self, socket: Socket) -> None:
        path = self._stream.path.replace(TICKET, "")
        while True:
            data = await socket.receive()
            frame = Frame(feed=FEED, text="", at=self._listener.now(), path=path)
            try:
                self._take(replace(frame, text=data.decode()))
            except UnicodeDecodeError:
                self._drop(frame, Malformed("frame", "text", "something else"))
            except Malformed as error:
                self._drop(frame, error)

    def _drop(self, frame: Frame, error: Malformed) -> None:
        """Whatever a frame says that can't be read happened: a reading tells what it was."""
        self._unreadable.count(error)
        self._listener.take(self, frame, Told(ask=UNREADABLE))

    def _take(self, frame: Frame) -> None:
        read = self._listener.exchange.read_account_frame(frame)
        match read:
            case Told():
                self._told_at = asyncio.get_running_loop().time()
                self._listener.take(self, frame, read)
            case LoggedIn():
                self._logged_in.set()
            case Subscribed(count=count):
                self._acks += count
                if self._acks >= self._stream.acks:
                    self._note_whole()
            case NotAdmitted(because=because, for_good=for_good):
                raise NotGiven(because, for_good=for_good)
            case Rejected(because=because):
                raise RejectedByExchange(f"the subscription was rejected: {because}")
            case TicketEnded():
                raise Lost("the ticket ended")
            case Leave():
                self.leaving.set()
            case Pong() | Ignored():
                pass
            case _:
                assert_never(read)
