"""
I/O. An orderly new start before the machine ends the process for its memory.

A process that is killed at its limit loses what it is doing; one that ends by itself at four
fifths of it delivers first what is due, and goes on as it was from disk.

Source: cgroups(7), version 2: `memory.max` of the group named in /proc/self/cgroup.
"""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import structlog

from monitor.errors import MonitorError

log = structlog.get_logger()

CHECK_SECONDS = 10.0
SHARE = 0.8
# So many looks in a row: a large answer that is being read is gone by the next.
AGREEING = 3
_ROOT = Path("/")


class TooLarge(MonitorError):  # noqa: N818 - says what is the matter
    """The process needs more memory than is good: a new one starts small."""


async def watch(root: Path = _ROOT) -> None:
    """
    For ever; without a limit nothing is looked at.

    Raises:
        TooLarge: If the process holds four fifths of what it may, three looks in a row.
    """
    limit = limit_bytes(root)
    above = 0
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        held = held_bytes(root)
        above = above + 1 if limit is not None and held >= SHARE * limit else 0
        if above == AGREEING:
            log.error("memory.large", mebibytes=held >> 20)
            raise TooLarge(f"{held >> 20} MiB of memory are held: starting anew in order")


def held_bytes(root: Path = _ROOT) -> int:
    """Resident memory of this process."""
    pages = int((root / "proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def limit_bytes(root: Path = _ROOT) -> int | None:
    """The memory that this process's control group may hold; None where there is no limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        group = next(line[3:] for line in lines if line.startswith("0::"))
        text = (root / "sys/fs/cgroup" / group.lstrip("/") / "memory.max").read_text("ascii")
    except (OSError, StopIteration, UnicodeDecodeError):
        return None
    return int(text) if text.strip().isdigit() else None
