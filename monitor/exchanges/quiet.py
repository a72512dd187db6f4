"""
Until when a host wants to hear nothing from this machine: one word for all accounts behind it.

An exchange counts by address and bans by address: what one account is told holds for all that
share the host, and over a restart. Knows no call and no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

# Statuses that speak of an address, not of one account: refused by a firewall, banned, too many.
OF_THE_ADDRESS = frozenset({403, 418, 429})


class Quiet:
    """
    The wait that a host asked for; `until` is None where it never asked, or that is over.

    `keep(until, at)` is told when a later end is asked for, and with None that it is over.
    """

    def __init__(
        self,
        until: datetime | None = None,
        keep: Callable[[datetime | None, datetime], None] = lambda _until, _at: None,
    ) -> None:
        self.until = until
        self._keep = keep

    def ask(self, until: datetime, now: datetime) -> None:
        """The host wants quiet until then; an earlier end than is known changes nothing."""
        if self.until is None or until > self.until:
            self.until = until
            self._keep(until, now)

    def answered(self, now: datetime) -> None:
        """The host speaks again: a wait that is over does not count after a restart either."""
        if self.until is not None and now >= self.until:
            self.until = None
            self._keep(None, now)

    def seconds_left(self, now: datetime) -> float:
        """How long still; 0 where nothing was asked or it is over."""
        return 0.0 if self.until is None else max(0.0, (self.until - now).total_seconds())
