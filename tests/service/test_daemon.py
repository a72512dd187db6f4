"""What must not keep the daemon from watching."""

import socket
from pathlib import Path

import pytest

from monitor.service import control
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
