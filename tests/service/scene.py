"""One account of the calm scenario, a receiver, and the config that joins them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.simulator.scenario import load
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Receiver, receiving, write_config


@dataclass(frozen=True)
class Scene:
    simulation: Simulation
    receiver: Receiver
    config: Path

    @property
    def account(self) -> str:
        return self.simulation.access()[0].account


@asynccontextmanager
async def the_scene(folder: Path, *, more: str = "") -> AsyncIterator[Scene]:
    """One account of the calm scenario, and a receiver of messages."""
    async with running(load("calm")) as simulation, receiving() as receiver:
        access = simulation.access()[:1]
        config = write_config(folder, access, receiver.url, poll_seconds=1, more=more)
        yield Scene(simulation, receiver, config)
