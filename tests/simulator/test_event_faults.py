"""Private events that are lost, doubled, swapped or late, as a client of any exchange sees them."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from monitor.simulator.binance import Binance
from monitor.simulator.changes import Change
from monitor.simulator.server import Simulation, running
from tests.simulator.binance_client import Client, listen_key, opened
from tests.simulator.scenes import BINANCE, scene

PRIVATE = "/private"


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulation]:
    monkeypatch.setattr(Binance, "cadence_seconds", 3600.0)
    async with running(scene(BINANCE)) as simulation:
        yield simulation


async def deposit(sim: Simulation, amount: int) -> None:
    exchange: Any = sim.world.exchanges[0]
    exchange.change("one", Change(coin="USDT", amount=Decimal(amount)))
    await sim.tick()


async def amount(client: Client) -> str:
    """What the next event says was deposited."""
    frame = await client.receive()
    return str(frame["a"]["B"][0]["bc"])


async def test_a_lost_event_never_comes(sim: Simulation) -> None:
    async with opened(sim, f"/private/ws/{await listen_key(sim, 'sim-one-key')}") as client:
        sim.world.fault("binance", "lost", path=PRIVATE)
        await deposit(sim, 1)
        sim.world.clear_faults()
        await deposit(sim, 2)
        assert await amount(client) == "2"
        assert await client.silent()


async def test_a_doubled_event_comes_twice(sim: Simulation) -> None:
    async with opened(sim, f"/private/ws/{await listen_key(sim, 'sim-one-key')}") as client:
        sim.world.fault("binance", "doubled", path=PRIVATE)
        await deposit(sim, 1)
        assert [await amount(client) for _ in range(2)] == ["1", "1"]
        assert await client.silent()


async def test_swapped_events_come_the_later_one_first(sim: Simulation) -> None:
    async with opened(sim, f"/private/ws/{await listen_key(sim, 'sim-one-key')}") as client:
        sim.world.fault("binance", "swapped", path=PRIVATE)
        for each in (1, 2, 3, 4):
            await deposit(sim, each)
        assert [await amount(client) for _ in range(4)] == ["2", "1", "4", "3"]


async def test_an_event_that_waits_for_another_comes_when_the_fault_is_over(
    sim: Simulation,
) -> None:
    async with opened(sim, f"/private/ws/{await listen_key(sim, 'sim-one-key')}") as client:
        sim.world.fault("binance", "swapped", path=PRIVATE)
        await deposit(sim, 1)
        assert await client.silent()
        sim.world.clear_faults()
        await sim.tick()
        assert await amount(client) == "1"


async def test_a_late_event_comes_after_its_seconds(sim: Simulation) -> None:
    async with opened(sim, f"/private/ws/{await listen_key(sim, 'sim-one-key')}") as client:
        sim.world.fault("binance", "late", path=PRIVATE, value="0.6")
        await deposit(sim, 1)
        assert await client.silent()  # for 0.3 s
        assert await amount(client) == "1"


async def test_the_faults_of_events_leave_marks_alone(sim: Simulation) -> None:
    async with opened(sim, "/market/ws/btcusdt@markPrice@1s") as client:
        sim.world.fault("binance", "lost")
        await sim.tick()
        assert (await client.receive())["e"] == "markPriceUpdate"
