"""I/O. A channel's far end for the demo: takes apprise's JSON posts and notes when they came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from monitor.exchanges.payload import Row, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as it arrived."""

    at: datetime
    title: str
    body: str


class Receiver:
    """An HTTP server on a free loopback port; `url` is what apprise is given."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.messages: asyncio.Queue[Received] = asyncio.Queue()
        self._now = now
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def start(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port: int = self._runner.addresses[0][1]
        return f"json://127.0.0.1:{port}/"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        row = Row(parse_json(await request.read()), "message")
        self.messages.put_nowait(
            Received(at=self._now(), title=row.text("title"), body=row.text("message"))
        )
        return web.Response(text="taken")
