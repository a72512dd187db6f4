"""
I/O. The process's own signs of life to systemd: READY=1, WATCHDOG=1, STOPPING=1.

The protocol is one datagram to the socket in $NOTIFY_SOCKET, see sd_notify(3). A watchdog
ping is sent only while the caller can show that evaluation ran lately, so that a stuck engine
ends the process even where the event loop still turns.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = structlog.get_logger()

_SHARE_OF_LIMIT = 3.0


class Systemd:
    """What systemd is told; does nothing where it did not start us."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        microseconds = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit = int(microseconds) / 1e6 if microseconds.isdigit() and ours else 0.0
        self.watchdog_seconds = limit / _SHARE_OF_LIMIT

    def tell(self, state: str) -> None:
        """Send one state; failing to is logged and never raised."""
        if not self._address:
            return
        # A leading @ stands for an abstract socket.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.connect(address)
                sender.sendall(state.encode())
        except OSError as error:
            log.warning("systemd.untold", state=state, because=error.strerror)

    def ready(self) -> None:
        self.tell("READY=1\nSTATUS=watching")

    def stopping(self) -> None:
        self.tell("STOPPING=1")

    async def watch(self, is_alive: Callable[[], bool]) -> None:
        """Ping for ever, at a third of the limit, whenever `is_alive` says so."""
        if not self.watchdog_seconds:
            return
        silent = False
        while True:
            alive = is_alive()
            if alive:
                self.tell("WATCHDOG=1")
            elif not silent:
                log.error("watchdog.withheld", because="no evaluation lately")
            silent = not alive
            await asyncio.sleep(self.watchdog_seconds)
