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
    The wait that a host asked for; `until` is None where it never asked.

    `on_asked(until)` is told when a later end is asked for, so that it can be kept.
    """

    def __init__(
        self,
        until: datetime | None = None,
        on_asked: Callable[[datetime], None] = lambda _until: None,
    ) -> None:
        self.until = until
        self._on_asked = on_asked

    def ask(self, until: datetime) -> None:
        """The host wants quiet until then; an earlier end than is known changes nothing."""
        if self.until is None or until > self.until:
            self.until = until
            self._on_asked(until)

    def seconds_left(self, now: datetime) -> float:
        """How long still; 0 where nothing was asked or it is over."""
        return 0.0 if self.until is None else max(0.0, (self.until - now).total_seconds())
