"""
I/O. Starts that follow no stop in order: the third in ten minutes is told to its owner.

Whoever starts the process again does so every few seconds, and each start reads every table of
every account. From the fourth on exchanges are left alone for ever longer first, so that the
limits of an address are not used up by starts that lead nowhere. Messages go out meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.exchanges.openings import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
from monitor.service import notices

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.storage import Store

log = structlog.get_logger()

TOLD_FROM = 3
WITHIN = timedelta(minutes=10)
AGAIN_AFTER = timedelta(hours=1)


class Tell(Protocol):
    def __call__(self, notice: Notification, name: str, /) -> None: ...


def note_start(store: Store, tell: Tell, at: datetime) -> float:
    """
    Keep in mind that the process starts; `tell`, once an hour, if it does so time and again.

    So many seconds are to pass before exchanges are asked for anything.
    """
    store.begin(at)
    starts = store.starts_since(at - WITHIN)
    told_at = store.said_at(notices.RESTARTING)
    if starts >= TOLD_FROM and (told_at is None or at - told_at >= AGAIN_AFTER):
        log.error("daemon.restarting", starts=starts)
        tell(notices.restarting(starts, at), notices.RESTARTING)
    pause = pause_seconds(starts)
    if pause:
        log.warning("daemon.holding_back", starts=starts, seconds=pause)
    return pause


def pause_seconds(starts: int) -> float:
    """Before the exchanges are asked, at so many starts in ten minutes: from the fourth on."""
    doublings = starts - TOLD_FROM - 1
    if doublings < 0:
        return 0.0
    return min(FIRST_WAIT_SECONDS * 2.0 ** min(doublings, 10), LONGEST_WAIT_SECONDS)
