"""
I/O. What an account's streams tell, on its way to the engine, and what is asked because of it.

It joins the private feed to the book that `live_account` keeps, and says when the account is
to be read: at once after every gap and wherever only REST can tell the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

import structlog

from monitor.engine.events import (
    Drifted,
    FeedLost,
    FeedRestored,
    NewsCame,
    ReadingAwaited,
    SnapshotTaken,
    Source,
)
from monitor.exchanges.account_feed import Closed, Heard, Listening, Opened
from monitor.exchanges.call import Depth
from monitor.service.live_account import LiveAccount

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.engine.events import Event
    from monitor.exchanges.account_feed import AccountFeed, AccountNews
    from monitor.exchanges.port import AccountStream, AccountView
    from monitor.risk.model import AccountSnapshot
    from monitor.service.live_account import After
    from monitor.service.untold import Untold

log = structlog.get_logger()

ASK_AGAIN_SECONDS = 2.0
# An event may come after the reading that shows what it tells; later it counts as lost.
EVENT_MAY_COME_SECONDS = 5.0
RENEW_AT_MOST_EVERY_SECONDS = 300.0


class AccountListener:
    """
    Takes a feed's news and readings of one account; `deliver` gets events for its engine.

    `ask` has the account read at once (True: before the routine of others), `follow` is called
    with every book that is new, `renew_stops` where a stop order was told of. `untold` counts
    the readings that showed what no stream had told.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        account: str,
        *,
        now: Callable[[], datetime],
        deliver: Callable[[Event], None],
        ask: Callable[[bool], None],
        follow: Callable[[AccountSnapshot], None],
        renew_stops: Callable[[], None] = lambda: None,
    ) -> None:
        self.feed: AccountFeed | None = None
        self.untold = 0
        self._account = account
        self._now = now
        self._deliver = deliver
        self._ask = ask
        self._follow = follow
        self._renew_stops = renew_stops
        self._live = LiveAccount()
        self._asked_at = float("-inf")
        self._asking: asyncio.TimerHandle | None = None
        self._is_alarm = False
        self._judging: set[asyncio.TimerHandle] = set()
        self._renewed_at = float("-inf")
        # The latest of what a lean reading would not show, and of what one would not that goes
        # by the stream.
        self._happened_at: datetime | None = None
        self._missed_at: datetime | None = None

    @property
    def snapshot(self) -> AccountSnapshot | None:
        """The book as it is known now, None before the first reading."""
        return self._live.snapshot

    @property
    def is_healthy(self) -> bool:
        """Whether the book is whole, and everything that happens to it is told live right now."""
        return self._is_told_all and not self._live.has_gaps

    @property
    def _is_told_all(self) -> bool:
        return self.feed is not None and self.feed.is_healthy

    def depth(self, wanted: Depth) -> Depth:
        """
        How thoroughly to read: wholly after anything that happened since the last whole reading.

        What is left out of a lean one is shown as it was then. After a gap nothing may be left
        out of which only the stream would have told.
        """
        if self._happened_at is not None:
            return Depth.WHOLE
        is_blind = wanted is Depth.HEARD and self._missed_at is not None
        return Depth.CALM if is_blind else wanted

    def stop(self) -> None:
        for timer in self._judging:
            timer.cancel()
        if self._asking is not None:
            self._asking.cancel()

    # -- the streams ------------------------------------------------------------------------

    def listen(self, streams: tuple[AccountStream, ...]) -> None:
        """Hold these connections from now on."""
        if self.feed is not None:
            self.feed.listen(streams)

    def hear(self, news: AccountNews) -> None:
        """Take one piece of a feed's news."""
        match news:
            case Opened(number=number):
                self._live.opened(number)
            case Closed(number=number):
                self._live.closed(number, self._now())
            case Listening(number=number, is_gapless=is_gapless):
                for after in self._live.listening(number, self._now(), is_gapless=is_gapless):
                    self._take(after)
                if not is_gapless or self._live.has_gaps:
                    self._missed_at = self._now()
                    # Where others are on their way still, one reading fills the gaps of all.
                    self._ask_soon(at_once=self._is_told_all)
            case Heard():
                self._heard(news)
            case FeedLost() | FeedRestored():
                self._deliver(news)
            case _:
                assert_never(news)

    def _heard(self, heard: Heard) -> None:
        told = heard.told
        if told.changes:
            self._happened_at = self._now()
            self._take(self._live.heard(heard.number, heard.frame))
        if told.of_stops:
            self._renew_stops()
        if told.news:
            self._deliver(NewsCame(news=told.news, at=self._now()))
        if told.ask is not None:
            self._await(told.ask)

    def _take(self, after: After) -> None:
        if after.snapshot is not None:
            taken = SnapshotTaken(
                snapshot=after.snapshot,
                at=self._now(),
                source=Source.LIVE,
                closed=after.closed,
                is_view=self.is_healthy,
            )
            self._deliver(taken)
            self._follow(after.snapshot)
        if after.ask is not None:
            self._await(after.ask)

    def _await(self, because: str) -> None:
        log.info("reading.awaited", account=self._account, because=because)
        self._happened_at = self._now()
        self._deliver(ReadingAwaited(because=because, at=self._now()))
        self._is_alarm = True
        self._ask_soon()

    def _ask_soon(self, *, at_once: bool = True) -> None:
        """At once, or after two seconds; a second time within two seconds when these are over."""
        loop = asyncio.get_running_loop()
        wait = self._asked_at + ASK_AGAIN_SECONDS - loop.time()
        if self._asking is not None:
            if not at_once or wait > 0:
                return
            self._asking.cancel()
        wait = wait if at_once else max(wait, ASK_AGAIN_SECONDS)
        if wait <= 0:
            self._ask_now()
        else:
            self._asking = loop.call_later(wait, self._ask_now)

    def _ask_now(self) -> None:
        self._asking, self._asked_at = None, asyncio.get_running_loop().time()
        is_alarm, self._is_alarm = self._is_alarm, False
        self._ask(is_alarm)

    # -- the readings -----------------------------------------------------------------------

    def reading_begins(self, at: datetime) -> None:
        self._live.reading_begins(at)

    def read(
        self,
        view: AccountView,
        began: datetime,
        depth: Depth = Depth.WHOLE,
        *,
        is_torn: bool = False,
    ) -> None:
        """
        Take a reading that began at this time, and hand it on with what was told since.

        Args:
            is_torn: Its replies are not of one moment: with events on top of it there is nothing
                in it that ours and theirs could be compared by.

        Raises:
            ExchangeError: If it can't be understood.
        """
        reading = self._live.read(view, began, are_whole=self._is_told_all)
        if depth is Depth.WHOLE and self._happened_at is not None and self._happened_at < began:
            self._happened_at = None
        if depth is not Depth.HEARD and self._missed_at is not None and self._missed_at < began:
            self._missed_at = None
        at = self._now()
        taken = SnapshotTaken(
            snapshot=reading.snapshot,
            at=at,
            source=reading.source,
            read_at=began,
            is_view=self.is_healthy,
            beneath=None if is_torn else reading.beneath,
        )
        self._deliver(taken)
        self._follow(reading.snapshot)
        if reading.is_behind:
            log.info("reading.behind", account=self._account)
            asyncio.get_running_loop().call_later(ASK_AGAIN_SECONDS, self._ask, True)  # noqa: FBT003 - an alarm
        if reading.untold is not None:
            self._judge_later(reading.untold)

    def _judge_later(self, untold: Untold) -> None:
        def judge() -> None:
            self._judging.discard(timer)
            self._judge(untold)

        timer = asyncio.get_running_loop().call_later(EVENT_MAY_COME_SECONDS, judge)
        self._judging.add(timer)

    def _judge(self, untold: Untold) -> None:
        """
        Whether what a reading showed was told after all; if not, an event was lost.

        A stream that is silent while REST shows changes may be deaf for good: another program
        ended its ticket, say. It is opened anew.
        """
        if not self._live.is_left(untold) or not self._is_told_all or self.feed is None:
            return
        self.untold += 1
        log.warning("event.lost", account=self._account, so_far=self.untold)
        self._deliver(Drifted(before=untold.before, after=untold.after, at=self._now()))
        now = asyncio.get_running_loop().time()
        if now - self._renewed_at >= RENEW_AT_MOST_EVERY_SECONDS:
            self._renewed_at = now
            self.feed.renew()
