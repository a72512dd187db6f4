"""
A resolver that is stuck in this process alone: nothing but failing names, for ten minutes.

A fresh process may look names up well while an old one fails for ever; so this one ends, and
systemd starts another. At most once an hour, for it may be the network after all.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.service.hosts import Hosts
    from monitor.storage.store import Store

log = structlog.get_logger()

CHECK_SECONDS = 10.0
STUCK_AFTER = timedelta(minutes=10)
AGAIN_AFTER = timedelta(hours=1)
_STAMP = "restart: names can't be looked up"


class NamesFail(MonitorError):  # noqa: N818 - says what is the matter
    """No name could be looked up for ten minutes: a new process may do better."""


async def watch(hosts: Hosts, store: Store, now: Callable[[], datetime]) -> None:
    """
    For ever.

    Raises:
        NamesFail: If no host answered and every one's name failed for ten minutes.
    """
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        if is_stuck(hosts, now()) and _may_end(store, now()):
            store.keep_quiet(_STAMP, now() + AGAIN_AFTER, now())
            log.error("names.stuck", minutes=STUCK_AFTER.total_seconds() / 60)
            raise NamesFail("no name of any exchange can be looked up: starting anew may help")


def is_stuck(hosts: Hosts, at: datetime) -> bool:
    since = [host.names_fail_since for host in hosts.all().values()]
    return bool(since) and all(s is not None and at - s >= STUCK_AFTER for s in since)


def _may_end(store: Store, at: datetime) -> bool:
    if store.trouble is not None:
        return False  # what is known, and what waits to be sent, would end with the process
    until = store.quiet_until(_STAMP)
    return until is None or at >= until
