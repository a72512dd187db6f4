"""An orderly new start before the process is killed for its memory."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

import pytest

from monitor.service import memory

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
GROUP = "/system.slice/margin-monitor.service"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's files, with a limit of 600 MiB for this process."""
    monkeypatch.setattr(memory, "CHECK_SECONDS", 0.001)
    (tmp_path / "proc/self").mkdir(parents=True)
    group = tmp_path / "sys/fs/cgroup" / GROUP[1:]
    group.mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"0::{GROUP}\n")
    (group / "memory.max").write_text(f"{600 * MIB}\n")
    hold(tmp_path, 100)
    return tmp_path


def hold(machine: Path, mebibytes: int) -> None:
    pages = mebibytes * MIB // resource.getpagesize()
    (machine / "proc/self/statm").write_text(f"9999999 {pages} 0 0 0 0 0\n")


async def watched(machine: Path) -> None:
    async with asyncio.timeout(0.1):
        await memory.watch(machine)


async def test_at_four_fifths_of_its_limit_the_process_ends_in_order(machine: Path) -> None:
    hold(machine, 479)
    with pytest.raises(TimeoutError):
        await watched(machine)
    hold(machine, 480)
    with pytest.raises(memory.TooLarge, match="480 MiB"):
        await watched(machine)


async def test_a_peak_that_passes_is_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([500, 500, 100] * 1_000)
    monkeypatch.setattr(memory, "held_bytes", lambda _: next(looks) * MIB)
    with pytest.raises(TimeoutError):
        await watched(machine)


@pytest.mark.parametrize("text", ["max\n", ""])
async def test_without_a_limit_there_is_none(machine: Path, text: str) -> None:
    (machine / "sys/fs/cgroup" / GROUP[1:] / "memory.max").write_text(text)
    hold(machine, 5_000)
    with pytest.raises(TimeoutError):
        await watched(machine)


def test_an_older_machine_has_none(tmp_path: Path) -> None:
    assert memory.limit_bytes(tmp_path) is None


def test_what_is_really_held_is_some_mebibytes() -> None:
    assert 10 * MIB < memory.held_bytes() < 4096 * MIB
