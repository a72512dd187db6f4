"""
I/O. One account: poll it, listen to its marks, feed its engine, carry out the engine's wishes.

The parts are loops that live as long as the process. A known error becomes an event and the
loop goes on; anything else is a bug: it is logged, what the part fed is told to be dead, and
the part starts again after a pause. Parts that die too often end the process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.engine.effects import (
    Assessed,
    IncidentChanged,
    LogsWanted,
    MarksWanted,
    SnapshotWanted,
    TablesWanted,
)
from monitor.engine.events import PollFailed, TaskDied, TimePassed
from monitor.errors import (
    ExchangeError,
    Malformed,
    Refused,
    RiskError,
    Unmodelled,
    Unreachable,
)
from monitor.exchanges.account_feed import PRIVATE
from monitor.exchanges.call import Depth
from monitor.exchanges.pace import Standing
from monitor.exchanges.understanding import understanding
from monitor.service.account_listener import AccountListener
from monitor.service.key_rights import KeyRights
from monitor.service.live_account import LONGEST_QUOTE
from monitor.service.mark_probe import MarkProbe
from monitor.service.untold import NOT_UNDERSTOOD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from monitor.engine.effects import AccountAssessment, Effect
    from monitor.engine.engine import Engine
    from monitor.engine.events import Event
    from monitor.exchanges.account_feed import AccountFeed, AccountNews
    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Exchange
    from monitor.exchanges.rest import RestClient
    from monitor.exchanges.stream import MarkFeed
    from monitor.risk.model import AccountSnapshot, Instrument
    from monitor.service.mailbox import Mailbox

log = structlog.get_logger()

TICK_SECONDS = 1.0
REFUSED_SECONDS = 300.0
BLOCKED_SECONDS = 60.0
TORN_TRIES = 3
HURRY_SECONDS = 5.0
FIRST_RETRY_SECONDS = 1.0
# So many readings in a row that brought nothing: the next is no surer, and goes before nobody.
UNREADABLE_FAILURES = 3
RESTART_SECONDS = 1.0
DEATHS_ALLOWED = 5
DEATHS_SECONDS = 600.0


class TooManyDeaths(Exception):  # noqa: N818 - says what happened
    """Parts of one account ended by bugs too often: the process must start anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """
    What the outside offers an account.

    `record` makes an incident and its message durable, then wakes the courier. `publish`
    shows an assessment. `was_watched` and `note_watched` remember, over restarts, that this
    account's figures were once given.
    """

    now: Callable[[], datetime]
    record: Callable[[IncidentChanged], None]
    publish: Callable[[AccountAssessment], None]
    was_watched: Callable[[], bool]
    note_watched: Callable[[], None]


class Turns(Protocol):
    """When this account is read, and how thoroughly."""

    def depth(self) -> Depth:
        """How thorough the next reading is to be."""

    def seconds(self, began: float) -> float:
        """Until the next reading; the last began then, by the loop's clock."""


class AccountTask:
    """One account's loops. `run` ends only by cancellation or by TooManyDeaths."""

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        *,
        name: str,
        exchange: Exchange,
        engine: Engine,
        rest: RestClient,
        mailbox: Mailbox,
        shell: Shell,
        poll_seconds: float,
        turns: Turns | None = None,
        standing: Standing | None = None,
        pause_seconds: float = 0.0,
        allow_trading_key: bool,
    ) -> None:
        self.name = name
        self.rest = rest
        self.last_processed_at: datetime | None = None
        self._exchange = exchange
        self._engine = engine
        self._mailbox = mailbox
        self._shell = shell
        self._poll_seconds = poll_seconds
        self._rights = KeyRights(
            name,
            exchange=exchange,
            rest=rest,
            now=shell.now,
            was_watched=shell.was_watched,
            allow_trading_key=allow_trading_key,
        )
        self._turns = turns
        self._poll_now = asyncio.Event()
        self._alarmed_at = float("-inf")
        self._standing = standing or Standing()
        self._hurried: asyncio.TimerHandle | None = None
        self._hurried_at = float("-inf")
        self._feed: MarkFeed | None = None
        self._listener = AccountListener(
            name,
            now=shell.now,
            deliver=mailbox.put,
            ask=lambda is_alarm: self._answer_alarm() if is_alarm else self._poll_now.set(),
            follow=self._follow,
            renew_stops=rest.renew_stops,
        )
        self._probe = MarkProbe(
            name, exchange=exchange, rest=rest, now=shell.now, deliver=mailbox.put
        )
        self._was_torn = False
        self._pause_seconds = pause_seconds
        self._deaths: deque[float] = deque(maxlen=DEATHS_ALLOWED)

    def listen_with(self, feed: MarkFeed) -> None:
        """Join the feed; it delivers into this task's mailbox."""
        self._feed = feed

    def hear_with(self, feed: AccountFeed) -> None:
        """Join the account's private feed; it delivers to `hear`."""
        self._listener.feed = feed

    def hear(self, news: AccountNews) -> None:
        """Take one piece of the private feed's news."""
        self._listener.hear(news)

    @property
    def hears_all(self) -> bool:
        """Whether everything that happens to the account is told live right now."""
        return self._listener.is_healthy

    def wake_up(self) -> None:
        """After a suspend: poll at once, and drop every socket."""
        self._answer_alarm()
        if self._feed is not None:
            self._feed.reconnect()
        if self._listener.feed is not None:
            self._listener.feed.renew()

    def poll_soon(self) -> None:
        """
        Read the account now; its next turns follow from there.

        A second time within some seconds when these are over: an account that comes near a rung
        and leaves it with every mark would use up what all others behind its address need.
        """
        if self._hurried is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._hurried_at + HURRY_SECONDS - loop.time()
        if wait <= 0:
            self._hurry()
        else:
            self._hurried = loop.call_later(wait, self._hurry)

    def _hurry(self) -> None:
        self._hurried, self._hurried_at = None, asyncio.get_running_loop().time()
        self._answer_alarm()

    def _answer_alarm(self) -> None:
        """Read the account now, before the routine of others; one under way goes first as well."""
        self._alarmed_at = asyncio.get_running_loop().time()
        self._standing.is_alarmed = True
        self._poll_now.set()

    async def run(self) -> None:
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "engine": self._process,
            "clock": self._tick,
            "account": self._poll,
        }
        if self._feed is not None:
            parts["marks"] = self._feed.run
        if self._listener.feed is not None:
            parts[PRIVATE] = self._listener.feed.run
        try:
            async with asyncio.TaskGroup() as group:
                for feed, part in parts.items():
                    group.create_task(self._supervise(feed, part))
        finally:
            self._listener.stop()
            if self._hurried is not None:
                self._hurried.cancel()
            self._probe.stop()

    async def _supervise(self, feed: str, part: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await part()
            except Exception as error:  # the one place for bugs: say so, start again
                log.exception("part.died", account=self.name, part=feed)
                self._count_death()
                because = f"a fault in the monitor itself ({type(error).__name__})"
                self._mailbox.put(TaskDied(feed=feed, because=because, at=self._shell.now()))
                await asyncio.sleep(RESTART_SECONDS)

    def _count_death(self) -> None:
        now = asyncio.get_running_loop().time()
        self._deaths.append(now)
        if len(self._deaths) == DEATHS_ALLOWED and now - self._deaths[0] < DEATHS_SECONDS:
            raise TooManyDeaths(f"{DEATHS_ALLOWED} faults in account {self.name} in ten minutes")

    async def _tick(self) -> None:
        while True:
            self._mailbox.put(TimePassed(at=self._shell.now()))
            await asyncio.sleep(TICK_SECONDS)

    async def _process(self) -> None:
        while True:
            events = deque(await self._mailbox.take())
            self._mailbox.calm = {}
            try:
                while events:
                    self.process(events.popleft())
                self._mailbox.calm = self._engine.calm()
            finally:
                # A fault over one fact must not cost those that came with it.
                self._mailbox.put_back(events)

    def process(self, event: Event) -> None:
        """Hand one fact to the engine and carry out what it wishes, in order."""
        for effect in self._engine.process(event):
            self._carry_out(effect)
        self.last_processed_at = self._shell.now()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Assessed(assessment=assessment):
                self._shell.publish(assessment)
            case IncidentChanged():
                self._shell.record(effect)
            case MarksWanted(symbols=symbols):
                self._probe.ask(self._named(symbols))
            case SnapshotWanted(after_seconds=seconds):
                asyncio.get_running_loop().call_later(seconds, self._answer_alarm)
            case TablesWanted(because=because):
                log.info("tables.unfollowed", account=self.name, because=because)
                self.rest.renew_tables()
                self._poll_now.set()
            case LogsWanted():
                self.rest.renew_logs()
                self._poll_now.set()

    def _named(self, exchange_symbols: frozenset[str]) -> tuple[Instrument, ...]:
        snapshot = self._listener.snapshot
        held = () if snapshot is None else snapshot.instruments()
        return tuple(i for i in held if i.exchange_symbol in exchange_symbols)

    # --- the account by REST -------------------------------------------------------------

    async def _poll(self) -> None:
        # The feeds have nothing to follow before a first reading: they wait with it.
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = 0.0
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            self._poll_now.clear()
            began = loop.time()
            failed = await self._read_once()
            failures = failures + 1 if failed else 0
            is_odd = failed is not None and not isinstance(failed, Unreachable)
            self._standing.is_unreadable = is_odd and failures >= UNREADABLE_FAILURES
            if failed is None:
                self._standing.read_at = began
                # An alarm that came while it was read is for the next reading to answer.
                self._standing.is_alarmed = self._alarmed_at > began
                # From one beginning to the next: slow replies must not age the view twice.
                wait = max(FIRST_RETRY_SECONDS, self._until_next(began))
            else:
                wait = self._pause(failed, failures)
            asked = asyncio.create_task(self._poll_now.wait())
            await asyncio.wait((asked,), timeout=wait)
            asked.cancel()

    def _until_next(self, began: float) -> float:
        if self._turns is not None:
            return self._turns.seconds(began)
        return began + self._poll_seconds - asyncio.get_running_loop().time()

    def _pause(self, error: ExchangeError, failures: int) -> float:
        if isinstance(error, Refused):
            # Without a code of the exchange it was a firewall, whose moods pass.
            return BLOCKED_SECONDS if error.code is None and error.status else REFUSED_SECONDS
        if isinstance(error, Unmodelled) and error.whole_account:
            return REFUSED_SECONDS
        pause = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10), self._poll_seconds)
        if isinstance(error, Unreachable) and error.retry_after_seconds is not None:
            pause = max(pause, error.retry_after_seconds)
        return pause

    async def _read_once(self) -> ExchangeError | None:
        """Read the account and tell the engine; the error where that failed."""
        try:
            rights = await self._rights.read()
            if rights is not None:
                self._mailbox.put(rights)
            await self._read_untorn()
        except ExchangeError as error:
            return self._failed(error)
        except NOT_UNDERSTOOD as error:
            # An odd reply is this account's trouble: told as such, and no reason to take the
            # other accounts down with it.
            log.exception("account.not_understood", account=self.name)
            self.rest.forget()
            words = str(error)[:LONGEST_QUOTE] if isinstance(error, (RiskError, ValueError)) else ""
            found = f"{type(error).__name__} {words}".strip()
            return self._failed(Malformed("the account", "what our rules can read", found))
        self._shell.note_watched()
        return None

    def _failed(self, error: ExchangeError) -> ExchangeError:
        error.placed(exchange=self._exchange.name, account=self.name)
        self._mailbox.put(PollFailed(error=error, at=self._shell.now()))
        return error

    async def _read_untorn(self) -> None:
        """From replies of one moment; where they are not after three tries, from the last ones."""
        for tries_left in reversed(range(TORN_TRIES)):
            began = self._shell.now()
            self._listener.reading_begins(began)
            # What was kept of a reading that was not whole may be just what no longer fits.
            is_first = tries_left == TORN_TRIES - 1
            wanted = self._turns.depth() if is_first and self._turns is not None else Depth.WHOLE
            depth = self._listener.depth(wanted)
            replies = await self.rest.read_account(depth=depth)
            with understanding(self.rest):
                because = self._exchange.torn(replies)
            if because is not None and not self._was_torn:
                log.info("replies.torn", account=self.name, because=because)
            self._was_torn = because is not None
            if because is None or not tries_left:
                break
        self._understand(replies, began, depth)
        self._listener.listen(self._exchange.account_streams(replies))

    def _understand(self, replies: Replies, began: datetime, depth: Depth) -> None:
        is_first = self._listener.snapshot is None
        with understanding(self.rest):
            view = self._exchange.read_account(self.name, replies)
            self._listener.read(view, began, depth, is_torn=self._was_torn)
        snapshot = self._listener.snapshot
        if is_first and snapshot is not None:
            log.info("account.watched", account=self.name, mode=snapshot.mode)

    def _follow(self, snapshot: AccountSnapshot) -> None:
        """Marks of what this book holds are wanted live."""
        if self._feed is not None:
            self._feed.watch(snapshot.instruments())
