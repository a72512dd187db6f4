"""
A shim under the very SQLite that Python's `sqlite3` uses: every write of it can be seen and failed.

A copy of SQLite's own "unix" VFS becomes the default one; of each file that it opens the table of
methods is replaced by a copy in which writing, syncing, truncating and closing come here first.
Everything else, locks and shared memory among it, is SQLite's own code, unchanged. What Python
itself does to files and folders (`os.open`, `os.mkdir`, `os.rename`, `os.fsync`) is seen as well.

Installed for the life of a process: meant for children that end soon.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

# Result codes, https://www.sqlite.org/rescode.html
OK, FULL, CANTOPEN = 0, 13, 14
IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_DELETE = 778, 1034, 1546, 2570
_OPEN_CREATE = 0x4
SECTOR = 512


@dataclass(frozen=True, slots=True)
class Op:
    """One thing done to the disk: create, open, write, truncate, sync, delete, rename, …"""

    kind: str
    path: str
    offset: int = 0
    data: bytes = b""
    to: str = ""

    def __str__(self) -> str:
        where = f" at {self.offset}, {len(self.data)} bytes" if self.kind == "write" else ""
        name = "" if self.kind == "sync folder" else f" {Path(self.path).name}"
        return f"{self.kind}{name}{where}"


class Failing(Exception):  # noqa: N818 - what is to happen to one operation
    """`before` raises it where the operation is to fail; of a write so many bytes arrive."""

    def __init__(self, number: int, arrived: int = 0) -> None:
        super().__init__(os.strerror(number))
        self.number = number
        self.arrived = arrived


class Hooks(Protocol):
    """Who is asked before, and told after, everything that is done to the disk."""

    def before(self, op: Op) -> None:
        """
        Raises:
            Failing: If it is to fail.
        """

    def after(self, op: Op) -> None: ...


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        *((name, c_void_p) for name in (
            "xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym",
            "xDlClose", "xRandomness", "xSleep", "xCurrentTime", "xGetLastError",
            "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall",
        )),
    )  # fmt: skip


class _Methods(ctypes.Structure):
    _fields_ = (
        ("iVersion", c_int),
        *((name, c_void_p) for name in (
            "xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock",
            "xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics",
            "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch",
        )),
    )  # fmt: skip


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_CLOSE = CFUNCTYPE(c_int, c_void_p)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN_DIRECTORY = CFUNCTYPE(c_int, c_char_p, POINTER(c_int))
_GET_CALL = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_SET_CALL = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)


def library() -> ctypes.CDLL | None:
    """The SQLite that `sqlite3` has loaded; None where it can't be reached by its names."""
    import _sqlite3  # noqa: PLC0415 - loads it

    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    found = {line.split()[-1] for line in mapped if "libsqlite3" in line}
    for path in (*sorted(found), getattr(_sqlite3, "__file__", None)):
        loaded = ctypes.CDLL(path)
        if hasattr(loaded, "sqlite3_vfs_register"):
            return loaded
    return None


class Shim:
    """Everything done to the disk below one folder, told to `hooks`, from `install` on."""

    def __init__(self, below: Path, hooks: Hooks) -> None:
        self._below = f"{below}{os.sep}"
        self._hooks = hooks
        self._names: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        self._originals: dict[int, _Methods] = {}
        self._kept: list[object] = []  # callbacks must outlive their use from C

    def install(self) -> None:
        sqlite = library()
        if sqlite is None:
            raise RuntimeError("SQLite's functions can't be reached")
        self._replace_vfs(sqlite)
        self._replace_python()

    # -- SQLite's files -------------------------------------------------------------------

    def _replace_vfs(self, sqlite: ctypes.CDLL) -> None:
        sqlite.sqlite3_vfs_find.restype = POINTER(_Vfs)
        unix = sqlite.sqlite3_vfs_find(b"unix")
        address = ctypes.addressof(unix.contents)
        ours = _Vfs.from_buffer_copy(unix.contents)
        ours.zName = b"shim"
        real_open, real_delete = _OPEN(ours.xOpen), _DELETE(ours.xDelete)

        def xopen(_: int, name: int, file: int, flags: int, out: int) -> int:
            path = os.fsdecode(ctypes.string_at(name)) if name else ""
            if not path.startswith(self._below):
                return real_open(address, name, file, flags, out)
            is_new = bool(flags & _OPEN_CREATE) and not Path(path).exists()
            op = Op("create" if is_new else "open", path)
            return self._done(
                op,
                CANTOPEN,
                lambda: self._opened(real_open(address, name, file, flags, out), file, path),
            )

        def xdelete(_: int, name: bytes, sync_directory: int) -> int:
            path = os.fsdecode(name)
            if not path.startswith(self._below) or not Path(path).exists():
                return real_delete(address, name, sync_directory)
            op = Op("delete", path)
            return self._done(op, IOERR_DELETE, lambda: real_delete(address, name, sync_directory))

        ours.xOpen = self._pointer(_OPEN(xopen))
        ours.xDelete = self._pointer(_DELETE(xdelete))
        self._watch_directories(unix.contents, address)
        self._kept.append(ours)
        sqlite.sqlite3_vfs_register(ctypes.byref(ours), 1)

    def _watch_directories(self, unix: _Vfs, address: int) -> None:
        """SQLite syncs a folder by opening it: that call of its is one that can be replaced."""
        found = _GET_CALL(unix.xGetSystemCall)(address, b"openDirectory")
        real = _OPEN_DIRECTORY(found)

        def opened(path: bytes, number: Any) -> int:
            rc = real(path, number)
            folder = str(Path(os.fsdecode(path)).parent)
            if f"{folder}{os.sep}".startswith(self._below):
                op = Op("sync folder", folder)
                try:
                    self._hooks.before(op)
                except Failing:
                    os.close(number[0])
                    return CANTOPEN
                self._hooks.after(op)
            return rc

        _SET_CALL(unix.xSetSystemCall)(
            address, b"openDirectory", self._pointer(_OPEN_DIRECTORY(opened))
        )

    def _opened(self, rc: int, file: int, path: str) -> int:
        table = c_void_p.from_address(file)
        if rc != OK or table.value is None:
            return rc
        self._names[file] = path
        if table.value not in self._tables:
            self._tables[table.value] = self._table(table.value)
        table.value = ctypes.addressof(self._tables[table.value])
        return rc

    def _table(self, address: int) -> _Methods:
        real = _Methods.from_address(address)
        ours = _Methods.from_buffer_copy(real)
        close, write = _CLOSE(real.xClose), _WRITE(real.xWrite)
        truncate, sync = _TRUNCATE(real.xTruncate), _SYNC(real.xSync)

        def xclose(file: int) -> int:
            self._names.pop(file, None)
            return close(file)

        def xwrite(file: int, data: int, size: int, offset: int) -> int:
            op = Op("write", self._names[file], offset, ctypes.string_at(data, size))

            def partly(arrived: int) -> None:
                if arrived:
                    write(file, data, min(arrived, size), offset)

            return self._done(op, IOERR_WRITE, lambda: write(file, data, size, offset), partly)

        def xtruncate(file: int, size: int) -> int:
            op = Op("truncate", self._names[file], size)
            return self._done(op, IOERR_TRUNCATE, lambda: truncate(file, size))

        def xsync(file: int, flags: int) -> int:
            op = Op("sync", self._names[file])
            return self._done(op, IOERR_FSYNC, lambda: sync(file, flags))

        ours.xClose = self._pointer(_CLOSE(xclose))
        ours.xWrite = self._pointer(_WRITE(xwrite))
        ours.xTruncate = self._pointer(_TRUNCATE(xtruncate))
        ours.xSync = self._pointer(_SYNC(xsync))
        return ours

    def _done(
        self,
        op: Op,
        code: int,
        work: Callable[[], int],
        partly: Callable[[int], None] = lambda _: None,
    ) -> int:
        try:
            self._hooks.before(op)
        except Failing as failing:
            partly(failing.arrived)
            return FULL if failing.number == errno.ENOSPC and op.kind == "write" else code
        rc = work()
        if rc == OK:
            self._hooks.after(op)
        return rc

    def _pointer(self, callback: Any) -> int | None:
        self._kept.append(callback)
        return ctypes.cast(callback, c_void_p).value

    # -- Python's own ---------------------------------------------------------------------

    def _replace_python(self) -> None:
        real_open, real_mkdir, real_rename, real_fsync = os.open, os.mkdir, os.rename, os.fsync

        def opened(path: Any, flags: int, mode: int = 0o777, **rest: Any) -> int:
            creates = flags & os.O_CREAT and self._is_ours(path) and not Path(path).exists()
            if not creates:
                return real_open(path, flags, mode, **rest)
            return self._seen(Op("create", str(path)), real_open, path, flags, mode, **rest)

        def mkdir(path: Any, *rest: Any, **named: Any) -> None:
            if self._is_ours(path) and not Path(path).exists():
                self._seen(Op("mkdir", str(path)), real_mkdir, path, *rest, **named)
            else:
                real_mkdir(path, *rest, **named)

        def rename(path: Any, to: Any, **rest: Any) -> None:
            if self._is_ours(path) and Path(path).exists():
                self._seen(Op("rename", str(path), to=str(to)), real_rename, path, to, **rest)
            else:
                real_rename(path, to, **rest)

        def fsync(number: int) -> None:
            path = str(Path(f"/proc/self/fd/{number}").readlink())
            is_folder = stat.S_ISDIR(os.fstat(number).st_mode)
            if f"{path}{os.sep}".startswith(self._below):
                kind = "sync folder" if is_folder else "sync"
                self._seen(Op(kind, path), real_fsync, number)
            else:
                real_fsync(number)

        os.open, os.mkdir, os.rename, os.fsync = opened, mkdir, rename, fsync  # type: ignore[assignment]  # for the rest of this process's life

    def _is_ours(self, path: object) -> bool:
        return isinstance(path, (str, os.PathLike)) and str(path).startswith(self._below)

    def _seen(self, op: Op, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        try:
            self._hooks.before(op)
        except Failing as failing:
            raise OSError(failing.number, os.strerror(failing.number), op.path) from None
        result = work(*given, **named)
        self._hooks.after(op)
        return result
