"""
I/O. Memory that grows until the kernel ends the process: better to end in order before that.

Near the limit that systemd or a container sets (`memory.max` of the process's cgroup, see
https://docs.kernel.org/admin-guide/cgroup-v2.html) the process ends with its state saved, and is
started again by whoever started it. At most once an hour: where that does not help, memory is
simply too small, and the kernel has the last word.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from monitor.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.storage.store import Store

log = structlog.get_logger()

CHECK_SECONDS = 10.0
SHARE = 0.8
AGAIN_AFTER = timedelta(hours=1)
_STAMP = "restart: memory runs out"
_MIB = 1024 * 1024


class MemoryRunsOut(MonitorError):  # noqa: N818 - says what is the matter
    """The process holds nearly all the memory that it may: a new one needs less."""


def limit_bytes(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The least of the limits on this process's memory; None where there is none."""
    try:
        own = (proc / "self" / "cgroup").read_text(encoding="ascii").strip().rpartition("::/")[2]
    except (OSError, ValueError):
        return None
    folder = cgroups / own
    limits = [_limit(each) for each in (folder, *folder.parents) if each.is_relative_to(cgroups)]
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(folder: Path) -> int | None:
    try:
        text = (folder / "memory.max").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None


def resident_bytes(proc: Path = Path("/proc")) -> int:
    """What this process holds in memory now."""
    pages = int((proc / "self" / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def watch(
    store: Store,
    now: Callable[[], datetime],
    *,
    limit: int | None,
    resident: Callable[[], int] = resident_bytes,
) -> None:
    """
    For ever; without a limit nothing is looked at.

    Raises:
        MemoryRunsOut: At four fifths of the limit, if it was not raised within the last hour.
    """
    while limit is not None:
        await asyncio.sleep(CHECK_SECONDS)
        held, until = resident(), store.quiet_until(_STAMP)
        # Where the state is not on disk, what is known would end with the process.
        may_end = store.trouble is None and (until is None or now() >= until)
        if held >= limit * SHARE and may_end:
            store.keep_quiet(_STAMP, now() + AGAIN_AFTER, now())
            log.error("memory.short", held_mib=held // _MIB, limit_mib=limit // _MIB)
            raise MemoryRunsOut(
                f"{held // _MIB} MiB of the {limit // _MIB} MiB allowed are in use: starting anew"
            )
    await asyncio.Event().wait()
