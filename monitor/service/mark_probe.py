"""I/O. Marks by REST, where the live feed of an account is late."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.engine.events import MarksMoved, Source
from monitor.errors import ExchangeError, MissingReply
from monitor.exchanges.call import Replies, Reply
from monitor.service.untold import NOT_UNDERSTOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.exchanges.port import Exchange
    from monitor.exchanges.rest import RestClient
    from monitor.risk.model import Instrument, Mark

log = structlog.get_logger()


# What keeps marks away for longer than this after it was said is said once more.
SAID_FOR = timedelta(minutes=10)
LONGEST_QUOTE = 200
MOST_REASONS = 3
_NUMBERS = re.compile(r"\d+(\.\d+)?")


class MarkProbe:
    """
    Asks for marks of one account, one question at a time; `deliver` gets what came.

    That marks are late is told elsewhere; why asking does not help stands in the log: once for
    each reason, and once that it helps again.
    """

    def __init__(
        self,
        account: str,
        *,
        exchange: Exchange,
        rest: RestClient,
        now: Callable[[], datetime],
        deliver: Callable[[MarksMoved], None],
    ) -> None:
        self._account = account
        self._exchange = exchange
        self._rest = rest
        self._now = now
        self._deliver = deliver
        self._asking: asyncio.Task[None] | None = None
        self._because = ""
        self._said_at: datetime | None = None

    def ask(self, instruments: tuple[Instrument, ...]) -> None:
        """Ask for these marks, unless an answer is still awaited."""
        self._rest.doubt_offset()
        if instruments and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._read(instruments))

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def _read(self, wanted: tuple[Instrument, ...]) -> None:
        calls = self._exchange.mark_calls(wanted)
        results = await asyncio.gather(*map(self._rest.call_public, calls), return_exceptions=True)
        replies = Replies(r for r in results if isinstance(r, Reply))
        failed = [r for r in results if isinstance(r, BaseException)]
        marks, unread = self._understood(replies, wanted)
        # What was not answered can't be read: then the answer's failure is the reason.
        whys = tuple(dict.fromkeys(map(self._why, failed or unread)))
        self._say("; ".join(whys[:MOST_REASONS]))
        now = self._now()
        if marks:
            self._deliver(
                MarksMoved(
                    marks=marks,
                    at=now,
                    source=Source.REST,
                    unchanged_seconds=self._exchange.unchanged_seconds,
                )
            )

    def _understood(
        self, replies: Replies, wanted: tuple[Instrument, ...]
    ) -> tuple[Mapping[str, Mark], list[Exception]]:
        """The marks, and what kept others away: one that can't be read costs no other its own."""
        try:
            return self._exchange.read_marks(replies, wanted), []
        except (ExchangeError, *NOT_UNDERSTOOD) as error:
            if len(wanted) == 1:
                return {}, [error]
        found: dict[str, Mark] = {}
        unread: list[Exception] = []
        for instrument in wanted:
            marks, errors = self._understood(replies, (instrument,))
            found |= marks
            unread += errors
        return found, unread

    def _why(self, error: BaseException) -> str:
        """For people, without secrets; of what is no word of ours nothing but its name."""
        if isinstance(error, ExchangeError):
            is_of_one = isinstance(error, MissingReply) and error.call
            words = f"{error.call}: {error.because}" if is_of_one else error.because
            return self._rest.hidden(words)[:LONGEST_QUOTE]
        return f"a fault in the monitor itself ({type(error).__name__})"

    def _say(self, because: str) -> None:
        """Log why marks did not come, or that they do, where it is news; a wait's end is none."""
        now, before = self._now(), self._because
        is_old = self._said_at is None or now - self._said_at > SAID_FOR
        is_same = _NUMBERS.sub("", because) == _NUMBERS.sub("", before)
        if is_same and not (because and is_old):
            return
        self._because, self._said_at = because, now
        place = {"exchange": self._exchange.name, "account": self._account}
        if because:
            log.info("marks.unanswered", **place, because=because)
        else:
            log.info("marks.answered", **place)
