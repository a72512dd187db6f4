"""I/O. How parts of the daemon begin and end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = structlog.get_logger()


async def offer(what: str, starting: Awaitable[None]) -> None:
    """Start what only shows: without it the accounts are watched all the same."""
    try:
        await starting
    except OSError as error:
        log.error("surface.unavailable", what=what, because=error.strerror or str(error))  # noqa: TRY400 - the reason says it


async def end(*tasks: asyncio.Task[object]) -> None:
    """Cancel these and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
