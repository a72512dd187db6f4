"""
I/O. The dead man's switch: a ping to somebody else's URL for as long as all is well.

A machine that is gone can tell nobody. A service such as healthchecks.io tells its owner when
pings stay away, so one is sent only while every account is fresh or its trouble was told, and
messages get through. The URL is a secret: whoever has it can keep the service quiet.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import structlog

from monitor.delivery.address import leads_to_link_local

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = structlog.get_logger()

ANSWER_SECONDS = 10.0
# Trouble for so long is said outright, not by silence alone.
FAILS_AFTER = timedelta(minutes=5)
_OK = 200


class DeadMan:
    """
    Pings `url` every `seconds` while `trouble` gives None.

    After five minutes of trouble, and when the daemon stops in order, `url`/fail is asked
    once: healthchecks.io and its kin alarm at once then. `trouble` is a sentence for the log.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        trouble: Callable[[], str | None],
        now: Callable[[], datetime],
    ) -> None:
        self._url = url
        self._seconds = seconds
        self._trouble = trouble
        self._now = now
        self._since: datetime | None = None
        self._failed = False
        self._unheard = False

    async def run(self) -> None:
        """Ping for ever. A ping that fails is logged the first time, and tried again in turn."""
        while True:
            await self.beat()
            await asyncio.sleep(self._seconds)

    async def beat(self) -> None:
        """One turn: a ping, or, in trouble, none; or the word that it has failed."""
        because = self._trouble()
        if because is None:
            if self._since is not None:
                log.info("dead_man.resumed")
            self._since, self._failed = None, False
            await self._ask(self._url)
            return
        if self._since is None:
            self._since = self._now()
            log.warning("dead_man.withheld", because=because)
        if not self._failed and self._now() - self._since >= FAILS_AFTER:
            self._failed = await self._ask(self._url + "/fail")

    async def stopped(self) -> None:
        """The daemon stops: nobody watches from here on, which its owner should hear."""
        await self._ask(self._url + "/fail")

    async def _ask(self, url: str) -> bool:
        because = await _asked(url)
        if because is None and self._unheard:
            log.info("dead_man.heard")
        if because is not None and not self._unheard:
            log.warning("dead_man.unheard", because=because)
        self._unheard = because is not None
        return because is None


async def _asked(url: str) -> str | None:
    """None where the service took it, else why not; no text of it holds the URL."""
    host = urlsplit(url).hostname or ""
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if await loop.run_in_executor(None, leads_to_link_local, host):
                return "the address leads to a link-local or metadata service"
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                return None if answer.status == _OK else f"it answered with HTTP {answer.status}"
    except TimeoutError:
        return f"no answer within {ANSWER_SECONDS:g} s"
    except (aiohttp.ClientError, OSError) as error:
        return f"it can't be reached ({type(error).__name__})"
