"""I/O. Marks by REST, where the live feed of an account is late."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.engine.events import MarksMoved, Source
from monitor.errors import ExchangeError
from monitor.exchanges.call import Replies
from monitor.risk.model import Mark
from monitor.service.untold import NOT_UNDERSTOOD

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.exchanges.port import Exchange
    from monitor.exchanges.rest import RestClient
    from monitor.risk.model import Instrument

log = structlog.get_logger()


class MarkProbe:
    """Asks for marks of one account, one question at a time; `deliver` gets what came."""

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
        replies = Replies(r for r in results if not isinstance(r, BaseException))
        now = self._now()
        try:
            marks = self._exchange.read_marks(replies, wanted)
        except (ExchangeError, *NOT_UNDERSTOOD) as error:
            log.info("marks.unread", account=self._account, because=str(error))
            return
        offset = timedelta(seconds=self._rest.offset_seconds or 0.0)
        ours = {s: Mark(price=m.price, at=min(now, m.at - offset)) for s, m in marks.items()}
        if ours:
            self._deliver(
                MarksMoved(
                    marks=ours,
                    at=now,
                    source=Source.REST,
                    unchanged_seconds=self._exchange.unchanged_seconds,
                )
            )
