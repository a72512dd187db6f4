"""
I/O. What keeps this process's secrets in this process: no core dump, no look from outside.

Source: prctl(2), PR_SET_DUMPABLE: no core is written, and no other process of the same user
may attach or read its memory.
"""

from __future__ import annotations

import ctypes
import resource

import structlog

log = structlog.get_logger()

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Forbid core dumps and a look into this process; where that can't be had, it is said."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        refused = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        refused = -1
    if refused:
        log.warning("process.dumpable")
