"""
A long run at real speed with faults: what the process uses, and whether it comes back to base.

A simulator and a daemon as processes of their own. Every half minute a fault drawn from the
seed begins on one exchange and lasts a while; every two minutes the price dips for half a
minute, so that accounts cross rungs. Resident memory, sockets, threads and the loop's own
tasks are noted as it goes; at the end the faults stop, and two minutes after the last wait that
an exchange asked for (ten minutes for a bare 403) everything is to be fresh and as it was at the
start. Usage: python bench/soak.py [--minutes 120] [--seed 1]
[--record FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from machine import cpu_seconds, open_sockets, rss_mebibytes, threads
from processes import (
    Receiver,
    Simulator,
    end,
    machine,
    simulating,
    start_daemon,
    write_config,
)

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

SCENARIO = Path(__file__).with_name("soak.toml")
EXCHANGES = ("binance", "bybit", "okx")
# (kind, value, longest seconds): what a live monitor meets in a bad week.
FAULTS = (
    ("stall", None, 40), ("drop", None, 1), ("refuse", None, 30), ("garbage", None, 10),
    ("silent_symbol", None, 40), ("5xx", "503", 60), ("429", "5", 1), ("html", None, 40),
    ("empty", None, 30), ("truncated", None, 30), ("null", None, 30), ("timeout", None, 45),
    ("reset", None, 45), ("empty_list", None, 6), ("clock", "30", 60), ("403_html", None, 20),
)  # fmt: skip
SYMBOLS = {"binance": "BTCUSDT", "bybit": "BTCUSDT", "okx": "BTC-USDT-SWAP"}
FAULT_EVERY_SECONDS, DIP_EVERY_SECONDS, DIP_SECONDS = 30.0, 120.0, 30.0
SAMPLE_SECONDS = 15.0
WARM_SECONDS, CALM_SECONDS = 60.0, 120.0
# What a bare 403 asks for (reference bybit.md: "wait at least 10 min").
BAN_SECONDS = 600.0
# Connections that REST keeps for the next call come and go.
SPARE_SOCKETS = 3
LOWEST, HIGHEST = 35180, 35260
NUMBER = re.compile(r"^(\w+)(?:\{[^}]*\})? ([-+.\deE]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the process; `seconds` since its start."""

    seconds: float
    rss_mebibytes: float
    cpu_seconds: float
    sockets: int
    threads: int
    tasks: int
    messages: int
    states: tuple[str, ...]


class Soak:
    """One run: what happened and what was measured."""

    def __init__(
        self, simulator: Simulator, base: str, daemon: Process, receiver: Receiver
    ) -> None:
        self.samples: list[Sample] = []
        self.faults = self.dips = 0
        self._simulator = simulator
        self._base = base
        self._daemon = daemon
        self._receiver = receiver
        self._began = time.monotonic()

    async def sample(self) -> Sample:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{self._base}/metrics") as response:
                found = dict(NUMBER.findall(await response.text()))
            async with session.get(f"{self._base}/api/v1/status") as response:
                accounts = json.loads(await response.text())["accounts"]
        pid = self._daemon.pid
        sample = Sample(
            seconds=round(time.monotonic() - self._began, 1),
            rss_mebibytes=rss_mebibytes(pid),
            cpu_seconds=cpu_seconds(pid),
            sockets=open_sockets(pid),
            threads=threads(pid),
            tasks=int(float(found["margin_monitor_tasks"])),
            messages=len(self._receiver.messages),
            states=tuple(account["state"] for account in accounts),
        )
        self.samples.append(sample)
        return sample

    async def watch(self, note: Callable[[Sample], None]) -> None:
        while True:
            note(await self.sample())
            await asyncio.sleep(SAMPLE_SECONDS)

    async def disturb(self, dice: random.Random) -> None:
        while True:
            await asyncio.sleep(dice.uniform(0.5, 1.5) * FAULT_EVERY_SECONDS)
            kind, value, longest = dice.choice(FAULTS)
            exchange = dice.choice(EXCHANGES)
            if kind == "silent_symbol":
                value = SYMBOLS[exchange]
            seconds = dice.uniform(0.2, 1) * longest
            await self._steer(
                "fault", {"exchange": exchange, "kind": kind, "value": value, "seconds": seconds}
            )
            self.faults += 1

    async def dip(self, dice: random.Random) -> None:
        while True:
            await asyncio.sleep(dice.uniform(0.5, 1.5) * DIP_EVERY_SECONDS)
            await self._simulator.pin("BTC", str(dice.randint(LOWEST, HIGHEST)))
            await asyncio.sleep(DIP_SECONDS)
            await self._simulator.pin("BTC", None)
            self.dips += 1

    async def calm(self) -> None:
        await self._simulator.pin("BTC", None)
        await self._steer("fault/clear", {})

    async def settled(self) -> Sample:
        """The last look: once all is fresh, or when the longest ban is over and more."""
        began = time.monotonic()
        await asyncio.sleep(CALM_SECONDS)
        last = await self.sample()
        while set(last.states) != {"fresh"} and time.monotonic() < began + BAN_SECONDS:
            await asyncio.sleep(SAMPLE_SECONDS)
            last = await self.sample()
        if time.monotonic() > began + CALM_SECONDS + 1:
            print(f"looked again for {time.monotonic() - began:.0f} s after the last fault")
            await asyncio.sleep(CALM_SECONDS)
            last = await self.sample()
        return last

    async def _steer(self, where: str, body: dict[str, object]) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self._simulator.steer}{where}", json=body) as response,
        ):
            response.raise_for_status()


def slope(samples: list[Sample]) -> float:
    """MiB an hour by least squares, without the first sixth: a process settles in first."""
    kept = samples[len(samples) // 6 :]
    mean_x = sum(s.seconds for s in kept) / len(kept)
    mean_y = sum(s.rss_mebibytes for s in kept) / len(kept)
    over = sum((s.seconds - mean_x) ** 2 for s in kept)
    if over == 0:
        raise ValueError("one moment has no slope")
    return 3600 * sum((s.seconds - mean_x) * (s.rss_mebibytes - mean_y) for s in kept) / over


def free_port() -> int:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def run(minutes: float, seed: int, record: Path | None) -> bool:
    dice = random.Random(seed)
    receiver, port = Receiver(), free_port()
    url = await receiver.start()

    def note(sample: Sample) -> None:
        if record is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(sample)) + "\n")

    with tempfile.TemporaryDirectory(prefix="margin-monitor-soak-") as name:
        async with simulating(str(SCENARIO)) as simulator:
            config = write_config(Path(name), simulator, url)
            text = config.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{port}")
            config.write_text(text, encoding="utf-8")
            daemon = await start_daemon(config)
            try:
                await asyncio.sleep(WARM_SECONDS)
                soak = Soak(simulator, f"http://127.0.0.1:{port}", daemon, receiver)
                base = await soak.sample()
                print(f"# {machine()}; seed {seed}; base {base}", flush=True)
                parts = [
                    asyncio.create_task(each)
                    for each in (soak.watch(note), soak.disturb(dice), soak.dip(dice))
                ]
                done, _ = await asyncio.wait(parts, timeout=60 * minutes)
                for task in parts:
                    task.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
                for task in done:
                    task.result()
                await soak.calm()
                last = await soak.settled()
                return told(soak, base, last)
            finally:
                await end(daemon, signal.SIGTERM)
                await receiver.stop()
                log = (Path(name) / "log").read_text(encoding="utf-8")
                print(f"faults of our own in the log: {log.count('part.died')}")


def told(soak: Soak, base: Sample, last: Sample) -> bool:
    """Print what was found; whether everything is as it should be."""
    hours = last.seconds / 3600
    print(f"{hours:.2f} h, {soak.faults} faults, {soak.dips} dips, {last.messages} messages")
    for word in ("rss_mebibytes", "sockets", "threads", "tasks"):
        seen = [getattr(s, word) for s in soak.samples]
        print(f"{word:<14} base {getattr(base, word):8.1f}   largest {max(seen):8.1f}   "
              f"at the end {getattr(last, word):8.1f}")  # fmt: skip
    print(f"RSS slope {slope(soak.samples):+.2f} MiB/h")
    print(f"CPU {100 * (last.cpu_seconds - base.cpu_seconds) / last.seconds:.2f} % of a core")
    print(f"states at the end: {', '.join(last.states)}")
    fresh = all(state == "fresh" for state in last.states)
    return fresh and last.tasks <= base.tasks and last.sockets <= base.sockets + SPARE_SOCKETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    if not asyncio.run(run(given.minutes, given.seed, given.record)):
        print("NOT back to base")
        sys.exit(1)


if __name__ == "__main__":
    main()
