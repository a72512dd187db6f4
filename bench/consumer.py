"""
`python bench/consumer.py bare|product FILE PORT CADENCE [ACCOUNT...]`: take the replayed frames
and print, as JSON, what that cost.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bare import bare
from meter import Meter
from product import product
from recording import load


async def consume(kind: str, file: Path, port: int, cadence: str, accounts: list[str]) -> None:
    recordings = [r for r in load(file) if not accounts or r.account in accounts]
    meter = Meter(sum(recording.total(cadence) for recording in recordings))
    found: dict[str, object] = {}
    if kind == "bare":
        await bare(recordings, port, cadence, meter)
    else:
        found = await product(recordings, port, cadence, meter)
    print(json.dumps({**meter.result(), **found}))


if __name__ == "__main__":
    _, kind, file, port, cadence, *accounts = sys.argv
    asyncio.run(consume(kind, Path(file), int(port), cadence, accounts))
