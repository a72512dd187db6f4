"""The file: locked, private, durable, migrated whole or not at all."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.incident import Subject
from monitor.errors import ConfigError, StorageError
from monitor.storage import database, incidents
from monitor.storage.database import (
    Corrupt,
    NewerSchema,
    move_aside,
    open_database,
    open_to_read,
    take_lock,
)
from tests.alerting import NOON

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_process_is_told_who_has_the_directory(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    first = take_lock(directory)

    with pytest.raises(ConfigError, match=r"another margin-monitor \(process \d+\)"):
        take_lock(directory)

    first.release()
    take_lock(directory).release()


def test_nobody_else_can_read_what_is_made(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    lock = take_lock(directory)
    path = directory / "m.db"
    held = open_database(path)
    with held.transaction() as connection:
        connection.execute("INSERT INTO watched VALUES ('main', '')")

    assert mode(directory) == 0o700
    assert {mode(file) for file in directory.iterdir()} == {0o600}
    assert {file.name for file in directory.iterdir()} == {"lock", "m.db", "m.db-wal", "m.db-shm"}
    held.close()
    lock.release()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.touch(mode=0o644)

    open_database(path).close()

    assert mode(path) == 0o600


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    held = open_database(tmp_path / "m.db")
    with held.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5000
    held.close()


def test_without_a_write_ahead_log_the_end_of_the_journal_is_synced_too_f72(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stays(connection: sqlite3.Connection) -> bool:
        return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "wal")

    monkeypatch.setattr(database, "_is_turned_to_wal", stays)
    held = open_database(tmp_path / "m.db")
    with held.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA
    held.close()


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    held = open_database(tmp_path / "m.db")
    with suppress(ZeroDivisionError), held.transaction() as connection:
        connection.execute("CREATE TABLE t (a)")
        raise ZeroDivisionError
    with held.transaction() as connection:
        connection.execute("CREATE TABLE t (a)")
    held.close()


def test_a_locked_file_is_told_as_ours(tmp_path: Path) -> None:
    held = open_database(tmp_path / "m.db")
    held.wait_for_others(1)
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageError, match="locked"), held.transaction():
        pass

    other.close()
    held.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, None])
def test_a_broken_file_is_recognised_and_put_aside(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "m.db"
    if content is None:  # a sound header, and rubbish where the tables should be
        open_database(path).close()
        sound = path.read_bytes()
        content = sound[:4096] + b"\xff" * (len(sound) - 4096)
    path.write_bytes(content)

    with pytest.raises(Corrupt):
        open_database(path)
    aside = move_aside(path, NOON)

    assert aside.name == "m.db.broken-20261122T120000Z"
    assert aside.read_bytes() == content
    assert not path.exists()


def test_a_newer_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    open_database(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    before = path.read_bytes()

    for opened in (open_database, open_to_read):
        with pytest.raises(NewerSchema, match="schema 99"):
            opened(path)

    assert path.read_bytes() == before


def test_an_older_file_is_brought_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.db"
    open_database(path).close()
    step = "CREATE TABLE extra (a);\nINSERT INTO extra VALUES (7);\n"
    monkeypatch.setattr(database, "STEPS", (*database.STEPS, step))

    held = open_database(path)

    with held.reading() as connection:
        assert connection.execute("SELECT a FROM extra").fetchone()[0] == 7
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(database.STEPS)
    held.close()


def test_who_only_reads_an_older_file_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    old = sqlite3.connect(path)
    old.executescript(database.STEPS[0])
    old.execute("PRAGMA user_version = 1")
    old.close()

    with pytest.raises(StorageError, match="older version"):
        open_to_read(path)


def test_incidents_on_ratio_and_on_distance_become_one(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    old = sqlite3.connect(path)
    old.executescript(database.STEPS[0])
    old.execute("PRAGMA user_version = 1")
    at = "2026-11-22T12:00:00.000000+00:00"
    rows: list[tuple[str, str | None, str, str | None, str | None, str]] = [
        ("r1", "USDT", "ratio", "warning", "0.95", '["warning", "critical"]'),
        ("d1", "USDT", "liquidation near", "near", "0.04", '["near"]'),
        ("d2", "BTC", "liquidation near", "very near", "0.01", '["near", "very near"]'),
        ("b", None, "blind", None, None, '["account"]'),
    ]
    for name, pool, subject, rung, worst, told in rows:
        old.execute(
            "INSERT INTO incidents VALUES (?,'main',?,?,'warning','warning',?,?,?,?,?,?,NULL,'',?"
            ",?)",
            (name, pool, subject, rung, at, at, worst, worst and at, at, at, told),
        )
    old.commit()
    old.close()

    held = open_database(path)
    with held.reading() as connection:
        found = {each.id: each for each in incidents.open_ones(connection, NOON)}
    held.close()

    assert found.keys() == {"r1", "d2", "b"}
    assert found["r1"].subject is found["d2"].subject is Subject.STANDING
    assert (found["r1"].worst, found["r1"].nearest) == (Decimal("0.95"), None)
    assert (found["d2"].worst, found["d2"].nearest) == (None, Decimal("0.01"))
    assert found["d2"].alarms == found["d2"].told == ("near", "very near")
    assert found["b"].alarms == ()


def test_a_migration_that_fails_halfway_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.db"
    open_database(path).close()
    broken = "CREATE TABLE extra (a);\nINSERT INTO absent VALUES (7);\n"
    with monkeypatch.context() as patch:
        patch.setattr(database, "STEPS", (*database.STEPS, broken))
        with pytest.raises(StorageError, match="absent"):
            open_database(path)

    held = open_database(path)
    with held.reading() as connection:
        tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "extra" not in tables
    held.close()
