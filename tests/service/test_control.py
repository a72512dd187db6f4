"""The socket into the daemon: who may open it, where it is found, what its answers mean."""

from __future__ import annotations

import asyncio
import shutil
import socket
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.errors import ConfigError, MonitorError, RiskError, WrongUsage
from monitor.service import control
from monitor.service.control import (
    SOCKET_NAME,
    ControlServer,
    NotRunning,
    ask,
    ask_bytes,
    socket_of_daemon,
    socket_path,
)
from tests.end_to_end.stage import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setattr(control, "UNIT_DIRECTORY", tmp_path / "run")


async def _capture(account: str) -> bytes:
    if account != "main":
        raise MonitorError(f"'{account}': accounts here are main")
    return b'{"account": "main"}'


def _whatif(account: str, words: Mapping[str, list[str]]) -> object:
    if account == "nobody":
        raise WrongUsage("'nobody': accounts here are main")
    if account == "never":
        raise RiskError("never was never read")
    return {"account": account, **words}


async def _check(send_test: bool) -> object:
    return [{"what": "channels", "ok": True, "found": "sent" if send_test else "configured"}]


def _reload() -> None:
    raise ConfigError("m.toml:3: accounts.0.pol_seconds: unknown key", "m.toml:9: and another")


def serving(path: Path) -> ControlServer:
    return ControlServer(
        path,
        status=lambda shocks: {"accounts": [], "with": shocks},
        capture=_capture,
        whatif=_whatif,
        check=_check,
        reload=_reload,
    )


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[Path]:
    path = folder / SOCKET_NAME
    server = serving(path)
    await server.start()
    keeping = asyncio.create_task(server.keep())
    try:
        yield path
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await server.stop()


async def test_it_answers_what_is_known(tmp_path: Path) -> None:
    async with listening(tmp_path):
        assert await ask(tmp_path, "GET", "/status") == {"accounts": [], "with": False}
        assert await ask(tmp_path, "GET", "/status?shocks=1") == {"accounts": [], "with": True}
        assert await ask_bytes(tmp_path, "POST", "/capture/main") == b'{"account": "main"}'


@pytest.mark.parametrize(("query", "found"), [("", "configured"), ("?send_test=1", "sent")])
async def test_it_makes_the_checks(query: str, found: str, tmp_path: Path) -> None:
    async with listening(tmp_path):
        assert await ask(tmp_path, "POST", f"/check{query}") == [
            {"what": "channels", "ok": True, "found": found}
        ]


async def test_what_could_not_be_done_is_told_in_the_daemons_words(tmp_path: Path) -> None:
    async with listening(tmp_path):
        with pytest.raises(MonitorError, match="'other': accounts here are main"):
            await ask_bytes(tmp_path, "POST", "/capture/other")


async def test_it_supposes_a_change_in_the_words_that_were_typed(tmp_path: Path) -> None:
    async with listening(tmp_path):
        asked = "/whatif/main?move=BTC%3D-10%25&move=ETH%3D%2B5%25&all=-1%25"
        assert await ask(tmp_path, "POST", asked) == {
            "account": "main",
            "move": ["BTC=-10%", "ETH=+5%"],
            "all": ["-1%"],
        }


@pytest.mark.parametrize(
    ("account", "kind", "said"),
    [
        ("nobody", WrongUsage, "'nobody': accounts here are main"),
        ("never", RiskError, "never was never read"),
    ],
)
async def test_what_kind_of_failure_it_was_comes_through(
    account: str, kind: type[MonitorError], said: str, tmp_path: Path
) -> None:
    async with listening(tmp_path):
        with pytest.raises(kind, match=said):
            await ask(tmp_path, "POST", f"/whatif/{account}")


async def test_a_config_that_is_refused_is_told_with_every_mistake_f81(tmp_path: Path) -> None:
    async with listening(tmp_path):
        with pytest.raises(ConfigError, match=r"unknown key\nm.toml:9: and another"):
            await ask_bytes(tmp_path, "POST", "/reload")


async def test_figures_that_cannot_be_shocked_are_told(tmp_path: Path) -> None:
    def status(_: bool) -> object:
        raise RiskError("no mark price is known for SOLUSDT")

    server = ControlServer(
        tmp_path / SOCKET_NAME,
        status=status,
        capture=_capture,
        whatif=_whatif,
        check=_check,
        reload=_reload,
    )
    await server.start()
    try:
        with pytest.raises(RiskError, match="SOLUSDT"):
            await ask(tmp_path, "GET", "/status?shocks=1")
    finally:
        await server.stop()


async def test_only_its_user_and_group_may_open_it(tmp_path: Path) -> None:
    async with listening(tmp_path) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


async def test_nothing_is_left_behind_and_what_was_is_replaced(tmp_path: Path) -> None:
    (tmp_path / SOCKET_NAME).write_bytes(b"")
    async with listening(tmp_path) as path:
        assert path.is_socket()
    assert not path.exists()


@pytest.fixture
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LOOK_SECONDS", 0.05)


@pytest.mark.usefixtures("_looking_often")
async def test_where_its_directory_was_removed_it_is_back_once_that_is_there(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    async with listening(folder) as path:
        shutil.rmtree(folder)
        with capture_logs() as logs:
            await until(lambda: logs, "that it is gone is said")
            await asyncio.sleep(0.2)
            assert [(row["event"], row["because"]) for row in logs] == [
                ("surface.unavailable", "No such file or directory")
            ]
            folder.mkdir()
            await until(lambda: len(logs) > 1, "that it is back is said")
        assert [row["event"] for row in logs][1:] == ["surface.restored"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert await ask(folder, "GET", "/status") == {"accounts": [], "with": False}
    assert not path.exists()


async def test_one_that_is_ended_as_it_begins_to_listen_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[asyncio.Server] = []
    begin = asyncio.Server.start_serving

    async def held_up(server: asyncio.Server) -> None:
        begun.append(server)
        await begin(server)
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.Server, "start_serving", held_up)
    path = tmp_path / SOCKET_NAME
    server = serving(path)
    starting = asyncio.create_task(server.start())
    await until(lambda: begun and begun[0].is_serving(), "it begins to listen")
    (listener,) = begun[0].sockets
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await server.stop()
    assert listener.fileno() == -1
    assert not path.exists()


@pytest.mark.usefixtures("_looking_often")
async def test_what_another_process_put_in_its_place_is_left_to_it(tmp_path: Path) -> None:
    async with listening(tmp_path) as path:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            theirs = path.stat().st_ino
            await asyncio.sleep(0.2)
            assert path.stat().st_ino == theirs
    assert path.stat().st_ino == theirs


async def test_without_a_daemon_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no daemon answers at"):
        await ask(tmp_path, "GET", "/status")


async def test_a_socket_that_a_killed_daemon_left_is_no_daemon(tmp_path: Path) -> None:
    (tmp_path / SOCKET_NAME).write_bytes(b"")
    with pytest.raises(NotRunning):
        await ask(tmp_path, "GET", "/status")


def test_systemd_says_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert socket_path(tmp_path) == tmp_path / SOCKET_NAME
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/other")
    assert str(socket_path(tmp_path)) == f"/run/other/{SOCKET_NAME}"


def test_a_command_looks_where_the_unit_puts_it_if_it_is_nowhere_else(tmp_path: Path) -> None:
    ours, of_unit = tmp_path / "state", tmp_path / "run"
    assert socket_of_daemon(ours) == ours / SOCKET_NAME
    of_unit.mkdir()
    (of_unit / SOCKET_NAME).touch()
    assert socket_of_daemon(ours) == of_unit / SOCKET_NAME
    ours.mkdir()
    (ours / SOCKET_NAME).touch()
    assert socket_of_daemon(ours) == ours / SOCKET_NAME
