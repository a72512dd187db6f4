"""
One life of the real daemon on a real state directory, on a clock that does not wait.

Real are the engines, what the daemon does with their wishes, the store on its SQLite file, the
courier and the stop in order. Played are what accounts are told (`script`), the receivers, and
time. Of everything that is done `Tape` keeps a record; its `tick` may end the process there.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import selectors
import signal
import sqlite3
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import structlog

from monitor.exchanges.gate import Gate
from monitor.service import daemon as daemon_module
from monitor.service.account_task import AccountTask
from monitor.service.capturing import open_client
from monitor.service.clock import Clock
from monitor.service.daemon import Daemon
from monitor.settings import load_settings
from monitor.storage.database import FILE_NAME
from monitor.storage.store import Store
from tests.build import NOON
from tests.crash import script
from tests.crash.vfs import Failing, Op, Shim

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.alerts.message import Notification
    from monitor.exchanges.gate import Host
    from monitor.exchanges.rest import RestClient
    from monitor.settings import AccountSettings, Settings

# So that a run of minutes checkpoints as one of days does (SQLite's own default is 1000).
CHECKPOINT_PAGES = 24


class Loop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next thing that is due."""

    def __init__(self, began: float) -> None:
        self.now = began
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self.now


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("nothing will ever happen again")
        if not found and timeout:
            self._loop.now += timeout
        return found


@dataclass
class Tape:
    """
    What happened in one life. `dies_at`: the number of the tick at which SIGKILL comes.

    `fails(number, op)` gives the errno with which an operation on the disk is to fail, or None.
    `log` is kept by whoever survives this process.
    """

    log: Callable[[dict[str, Any]], None]
    dies_at: int | None = None
    fails: Callable[[int, Op], int | None] = lambda _number, _op: None
    keeps: bool = False  # every operation with its bytes
    clock: Callable[[], float] = lambda: 0.0
    on_disk: Callable[[str, str], bool] | None = None  # looked up before a message leaves
    is_deaf: bool = False
    ticks: int = 0
    ops: int = 0
    failed: int = 0
    kept: list[tuple[str, Any]] = field(default_factory=list)

    def tick(self, label: str) -> None:
        number, self.ticks = self.ticks, self.ticks + 1
        if self.keeps:
            self.kept.append(("tick", (label, self.clock())))
        if number == self.dies_at:
            self.note("died", label=label)
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self, what: str, **said: Any) -> None:
        entry = {"what": what, "t": self.clock(), **said}
        self.log(entry)
        if self.keeps:
            self.kept.append(("note", entry))

    def before(self, op: Op) -> None:
        if self.is_deaf:  # a look from outside: it fails nothing, but may make a file
            self.kept.append(("op", op))
            return
        self.tick(f"before {op}")
        number, self.ops = self.ops, self.ops + 1
        wrong = self.fails(number, op)
        if wrong is not None:
            self.failed += 1
            if self.failed == 1:
                self.note("disk failed", op=str(op))
            arrived = len(op.data) // 2 if op.kind == "write" else 0
            if self.keeps:
                self.kept.append(("failed", (op, arrived)))
            raise Failing(wrong, arrived)
        if self.keeps:
            self.kept.append(("op", op))

    def after(self, op: Op) -> None:
        if not self.is_deaf:
            self.tick(f"after {op}")


class Receiver:
    """A channel whose far end survives: what it took is on the tape."""

    def __init__(self, name: str, tape: Tape) -> None:
        self.name = name
        self._tape = tape

    async def send(self, notification: Notification) -> None:
        self._tape.tick(f"before send {self.name}")
        about = self._about(notification)
        on_disk = self._tape.on_disk
        found = {} if on_disk is None else {"on_disk": on_disk(notification.id, self.name)}
        self._tape.note("left", **about, **found)
        await asyncio.sleep(0.05)
        error = script.answer(self.name, self._tape.clock())
        if error is not None:
            wait = error.retry_after_seconds or 0.0
            self._tape.note("refused", because=str(error), wait=wait, **about)
            raise error
        self._tape.note("taken", **about)
        self._tape.tick(f"taken by {self.name}")
        await asyncio.sleep(0.05)
        self._tape.tick(f"after send {self.name}")

    def close(self) -> None: ...

    def _about(self, notification: Notification) -> dict[str, Any]:
        return {
            "channel": self.name,
            "id": notification.id,
            "incident": notification.incident_id,
            "written": notification.created_at.timestamp(),
            "title": notification.title,
            "body": notification.body,
        }


class _Connection(sqlite3.Connection):
    tape: Tape

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        super().execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").close()

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        return self._seen(sql, super().execute, *given)

    def executemany(self, sql: str, *given: Any) -> sqlite3.Cursor:
        return self._seen(sql, super().executemany, *given)

    def _seen(self, sql: str, work: Callable[..., sqlite3.Cursor], *given: Any) -> sqlite3.Cursor:
        words = " ".join(sql.split())[:40]
        self.tape.tick(f"before «{words}»")
        found = work(sql, *given)
        self.tape.tick(f"after «{words}»")
        return found


def on_disk(directory: Path, tape: Tape) -> Callable[[str, str], bool]:
    """Whether a message is in the file as another reader sees it."""
    connect, path = sqlite3.connect, directory / "disk" / "state" / FILE_NAME

    def look(name: str, channel: str) -> bool:
        tape.is_deaf = True
        try:
            with closing(connect(f"{path.as_uri()}?mode=ro", uri=True)) as reader:
                query = "SELECT 1 FROM outbox WHERE notification_id = ? AND channel = ?"
                return reader.execute(query, (name, channel)).fetchone() is not None
        except sqlite3.Error:
            return False
        finally:
            tape.is_deaf = False

    return look


def live(
    directory: Path, began: float, tape: Tape, *, breaks: Callable[[], None] | None = None
) -> None:
    """
    A life from second `began` of the script to its end, on the state in `directory`/disk/state.

    For a process of its own: what is replaced is never put back.
    """
    random.seed(7)
    loop = Loop(began)
    tape.clock = loop.time
    _watch(directory, tape)
    if breaks is not None:
        breaks()
    asyncio.set_event_loop(loop)
    settings = replace(_settings(), state_directory=directory / "disk" / "state")
    wall = NOON.timestamp() + began
    clock = Clock(wall=lambda: wall, boottime=loop.time, monotonic=loop.time)
    daemon = Daemon(settings, clock)
    tape.note("began")
    loop.run_until_complete(_until_the_end(daemon, loop))
    tape.note("ended", ticks=tape.ticks, ops=tape.ops, failed=tape.failed)


async def _until_the_end(daemon: Daemon, loop: Loop) -> None:
    stop = asyncio.Event()
    loop.call_at(max(script.ENDS_AT, loop.time() + script.LEAST_LIFE), stop.set)
    await daemon.run(stop)


def _watch(directory: Path, tape: Tape) -> None:
    (directory / "disk").mkdir(exist_ok=True)
    Shim(directory / "disk", tape).install()
    _Connection.tape = tape
    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **named: connect(*given, factory=_Connection, **named)  # type: ignore[assignment]  # for the rest of this process's life
    daemon_module.AppriseChannel = lambda name, _url: Receiver(name, tape)  # type: ignore[assignment,misc]
    daemon_module.open_client = _prepared
    daemon_module.ControlServer = _Nothing  # type: ignore[assignment,misc]
    daemon_module.StatusServer = _Nothing  # type: ignore[assignment,misc]
    daemon_module.gc = _NoCollection()  # type: ignore[assignment]
    AccountTask.run = _played  # type: ignore[method-assign]
    record = Store.record

    def recorded(
        store: Store, incident: Any, notification: Notification | None, channels: Any = ()
    ) -> bool:
        kept = record(store, incident, notification, channels)
        tape.note(
            "kept" if kept else "unkept",
            incident=incident and incident.id,
            id=notification and notification.id,
            channels=list(channels) if notification else [],
        )
        tape.tick("after recording")
        return kept

    Store.record = recorded  # type: ignore[method-assign]
    keep_quiet = Store.keep_quiet

    def kept_quiet(store: Store, host: str, until: Any, at: Any) -> None:
        keep_quiet(store, host, until, at)
        if store.trouble is None and until is not None:
            tape.note("quiet", host=host)

    Store.keep_quiet = kept_quiet  # type: ignore[method-assign]


async def _played(task: AccountTask) -> None:
    """An account's part in the script, through the task's own way into its engine."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at in script.times(task.name, began):
        await asyncio.sleep(at - loop.time())
        for event in script.events(task.name, at, first=at == began):
            task.process(event)
        if script.truth(task.name, at).read:
            task._shell.note_watched()
        if at == began and task.name == "main":
            now = task._shell.now()
            task.rest.gate.host.quiet.ask(now.replace(microsecond=0), now)
    await asyncio.Event().wait()


class _Nothing:
    """In place of what only shows."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    async def start(self, *_: Any) -> None: ...

    async def keep(self) -> None: ...

    async def stop(self) -> None: ...


class _NoCollection:
    @staticmethod
    def collect() -> int:
        return 0

    @staticmethod
    def freeze() -> None: ...


def in_a_child(work: Callable[[], None], errors: Path) -> int:
    """The wait status of a forked process that does this and ends; 0 where all went well."""
    number = os.fork()
    if number:
        return os.waitpid(number, 0)[1]
    code = 1
    try:
        with errors.open("w", encoding="utf-8") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - this process's last word
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    finally:
        with suppress(ValueError):
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(code)


def warm() -> None:
    """What every child needs, loaded once; a child's copy of it is then cheap."""
    for account in _settings().accounts:
        _client(account.name)
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    gc.collect()
    gc.freeze()
    gc.disable()


def to_file(path: Path) -> Callable[[dict[str, Any]], None]:
    """A log that outlives its writer: each entry is with the kernel before the next is made."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return lambda entry: void(os.write(number, json.dumps(entry).encode() + b"\n"))


def void(_: object) -> None: ...


def from_file(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def _settings() -> Settings:
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".toml") as file:  # it is 0600
        file.write(script.config("/nowhere"))
        file.flush()
        return load_settings(Path(file.name))


@cache
def _client(account: str) -> RestClient:
    """The account's client: nothing is asked over it, but it is slow to build."""
    settings = next(a for a in _settings().accounts if a.name == account)
    return open_client(settings, Clock())


def _prepared(account: AccountSettings, clock: Clock, host: Host | None = None) -> RestClient:
    client = _client(account.name)
    client._now = clock.now
    client.gate = Gate(client.exchange, account.name, clock.now, host)
    return client


def _drop(*_: object) -> dict[str, Any]:
    raise structlog.DropEvent
