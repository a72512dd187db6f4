"""
I/O. What happens to an account, live: reconnecting private connections for any exchange.

It knows no payload: what a frame says is the exchange's `read_account_frame`'s word. A
connection that is to end (24 h, the exchange asks us to leave, a ticket could not be
prolonged) is replaced by one that is whole already, so that nothing is lost between them
(F-03, F-04). After every other one there was a gap, which only a reading by REST can fill
(F-20): the taker is told so.

A key that is not given the stream is no trouble of its own, since polling goes on: it is said
once, shown, and asked for again seldom.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import structlog

from monitor.engine.events import FeedLost, FeedRestored
from monitor.errors import ExchangeError
from monitor.exchanges.account_connection import AccountConnection, NotGiven
from monitor.exchanges.connection import Lost, heed
from monitor.exchanges.openings import Openings
from monitor.exchanges.waiting import Backoff, end, first_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.exchanges.account_connection import Rest
    from monitor.exchanges.port import AccountStream, Credentials, Exchange, Frame, Told

log = structlog.get_logger()

PRIVATE = "private stream"
NOT_GIVEN = "not given"
HANDOVER_SECONDS = 30.0
SUCCESSOR_AGAIN_SECONDS = 30.0
# A timestamp may be refused, after the clock of either side was stepped; what is refused for the
# third time in a row is refused for longer.
REFUSED_SECONDS = (1.0, 5.0, 300.0)
FOR_GOOD_SECONDS = 3600.0

NOT_YET = "not opened yet"
ANEW = "being opened anew"
_PASSING = frozenset({NOT_YET, ANEW})

_Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    A connection of stream `number` begins: what comes on it from now on is to be held back.

    It counts only on top of a reading by REST that began after its `Listening`.
    """

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """
    Everything that happens is told on this connection from now on.

    `is_gapless`: the one that it replaces told everything until now; what this one told since
    its opening may be taken as it is.
    """

    number: int
    is_gapless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Nothing more comes on this connection."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A frame that tells something of the account, and what it tells."""

    number: int
    frame: Frame
    told: Told


@dataclass(slots=True)
class _Serving:
    """A connection of one stream, and whether it was told to be whole."""

    key: _Key
    connection: AccountConnection
    task: asyncio.Task[None]
    is_gapless: bool = False
    is_told: bool = False

    @property
    def tells_all(self) -> bool:
        """Whether what it tells is all that happens: it stands, and is not deaf unawares."""
        return not self.task.done() and not self.connection.is_doubted


AccountNews = Opened | Listening | Closed | Heard | FeedLost | FeedRestored


class AccountFeed:
    """
    The private connections of one account.

    `deliver` is called with what comes, connection by connection (each has a number of its
    own), and with FeedLost and FeedRestored for the whole of them: `because` begins with
    «not given» where the exchange does not let the key listen. `openings` are the turns to
    connect that all accounts of a host share.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        exchange: Exchange,
        *,
        account: str,
        credentials: Credentials,
        rest: Rest,
        now: Callable[[], datetime],
        their_now: Callable[[], datetime],
        deliver: Callable[[AccountNews], None],
        ws_url: str | None = None,
        openings: Openings | None = None,
    ) -> None:
        self.exchange = exchange
        self.ws_url = ws_url
        self.rest = rest
        self.now = now
        self.their_now = their_now
        self._openings = openings or Openings()
        self._account = account
        self._credentials = credentials
        self._deliver = deliver
        self._numbers = count()
        self._numbered: dict[AccountConnection, int] = {}
        self._streams: dict[_Key, AccountStream] = {}
        self._down: dict[_Key, str] = {}
        self._keepers: dict[_Key, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._renewing: set[_Key] = set()
        self._told: str | None = None

    def credentials(self) -> Credentials:
        return self._credentials

    @property
    def is_healthy(self) -> bool:
        """Whether everything that happens to the account is told live right now."""
        return bool(self._streams) and not self._down

    @property
    def because(self) -> str:
        """Why not everything is told live; empty where it is, or where there is no stream."""
        return "; ".join(dict.fromkeys(self._down.values()))

    def listen(self, streams: tuple[AccountStream, ...]) -> None:
        """Hold these connections. Those that are held already go on as they are."""
        wanted = {_key(stream): stream for stream in streams}
        if wanted.keys() == self._streams.keys():
            return
        self._down = {k: self._down.get(k, NOT_YET) for k in wanted if self._is_down(k)}
        self._streams = wanted
        self._changed.set()

    def _is_down(self, key: _Key) -> bool:
        return key not in self._streams or key in self._down

    def renew(self) -> None:
        """Open every connection anew, with new tickets: these may be deaf."""
        self._renewing |= self._keepers.keys()
        self._changed.set()

    async def run(self) -> None:
        """Hold the connections for ever."""
        if self._streams:
            self._changed.set()
        try:
            while True:
                await self._change()
                await self._adjust()
        finally:
            await end(*self._keepers.values())
            self._keepers = {}
            self._down = dict.fromkeys(self._streams, NOT_YET)

    async def _change(self) -> None:
        """Until other connections are wanted. A keeper ends only by a bug, raised here."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait(
                (changed, *self._keepers.values()), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            changed.cancel()
        for task in done - {changed}:
            task.result()
        self._changed.clear()

    async def _adjust(self) -> None:
        gone = (self._keepers.keys() - self._streams.keys()) | self._renewing
        self._renewing = set()
        leaving = [self._keepers.pop(key) for key in gone if key in self._keepers]
        # Before they are closed, which takes its time: not everything is told any more.
        for key in gone & self._streams.keys():
            self._down[key] = ANEW
        await end(*leaving)
        for key, stream in self._streams.items():
            if key not in self._keepers:
                self._keepers[key] = asyncio.create_task(self._keep(key, stream))
        self._tell()

    # --- one stream -----------------------------------------------------------------------

    async def _keep(self, key: _Key, stream: AccountStream) -> None:
        """One connection after another for one stream."""
        backoff, refusals = Backoff(), 0
        loop = asyncio.get_running_loop()
        while True:
            await self._turn(key)
            backoff.tried(loop.time())
            began = loop.time()
            error = await self._until_lost(key, stream)
            good_seconds = loop.time() - began
            pause = backoff.pause(loop.time(), good_seconds=good_seconds)
            refusals = refusals + 1 if isinstance(error, NotGiven) else 0
            if isinstance(error, NotGiven):
                pause = max(pause, await self._wait_after(error, refusals))
            await asyncio.sleep(pause)

    async def _turn(self, key: _Key) -> None:
        """Wait for a turn to connect; why it waits is told where nothing else was yet."""
        because = self._openings.why_waits(self.now(), leads=False)
        if because and self._down.get(key) in _PASSING:
            self._down[key] = because
            self._tell()
        await self._openings.turn(leads=False)

    async def _wait_after(self, error: NotGiven, refusals: int) -> float:
        """How long not to ask again for what was refused so often in a row."""
        if error.for_good:
            return FOR_GOOD_SECONDS
        with suppress(ExchangeError):
            await self.rest.measure_offset()
        return REFUSED_SECONDS[min(refusals, len(REFUSED_SECONDS)) - 1]

    async def _until_lost(self, key: _Key, stream: AccountStream) -> Lost:
        """Serve one stream, handing over where that is due, until it is lost; the reason."""
        serving = self._open(key, stream)
        try:
            while True:
                await self._first_of(serving, serving.task, serving.connection.leaving)
                if serving.task.done():
                    return self._lost(serving)
                successor = await self._successor(serving, stream)
                if successor is not None:
                    old, serving = serving, successor
                    serving.is_gapless = old.is_told and old.tells_all
                    await self._close(old)
        finally:
            await self._close(serving)

    async def _first_of(
        self, serving: _Serving, *awaited: asyncio.Task[None] | asyncio.Event
    ) -> None:
        """
        As `first_of`; meanwhile the connection that serves says so as soon as it is whole.

        It may be asked to leave before that, and its successor may be long in coming.
        """
        if not serving.is_told:
            await first_of(serving.connection.ready, *awaited)
            self._tell_if_whole(serving)
        await first_of(*awaited)

    def _open(self, key: _Key, stream: AccountStream) -> _Serving:
        self._openings.opened()
        connection = AccountConnection(self, stream)
        number = self._numbered[connection] = next(self._numbers)
        self._deliver(Opened(number=number))
        task = asyncio.create_task(connection.run())
        task.add_done_callback(partial(heed, self._openings))
        return _Serving(key, connection, task)

    async def _close(self, serving: _Serving) -> None:
        try:
            await end(serving.task)
        finally:
            number = self._numbered.pop(serving.connection, None)
            if number is not None:
                self._deliver(Closed(number=number))

    async def _successor(self, serving: _Serving, stream: AccountStream) -> _Serving | None:
        """
        A whole connection in place of one that serves still; None where there is none yet.

        Nor is there where the host has no turn for it: the one that serves goes on.
        """
        new = None
        if not self._openings.seconds_left(leads=False):
            new = await self._new(serving, stream)
        if new is not None:
            return new
        # A successor that fails at once is not asked for again at once.
        with suppress(TimeoutError):
            async with asyncio.timeout(SUCCESSOR_AGAIN_SECONDS):
                await self._first_of(serving, serving.task)
        return None

    async def _new(self, serving: _Serving, stream: AccountStream) -> _Serving | None:
        new = self._open(serving.key, stream)
        is_whole = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(HANDOVER_SECONDS):
                    await self._until_whole(new, serving)
            is_whole = new.connection.ready.is_set() and not new.task.done()
        finally:
            # It may be this stream's end that is waited for no longer: nobody else knows of it.
            if not is_whole:
                await self._close(new)
        return new if is_whole else None

    async def _until_whole(self, new: _Serving, serving: _Serving) -> None:
        """Until the successor is whole or fails. Where the other ends before, nobody tells all."""
        awaited = new.task, new.connection.ready
        await self._first_of(serving, serving.task, *awaited)
        if serving.task.done() and not new.connection.ready.is_set():
            self._lost(serving)
            await first_of(*awaited)

    def take(self, connection: AccountConnection, frame: Frame, told: Told) -> None:
        """Pass on what a connection brought."""
        number = self._numbered.get(connection)
        if number is not None:
            self._deliver(Heard(number=number, frame=frame, told=told))

    # --- what is told of the whole ---------------------------------------------------------

    def _tell_if_whole(self, serving: _Serving) -> None:
        if serving.is_told or serving.task.done() or not serving.connection.ready.is_set():
            return
        serving.is_told = True
        self._openings.succeeded(serving.task)
        self._down.pop(serving.key, None)
        number = self._numbered[serving.connection]
        self._deliver(Listening(number=number, is_gapless=serving.is_gapless))
        self._tell()

    def _lost(self, serving: _Serving) -> Lost:
        error = serving.task.exception()
        if not isinstance(error, Lost):
            raise error or RuntimeError("a connection ended without a reason")
        because = serving.connection.hidden(str(error))
        self._down[serving.key] = (
            f"{NOT_GIVEN}: {because}" if isinstance(error, NotGiven) else because
        )
        self._tell()
        return error

    def _tell(self) -> None:
        """Tell the engine where the whole of them stands, if that is news; the log only turns."""
        if self._down.keys() - self._keepers.keys() or _PASSING & set(self._down.values()):
            return
        because, before = self.because, self._told
        if because == before or (not self._streams and not before):
            return
        self._told = because
        place = {"exchange": self.exchange.name, "account": self._account, "feed": PRIVATE}
        if because:
            if _is_given(because) is not _is_given(before) or not before:
                event = "feed.lost" if _is_given(because) else "feed.not_given"
                log.warning(event, **place, because=because)
            self._deliver(FeedLost(feed=PRIVATE, because=because, at=self.now()))
            return
        if before:
            log.info("feed.restored", **place)
        self._deliver(FeedRestored(feed=PRIVATE, at=self.now()))


def _key(stream: AccountStream) -> _Key:
    """What makes two of them the same: functions don't compare."""
    return stream.host, stream.path, stream.subscribe


def _is_given(because: str | None) -> bool:
    return not (because or "").startswith(NOT_GIVEN)
