"""The state on disk: durable, alone, private, and never in the way of watching."""

import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.storage.database import (
    FILE_NAME,
    SCHEMA_VERSION,
    AlreadyRunning,
    NewerState,
    open_database,
)

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_it_is_made_with_private_modes_and_full_durability(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "state"
    database = open_database(folder, AT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert database.set_aside is None
    database.close()


def test_a_second_process_is_refused_and_the_lock_goes_with_the_first(tmp_path: Path) -> None:
    database = open_database(tmp_path, AT)
    with pytest.raises(AlreadyRunning) as caught:
        open_database(tmp_path, AT)
    assert str(tmp_path) in str(caught.value)
    database.close()
    open_database(tmp_path, AT).close()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, os, signal\n"
        "from datetime import UTC, datetime\n"
        "from monitor.storage.database import open_database\n"
        "open_database(pathlib.Path(sys.argv[1]), datetime(2026, 1, 1, tzinfo=UTC))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=30)
    assert ended.returncode == -9
    open_database(tmp_path, AT).close()


@pytest.mark.parametrize("garbage", [b"this is no database at all" * 100, b"\0" * 4096])
def test_an_unreadable_file_is_put_aside_and_a_fresh_one_made(
    tmp_path: Path, garbage: bytes
) -> None:
    (tmp_path / FILE_NAME).write_bytes(garbage)
    database = open_database(tmp_path, AT)
    assert database.set_aside == tmp_path / f"{FILE_NAME}.unreadable-20261122T120000"
    assert database.set_aside.read_bytes() == garbage
    assert not database.was_watched("main")
    database.close()


def test_the_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_database(tmp_path, AT).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    raw.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(NewerState):
        open_database(tmp_path, AT)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MonitorError) as caught:
        open_database(tmp_path / "file" / "state", AT)
    assert "the state can't be kept here" in str(caught.value)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path, AT)
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute("INSERT INTO watched VALUES ('main', 'x')")
        raise ZeroDivisionError
    assert not database.was_watched("main")
    database.note_watched("main", AT)
    database.note_watched("main", AT)
    database.close()
    again = open_database(tmp_path, AT)
    assert again.was_watched("main")
    assert not again.was_watched("other")
    again.close()
