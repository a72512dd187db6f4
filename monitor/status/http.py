"""
I/O. What the daemon knows, over HTTP on loopback. It shows and changes nothing.

A request must name this very host (a page elsewhere that has rebound its name to 127.0.0.1 is
turned away), and may only GET.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web
from rich.console import Console

from monitor.status.metrics import Metrics
from monitor.status.report import report, to_json
from monitor.status.table import table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from monitor.status.board import Board
    from monitor.status.metrics import InUse

NAMES = ("localhost", "127.0.0.1", "[::1]")
PAGE_WIDTH = 200
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PAGE = """<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>margin-monitor</title>
<style>body{{font-family:ui-monospace,monospace;margin:2rem}}pre{{overflow-x:auto}}</style>
<h1>margin-monitor</h1><pre>{table}</pre>
<p>As of {at}. The same as JSON: <a href="/api/v1/status">/api/v1/status</a></p>
"""


class StatusServer:
    """
    `/healthz`, `/metrics`, `/api/v1/status` and a page, on `host`:`port` (0 takes a free one).

    `is_told` says whether an account's trouble has been told to somebody; `limits` what is used
    of the exchanges' limits, by host.
    """

    def __init__(
        self,
        board: Board,
        *,
        host: str,
        port: int,
        is_told: Callable[[str], bool] = lambda _account: False,
        limits: Callable[[], Iterable[tuple[str, InUse]]] = tuple,
    ) -> None:
        self.host = host
        self.port = port
        self._board = board
        self._is_told = is_told
        self._metrics = Metrics(board, limits)
        self._now: Callable[[], datetime] | None = None
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._get_metrics)
        app.router.add_get("/api/v1/status", self._status)
        app.router.add_get("/", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self, now: Callable[[], datetime]) -> None:
        """
        Listen.

        Raises:
            OSError: If the address can't be had.
        """
        self._now = now
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        name = re.sub(r":\d+$", "", request.headers.get("Host", ""))
        if name not in (*NAMES, self.host):
            raise web.HTTPMisdirectedRequest(text="this server is called localhost\n")
        response = await handler(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    def _at(self) -> datetime:
        if self._now is None:
            raise web.HTTPServiceUnavailable
        return self._now()

    def _report(self) -> dict[str, object]:
        return report(self._board.assessments(), self._at())

    async def _healthz(self, _: web.Request) -> web.Response:
        """200 while every account is fresh or its trouble has been told, else 503 and why."""
        untold = [
            because
            for account, because in self._board.troubles(self._at())
            if not self._is_told(account)
        ]
        return web.Response(
            status=503 if untold else 200, text="\n".join(untold or ["fresh or told"]) + "\n"
        )

    async def _get_metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=self._metrics.text(), content_type="text/plain")

    async def _status(self, _: web.Request) -> web.Response:
        return web.Response(text=to_json(self._report()), content_type="application/json")

    async def _page(self, _: web.Request) -> web.Response:
        data = self._report()
        console = Console(no_color=True, highlight=False, width=PAGE_WIDTH, record=True)
        with console.capture() as captured:
            console.print(table(data))
        page = _PAGE.format(table=escape(captured.get()), at=escape(str(data["at"])))
        return web.Response(text=page, content_type="text/html")
