"""Memory that runs out: the process ends in order before the kernel ends it. F-17."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.service import memory
from monitor.storage import open_store
from tests.alerting import NOON

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


async def ends(folder: Path, held: int, limit: int | None, after: timedelta = timedelta()) -> bool:
    """Whether the watch ends the process within some looks, as the state in `folder` has it."""
    store = open_store(folder, NOON)
    try:
        async with asyncio.timeout(0.1):
            await memory.watch(store, lambda: NOON + after, limit=limit, resident=lambda: held)
    except memory.MemoryRunsOut:
        return True
    except TimeoutError:
        return False
    finally:
        store.close()
    return False


async def test_four_fifths_of_the_limit_end_it_and_less_does_not_f17(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CHECK_SECONDS", 0.01)

    assert not await ends(tmp_path, 479 * MIB, 600 * MIB)
    assert not await ends(tmp_path, 9999 * MIB, None)
    assert await ends(tmp_path, 480 * MIB, 600 * MIB)


async def test_it_does_so_once_an_hour_at_most_over_restarts_f17(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CHECK_SECONDS", 0.01)
    assert await ends(tmp_path, 500 * MIB, 600 * MIB)

    assert not await ends(tmp_path, 500 * MIB, 600 * MIB, timedelta(minutes=59))
    assert await ends(tmp_path, 500 * MIB, 600 * MIB, timedelta(minutes=60))


async def test_it_does_not_end_what_is_on_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CHECK_SECONDS", 0.01)
    (tmp_path / "no-directory").touch()

    assert not await ends(tmp_path / "no-directory", 500 * MIB, 600 * MIB)


def test_the_limit_is_the_least_of_the_group_and_those_above_it(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("0::/system.slice/margin-monitor.service\n")
    unit = groups / "system.slice" / "margin-monitor.service"
    unit.mkdir(parents=True)
    assert memory.limit_bytes(proc, groups) is None

    (unit / "memory.max").write_text("629145600\n")
    (unit.parent / "memory.max").write_text("max\n")
    assert memory.limit_bytes(proc, groups) == 600 * MIB

    (groups / "memory.max").write_text("524288000\n")
    assert memory.limit_bytes(proc, groups) == 500 * MIB


def test_what_is_held_is_that_of_this_process() -> None:
    before = memory.resident_bytes()
    held = bytearray(b"\xff" * 64 * MIB)

    assert memory.resident_bytes() - before >= 60 * MIB
    assert len(held) == 64 * MIB


@pytest.mark.parametrize("text", ["", "1:name=systemd:/a\n"])
def test_without_a_group_of_its_own_there_is_no_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "self").mkdir()
    if text:
        (tmp_path / "self" / "cgroup").write_text(text)
    assert memory.limit_bytes(tmp_path, tmp_path / "none") is None
