"""
The state on disk: one SQLite file, one writer.

WAL with synchronous=FULL: what is committed has survived a power cut. The folder is locked
for as long as the process lives, so that two daemons never share it. A file that is no
database any more is put aside, never mended and never in the way of watching.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import TYPE_CHECKING

from monitor.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.alerts.incident import Incident
    from monitor.alerts.message import Notification

SCHEMA_VERSION = 1
FILE_NAME = "state.sqlite3"
LOCK_NAME = "lock"
BUSY_MILLISECONDS = 5000


class AlreadyRunning(MonitorError):  # noqa: N818 - says what is the matter
    """Another process holds the state directory."""


class NewerState(MonitorError):  # noqa: N818 - says what is the matter
    """The state was written by a newer version; it is left as it is."""


class Database:
    """
    The open state.

    `set_aside` names where an unreadable file was put when this one was opened, None where
    there was none. Closing releases the lock.
    """

    def __init__(self, connection: sqlite3.Connection, lock: int, set_aside: Path | None) -> None:
        self.connection = connection
        self.set_aside = set_aside
        self._lock = lock

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing: durable once the block has ended."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def record(
        self, incident: Incident, notification: Notification | None, channels: Sequence[str]
    ) -> None:
        """An incident as it is now and its message, once for each channel: in one transaction."""
        from monitor.storage import incidents, outbox  # noqa: PLC0415 - they need this class

        with self.transaction() as connection:
            incidents.save(connection, incident)
            if notification is not None:
                outbox.add(connection, notification, channels)

    def was_watched(self, account: str) -> bool:
        found = self.connection.execute("SELECT 1 FROM watched WHERE account = ?", (account,))
        return found.fetchone() is not None

    def note_watched(self, account: str, at: datetime) -> None:
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO watched VALUES (?, ?)", (account, at.isoformat())
            )

    def close(self) -> None:
        self.connection.close()
        os.close(self._lock)


def open_database(directory: Path, at: datetime) -> Database:
    """
    The state in `directory`, made where there is none (the folder 0700, files 0600).

    Raises:
        AlreadyRunning: If another process has it open.
        NewerState: If a newer version of margin-monitor wrote it.
        MonitorError: If the folder can't be written.
    """
    lock = _lock(directory)
    try:
        file = directory / FILE_NAME
        try:
            return Database(_connect(file), lock, None)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise MonitorError(f"{file}: the state can't be opened: {error}") from error
        aside = _set_aside(file, at)
        return Database(_connect(file), lock, aside)
    except BaseException:
        os.close(lock)
        raise


def _lock(directory: Path) -> int:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MonitorError(f"{directory}: the state can't be kept here: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(
            f"{directory}: another margin-monitor is running with this state directory"
        ) from None
    return lock


def _connect(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, file)
        _sync_folder(file.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, file: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise NewerState(
            f"{file}: written by a newer margin-monitor (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): update, or name another state directory"
        )
    if version == SCHEMA_VERSION:
        connection.execute("SELECT count(*) FROM incidents").fetchone()
        return
    schema = files("monitor.storage").joinpath("schema.sql").read_text(encoding="utf-8")
    connection.executescript(
        f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


def _sync_folder(folder: Path) -> None:
    # A new file survives a power cut only when its folder has been synced, too.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_aside(file: Path, at: datetime) -> Path:
    """The unreadable file under a name with the date, its journals with it."""
    aside = file.with_name(f"{file.name}.unreadable-{at:%Y%m%dT%H%M%S}")
    file.rename(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
