"""
`make bench`: what monitoring costs, each figure beside the same from something simpler.

Everything runs on loopback against the project's own simulator and ends by itself within four
minutes. Per frame the product stands beside bare `websockets` with msgspec's typed decoding
(both get the same recorded bytes), and as a process beside a plain ccxt polling script.
`--json` prints every figure as JSON.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from machine import machine_line
from startup import HERE, Watch, end, environment, running, start_daemon, start_polling
from table import Line, as_table

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_SECONDS, FALL_SECONDS = 25.0, 28.0
STARTS = 3
HELD_SECONDS = 60.0
PATIENCE_SECONDS = 90.0
CPU_GOAL, LATENCY_GOAL, MEMORY_GOAL, START_GOAL = 1.5, 5.0, 1.4, 1.0


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def simulator(scenario: str, speed: float) -> Iterator[str]:
    """A simulator of its own process; gives its accounts as configuration text."""
    command = ("-m", "monitor", "simulate", scenario, "--port", "0", "--speed", str(speed))
    with running(*command, stdout=subprocess.PIPE) as process:
        lines: list[str] = []
        # The last account's last line ends what it prints.
        while not (lines and lines[-1].startswith("ws_url") and "okx" in lines[-1]):
            line = process.stdout.readline().decode() if process.stdout else ""
            if not line:
                raise SystemExit("the simulator did not start")
            lines.append(line)
        yield "".join(lines)


def configured(folder: Path, name: str, accounts: str, port: int) -> Path:
    """A configuration file for these accounts, with a state directory and a port of its own."""
    config = folder / f"{name}.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'{accounts}\n[state]\ndirectory = "{folder / name}"\n'
        f'[http]\nlisten = "127.0.0.1:{port}"\n'
        '[[channels]]\nname = "phone"\nurl = "json://127.0.0.1:9/"\n',
        encoding="utf-8",
    )
    return config


def recorder(config: Path, seconds: float, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "record.py"), str(config), str(seconds), str(file)]
    return subprocess.Popen(command, env=environment())


def processes(folder: Path) -> tuple[dict[str, object], Path, Path]:
    """Start, memory and CPU of both processes; meanwhile both recordings are made."""
    book, fall = folder / "book.recorded", folder / "fall.recorded"
    with ExitStack() as stack:
        accounts = stack.enter_context(simulator(str(HERE / "book.toml"), 0.3))
        port = free_port()
        config = configured(folder, "book", accounts, port)
        ours, theirs = [], []
        for attempt in range(STARTS):
            say(f"start {attempt + 1} of {STARTS}")
            daemon = start_daemon(config, port)
            if attempt < STARTS - 1:
                end(daemon.process)
            polling = start_polling(config)
            if attempt < STARTS - 1:
                end(polling.process)
            ours.append(daemon.seconds)
            theirs.append(polling.seconds)
        stack.callback(end, daemon.process)
        stack.callback(end, polling.process)
        watches = Watch(daemon.process), Watch(polling.process)
        say(f"{HELD_SECONDS:.0f} s beside each other, and recording")
        began = time.perf_counter()
        falling = stack.enter_context(simulator("flash_crash", 2.0))
        recorders = [
            recorder(config, RECORD_SECONDS, book),
            recorder(configured(folder, "fall", falling, free_port()), FALL_SECONDS, fall),
        ]
        if any(each.wait(PATIENCE_SECONDS) for each in recorders):
            raise SystemExit("a recording failed")
        time.sleep(max(0.0, HELD_SECONDS - (time.perf_counter() - began)))
        found = {
            "start_seconds": {"ours": ours, "polling": theirs},
            "held": {
                "ours": watches[0].held()._asdict(),
                "polling": watches[1].held()._asdict(),
            },
        }
    return found, book, fall


def consume(port: str, file: Path, *jobs: tuple[str, ...]) -> list[dict[str, object]]:
    """What consumers say of themselves, all at the same time: (kind, cadence, accounts…)."""
    started = [
        subprocess.Popen(
            [sys.executable, str(HERE / "consumer.py"), kind, str(file), port, *rest],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for kind, *rest in jobs
    ]
    try:
        return [json.loads(each.communicate(timeout=PATIENCE_SECONDS)[0]) for each in started]
    finally:
        for each in started:
            each.kill()


@contextmanager
def replay(file: Path) -> Iterator[str]:
    """A server that sends what was recorded; gives its port."""
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running(str(HERE / "replay.py"), str(file), **how) as process:
        yield process.stdout.readline().decode().strip() if process.stdout else ""


def frames(book: Path, fall: Path, accounts: list[str]) -> dict[str, object]:
    """CPU per frame and latency, over everything and for each account."""
    found: dict[str, object] = {}
    with replay(book) as port:
        say("live cadence, all accounts")
        found["live"] = consume(port, book, ("bare", "live"), ("product", "live"))
        say("live cadence, each account by itself")
        jobs = [(kind, "live", account) for account in accounts for kind in ("bare", "product")]
        alone = consume(port, book, *jobs)
        found["live_alone"] = {
            account: alone[2 * number : 2 * number + 2] for number, account in enumerate(accounts)
        }
        say("back to back")
        # One after the other: both want a core for themselves.
        found["flat"] = [consume(port, book, (kind, "flat"))[0] for kind in ("bare", "product")]
    with replay(fall) as port:
        say("a crash at live cadence")
        found["fall"] = consume(port, fall, ("product", "live"))[0]
    return found


def quantile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def cpu_line(what: str, pair: list[dict[str, float]], goal: float | None = None) -> Line:
    bare, ours = (each["microseconds_per_frame"] for each in pair)
    return Line(what, ours, bare, "µs", goal)


def lines(processes: dict[str, object], frames: dict[str, object]) -> list[Line]:
    """The table's lines; a goal stands for ours ÷ theirs, or for ours where nothing is beside."""
    starts, held = processes["start_seconds"], processes["held"]
    ours, polling = held["ours"], held["polling"]
    live, fall = frames["live"][1], frames["fall"]
    found = [cpu_line("CPU per frame, live, all accounts", frames["live"], CPU_GOAL)]
    found += [
        cpu_line(f"CPU per frame, live, {account}", pair)
        for account, pair in frames["live_alone"].items()
    ]
    found.append(cpu_line("CPU per frame, back to back", frames["flat"]))
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        milliseconds = quantile(live["decided_milliseconds"], share)
        goal = LATENCY_GOAL if share > 0.9 else None
        found.append(Line(f"tick to decision {name}, live", milliseconds, None, "ms", goal))
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        milliseconds = quantile(fall["decided_milliseconds"], share)
        goal = LATENCY_GOAL if share > 0.9 else None
        found.append(Line(f"tick to decision {name}, crash", milliseconds, None, "ms", goal))
    shown = quantile(live["shown_milliseconds"], 0.99)
    found.append(Line("tick to the board p99, live", shown, None, "ms"))
    crossings = fall["committed_milliseconds"]
    found += [
        Line(f"the slowest of {len(crossings)} with a committed row", crossings[-1], None, "ms"),
        Line(
            "memory at the first verdict",
            ours["first_mebibytes"],
            polling["first_mebibytes"],
            "MiB",
            MEMORY_GOAL,
        ),
        Line(
            f"memory {HELD_SECONDS:.0f} s later",
            ours["last_mebibytes"],
            polling["last_mebibytes"],
            "MiB",
            MEMORY_GOAL,
        ),
        Line("CPU of the whole process", ours["core_percent"], polling["core_percent"], "% core"),
        Line(
            "start to first verdict",
            statistics.median(starts["ours"]),
            statistics.median(starts["polling"]),
            "s",
            START_GOAL,
        ),
    ]
    return found


def main() -> None:
    began, machine = time.perf_counter(), machine_line()
    with tempfile.TemporaryDirectory(prefix="margin-monitor-bench-") as name:
        folder = Path(name)
        found, book, fall = processes(folder)
        accounts = tomllib.loads((HERE / "book.toml").read_text(encoding="utf-8"))["accounts"]
        measured = frames(book, fall, [account["name"] for account in accounts])
    listed = lines(found, measured)
    took = time.perf_counter() - began
    if "--json" in sys.argv[1:]:
        told = [line.as_json() for line in listed]
        print(json.dumps({"machine": machine, "seconds": took, "lines": told}, indent=2))
        return
    print(machine)
    print(as_table(listed))
    print(f"took {took:.0f} s")


if __name__ == "__main__":
    main()
