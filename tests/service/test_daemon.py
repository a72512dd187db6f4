"""What must not keep the daemon from watching."""

import shutil
import socket
from pathlib import Path

import pytest

from monitor.service import control, state
from tests.end_to_end.stage import watching
from tests.service.scene import the_scene


async def test_a_port_that_is_taken_does_not_stop_the_watching(tmp_path: Path) -> None:
    async with the_scene(tmp_path) as scene:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            text = scene.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
            scene.config.write_text(text)
            async with watching(scene.config) as daemon:
                await daemon.fresh(scene.account)
                events = [row["event"] for row in daemon.logged()]
                assert "surface.unavailable" in events


async def test_a_socket_that_can_t_be_had_does_not_stop_the_watching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "SOCKET_NAME", "x" * 120)
    async with the_scene(tmp_path) as scene, watching(scene.config) as daemon:
        await daemon.fresh(scene.account)
        assert [row["what"] for row in daemon.logged() if row["event"] == "surface.unavailable"]


async def test_a_daemon_is_alive_until_its_engines_had_time_to_begin(tmp_path: Path) -> None:
    async with the_scene(tmp_path) as scene, watching(scene.config) as daemon:
        assert daemon.daemon._is_alive()
        await daemon.fresh(scene.account)
        assert daemon.daemon._is_alive()
        assert "watchdog.withheld" not in [row["event"] for row in daemon.logged()]


async def test_the_socket_comes_back_with_a_state_directory_that_was_removed_f58(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setattr(control, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(state, "MEND_SECONDS", 0.1)
    async with the_scene(tmp_path) as scene, watching(scene.config) as daemon:
        await daemon.fresh(scene.account)
        shutil.rmtree(tmp_path / "state")
        # The store makes it again and locks it; only then is there a place for the socket.
        path = tmp_path / "state" / control.SOCKET_NAME
        await daemon.until(path.exists, "the socket is back")
        answer = await control.ask(tmp_path / "state", "GET", "/status")
        assert isinstance(answer, dict)
        assert answer["accounts"][0]["name"] == scene.account
