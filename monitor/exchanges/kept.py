"""
What is kept of an account's replies, and whether it still serves.

Pure. Knows ages, and what was asked to be read anew; must not know how calls are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.exchanges.call import Depth, Reply, RestCall

# What is kept for so long is a table of the exchange's; what for less is the account's.
TABLE_SECONDS = 3600.0
# So long a call may be under way.
UNDER_WAY = timedelta(seconds=10)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A reply, with the call that it answers."""

    call: RestCall
    reply: Reply


class Renewals:
    """
    From when on replies serve, by what they tell.

    `distrusted_at`: from then on nothing serves that another account was told before.
    """

    def __init__(self) -> None:
        self.distrusted_at = _NEVER
        self._tables = _NEVER
        self._logs = _NEVER
        self._stops = _NEVER

    def tables(self, at: datetime) -> None:
        """No table that is kept for an hour or longer serves that came before."""
        self._tables = self.distrusted_at = at

    def logs(self, at: datetime) -> None:
        """No list of what was booked serves that came before."""
        self._logs = at

    def stops(self, at: datetime) -> None:
        """No list of stop orders serves that was, or may have been, made before."""
        self._stops = at + UNDER_WAY

    def distrust(self, at: datetime) -> None:
        """What was told before, to whomever, made no sense."""
        self.distrusted_at = at

    def allow(self, kept: Kept, now: datetime, depth: Depth) -> bool:
        """Whether the reply serves in a reading of this depth."""
        age, told_at = kept.call.age_seconds(depth), kept.reply.at
        if kept.call.is_log and told_at < self._logs:
            return False
        if kept.call.lists_stops and told_at < self._stops:
            return False
        if age >= TABLE_SECONDS and told_at < self._tables:
            return False
        return now - told_at < timedelta(seconds=age)
