"""
Fifty Binance accounts behind one address, for some minutes: who is fresh, what is used.

Prints a line for every minute, by the simulated exchange's own count. The accounts' own
streams count as healthy with `--heard`.

Usage: python bench/many_accounts.py [--accounts 50] [--minutes 4] [--heard]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from monitor.simulator.server import running
from tests.end_to_end.many import Counted, counting, hear_all, many
from tests.end_to_end.stage import Watching, watching, write_config

LIMIT = 2400


async def minute(daemon: Watching, names: list[str], counted: Counted, number: int) -> None:
    began = time.monotonic()
    unfresh: set[str] = set()
    while time.monotonic() < began + 60:
        unfresh |= {name for name in names if daemon.state(name) != "fresh"}
        await asyncio.sleep(0.5)
    used = counted.between(began, began + 60)
    print(f"minute {number}: {used} of {LIMIT} ({used / LIMIT:.1%}), not always fresh: "
          f"{len(unfresh)}", flush=True)  # fmt: skip


async def main(count: int, minutes: int) -> None:
    with pytest.MonkeyPatch.context() as patch, counting(patch) as counted:
        if "--heard" in sys.argv:
            hear_all(patch)
        async with running(many(count)) as simulation:
            names = [access.account for access in simulation.access()]
            with tempfile.TemporaryDirectory() as folder:
                config = write_config(
                    Path(folder), simulation.access(), poll_seconds=15, budgets={"limits": 0.2}
                )
                began = time.monotonic()
                async with watching(config) as daemon:
                    for name in names:
                        await daemon.until(
                            lambda name=name: daemon.state(name) == "fresh", name, seconds=120
                        )
                    print(f"all fresh after {time.monotonic() - began:.1f} s", flush=True)
                    for number in range(1, minutes + 1):
                        await minute(daemon, names, counted, number)
                    over = daemon.daemon._polls.overloaded()  # noqa: SLF001 - what is measured
                    print("carried" if not over else f"not carried: {over.keys()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--minutes", type=int, default=4)
    parser.add_argument("--heard", action="store_true")
    given = parser.parse_args()
    asyncio.run(main(given.accounts, given.minutes))
