"""
The stage of the whole: receiver, config file and daemon, in this process or as one of its own.

Nothing here waits for a duration: `until` looks again and again, and fails with the words of
what it waited for.
"""

import asyncio
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from aiohttp import web

from monitor.service import logs
from monitor.service.control import NotRunning, ask
from monitor.service.daemon import Daemon
from monitor.settings import load_settings
from monitor.simulator.server import Access, Simulation

ROOT = Path(__file__).parents[2]
LOOK_SECONDS = 0.02
TAKEN_SECONDS = 0.05
_INCIDENT = re.compile(r"^Incident ([a-z2-7]{8})\b", re.MULTILINE)

T = TypeVar("T")


async def until(look: Callable[[], T], what: str, *, seconds: float = 15.0) -> T:
    """What `look` gives as soon as that is true; after so many seconds it fails with `what`."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        await asyncio.sleep(LOOK_SECONDS)
    return found


def skip_to(simulation: Simulation, seconds: float) -> None:
    """Let the path go on from this virtual second: before it nothing happens."""
    world = simulation.world
    world._started_at = world.now() - timedelta(seconds=seconds / world.speed)


# --- the far end of the one channel ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it arrived; `at` by the wall clock, as the simulator's record."""

    at: datetime
    title: str
    body: str

    @property
    def incident(self) -> str:
        found = _INCIDENT.search(self.body)
        return found[1] if found else ""


class Receiver:
    """
    Takes apprise's JSON posts and remembers them.

    `refuses` answers 503 to each; `hangs` keeps what came and never answers, so that the sender
    can't know. `tries` counts what was refused, `posts` what was taken.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.url = ""
        self.refuses = False
        self.hangs = False
        self.tries = 0
        self.posts = 0
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"json://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def of(self, account: str, *words: str) -> list[Message]:
        """The messages so far whose title names this account and holds these words."""
        return [m for m in self.messages if all(w in m.title for w in (account, *words))]

    async def _take(self, request: web.Request) -> web.Response:
        at = datetime.now(UTC)
        row = json.loads(await request.read())
        if self.refuses:
            self.tries += 1
            return web.Response(status=503)
        self.posts += 1
        self.messages.extend(_singly(Message(at=at, title=row["title"], body=row["message"])))
        if self.hangs:
            await asyncio.Event().wait()
        return web.Response(text="taken")


def _singly(message: Message) -> list[Message]:
    """What a gathered message tells of, as if each had come alone; of most just the title."""
    gathered = re.match(r"\d+ messages in one\. ", message.title)
    if gathered is None:
        return [message]
    body, _, listed = message.body.partition("\n\nBeside it, ")
    first = replace(message, title=message.title[gathered.end() :], body=body)
    titles = [line.removeprefix("• ") for line in listed.splitlines()[1:]]
    return [first, *(replace(message, title=title, body="") for title in titles)]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


# --- the config file ---------------------------------------------------------------------


# A ladder for accounts that stand near their end from the start: of that nothing is told then.
ONLY_RATIO = '[[ladder]]\nname = "warning"\nenter = 0.80\nleave = 0.77'


def write_config(
    folder: Path,
    accesses: Iterable[Access],
    channel_url: str = "json://127.0.0.1:9/",
    *,
    poll_seconds: float = 5,
    budgets: Mapping[str, float] | None = None,
    account_lines: Mapping[str, str] | None = None,
    more: str = "",
) -> Path:
    """
    A config file (0600) with these accounts, its state beside it, HTTP on any free port.

    `account_lines` are further lines for the account of that name, `more` goes at the end.
    """
    extra = account_lines or {}
    parts = [
        account_table(access, f"poll_seconds = {poll_seconds}\n{extra.get(access.account, '')}")
        for access in accesses
    ]
    parts.append(f'[[channels]]\nname = "phone"\nurl = "{channel_url}"\nmin_severity = "info"')
    # Tests read far oftener than anybody would: they may use more of the limits.
    shares = {"limits": 0.5, **(budgets or {})}
    parts.append("[budgets]\n" + "\n".join(f"{k} = {v}" for k, v in shares.items()))
    parts.append(f'[state]\ndirectory = "{folder / "state"}"\n[http]\nlisten = "127.0.0.1:0"')
    path = folder / "margin-monitor.toml"
    path.touch(mode=0o600)
    path.write_text("\n\n".join((*parts, more)) + "\n", encoding="utf-8")
    return path


def account_table(access: Access, more: str = "") -> str:
    lines = [
        "[[accounts]]",
        f'name = "{access.account}"',
        f'exchange = "{access.exchange}"',
        f'api_key = "{access.api_key}"',
        f'api_secret = "{access.api_secret}"',
        f'passphrase = "{access.passphrase}"' if access.passphrase else "",
        f'rest_url = "{access.rest_url}"',
        f'ws_url = "{access.ws_url}"',
        more,
    ]
    return "\n".join(line for line in lines if line)


# --- the daemon in this process ----------------------------------------------------------


class Watching:
    """A daemon at work in this process."""

    def __init__(self, config: Path) -> None:
        settings = load_settings(config)
        self.log = config.parent / "log"
        self._stream = self.log.open("a", encoding="utf-8")
        self._handlers = logging.getLogger().handlers[:]
        logs.set_up(settings.secrets(), stream=self._stream)
        self.daemon = Daemon(settings)
        self._stop = asyncio.Event()
        self._running = asyncio.create_task(self.daemon.run(self._stop))

    def state(self, account: str) -> str:
        """fresh, stale or blind; empty before anything is known."""
        board = self.daemon.board.assessments()
        return next((a.state.value for a in board if a.account == account), "")

    async def fresh(self, *accounts: str) -> None:
        """Until the figures of all these accounts are fresh."""
        for account in accounts:
            await self.until(lambda name=account: self.state(name) == "fresh", f"{account} fresh")

    async def until(self, look: Callable[[], T], what: str, *, seconds: float = 15.0) -> T:
        """As `until`; a daemon that ended meanwhile is an error of its own."""

        def looked() -> T:
            if self._running.done():
                self._running.result()
                raise AssertionError("the daemon ended")
            return look()

        return await until(looked, what, seconds=seconds)

    def logged(self) -> list[dict[str, Any]]:
        self._stream.flush()
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    async def stop(self) -> None:
        self._stop.set()
        try:
            await self._running
        finally:
            logging.getLogger().handlers[:] = self._handlers
            structlog.reset_defaults()
            self._stream.close()


@asynccontextmanager
async def watching(config: Path) -> AsyncIterator[Watching]:
    """A daemon in this process until the block ends; no part of it may have died of a bug."""
    daemon = Watching(config)
    try:
        yield daemon
    finally:
        await daemon.stop()
        # A connection that it had just opened is taken by the server in the loop's next rounds;
        # one that ends before leaves an open socket behind.
        await asyncio.sleep(TAKEN_SECONDS)
    died = [row for row in map(json.loads, daemon.log.read_text().splitlines()) if _is_bug(row)]
    assert died == []


def _is_bug(row: Mapping[str, object]) -> bool:
    return row.get("event") == "part.died" or "exception" in row


# --- commands as processes ---------------------------------------------------------------


class Process:
    """`margin-monitor` as a process; its output goes to a file of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def until_said(self, words: str, *, times: int = 1, seconds: float = 30.0) -> None:
        def said() -> bool:
            assert self.process.returncode is None, f"it ended: {self.text()[-2000:]}"
            return self.text().count(words) >= times

        await until(said, f"{words!r} in its output", seconds=seconds)

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 20)

    async def kill(self) -> None:
        """SIGKILL: it gets to do nothing any more."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


async def status_of(config: Path, account: str, state: str = "fresh") -> Any:
    """The account as a running daemon's control socket tells of it, once it is in this state."""
    directory = load_settings(config).state_directory
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with suppress(NotRunning):
            told: Any = await ask(directory, "GET", "/status")
            found = next((a for a in told["accounts"] if a["name"] == account), None)
            if found is not None and found["state"] == state:
                return found
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"after 30 s {account} is not {state}")


@asynccontextmanager
async def command(*words: str, log: Path) -> AsyncIterator[Process]:
    """`python -m monitor` with these words; killed at the end of the block if it still runs."""
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "monitor", *words, cwd=ROOT, env=environment(), stdout=out,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    started = Process(process, log)
    try:
        yield started
    finally:
        await started.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ran to its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def run(*words: str, seconds: float = 60.0, **variables: str) -> Ended:
    """`python -m monitor` with these words, to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", *words, cwd=ROOT, env=environment(**variables),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return Ended(code=process.returncode or 0, out=out.decode(), err=err.decode())


def environment(**variables: str) -> dict[str, str]:
    """This environment without what would lead a command elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MARGIN_MONITOR")
        and name not in {"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "NOTIFY_SOCKET"}
    }
    return kept | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT)} | variables
