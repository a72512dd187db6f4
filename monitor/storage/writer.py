"""
Writing to a file that may fail: at once where it can be, else as soon as it can be.

What could not be written waits, in order, of each thing its newest form, and goes first with the
next transaction that succeeds. A file that could not be opened is tried again; one that turns out
broken is put aside, and a new one begun. How long anything waits is told by `trouble`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import ConfigError, StorageError
from monitor.storage.database import (
    FILE_NAME,
    Corrupt,
    Database,
    Lock,
    NewerSchema,
    move_aside,
    open_database,
    take_lock,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    Work = Callable[[sqlite3.Connection], None]
    Key = tuple[str, ...]

_PATIENCE_MILLISECONDS = 5000
_IN_TROUBLE_MILLISECONDS = 100  # so that a locked file doesn't hold up the loop again and again
UNWRITTEN_AT_MOST = 10_000


class Writer:
    """
    The one who writes to a state directory.

    `trouble` is why what is written does not outlive the process right now, None while it does.
    `has_gaps` says that not all of what was to be written is in the file, nor waits for it: it
    was begun anew, or failed for too long. Whoever writes all again may take that back.
    """

    def __init__(self, directory: Path) -> None:
        self.trouble: str | None = "there is no file"
        self.has_gaps = False
        self._directory = directory
        self._lock: Lock | None = None
        self._database: Database | None = None
        self._inode = 0
        self._may_open = True
        self._is_broken = False
        self._unwritten: dict[Key, Work] = {}

    @property
    def database(self) -> Database | None:
        """The file, where it is open."""
        return self._database

    def open(
        self, at: datetime, *, patience_milliseconds: int = _PATIENCE_MILLISECONDS
    ) -> str | None:
        """
        Open the file, made where it isn't there. A broken one is put aside: the words for that.

        Raises:
            ConfigError: If another process has the directory.
            StorageError: If it can't be opened as things stand, or never (`NewerSchema`).
        """
        path = self._directory / FILE_NAME
        aside: Path | None = None
        try:
            self._lock = self._lock or take_lock(self._directory)
            if self._is_broken:
                aside = move_aside(path, at) if path.exists() else None
                self._is_broken, self.has_gaps = False, True
            try:
                self._database = open_database(path, patience_milliseconds)
            except Corrupt:
                aside = move_aside(path, at)
                self._database = open_database(path, patience_milliseconds)
        except StorageError as error:
            self._may_open = not isinstance(error, NewerSchema)
            self.trouble = str(error)
            raise
        self.trouble = None
        self._inode = path.stat().st_ino
        if aside is None:
            return None
        self.has_gaps = True
        return f"the state was broken and is kept as {aside.name}: history lost, monitoring on"

    def put_aside(self, at: datetime) -> str | None:
        """A file that can be opened but not understood is broken as well: as `open`."""
        self._close_file()
        self._is_broken = True
        return self.open(at)

    def mend(self, at: datetime) -> str | None:
        """
        Try to open what is not open; the words for what was put aside meanwhile, None for nothing.

        Raises:
            StorageError: If it is still not to be.
        """
        if self._database is not None and not self._is_in_place():
            # What is written to a file without a name is lost with the process.
            self.trouble, self._is_broken = "the state file was removed", True
        if self._is_broken:
            self._close_file()
        if self._database is not None or not self._may_open:
            return None
        try:
            return self.open(at, patience_milliseconds=_IN_TROUBLE_MILLISECONDS)
        except ConfigError as error:
            self.trouble = str(error)
            raise StorageError(str(error)) from error

    def write(self, works: Mapping[Key, Work]) -> bool:
        """
        Whether all of it was written, in one transaction; if not, it waits.

        A key names the thing: of one that waits already only the newest form is written.
        """
        if self._attempt(works.values()):
            return True
        if self._may_open:
            self._unwritten.update(works)
            while len(self._unwritten) > UNWRITTEN_AT_MOST:
                del self._unwritten[next(iter(self._unwritten))]
                self.has_gaps = True
        return False

    def put_first(self, works: Mapping[Key, Work]) -> None:
        """These go before all that waits, each in its newest form."""
        self._unwritten = {**works, **self._unwritten}

    def attempt(self, work: Work) -> bool:
        """Whether it was written; if not, it is dropped."""
        return self._attempt((work,))

    def flush(self) -> bool:
        """Whether nothing is left that waits to be written."""
        return self._attempt(())

    def close(self) -> None:
        """Write what waits, and give the directory back. Again: nothing."""
        if self._database is not None:
            self.flush()
        self._close_file()
        self._may_open = False
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _attempt(self, works: Iterable[Work]) -> bool:
        if self._database is None or self._is_broken:
            return False
        try:
            with self._database.transaction() as connection:
                for work in (*self._unwritten.values(), *works):
                    work(connection)
            self._unwritten.clear()
            if self.trouble is not None:
                self._database.wait_for_others(_PATIENCE_MILLISECONDS)
                self.trouble = None
        except StorageError as error:
            self._is_broken = isinstance(error, Corrupt)
            if self.trouble is None:
                with suppress(StorageError):
                    self._database.wait_for_others(_IN_TROUBLE_MILLISECONDS)
            self.trouble = str(error)
            return False
        return True

    def _is_in_place(self) -> bool:
        path = self._directory / FILE_NAME
        return path.exists() and path.stat().st_ino == self._inode

    def _close_file(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
