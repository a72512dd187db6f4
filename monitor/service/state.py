"""I/O. The state on disk while the daemon runs: mended where it can be, told where it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from monitor.service import notices

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.storage import Store

log = structlog.get_logger()

CHECK_SECONDS = 1.0
MEND_SECONDS = 5.0


async def notice_state(
    store: Store, tell: Callable[[Notification], None], now: Callable[[], datetime]
) -> None:
    """When the disk begins to fail, and when it is well again: told once each, for ever."""
    # What the notices of the opening did not tell is news, however early it began.
    before = store.trouble if store.notices else None
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if loop.time() >= due:
            due = loop.time() + MEND_SECONDS
            for notice in store.mend(now()):
                log.error("state.unsound", because=notice)
                tell(notices.state_fails(notice, now()))
        trouble = store.trouble
        if (trouble is None) is not (before is None):
            log.error("state.failing" if trouble else "state.recovered", because=trouble)
            tell(
                notices.state_recovers(now())
                if trouble is None
                else notices.state_fails(f"{trouble}; alerts don't outlive this process", now())
            )
        before = store.trouble
