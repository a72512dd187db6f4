"""I/O. Starts that follow no stop in order: the third in ten minutes is told to its owner."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

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


def note_start(store: Store, tell: Tell, at: datetime) -> None:
    """Keep in mind that the process starts; `tell`, once an hour, if it does so time and again."""
    store.begin(at)
    starts = store.starts_since(at - WITHIN)
    told_at = store.said_at(notices.RESTARTING)
    if starts >= TOLD_FROM and (told_at is None or at - told_at >= AGAIN_AFTER):
        log.error("daemon.restarting", starts=starts)
        tell(notices.restarting(starts, at), notices.RESTARTING)
