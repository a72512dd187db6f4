"""
How long from a crossing to the delivered message, with real processes at real speed.

A crossing is the moment at which the simulator, by its own arithmetic, records that a pool
rose over 80 % or 90 % at a mark that it publishes; delivered is the moment at which the
receiver has the message. Usage: python bench/latency.py [--runs 20] [--side-by-side 4]
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from processes import Message, Receiver, folder, machine, simulating, start_daemon, write_config
from processes import end as end_process

SCENARIOS = ("zara", "flash_crash")
SECONDS = 58
RUNGS = ("0.8", "0.9")

Found = dict[tuple[str, str, str], list[float | None]]


async def one_run(scenario: str, found: Found) -> None:
    receiver = Receiver()
    url = await receiver.start()
    with folder() as name:
        async with simulating(scenario) as simulator:
            daemon = await start_daemon(write_config(Path(name), simulator, url))
            try:
                await asyncio.sleep(SECONDS)
                events = await simulator.events()
            finally:
                await end_process(daemon, signal.SIGTERM)
    await receiver.stop()
    for event in events:
        if event["event"] == "crossing" and event["direction"] == "up":
            _note(scenario, event, receiver.messages, found)


def _note(scenario: str, event: dict[str, str], messages: list[Message], found: Found) -> None:
    if event["threshold"] not in RUNGS:
        return
    crossed = datetime.fromisoformat(event["at"])
    waits = [
        (message.at - crossed).total_seconds()
        for message in messages
        if message.tells(event["threshold"])
        and event["account"] in message.title
        and message.at >= crossed
    ]
    key = (scenario, event["exchange"], f"{float(event['threshold']):.0%}")
    found[key].append(min(waits, default=None))


async def measure(runs: int, side_by_side: int) -> Found:
    found: Found = defaultdict(list)
    room = asyncio.Semaphore(side_by_side)

    async def bounded(scenario: str) -> None:
        async with room:
            await one_run(scenario, found)

    async with asyncio.TaskGroup() as group:
        for scenario in SCENARIOS:
            for _ in range(runs):
                group.create_task(bounded(scenario))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--side-by-side", type=int, default=4)
    given = parser.parse_args()
    found = asyncio.run(measure(given.runs, given.side_by_side))
    print(f"# {machine()}; {given.runs} runs of each, {given.side_by_side} side by side")
    print(f"{'scenario':<14}{'exchange':<10}{'rung':<6}{'crossings':>10}{'untold':>8}"
          f"{'median s':>10}{'worst s':>10}")  # fmt: skip
    for (scenario, exchange, rung), waits in sorted(found.items()):
        told = [wait for wait in waits if wait is not None]
        median = f"{statistics.median(told):.3f}" if told else "-"
        worst = f"{max(told):.3f}" if told else "-"
        print(f"{scenario:<14}{exchange:<10}{rung:<6}{len(waits):>10}"
              f"{len(waits) - len(told):>8}{median:>10}{worst:>10}")  # fmt: skip


if __name__ == "__main__":
    main()
