"""
Calls that brought nothing of late, and that readings go on without until they are tried again.

Knows which call may be left out for which error; must not know how calls are made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.errors import Malformed, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from monitor.errors import ExchangeError
    from monitor.exchanges.call import RestCall

log = structlog.get_logger()

OPTIONAL_RETRY_SECONDS = 60.0
_LONGEST_SECONDS = 600.0
_NOT_FOUND = 404


class NoRoom(Unreachable):
    """It was not sent: steady reading has no room for it at this moment."""


class LeftOut:
    """The calls of one account that are left out for now. `now` is the monitor's clock."""

    def __init__(self, exchange: str, account: str, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self._account = account
        self._now = now
        self._until: dict[str, datetime] = {}
        self._because: dict[str, str] = {}
        self._awaited: dict[str, RestCall] = {}
        self._answered: set[str] = set()

    def requests(self) -> list[str]:
        """What is left out now."""
        now = self._now()
        return [request for request, until in self._until.items() if now < until]

    def holds(self, call: RestCall) -> bool:
        until = self._until.get(call.request)
        return until is not None and self._now() < until

    def with_awaited(self, calls: Iterable[RestCall]) -> tuple[RestCall, ...]:
        """These, and of what is left out now that which would bring something once it is asked."""
        held = self.requests()
        awaited = {r: call for r, call in self._awaited.items() if r in held}
        return tuple({**awaited, **{call.request: call for call in calls}}.values())

    def answered(self, call: RestCall) -> None:
        """It was answered: where it is sticky, its absence is an outage from now on."""
        self._answered.add(call.request)

    def may_be(self, call: RestCall, error: ExchangeError) -> bool:
        """Whether the reading goes on without the answer to this call, which failed like this."""
        if _is_of_nothing(call, error):
            return True
        return call.optional and not self._must_stay(call, error)

    def _must_stay(self, call: RestCall, error: ExchangeError) -> bool:
        """Whether a sticky call that was answered before has failed, and not by a plain no."""
        says_no = isinstance(error, Refused) or getattr(error, "status", None) == _NOT_FOUND
        return call.sticky and call.request in self._answered and not says_no

    def leave(self, call: RestCall, error: ExchangeError) -> None:
        """Leave it out for a minute or more, as if it had never been answered."""
        self._answered.discard(call.request)
        self.put_off(call, error)

    def put_off(self, call: RestCall, error: ExchangeError) -> None:
        """Ask for it no sooner than in a minute; what it brought before serves on."""
        if self._because.get(call.request) != error.because:
            log.info(
                "reply.skipped",
                exchange=self._exchange,
                account=self._account,
                call=call.request,
                because=error.because,
            )
            self._because[call.request] = error.because
        self._awaited.pop(call.request, None)
        if not isinstance(error, Refused) and not _is_of_nothing(call, error):
            self._awaited[call.request] = call
        is_soon = bool(call.absent_codes) or isinstance(error, NoRoom)
        longest = OPTIONAL_RETRY_SECONDS if is_soon else _LONGEST_SECONDS
        wait = max(OPTIONAL_RETRY_SECONDS, min(call.max_age_seconds, longest))
        self._until[call.request] = self._now() + timedelta(seconds=wait)

    def try_all(self) -> None:
        """Nothing is left out any more."""
        self._until = {}


def _is_of_nothing(call: RestCall, error: ExchangeError) -> bool:
    """Whether the exchange said that it has nothing of what was asked for."""
    return isinstance(error, Refused | Malformed) and error.code in call.absent_codes
