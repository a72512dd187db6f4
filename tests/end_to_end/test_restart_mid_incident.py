"""
Stopped, started, killed in the middle of an incident: nothing is lost, little is repeated.

The price stands where it is put, so that an incident lasts for as long as a test needs it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.simulator.scenario import parse
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import (
    Receiver,
    command,
    receiving,
    status_of,
    until,
    watching,
    write_config,
)

# Wallet 1,000 USDT, long 1 BTC from 10,000. At 9,080 the balance is 80 and the maintenance margin
# 9,080 x 0.33 % + fee 10,000 x (1 - 1/100) x 0.055 % = 35.41: 44 %. At 9,042: 42, 35.28: 84 %,
# 0.07 % from the end, which is at 9,035; at 9,700 it is 6.9 % away.
SCENARIO = """
name = "held"
description = "one long, held at a price"
seed = 1
duration_seconds = 60
[market.BTC]
start = 9700
[[accounts]]
name = "held"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 1, entry_price = 10000, leverage = 100 },
]
"""
SAFE, WARNED = Decimal(9700), Decimal(9042)
STARTED = "daemon.started"


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[Simulation, Receiver, Path]]:
    scenario = parse(SCENARIO, "held.toml")
    async with running(scenario) as simulation, receiving() as receiver:
        config = write_config(folder, simulation.access(), receiver.url, poll_seconds=1)
        yield simulation, receiver, config


async def test_after_a_stop_and_a_start_nothing_is_said_again_but_the_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as (simulation, receiver, config):
        async with watching(config) as daemon:
            await daemon.fresh("held")
            simulation.world.pin("BTC", WARNED)
            await daemon.until(lambda: receiver.of("held", "VERY NEAR"), "the warning")
        assert (tmp_path / "state").is_dir()
        async with watching(config) as daemon:
            await daemon.fresh("held")
            board = daemon.daemon.board
            await daemon.until(
                lambda: board.assessments()[0].pools[0].rung == "very near", "the rung stood on"
            )
            assert [m.title for m in receiver.messages] == [receiver.messages[0].title]
            simulation.world.pin("BTC", SAFE)
            await daemon.until(lambda: receiver.of("held", "RESOLVED"), "the end")
    warning, end = receiver.messages
    assert warning.incident == end.incident != ""


async def test_an_end_while_down_is_told_after_the_start(tmp_path: Path) -> None:
    async with stage(tmp_path) as (simulation, receiver, config):
        async with watching(config) as daemon:
            await daemon.fresh("held")
            simulation.world.pin("BTC", WARNED)
            await daemon.until(lambda: receiver.of("held", "VERY NEAR"), "the warning")
        simulation.world.pin("BTC", SAFE)
        async with watching(config) as daemon:
            await daemon.until(lambda: receiver.of("held", "RESOLVED"), "the end")
    assert len(receiver.messages) == 2


@pytest.mark.processes
async def test_killed_before_the_delivery_it_delivers_after_the_restart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with stage(tmp_path) as (simulation, receiver, config):
        receiver.refuses = True
        async with command("run", "--config", str(config), log=log) as daemon:
            await daemon.until_said(STARTED)
            simulation.world.pin("BTC", WARNED)
            await daemon.until_said('"incident.changed"')
            await until(lambda: receiver.tries, "the first try to deliver")
            await daemon.kill()
        assert receiver.messages == []
        receiver.refuses = False
        async with command("run", "--config", str(config), log=log) as daemon:
            await until(lambda: receiver.of("held", "0.07"), "the warning", seconds=30)
            await daemon.until_said('"notification.delivered"')
            assert await daemon.stop() == 0
    assert len(receiver.of("held")) == 1


@pytest.mark.processes
async def test_killed_before_the_receipt_it_repeats_once_and_not_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with stage(tmp_path) as (simulation, receiver, config):
        receiver.hangs = True
        async with command("run", "--config", str(config), log=log) as daemon:
            await daemon.until_said(STARTED)
            simulation.world.pin("BTC", WARNED)
            await until(lambda: receiver.messages, "the message", seconds=30)
            await daemon.kill()
        assert '"notification.delivered"' not in daemon.text()
        receiver.hangs = False
        async with command("run", "--config", str(config), log=log) as daemon:
            await daemon.until_said('"notification.delivered"')
            assert await daemon.stop() == 0
        async with command("run", "--config", str(config), log=log) as daemon:
            account = await status_of(config, "held")
            assert account["pools"][0]["rung"] == "very near"
            assert await daemon.stop() == 0
    first, second = receiver.of("held")
    assert (first.title, first.incident) == (second.title, second.incident)
