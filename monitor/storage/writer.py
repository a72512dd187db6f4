"""
Writing to a file that may fail: at once where it can be, else as soon as it can be.

What could not be written waits, in order, of each thing its newest form, and goes first with the
next transaction that succeeds. A file that could not be opened is tried again; one that turns out
broken is put aside, and a new one begun. How long anything waits is told by `trouble`. What no
file would ever take is left out, so that it keeps back nothing else.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import ConfigError, StorageError
from monitor.storage.database import (
    FILE_NAME,
    Corrupt,
    Database,
    Lock,
    NewerSchema,
    inode_of,
    move_aside,
    open_database,
    take_lock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    Work = Callable[[sqlite3.Connection], None]
    Key = tuple[str, ...]

_PATIENCE_MILLISECONDS = 5000
_IN_TROUBLE_MILLISECONDS = 100  # so that a locked file doesn't hold up the loop again and again
UNWRITTEN_AT_MOST = 10_000
# What a value itself is to blame for, or a fault of ours: no later try would go better.
_NEVER_WRITABLE = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    ValueError,
    TypeError,
    ArithmeticError,
)


class Writer:
    """
    The one who writes to a state directory.

    `trouble` is why what is written does not outlive the process right now, None while it does.
    `has_gaps` says that not all of what was to be written is in the file, nor waits for it: it
    was begun anew, or failed for too long. Whoever writes all again may take that back.
    `left_out` says what was never to be written, None where nothing was.
    """

    def __init__(self, directory: Path) -> None:
        self.trouble: str | None = "there is no file"
        self.has_gaps = False
        self.left_out: str | None = None
        self._directory = directory
        self._lock: Lock | None = None
        self._database: Database | None = None
        self._inode: int | None = None
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
        is_removed = False
        try:
            self._keep_directory()
            if self._is_broken:
                aside = move_aside(path, at) if inode_of(path) is not None else None
                self._is_broken, self.has_gaps, is_removed = False, True, aside is None
            try:
                self._database = open_database(path, patience_milliseconds)
            except Corrupt:
                aside = move_aside(path, at)
                self._database = open_database(path, patience_milliseconds)
            self._inode = inode_of(path)
        except StorageError as error:
            self._may_open = not isinstance(error, NewerSchema)
            self.trouble = str(error)
            raise
        self.trouble = None
        if aside is None:
            return "the state file was removed: history lost, monitoring on" if is_removed else None
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
        if self._database is not None:
            self._note_if_removed()
        if self._is_broken:
            self._close_file()
        try:
            if self._database is not None:
                self._keep_directory()
                return None
            if not self._may_open:
                return None
            return self.open(at, patience_milliseconds=_IN_TROUBLE_MILLISECONDS)
        except ConfigError as error:
            self._close_file()
            self.trouble = str(error)
            raise StorageError(str(error)) from error

    def write(self, works: Mapping[Key, Work]) -> bool:
        """
        Whether all of it was written, in one transaction; if not, it waits.

        A key names the thing: of one that waits already only the newest form is written.
        """
        works = dict(works)
        if self._attempt(works):
            return bool(works)
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
        works: dict[Key, Work] = {("once",): work}
        return self._attempt(works) and bool(works)

    def flush(self) -> bool:
        """Whether nothing is left that waits to be written."""
        return self._attempt({})

    def close(self) -> None:
        """Write what waits, and give the directory back. Again: nothing."""
        if self._database is not None:
            self.flush()
        self._close_file()
        self._may_open = False
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _attempt(self, works: dict[Key, Work]) -> bool:
        """
        Whether these are in the file, after all that waits.

        What never will be is taken out of either: of what waits that alone, of `works` all.
        """
        if self._database is None or self._is_broken:
            return False
        try:
            while not self._commit(self._database, works):
                pass
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

    def _commit(self, database: Database, works: dict[Key, Work]) -> bool:
        """Whether all was written; if not, what was to blame was taken out."""
        blamed: tuple[dict[Key, Work], Key] | None = None
        try:
            with database.transaction() as connection:
                for group in (self._unwritten, works):
                    for key, work in group.items():
                        blamed = group, key
                        work(connection)
                blamed = None
        except _NEVER_WRITABLE as error:
            if blamed is None:
                raise
            group, key = blamed
            if group is works:
                works.clear()  # written together or not at all
            else:
                del group[key]
            self.left_out = f"'{key[0]}' could not be kept ({type(error).__name__})"
            return False
        return True

    def _keep_directory(self) -> None:
        """The sole right to the directory, taken anew where somebody removed it meanwhile."""
        if self._lock is not None and not self._lock.is_in_place():
            self._lock.release()
            self._lock = None
        self._lock = self._lock or take_lock(self._directory)

    def _note_if_removed(self) -> None:
        # What is written to a file without a name is lost with the process.
        try:
            if inode_of(self._directory / FILE_NAME) == self._inode:
                return
            self.trouble = "the state file was removed"
        except StorageError as error:
            self.trouble = str(error)
        self._is_broken = True

    def _close_file(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
