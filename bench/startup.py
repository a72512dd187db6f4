"""
How long each takes to its first verdict, and what it holds in memory: the daemon and the
polling script, both against the same simulator.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from machine import cpu_seconds, rss_mebibytes

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LOOK_SECONDS = 0.02
GIVE_UP_SECONDS = 40.0


class Started(NamedTuple):
    """A process, and the seconds from its start to its first verdict."""

    process: subprocess.Popen[bytes]
    seconds: float


class Held(NamedTuple):
    """Memory at the first verdict and at the end of the watch, CPU in between."""

    first_mebibytes: float
    last_mebibytes: float
    core_percent: float


def environment() -> dict[str, str]:
    """Child processes find the package where it lies, beside this folder."""
    return {**os.environ, "PYTHONPATH": str(HERE.parent)}


@contextmanager
def running(*command: str, **how: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that is told to end, and waited for, when the block does."""
    with subprocess.Popen([sys.executable, *command], env=environment(), **how) as process:
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()


def start_daemon(config: Path, port: int) -> Started:
    """The daemon; its verdict is there when every account is fresh and shows its pools."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run", "--config", str(config)],
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    while not _has_verdict(port):
        _give_up(process, began)
        time.sleep(LOOK_SECONDS)
    return Started(process, time.perf_counter() - began)


def _has_verdict(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status") as answer:
            accounts = json.load(answer)["accounts"]
    except OSError:
        return False
    return bool(accounts) and all(a["pools"] and a["state"] == "fresh" for a in accounts)


def start_polling(config: Path) -> Started:
    """The polling script; its verdict is there when it has every account's figures once."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "polling.py"), str(config)],
        env=environment(),
        stdout=subprocess.PIPE,
    )
    if process.stdout is None or process.stdout.readline() != b"first\n":
        _give_up(process, 0.0)
    return Started(process, time.perf_counter() - began)


def _give_up(process: subprocess.Popen[bytes], began: float) -> None:
    if process.poll() is not None or time.perf_counter() - began > GIVE_UP_SECONDS:
        process.kill()
        raise SystemExit(f"no verdict from {process.args!r}")


class Watch:
    """What a process holds from now until `held` is asked."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._pid = process.pid
        self._first = rss_mebibytes(process.pid)
        self._began, self._used = time.perf_counter(), cpu_seconds(process.pid)

    def held(self) -> Held:
        used = cpu_seconds(self._pid) - self._used
        share = 100 * used / (time.perf_counter() - self._began)
        return Held(self._first, rss_mebibytes(self._pid), share)
