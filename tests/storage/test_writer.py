"""A file that fails: what is not written waits, what is not opened is tried again."""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.incident import Subject
from monitor.engine.effects import AccountAssessment, State
from monitor.errors import ConfigError, StorageError
from monitor.storage import open_store, writer
from monitor.storage.database import FILE_NAME, STEPS, open_database
from monitor.storage.writer import Writer
from tests.alerting import NOON, a_notification, an_incident, at

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.storage import Store


def waiting(store: Store, channel: str) -> list[tuple[str, bool]]:
    return [(row.notification.id, row.is_kept) for row in store.unsettled(channel)]


def unopenable(directory: Path) -> Store:
    """A store whose directory can't be made, for a file stands in its place."""
    directory.touch()
    return open_store(directory, NOON)


def test_an_unopened_file_is_opened_later_and_takes_what_came_meanwhile_f58(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "state"
    store = unopenable(directory)
    store.record(an_incident(), a_notification("i1-1"), ["phone", "team"])
    store.keep_quiet("binance", at(600), NOON)
    store.note_watched("main", NOON)
    store.delivered("team", "i1-1", [], at(1))
    assert store.mend(at(5)) == ()
    assert waiting(store, "phone") == [("i1-1", False)]
    directory.unlink()

    assert store.mend(at(10)) == ()

    assert store.trouble is None
    assert waiting(store, "phone") == [("i1-1", True)]
    store.close()
    again = open_store(directory, at(20))
    assert waiting(again, "phone") == [("i1-1", True)]
    assert waiting(again, "team") == []
    assert again.was_told("i1")
    assert again.quiet_until("binance") == at(600)
    assert again.was_watched("main")
    again.close()


def test_what_an_earlier_process_left_goes_first_when_the_file_opens_at_last_f58(
    tmp_path: Path,
) -> None:
    directory, aside = tmp_path / "state", tmp_path / "aside"
    before = open_store(directory, NOON)
    before.record(an_incident("old"), a_notification("old-1", "old"), ["phone"])
    before.record(an_incident("dark", subject=Subject.BLIND, rung=None), None)
    before.close()
    directory.rename(aside)
    store = unopenable(directory)
    store.record(an_incident("new", opened_at=at(1)), a_notification("new-1", "new"), ["phone"])
    directory.unlink()
    aside.rename(directory)

    store.mend(at(10))

    assert [name for name, _ in waiting(store, "phone")] == ["old-1", "new-1"]
    # The same trouble, opened anew by an engine that knew nothing of the first.
    assert {each.id for each in store.open_incidents("main")} == {"new", "dark"}
    store.close()


def test_a_newer_file_is_never_opened_again_f79(tmp_path: Path) -> None:
    open_store(tmp_path, NOON).close()
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    other.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    store = open_store(tmp_path, NOON)
    assert "newer version" in store.notices[0]

    assert store.mend(at(5)) == ()

    store.record(an_incident(), a_notification(), ["phone"])
    assert waiting(store, "phone") == [("i1-1", False)]
    assert "newer version" in str(store.trouble)
    assert store._writer._unwritten == {}
    store.close()
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_of_what_waits_only_the_newest_form_is_kept(tmp_path: Path) -> None:
    store = unopenable(tmp_path / "state")
    for worst in range(100):
        store.record(an_incident(because=str(worst)), None)

    assert len(store._writer._unwritten) == 1

    (tmp_path / "state").unlink()
    store.mend(at(5))
    store.close()
    again = open_store(tmp_path / "state", at(6))
    assert [incident.because for incident in again.open_incidents("main")] == ["99"]
    again.close()


def test_a_long_failure_fills_no_memory_and_loses_nothing_that_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "UNWRITTEN_AT_MOST", 20)
    store = unopenable(tmp_path / "state")
    store.record(an_incident("first"), a_notification("first-1", "first"), ["phone"])
    for number in range(100):
        name = f"m{number}"
        store.record(None, a_notification(name, ""), ["phone"])
        store.delivered("phone", name, [], at(1))
    assert len(store._writer._unwritten) == 20
    (tmp_path / "state").unlink()

    store.mend(at(5))

    store.close()
    again = open_store(tmp_path / "state", at(6))
    assert waiting(again, "phone") == [("first-1", True)]
    assert [incident.id for incident in again.open_incidents("main")] == ["first"]
    again.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_removed_is_begun_anew_with_all_that_is_known(
    tmp_path: Path, replaced: bool
) -> None:
    store = open_store(tmp_path, NOON)
    store.record(an_incident(), a_notification("i1-1"), ["phone"])
    for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        (tmp_path / name).unlink()
    if replaced:
        (tmp_path / FILE_NAME).write_bytes(b"rubbish" * 1000)

    store.mend(at(5))

    assert store.trouble is None
    assert store.record(an_incident("i2"), a_notification("i2-1", "i2"), ["phone"])
    store.close()
    again = open_store(tmp_path, at(20))
    assert waiting(again, "phone") == [("i1-1", True), ("i2-1", True)]
    assert {each.id for each in again.open_incidents("main")} == {"i1", "i2"}
    again.close()


def test_a_directory_taken_by_another_meanwhile_is_left_to_it_f82(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    store = unopenable(directory)
    directory.unlink()
    other = open_store(directory, NOON)

    assert store.mend(at(5)) == ()

    assert "another margin-monitor" in str(store.trouble)
    other.close()
    store.mend(at(10))
    assert store.trouble is None
    store.close()


def test_who_may_not_read_the_folder_above_keeps_state_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under /var/lib/private: systemd's dynamic users may pass through it, and no more."""
    real = os.open

    def opened(path: object, *rest: int, **named: int) -> int:
        if path == tmp_path:
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **named)  # type: ignore[arg-type]  # as it was given

    (tmp_path / "state").mkdir()
    monkeypatch.setattr(os, "open", opened)
    open_database(tmp_path / "state" / FILE_NAME).close()


def test_a_file_in_a_folder_that_can_t_be_synced_counts_as_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    held = Writer(tmp_path)
    with pytest.raises(StorageError, match="can't be synced"):
        held.open(NOON)
    held.close()


HALF = "half a character: \ud83d"


def test_half_a_character_is_kept_as_its_number(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    assert store.record(
        an_incident(because=HALF), a_notification("i1-1", title=HALF, body=HALF), ["phone"]
    )
    store.failed("phone", "i1-1", HALF, None)
    store.close()
    again = open_store(tmp_path, at(20))
    (incident,), (row,) = again.open_incidents("main"), again.unsettled("phone")
    told = row.notification
    assert {incident.because, told.title, told.body} == {"half a character: \\ud83d"}
    assert row.attempts == 1
    again.close()


def test_what_no_file_takes_keeps_back_nothing_else_and_is_told_once(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    store = unopenable(directory)
    store.keep_quiet("binance", NOON.replace(tzinfo=None), NOON)  # a fault of ours
    store.record(an_incident(), a_notification("i1-1"), ["phone"])
    directory.unlink()

    (lacking,) = store.mend(at(5))

    assert lacking == "'quiet' could not be kept (ValueError): it does not outlive this process"
    assert store.trouble is None
    assert waiting(store, "phone") == [("i1-1", True)]
    assert not store.record(an_incident("\ud83d"), a_notification("i2-1", "i2"), ["phone"])
    assert waiting(store, "phone") == [("i1-1", True), ("i2-1", False)]
    assert store.record(an_incident("i3"), a_notification("i3-1", "i3"), ["phone"])
    assert store.mend(at(10)) == ()
    store.close()
    again = open_store(directory, at(20))
    assert waiting(again, "phone") == [("i1-1", True), ("i3-1", True)]
    again.close()


def test_a_state_directory_that_was_removed_is_made_again_and_locked_f58_f82(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "state"
    store = open_store(directory, NOON)
    store.record(an_incident(), a_notification("i1-1"), ["phone"])
    shutil.rmtree(directory)

    assert store.mend(at(5)) == ("the state file was removed: history lost, monitoring on",)

    with pytest.raises(ConfigError, match="another margin-monitor"):
        open_store(directory, at(6))
    store.close()
    again = open_store(directory, at(20))
    assert waiting(again, "phone") == [("i1-1", True)]
    again.close()


def test_a_lock_that_was_removed_is_taken_again_and_left_to_who_took_it_meanwhile_f82(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path, NOON)
    (tmp_path / "lock").unlink()
    assert store.mend(at(5)) == ()
    with pytest.raises(ConfigError, match="another margin-monitor"):
        open_store(tmp_path, at(6))

    (tmp_path / "lock").unlink()
    other = open_store(tmp_path, at(7))
    assert store.mend(at(10)) == ()
    assert "another margin-monitor" in str(store.trouble)
    assert not store.record(an_incident(), a_notification("i1-1"), ["phone"])
    other.close()
    assert store.mend(at(15)) == ()
    assert store.trouble is None
    assert waiting(store, "phone") == [("i1-1", True)]
    store.close()


def test_a_file_that_can_not_be_looked_at_is_told_and_no_end_of_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, NOON)

    def stat(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(pathlib.Path, "stat", stat)
        assert store.mend(at(5)) == ()
        assert "Input/output error" in str(store.trouble)
        assert not store.record(an_incident(), a_notification("i1-1"), ["phone"])
    store.mend(at(10))

    assert store.trouble is None
    assert waiting(store, "phone") == [("i1-1", True)]
    store.close()


def test_a_directory_that_can_not_be_locked_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as network:
        network.setattr("fcntl.flock", flock)
        store = open_store(tmp_path, NOON)
        assert store.notices == (
            f"{tmp_path} can't be locked: No locks available; alerts don't outlive this process",
        )
    assert store.mend(at(5)) == ()
    assert store.trouble is None
    store.close()


def test_of_two_broken_files_in_one_second_both_are_kept(tmp_path: Path) -> None:
    for content in (b"first" * 1000, b"second" * 1000):
        (tmp_path / FILE_NAME).write_bytes(content)
        open_store(tmp_path, NOON).close()
    kept = sorted(each.read_bytes()[:6] for each in tmp_path.glob(f"{FILE_NAME}.broken-*"))
    assert kept == [b"firstf", b"second"]


def test_samples_do_not_wait_for_a_locked_file(tmp_path: Path) -> None:
    store = unopenable(tmp_path / "state")
    tries: list[object] = []
    store._writer.attempt = tries.append
    store.sample(AccountAssessment(
        account="main", exchange="bybit", mode=None, state=State.BLIND, because="",
        feeds=(), pools=(), at=NOON,
    ))  # fmt: skip
    assert tries == []
    store.close()
