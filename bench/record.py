"""`python bench/record.py CONFIG SECONDS FILE`: record every account of a configuration."""

from __future__ import annotations

import asyncio
import pickle
import sys
from pathlib import Path

from recording import Recording, record

from monitor.service.clock import Clock
from monitor.settings import Settings, load_settings


async def main(settings: Settings, seconds: float) -> list[Recording]:
    clock = Clock()
    recorded = (record(account, clock, seconds) for account in settings.accounts)
    return await asyncio.gather(*recorded)


if __name__ == "__main__":
    _, config, seconds, file = sys.argv
    recordings = asyncio.run(main(load_settings(Path(config)), float(seconds)))
    Path(file).write_bytes(pickle.dumps(tuple(recordings)))
