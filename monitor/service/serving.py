"""
I/O. From signals to daemons: one after the other, each with the configuration of its time.

SIGTERM and SIGINT end the running one in order; SIGHUP reads the configuration anew and, where
all of it is right, ends the running one and starts another. What is open or not yet delivered
passes from one to the next on disk.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from monitor.errors import ConfigError, MonitorError
from monitor.service import logs
from monitor.service.clock import Clock
from monitor.service.daemon import Daemon
from monitor.service.heartbeat import Systemd

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.exchanges.gate import Host
    from monitor.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, reread: Callable[[], Settings]) -> None:
    """
    Run the daemon until SIGTERM or SIGINT; on SIGHUP stop in order and start with what `reread`
    gives. A configuration that can't be used is told and changes nothing.

    Raises:
        MonitorError: If it had to end; a fault of our own is in the log, redacted.
    """
    logs.set_up(settings.secrets())
    wishes = Wishes(settings, reread)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wishes.end)
    loop.add_signal_handler(signal.SIGHUP, wishes.reload)
    try:
        while (daemon := wishes.take()) is not None:
            await daemon.run(wishes.stop)
    except MonitorError:
        raise
    except Exception:  # the end of the process: said through the log, which hides secrets
        log.exception("daemon.died")
        raise MonitorError("ended by a fault of the monitor itself; the log says which") from None
    # Only now: to systemd it means that the process won't be back.
    Systemd().stopping()


class Wishes:
    """What signals asked for: a daemon to run (next), and an end of the one that runs."""

    def __init__(self, settings: Settings, reread: Callable[[], Settings]) -> None:
        self.stop = asyncio.Event()
        self._settings = settings
        self._following: Settings | None = settings
        self._reread = reread
        self._ended = False
        self._running: Daemon | None = None
        # What outlives a reload: exchanges go on counting, and by the same clock so do we.
        self._clock = Clock()
        self._known_hosts: dict[str, Host] = {}

    def take(self) -> Daemon | None:
        """The daemon to run next, None when it is time to end."""
        following, self._following = self._following, None
        if following is None or self._ended:
            return None
        self.stop.clear()
        logs.set_up((*self._settings.secrets(), *following.secrets()))
        self._settings = following
        self._running = Daemon(following, self._clock, self.reread, self._known_hosts)
        return self._running

    def end(self) -> None:
        if not self._ended and self._running is not None:
            self._running.tell_stopped()
        self._ended = True
        self.stop.set()

    def reload(self) -> None:
        """As `reread`; what is refused is told to the owner alone."""
        with suppress(ConfigError):
            self.reread()

    def reread(self) -> None:
        """
        Take up the configuration anew: all of it, or, where it can't be used, nothing.

        Raises:
            ConfigError: If it can't be used; that was told by then.
        """
        try:
            following = self._reread()
            self._refuse_what_would_lose(following)
        except ConfigError as error:
            log.error("config.refused", mistakes=error.mistakes)  # noqa: TRY400 - no fault of ours
            if self._running is not None:
                self._running.tell_refused_config(error.mistakes)
            raise
        log.info("config.read")
        self._following = following
        if self._running is not None:
            self._running.has_successor = not self._ended
        self.stop.set()

    def _refuse_what_would_lose(self, following: Settings) -> None:
        """What is open passes to the next daemon by the state directory, and only by it."""
        if following.state_directory != self._settings.state_directory:
            raise ConfigError("state.directory can't change while it runs: restart for that")
        trouble = None if self._running is None else self._running.state_trouble
        if trouble is not None:
            raise ConfigError(f"what is known now would be lost, for it is not on disk: {trouble}")
