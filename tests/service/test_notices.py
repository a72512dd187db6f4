"""What the monitor says about itself, and that the other channels hear of a dead one."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

from aiohttp import web

from monitor.alerts.ladder import Severity
from monitor.service import notices, state
from monitor.service.daemon import Daemon
from monitor.settings import load_settings
from monitor.storage.database import FILE_NAME
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Receivers:
    """Two channels on loopback: `/good` takes every message, `/gone` answers 404."""

    def __init__(self) -> None:
        self.titles: asyncio.Queue[str] = asyncio.Queue()
        app = web.Application()
        app.router.add_post("/good", self._take)
        app.router.add_route("*", "/{rest:.*}", self._refuse)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self.port = 0

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.titles.put_nowait(str((await request.json())["title"]))
        return web.Response()

    async def _refuse(self, _: web.Request) -> web.Response:
        return web.Response(status=404, text="{}")

    async def until(self, words: str) -> str:
        async with asyncio.timeout(15):
            while words not in (title := await self.titles.get()):
                pass
        return title


def a_daemon(tmp_path: Path, port: int) -> Daemon:
    config = tmp_path / "m.toml"
    config.touch(mode=0o600)
    config.write_text(
        f"""
[[accounts]]
name = "main"
exchange = "bybit"
api_key = "sim-key"
api_secret = "sim-secret"
rest_url = "http://127.0.0.1:{port}/bybit"
ws_url = "ws://127.0.0.1:{port}/bybit"
[[channels]]
name = "gone"
url = "json://127.0.0.1:{port}/gone"
[[channels]]
name = "good"
url = "json://127.0.0.1:{port}/good"
[state]
directory = "{tmp_path / "state"}"
[http]
listen = "127.0.0.1:0"
""",
        encoding="utf-8",
    )
    return Daemon(load_settings(config, {}))


async def test_the_other_channels_hear_of_one_that_refuses_for_good(tmp_path: Path) -> None:
    receivers = Receivers()
    await receivers.start()
    # A word about a broken state gives both channels something to deliver at once.
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE_NAME).write_bytes(b"rubbish" * 1000)
    stop = asyncio.Event()
    running = asyncio.create_task(a_daemon(tmp_path, receivers.port).run(stop))
    try:
        assert await receivers.until("state on disk") == "WARNING the monitor's state on disk"
        refused = await receivers.until("'gone'")
        assert refused == "WARNING channel 'gone' takes no messages"
    finally:
        stop.set()
        await running
        await receivers.stop()


async def test_a_disk_that_fails_is_told_once_and_so_is_its_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "CHECK_SECONDS", 0.02)
    receivers = Receivers()
    await receivers.start()
    stop = asyncio.Event()
    daemon = a_daemon(tmp_path, receivers.port)
    running = asyncio.create_task(daemon.run(stop))
    try:
        while daemon._courier is None:  # noqa: ASYNC110 - nothing else tells that it is built
            await asyncio.sleep(0.01)
        store = daemon._opened()
        assert store._writer.database is not None
        store._writer.database.wait_for_others(1)
        other = sqlite3.connect(tmp_path / "state" / FILE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.note_watched("another", NOON)
        told = await receivers.until("state on disk")
        assert told == "WARNING the monitor's state on disk"
        other.close()
        store.note_watched("a third", NOON)
        told = await receivers.until("state on disk")
        assert told == "RESOLVED the monitor's state on disk"
    finally:
        stop.set()
        await running
        await receivers.stop()


def test_each_notice_is_a_message_of_its_own() -> None:
    first = notices.channel_refuses("phone", "HTTP 404", at(0))
    again = notices.channel_refuses("phone", "HTTP 404", at(0.5))

    assert first.id != again.id
    assert first.incident_id == ""
    assert first.severity is Severity.WARNING
    assert first.step is None
    assert first.body.startswith("Channel 'phone' refuses messages for good: HTTP 404.\n")
    assert first.useful_until == at(86400)
    assert notices.state_fails("the disk is full", NOON).body.startswith("The disk is full.\n")
