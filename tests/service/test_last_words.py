"""The message after a fault: when it is due, that it arrives, and that it does not repeat."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import pytest
from aiohttp import web
from pydantic import SecretStr

from monitor.alerts.ladder import Severity
from monitor.service.last_words import QUIET_FOR, STAMP_NAME, cause, speak
from monitor.settings import ChannelSettings
from tests.alerting import NOON
from tests.service.having import some_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, None),
        ({"SERVICE_RESULT": "success", "EXIT_CODE": "exited", "EXIT_STATUS": "0"}, None),
        (
            {"SERVICE_RESULT": "exit-code", "EXIT_CODE": "exited", "EXIT_STATUS": "1"},
            "it ended with an error (exit-code: exited 1)",
        ),
        (
            {"SERVICE_RESULT": "watchdog", "EXIT_CODE": "killed", "EXIT_STATUS": "ABRT"},
            "it hung and was killed by the watchdog (watchdog: killed ABRT)",
        ),
        ({"SERVICE_RESULT": "new-kind"}, "it failed (new-kind)"),
    ],
)
def test_only_a_fault_has_a_cause(environ: dict[str, str], words: str | None) -> None:
    assert cause(environ) == words


class Receiver:
    """Takes apprise's JSON posts, or refuses them with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.titles: list[str] = []
        self.bodies: list[str] = []
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def channel(self, name: str, severity: Severity = Severity.CRITICAL) -> ChannelSettings:
        url = SecretStr(f"json://127.0.0.1:{self._runner.addresses[0][1]}/")
        return ChannelSettings(name=name, url=url, min_severity=severity)

    async def _take(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.titles.append(said["title"])
        self.bodies.append(said["message"])
        return web.Response(status=self.status)


async def test_every_channel_hears_of_it_with_its_cause(tmp_path: Path) -> None:
    async with Receiver() as phone, Receiver() as team:
        told = await speak(
            some_settings(tmp_path, phone.channel("phone"), team.channel("team")),
            "it crashed",
            NOON,
        )

    assert told
    assert phone.titles == team.titles == ["MONITOR STOPPED: no account is watched right now"]
    assert "has stopped by a fault: it crashed." in phone.bodies[0]


async def test_it_is_said_once_an_hour_at_most(tmp_path: Path) -> None:
    async with Receiver() as phone:
        held = some_settings(tmp_path, phone.channel("phone"))
        said = [
            await speak(held, "it crashed", at)
            for at in (
                NOON,
                NOON + timedelta(seconds=3),
                NOON + QUIET_FOR - timedelta(seconds=1),
                NOON + QUIET_FOR,
            )
        ]

    assert said == [True, False, False, True]
    assert len(phone.titles) == 2


async def test_where_no_stamp_can_be_left_it_is_said_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    async with Receiver() as phone:
        held = some_settings(tmp_path, phone.channel("phone"))
        held = replace(held, state_directory=tmp_path / "a file" / "below")
        assert await speak(held, "it crashed", NOON)

    assert len(phone.titles) == 1


async def test_what_no_channel_took_is_said_again_the_next_time(tmp_path: Path) -> None:
    async with Receiver(status=500) as down, Receiver(status=500) as also_down:
        held = some_settings(tmp_path, down.channel("phone"), also_down.channel("team"))
        assert not await speak(held, "it crashed", NOON)
        also_down.status = 200
        assert await speak(held, "it crashed", NOON + timedelta(seconds=3))


@pytest.mark.parametrize(
    "text", ["", "not a time", "2026-11-22T12:00:00", "2027-11-22T12:00:00+00:00"]
)
async def test_a_stamp_that_says_nothing_keeps_nobody_quiet(text: str, tmp_path: Path) -> None:
    stamp = tmp_path / "state" / STAMP_NAME
    stamp.parent.mkdir()
    stamp.write_text(text, encoding="utf-8")
    async with Receiver() as phone:
        assert await speak(some_settings(tmp_path, phone.channel("phone")), "it crashed", NOON)


async def test_a_channel_that_hangs_does_not_hold_up_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.service.last_words.SEND_SECONDS", 0.3)
    taken = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    silent = ChannelSettings(
        name="silent", url=SecretStr(f"json://127.0.0.1:{port}/"), min_severity=Severity.INFO
    )
    async with Receiver() as phone, asyncio.timeout(3):
        assert await speak(
            some_settings(tmp_path, silent, phone.channel("phone")), "it crashed", NOON
        )
    taken.set()
    server.close()
