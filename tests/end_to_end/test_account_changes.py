"""
What an owner hears of an account that changes under the monitor, on each exchange.

A deposit, a funding, new leverage tiers and another mode, one after the other, while a daemon
watches: 0.2 BTC long from 95,000 and 3,000 USDT. Prices stand still but for one fall and back.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from monitor.simulator import bybit_tables, okx_tables
from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Message, Receiver, Watching, receiving, watching, write_config

D = Decimal
START, FALLEN = D(94000), D(82000)
DEPOSIT, FUNDING_RATE = D(250), D("0.001")
FUNDED = -D("0.2") * START * FUNDING_RATE  # 18.80


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An exchange's words: its account, the steering of it, and its tables."""

    account: str
    funding: dict[str, object]
    switch: dict[str, object]
    modes: tuple[str, str]
    retier: Callable[[Simulation, pytest.MonkeyPatch], tuple[str, dict[str, object]] | None]


def binance_tiers(_: Simulation, __: pytest.MonkeyPatch) -> tuple[str, dict[str, object]]:
    return "brackets", {"symbol": "BTCUSDT", "rows": "300000 0.02 50;100000000 0.1 5"}


def bybit_tiers(_: Simulation, patch: pytest.MonkeyPatch) -> None:
    first, last = (bybit_tables.RISK_LIMITS["BTCUSDT"][place] for place in (0, -1))
    only = replace(first, maintenance_rate=D("0.02"), limit=last.limit)
    patch.setitem(bybit_tables.RISK_LIMITS, "BTCUSDT", (only,))


def okx_tiers(_: Simulation, patch: pytest.MonkeyPatch) -> None:
    first, last = (okx_tables.TIERS["SWAP"]["BTC-USDT"][place] for place in (0, -1))
    only = replace(first, mmr=D("0.02"), max_size=last.max_size)
    patch.setitem(okx_tables.TIERS["SWAP"], "BTC-USDT", (only,))


CASES = {
    "binance": Case(
        account='mode = "single_asset"',
        funding={"symbol": "BTCUSDT", "rate": str(FUNDING_RATE)},
        switch={"mode": "multi_assets"},
        modes=("USDⓈ-M single-asset", "USDⓈ-M Multi-Assets Mode"),
        retier=binance_tiers,
    ),
    "bybit": Case(
        account='mode = "cross"',
        funding={"seconds": 0, "rates": {"BTC": str(FUNDING_RATE)}},
        switch={"margin_mode": "isolated"},
        modes=("cross", "isolated"),
        retier=bybit_tiers,
    ),
    "okx": Case(
        account='mode = "futures"',
        funding={"base": "BTC", "rate": str(FUNDING_RATE)},
        switch={"mode": "multi_currency"},
        modes=("futures mode", "multi-currency margin"),
        retier=okx_tiers,
    ),
}
SYMBOLS = {
    "binance": ("BTCUSDT", "0.2"),
    "bybit": ("BTCUSDT", "0.2"),
    "okx": ("BTC-USDT-SWAP", "20"),
}


def scenario(exchange: str) -> Scenario:
    symbol, contracts = SYMBOLS[exchange]
    head = 'name = "changes"\ndescription = "one"\nseed = 5\nduration_seconds = 60\n'
    position = (
        f'{{ symbol = "{symbol}", side = "long", contracts = {contracts}, '
        "entry_price = 95000, leverage = 10 }"
    )
    return parse(
        f"{head}[market.BTC]\nstart = {START}\n[market.ETH]\nstart = 3456.78\n"
        f'[[accounts]]\nname = "main"\nexchange = "{exchange}"\n{CASES[exchange].account}\n'
        f"wallets = {{ USDT = 3000 }}\npositions = [{position}]\n",
        "changes.toml",
    )


def pin(simulation: Simulation, price: Decimal) -> None:
    """Let every price stand still, that of BTC here."""
    for path in simulation.world.scenario.paths:
        simulation.world.pin(path.base, price if path.base == "BTC" else path.start)
    for exchange in simulation.world.exchanges:
        simulation.world.publish(exchange.name)


async def steer(simulation: Simulation, path: str, body: dict[str, object]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulation.url('sim')}/{path}", json={"account": "main", **body}) as reply,
    ):
        assert reply.status == 200, await reply.text()


async def get(port: int, path: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as reply,
    ):
        return await reply.text()


def balance(daemon: Watching) -> Decimal:
    (account,) = daemon.daemon.board.assessments()
    return sum((p.requirement.margin_balance for p in account.pools), D(0))


def booked(daemon: Watching) -> set[Decimal]:
    """The amounts of what readings listed as booked, which no view shows but the next message."""
    (task,) = daemon.daemon._tasks.values()
    return {each.amount.normalize() for each in task._engine._known.bookings}


async def message(daemon: Watching, receiver: Receiver, words: str) -> Message:
    """The one message with these words in its title; a second would be one too many."""
    found = await daemon.until(lambda: receiver.of("main", words), words)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("exchange", CASES)
async def test_each_change_is_told_once_and_followed(
    exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    case = CASES[exchange]
    async with running(scenario(exchange)) as simulation, receiving() as receiver:
        pin(simulation, START)
        config = write_config(tmp_path, simulation.access(), receiver.url, poll_seconds=0.5)
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{unused_tcp_port}"), "utf-8")
        async with watching(config) as daemon:
            await daemon.fresh("main")
            before = balance(daemon)

            # money comes and goes: no alarm, and lines of their own in the next one
            await steer(simulation, f"{exchange}/change", {"coin": "USDT", "amount": str(DEPOSIT)})
            await steer(simulation, f"{exchange}/funding", case.funding)
            wanted = before + DEPOSIT + FUNDED
            await daemon.until(lambda: abs(balance(daemon) - wanted) < 1, f"{wanted} of balance")
            await daemon.until(lambda: booked(daemon) == {DEPOSIT, FUNDED}, "both being listed")
            assert receiver.messages == []
            pin(simulation, FALLEN)
            near = await message(daemon, receiver, "NEAR 5 %")
            assert f"\n• funding: −{-FUNDED:.2f} USDT\n• transfers: +250.00 USDT\n" in near.body
            pin(simulation, START)
            await message(daemon, receiver, "RESOLVED")

            # new tiers of what is held: once, with ratio and liquidation price before and after
            if steering := case.retier(simulation, monkeypatch):
                path, body = steering
                await steer(simulation, f"{exchange}/{path}", body)
            tiers = await message(daemon, receiver, "LEVERAGE TIERS CHANGED")
            ratios = re.search(r"ratio from ([\d.]+) % to ([\d.]+) %", tiers.title)
            ends = re.search(r"liquidation price from ([\d,.]+) to ([\d,.]+)", tiers.body)
            assert ratios is not None
            assert ends is not None
            assert D(ratios[1]) * 3 < D(ratios[2])
            assert D(ends[1].replace(",", "")) < D(ends[2].replace(",", "")) < START

            # another mode: once, and its figures are those of the new one
            await steer(simulation, f"{exchange}/mode", case.switch)
            told = await message(daemon, receiver, "ACCOUNT MODE CHANGED")
            old, new = re.findall(r"«([^»]*)»", told.body)
            assert case.modes[0] in old
            assert case.modes[1] in new
            status = json.loads(await get(unused_tcp_port, "/api/v1/status"))
            (account,) = status["accounts"]
            assert account["mode"] == new
            await daemon.until(lambda: _is_predicted(daemon), "a prediction held against a reading")
            (account,) = json.loads(await get(unused_tcp_port, "/api/v1/status"))["accounts"]
            assert abs(D(account["pools"][0]["prediction_error"])) < D("0.0005")
            metrics = await get(unused_tcp_port, "/metrics")
            assert re.search(r"^margin_monitor_prediction_error\{.*\} -?\d", metrics, re.MULTILINE)
            titles = [m.title for m in receiver.messages]
    assert len(titles) == 4, titles


def _is_predicted(daemon: Watching) -> bool:
    (account,) = daemon.daemon.board.assessments()
    return bool(account.pools) and all(
        p.prediction_error is not None for p in account.pools if p.risk.positions
    )
