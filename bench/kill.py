"""
kill -9 in the second after a crossing: what arrives after the restart, and how often.

Each round has a new state directory. A price is pinned so that the simulator's pool rises over
80 %, in half of the rounds over 90 % a moment later; at a random moment of the second after
the last crossing the daemon is killed, and started again. Usage: python bench/kill.py
[--rounds 20] [--side-by-side 2] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from processes import (
    Receiver,
    Simulator,
    end,
    folder,
    machine,
    simulating,
    start_daemon,
    write_config,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# Ahmed: 1,000 + 0.1 (P − 45,000) = balance, 0.1 P × 0.4 % = maintenance.
# 83 % at P = 2,905 ÷ 0.0826, 93 % at P = 3,255 ÷ 0.0926.
SCENARIO, BASE = "ahmed", "BTC"
PRICES = {"0.8": "35169.5", "0.9": "35151.2"}
SETTLE_SECONDS = 4.0
LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    rung: str
    killed_after_seconds: float
    before_kill: int
    arrived: int
    most_copies: int


async def until(look: Callable[[], bool]) -> bool:
    """Whether it came true in time."""
    for _ in range(int(LONGEST_SECONDS / 0.02)):
        if look():
            return True
        await asyncio.sleep(0.02)
    return False


async def crossing(simulator: Simulator, rung: str) -> None:
    while True:
        for event in await simulator.events():
            risen = event["event"] == "crossing" and event["direction"] == "up"
            if risen and event["threshold"] == rung:
                return
        await asyncio.sleep(0.005)


async def one_round(rung: str, wait: float) -> Round:
    receiver = Receiver()
    url = await receiver.start()
    try:
        with folder() as name:
            async with simulating(SCENARIO) as simulator:
                config = write_config(Path(name), simulator, url)
                await cross_and_die(simulator, config, rung, wait)
                before = len(receiver.messages)
                await revive(config, lambda: _has(receiver, rung))
    finally:
        await receiver.stop()
    copies = Counter((message.title, message.incident) for message in receiver.messages)
    return Round(
        rung=rung,
        killed_after_seconds=wait,
        before_kill=before,
        arrived=sum(m.tells(rung) for m in receiver.messages),
        most_copies=max(copies.values(), default=0),
    )


def _has(receiver: Receiver, rung: str) -> bool:
    return any(message.tells(rung) for message in receiver.messages)


async def cross_and_die(simulator: Simulator, config: Path, rung: str, wait: float) -> None:
    """A daemon that sees the crossing, and is killed so many seconds after it."""
    daemon = await start_daemon(config)
    log = config.parent / "log"
    try:
        if not await until(lambda: b"account.watched" in log.read_bytes()):
            raise RuntimeError(f"the daemon does not watch: {log.read_text()[-500:]}")
        for step in ("0.8", "0.9")[: 1 if rung == "0.8" else 2]:
            await simulator.pin(BASE, PRICES[step])
            async with asyncio.timeout(LONGEST_SECONDS):
                await crossing(simulator, step)
        await asyncio.sleep(wait)
    finally:
        await end(daemon, signal.SIGKILL)


async def revive(config: Path, arrived: Callable[[], bool]) -> None:
    """The daemon again, until the message has come, and a while longer for copies of it."""
    daemon = await start_daemon(config)
    try:
        await until(arrived)
        await asyncio.sleep(SETTLE_SECONDS)
    finally:
        await end(daemon, signal.SIGTERM)


async def measure(rounds: int, side_by_side: int, seed: int) -> list[Round]:
    dice = random.Random(seed)
    room = asyncio.Semaphore(side_by_side)
    plan = [("0.8" if n % 2 else "0.9", dice.uniform(0, 1)) for n in range(rounds)]

    async def bounded(rung: str, wait: float) -> Round:
        async with room:
            return await one_round(rung, wait)

    return await asyncio.gather(*(bounded(rung, wait) for rung, wait in plan))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--side-by-side", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rounds = asyncio.run(measure(given.rounds, given.side_by_side, given.seed))
    print(f"# {machine()}; seed {given.seed}")
    print(f"{'rung':<6}{'killed after s':>15}{'before kill':>13}{'arrived':>9}{'most copies':>13}")
    for found in rounds:
        print(f"{found.rung:<6}{found.killed_after_seconds:>15.3f}{found.before_kill:>13}"
              f"{found.arrived:>9}{found.most_copies:>13}")  # fmt: skip
    lost = sum(not found.arrived for found in rounds)
    often = sum(found.most_copies > 2 for found in rounds)
    print(f"lost: {lost} of {len(rounds)}; more than twice: {often}")
    sys.exit(bool(lost or often))


if __name__ == "__main__":
    main()
