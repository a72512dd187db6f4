"""
What events tell of the end of positions, beside a reading that showed it first.

Pure. A reading may show a close just before the event of it comes. On top of that reading the
event changes nothing any more; laid on the book before it, it tells the cause. An event that
is about something else tells nothing of it there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.port import AccountView, Frame
    from monitor.risk.model import HeldKey

KEPT_FOR = timedelta(seconds=15)
"""By then readings have decided by themselves."""


class Closings:
    """The book before a reading that showed fewer positions, kept up by events alone."""

    def __init__(self) -> None:
        self._view: AccountView | None = None
        self._since: datetime | None = None
        self._told: frozenset[HeldKey] = frozenset()

    def vanished(self, before: AccountView, at: datetime) -> None:
        """A reading that began at this time shows fewer positions than `before`."""
        if self._view is None or self._is_over(at):
            self._view, self._since, self._told = before, at, frozenset()

    def hear(self, frame: Frame) -> frozenset[HeldKey]:
        """
        The positions whose end was told since then, by this frame or those before it.

        Raises:
            ExchangeError: If the frame, or the book after it, can't be understood.
        """
        if self._view is None:
            return frozenset()
        if self._is_over(frame.at):
            self._view = None
            return frozenset()
        after = self._view.updated(frame)
        before, now = self._view.snapshot(frame.at), after.snapshot(frame.at)
        # Of a pool that can't be read any more nobody knows what it holds.
        gone = {key for key in before.held - now.held if key[0] not in now.unread}
        self._view, self._told = after, (self._told | gone) - now.held
        return self._told

    def _is_over(self, at: datetime) -> bool:
        return self._since is None or at - self._since >= KEPT_FOR
