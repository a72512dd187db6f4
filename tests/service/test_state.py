"""A state file that fails: told once, and so is its recovery, which needs nobody."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from monitor.service import state
from monitor.storage import open_store
from monitor.storage.database import FILE_NAME
from tests.alerting import NOON, a_notification, an_incident

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from monitor.alerts.message import Notification
    from monitor.storage import Store

FAILS, RECOVERS = "WARNING the monitor's state on disk", "RESOLVED the monitor's state on disk"


class Told:
    def __init__(self) -> None:
        self.messages: list[Notification] = []
        self.news = asyncio.Event()

    def __call__(self, message: Notification) -> None:
        self.messages.append(message)
        self.news.set()

    async def until(self, *titles: str) -> None:
        async with asyncio.timeout(5):
            while [message.title for message in self.messages] != list(titles):
                self.news.clear()
                await self.news.wait()


def damage(store: Store, directory: Path) -> None:
    """Rubbish in the place of what SQLite has to read again."""
    assert store._writer.database is not None
    with store._writer.database.reading() as connection:
        connection.execute("PRAGMA shrink_memory").close()
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        path = directory / name
        path.write_bytes(b"\xff" * path.stat().st_size)


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


@asynccontextmanager
async def noticing(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Told]:
    monkeypatch.setattr(state, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(state, "MEND_SECONDS", 0.02)
    told = Told()
    task = asyncio.create_task(state.notice_state(store, told, lambda: NOON))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


async def test_a_locked_file_is_told_once_and_mends_itself_f73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, NOON)
    assert store._writer.database is not None
    store._writer.database.wait_for_others(1)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    async with noticing(store, monkeypatch) as told:
        other.execute("BEGIN IMMEDIATE")
        store.record(an_incident(), a_notification(), ["phone"])
        await told.until(FAILS)
        assert "locked; alerts don't outlive this process" in told.messages[0].body
        other.close()
        await told.until(FAILS, RECOVERS)


async def test_a_file_that_could_not_be_opened_is_told_when_it_can_f58(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").touch()
    store = open_store(tmp_path / "state", NOON)
    async with noticing(store, monkeypatch) as told:
        (tmp_path / "state").unlink()
        # That it fails is among the notices of the opening, which the daemon tells.
        await told.until(RECOVERS)
    assert (tmp_path / "state" / FILE_NAME).exists()


async def test_a_file_that_breaks_while_it_is_used_is_put_aside_f74(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, NOON)
    store.record(an_incident(), a_notification(), ["phone"])
    async with noticing(store, monkeypatch) as told:
        damage(store, tmp_path)
        store.record(an_incident("i2"), a_notification("i2-1", "i2"), ["phone"])
        async with asyncio.timeout(5):
            while store.trouble is not None or not told.messages:  # noqa: ASYNC110 - by whichever comes last
                await asyncio.sleep(0.01)
    assert "history lost, monitoring on" in "".join(m.body for m in told.messages)
    assert any(".broken-" in name for name in names(tmp_path))
    again = open_store(tmp_path, NOON)
    assert [row.notification.id for row in again.unsettled("phone")] == ["i1-1", "i2-1"]
    assert {incident.id for incident in again.open_incidents("main")} == {"i1", "i2"}
    again.close()
