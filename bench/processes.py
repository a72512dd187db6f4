"""Real processes for measurements: a simulator, a daemon, and a receiver of its messages."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[1]
_RATIO = re.compile(r"\bat (?:over )?([\d.]+) %")
MONITOR = (sys.executable, "-m", "monitor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    at: datetime
    title: str
    body: str

    @property
    def incident(self) -> str:
        """The incident's id, from the message's last line."""
        return self.body.rsplit("Incident ", 1)[-1][:8]

    def tells(self, threshold: str) -> bool:
        """Whether its title tells of a margin ratio of `threshold` or more, and of no end."""
        found = _RATIO.search(self.title)
        ended = "RESOLVED" in self.title or "GONE" in self.title
        return found is not None and not ended and float(found[1]) >= float(threshold) * 100


class Receiver:
    """The far end of the one channel; notes when each message came."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    async def start(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"json://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        at = datetime.now(UTC)
        row = json.loads(await request.read())
        self.messages.append(Message(at=at, title=row["title"], body=row["message"]))
        return web.Response(text="taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A simulator process: its accounts as TOML, and the way to steer it."""

    accounts: str
    steer: str

    async def events(self) -> list[dict[str, str]]:
        """What happened so far, by the simulator's own record."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.steer}events") as response,
        ):
            found: list[dict[str, str]] = json.loads(await response.read())
            return found

    async def pin(self, base: str, price: str | None) -> None:
        body = {"base": base, "price": price}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.steer}price", json=body) as response,
        ):
            response.raise_for_status()


@asynccontextmanager
async def simulating(scenario: str, speed: float = 1) -> AsyncIterator[Simulator]:
    process = await asyncio.create_subprocess_exec(
        *MONITOR, "simulate", scenario, "--port", "0", "--speed", str(speed),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if process.stdout is None:
        raise RuntimeError("the simulator has no output")
    lines: list[str] = []
    try:
        async with asyncio.timeout(30):
            while not (lines and lines[-1] == "# ready"):
                lines.append((await process.stdout.readline()).decode().rstrip("\n"))
        steer = next(line.split()[-1] for line in lines if line.startswith("# steer it:"))
        yield Simulator(accounts="\n".join(lines), steer=steer)
    finally:
        await end(process, signal.SIGTERM)


def write_config(folder: Path, simulator: Simulator, channel_url: str) -> Path:
    config = folder / "margin-monitor.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'{simulator.accounts}\n[[channels]]\nname = "phone"\nurl = "{channel_url}"\n'
        f'min_severity = "info"\n[state]\ndirectory = "{folder / "state"}"\n'
        '[http]\nlisten = "127.0.0.1:0"\n',
        encoding="utf-8",
    )
    return config


async def start_daemon(config: Path) -> asyncio.subprocess.Process:
    log = (config.parent / "log").open("ab")
    try:
        return await asyncio.create_subprocess_exec(
            *MONITOR, "run", "--config", str(config), cwd=ROOT, stdout=log, stderr=log
        )
    finally:
        log.close()


async def end(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal a process that this script started, and wait for its end."""
    if process.returncode is None:
        process.send_signal(number)
    await asyncio.wait_for(process.wait(), 30)


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="margin-monitor-bench-")


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {load:.1f}"
