"""What systemd is told, over a real datagram socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.service.heartbeat import Systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(2)
        yield receiver, address


def test_ready_and_stopping_are_told(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    systemd = Systemd({"NOTIFY_SOCKET": address})
    systemd.ready()
    systemd.stopping()
    assert receiver.recv(100).startswith(b"READY=1")
    assert receiver.recv(100) == b"STOPPING=1"


def test_an_abstract_socket_is_spoken_to() -> None:
    name = f"margin-monitor-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(2)
        Systemd({"NOTIFY_SOCKET": "@" + name}).ready()
        assert receiver.recv(100).startswith(b"READY=1")


async def test_pings_come_only_while_evaluation_runs(manager: tuple[socket.socket, str]) -> None:
    receiver, address = manager
    receiver.setblocking(False)
    alive = True
    systemd = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000"})
    assert systemd.watchdog_seconds == pytest.approx(0.02)
    task = asyncio.create_task(systemd.watch(lambda: alive))
    await asyncio.sleep(0.1)
    assert receiver.recv(100) == b"WATCHDOG=1"
    alive = False
    await asyncio.sleep(0.05)
    while True:
        try:
            receiver.recv(100)
        except BlockingIOError:
            break
    await asyncio.sleep(0.1)
    with pytest.raises(BlockingIOError):
        receiver.recv(100)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_systemd_nothing_is_said() -> None:
    systemd = Systemd({})
    systemd.ready()
    assert systemd.watchdog_seconds == 0
    await asyncio.wait_for(systemd.watch(lambda: True), 1)


def test_a_watchdog_meant_for_another_process_is_not_ours() -> None:
    assert Systemd({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).watchdog_seconds == 0


def test_a_socket_that_is_gone_raises_nothing(tmp_path: Path) -> None:
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
