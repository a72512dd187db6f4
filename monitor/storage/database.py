"""
The SQLite file: opened, brought to the present schema, written in whole transactions.

A commit is on the disk when it returns (WAL with full sync): it costs a fraction of a
millisecond, so there is no reason to be less durable. What SQLite says of a failure leaves
this room as StorageError.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import IO, TYPE_CHECKING

from monitor.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

FILE_NAME = "margin-monitor.db"
_LOCK_NAME = "lock"
# The n-th script brings a file of version n to version n + 1.
STEPS = tuple(
    files("monitor.storage").joinpath(name).read_text(encoding="utf-8")
    for name in ("schema.sql", *(f"schema_{version}.sql" for version in range(2, 6)))
)
_BUSY_MILLISECONDS = 5000


class NewerSchema(StorageError):  # noqa: N818 - a kind of the tree's StorageError
    """The file was written by a newer version: nothing of it may be touched."""


class Corrupt(StorageError):  # noqa: N818 - a kind of the tree's StorageError
    """The file is no database any more."""


@dataclass(frozen=True, slots=True)
class Lock:
    """This process's sole right to a state directory; given back by `release` or its end."""

    _file: IO[str]
    _path: Path

    def release(self) -> None:
        self._file.close()

    def is_in_place(self) -> bool:
        """Whether another process would still be turned away by it."""
        try:
            return inode_of(self._path) == os.fstat(self._file.fileno()).st_ino
        except StorageError:
            return False


def inode_of(path: Path) -> int | None:
    """
    What stands at this path now, None where nothing does.

    Raises:
        StorageError: If nobody can tell.
    """
    try:
        return path.stat().st_ino
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"{path} can't be looked at: {error.strerror}") from error


def take_lock(directory: Path) -> Lock:
    """
    The sole right to write to a state directory, which is made if it isn't there.

    Raises:
        ConfigError: If another process has it.
        StorageError: If the directory can't be written to.
    """
    try:
        _make_directory(directory)
        # Not emptied on opening: a loser would wipe out the winner's number before it has lost.
        file = os.fdopen(_private(directory / _LOCK_NAME), "r+", encoding="ascii")
    except OSError as error:
        raise StorageError(f"{directory} can't be written to: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        file.close()
        raise ConfigError(
            f"another margin-monitor (process {holder or 'unknown'}) is using the state directory "
            f"{directory}: stop it, or give this one a directory of its own"
        ) from None
    except OSError as error:  # a network's file system without locks, say
        file.close()
        raise StorageError(f"{directory} can't be locked: {error.strerror}") from error
    with suppress(OSError):  # only a courtesy to the loser; a full disk must not stop us here
        file.truncate(0)
        file.seek(0)
        file.write(str(os.getpid()))
        file.flush()
    return Lock(file, directory / _LOCK_NAME)


def _holder(file: IO[str]) -> str:
    """The number that the lock's holder wrote into it; empty where there is none."""
    try:
        return file.read().strip()
    except (OSError, ValueError):
        return ""


class Database:
    """One open file. Synchronous: a transaction is short enough to be waited for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        All of it or nothing: committed to disk when the block ends, undone if it raises.

        Raises:
            StorageError: If it could not be written.
        """
        with translated():
            # At once the right to write: a later upgrade from reading fails under contention.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """
        Raises:
            StorageError: If it could not be read.
        """
        with translated():
            yield self._connection

    def wait_for_others(self, milliseconds: int) -> None:
        """How long a transaction waits for another process's lock before it fails."""
        with translated():
            self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}").close()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """SQLite's errors as ours; those that only a value or a bug can cause stay what they are."""
    try:
        yield
    except (
        sqlite3.DataError,
        sqlite3.IntegrityError,
        sqlite3.ProgrammingError,
        sqlite3.InterfaceError,
    ):
        raise
    except sqlite3.Error as error:
        if _is_damage(error):
            raise Corrupt(f"the state file is broken: {error}") from error
        raise StorageError(f"the state could not be kept or read: {error}") from error


def open_database(path: Path, patience_milliseconds: int = _BUSY_MILLISECONDS) -> Database:
    """
    The database at this path, made if it isn't there, in the present schema.

    Args:
        patience_milliseconds: How long to wait for another process's lock.

    Raises:
        NewerSchema: If a newer version wrote it.
        Corrupt: If it is no sound database.
        StorageError: If it can't be opened or written for another reason.
    """
    try:
        _make_private(path)
    except OSError as error:
        raise StorageError(f"{path} can't be opened: {error.strerror}") from error
    with translated():
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=patience_milliseconds / 1000, check_same_thread=True
        )
    connection.row_factory = sqlite3.Row
    try:
        _prepare(connection)
        _sync_names(path)
    except BaseException:
        connection.close()
        raise
    return Database(connection)


def open_to_read(path: Path) -> Database:
    """
    The database of another process, which may go on writing.

    Raises:
        StorageError: If it isn't there or can't be read.
    """
    with translated():
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
    try:
        with translated():
            _check_current(connection)
    except BaseException:
        connection.close()
        raise
    return Database(connection)


def move_aside(path: Path, at: datetime) -> Path:
    """
    The new name of a broken file: its own with the date.

    Raises:
        StorageError: If it can't be renamed.
    """
    aside = path.with_name(f"{path.name}.broken-{at:%Y%m%dT%H%M%SZ}")
    while aside.exists():  # of the same second: neither takes the place of the other
        aside = aside.with_name(f"{aside.name}+")
    try:
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise StorageError(f"{path} is broken and can't be renamed: {error.strerror}") from error
    return aside


def _make_directory(directory: Path) -> None:
    """Made with all above it, each entry synced: what is kept in it is no safer than its name."""
    if directory.is_dir():
        return
    if not directory.parent.is_dir():
        _make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    """Its entries are on the disk after this; one that may not be read others have made sure of."""
    try:
        number = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return  # such as /var/lib/private, where systemd puts the state of dynamic users
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _make_private(path: Path) -> None:
    os.close(_private(path))
    path.chmod(0o600)  # SQLite gives its -wal and -shm files the same mode


def _sync_names(path: Path) -> None:
    """
    The file, its log and its folder are found again after a loss of power.

    Each time: an earlier process may have made them and died before. SQLite syncs the folder of
    a new log too, but goes on where that fails.
    """
    try:
        _sync_directory(path.parent)
        _sync_directory(path.parent.parent)
    except OSError as error:
        raise StorageError(f"{path.parent} can't be synced: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection) -> None:
    try:
        _check_version(connection)
        with closing(connection.execute("PRAGMA quick_check(1)")) as check:
            found = str(check.fetchone()[0])
        if found != "ok":
            raise Corrupt(f"the state file is broken: {found}")
        sync = "FULL" if _is_turned_to_wal(connection) else "EXTRA"
        connection.execute(f"PRAGMA synchronous = {sync}").close()
        connection.execute("PRAGMA foreign_keys = ON").close()
        _migrate(connection)
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise Corrupt(f"the state file is broken: {error}") from error
        raise StorageError(f"the state could not be opened: {error}") from error


def _is_turned_to_wal(connection: sqlite3.Connection) -> bool:
    """
    Whether commits go to a write-ahead log; elsewhere only `synchronous = EXTRA` is as durable.

    The answer must be read: where the change fails, SQLite goes on with its old journal and
    either says so in its answer or raises once that is asked for.

    Source: "PRAGMA journal_mode" and "PRAGMA synchronous",
    https://www.sqlite.org/pragma.html, read on 2026-11-22.
    """
    with closing(connection.execute("PRAGMA journal_mode = WAL")) as answer:
        return bool(answer.fetchone()[0] == "wal")


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _check_version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        raise NewerSchema(
            f"the state was written by a newer version of margin-monitor (schema {version}, "
            f"known here: {len(STEPS)}); nothing in it is touched"
        )
    return version


def _check_current(connection: sqlite3.Connection) -> None:
    version = _check_version(connection)
    if version < len(STEPS):
        raise StorageError(
            f"the state was written by an older version of margin-monitor (schema {version}): "
            "start this one once, and it is brought forward"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _check_version(connection)
        for step in STEPS[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    # One by one: executescript() would commit first, and half a migration could stay.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
