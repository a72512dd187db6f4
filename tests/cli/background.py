"""Simulator, receiver and daemon in a thread of their own, beside commands that block."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from monitor.simulator.server import Simulation, running
from tests.end_to_end import kinds
from tests.end_to_end.stage import Receiver, receiving, watching, write_config

T = TypeVar("T")

START_SECONDS = 30.0
# In the order of the catalogue: one kind of each exchange.
KINDS = ("binance one-way cross", "bybit one-way usdt", "okx futures inverse cross net")


@contextmanager
def aside(stage: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What the stage gives, while a loop in another thread holds it open."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        given = asyncio.run_coroutine_threadsafe(stage.__aenter__(), loop).result(START_SECONDS)
        try:
            yield given
        finally:
            ending = asyncio.run_coroutine_threadsafe(stage.__aexit__(None, None, None), loop)
            ending.result(START_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()


@asynccontextmanager
async def exchange(kind: str, folder: Path) -> AsyncIterator[tuple[Simulation, Receiver, Path]]:
    """A simulated exchange with an account of this kind, a receiver, and a config for both."""
    async with running(kinds.scenario(kind)) as simulation, receiving() as receiver:
        kinds.pin(simulation)
        config = write_config(folder, simulation.access(), receiver.url, poll_seconds=1)
        yield simulation, receiver, config


@asynccontextmanager
async def watched(kind: str, folder: Path) -> AsyncIterator[Path]:
    """The config of a running daemon whose one account is fresh."""
    async with exchange(kind, folder) as (_, _, config), watching(config) as daemon:
        await daemon.fresh(kinds.NAME)
        yield config
