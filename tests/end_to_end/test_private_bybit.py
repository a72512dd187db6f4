"""
A daemon that hears of a Bybit account by its private stream: within a second, and once.

0.2 BTC long from 95,000 and 3,000 USDT; readings by REST are far apart unless it is said.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Receiver, Watching, receiving, watching, write_config

D = Decimal
RARELY = 45.0
PRIVATE = "/v5/private"
BTC = {"symbol": "BTCUSDT", "side": "long"}


def scenario(mode: str = "cross", more: str = "") -> Scenario:
    position = (
        '{ symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 95000, leverage = 10 }'
    )
    return parse(
        'name = "private"\ndescription = "one"\nseed = 5\nduration_seconds = 60\n'
        "[market.BTC]\nstart = 94000\n[market.ETH]\nstart = 3400\n"
        f'[[accounts]]\nname = "main"\nexchange = "bybit"\nmode = "{mode}"\n'
        f"wallets = {{ USDT = 3000 }}\npositions = [{position}]\n{more}",
        "private.toml",
    )


@asynccontextmanager
async def stage(
    folder: Path, *, poll_seconds: float = RARELY, mode: str = "cross"
) -> AsyncIterator[tuple[Simulation, Receiver, Watching]]:
    async with running(scenario(mode)) as simulation, receiving() as receiver:
        pin(simulation, "94000")
        config = write_config(folder, simulation.access(), receiver.url, poll_seconds=poll_seconds)
        async with watching(config) as daemon:
            await daemon.fresh("main")
            yield simulation, receiver, daemon


def pin(simulation: Simulation, price: str) -> None:
    for base, at in {"BTC": price, "ETH": "3400"}.items():
        simulation.world.pin(base, D(at))
    simulation.world.publish("bybit")


async def steer(simulation: Simulation, path: str, **body: object) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{simulation.url('sim')}/bybit/{path}", json={"account": "main", **body}
        ) as reply,
    ):
        assert reply.status == 200, await reply.text()


def sizes(daemon: Watching) -> dict[str, Decimal]:
    return {
        each.position.instrument.exchange_symbol: each.position.contracts
        for account in daemon.daemon.board.assessments()
        for pool in account.pools
        for each in pool.risk.positions
    }


def balance(daemon: Watching) -> Decimal:
    (account,) = daemon.daemon.board.assessments()
    return sum((pool.requirement.margin_balance for pool in account.pools), D(0))


async def listens(daemon: Watching) -> None:
    """Until the private stream stands and the gap before it is filled."""

    def stands() -> bool:
        (task,) = daemon.daemon._tasks.values()
        listener = task._listener
        return listener.feed.is_healthy and listener._live._gaps == {}

    await daemon.until(stands, "the private stream standing")


async def test_what_the_stream_tells_is_in_the_figures_within_a_second(tmp_path: Path) -> None:
    async with stage(tmp_path) as (simulation, receiver, daemon):
        await listens(daemon)
        before = balance(daemon)

        await steer(simulation, "change", coin="USDT", amount="500")
        await daemon.until(lambda: abs(balance(daemon) - before - 500) < 1, "500 more", seconds=1)
        await steer(simulation, "change", **BTC, contracts="0.1")
        await daemon.until(lambda: sizes(daemon) == {"BTCUSDT": D("0.1")}, "half", seconds=1)
        await steer(simulation, "funding", seconds=0, rates={"BTC": "0.001"})
        # 0.1 x 94,000 x 0.1 % = 9.40
        await daemon.until(
            lambda: abs(balance(daemon) - before - 500 + D("9.4")) < 1, "funding paid", seconds=1
        )
        await steer(simulation, "change", **BTC, contracts="0")
        await daemon.until(lambda: sizes(daemon) == {}, "nothing held", seconds=1)
        assert receiver.messages == []


async def test_a_position_in_a_new_symbol_is_read_at_once(tmp_path: Path) -> None:
    """Its tables are not there: the frame asks for a reading, which comes at once."""
    async with stage(tmp_path) as (simulation, _, daemon):
        await listens(daemon)
        await steer(simulation, "open", symbol="ETHUSDT", side="short", contracts="1")
        held = {"BTCUSDT": D("0.2"), "ETHUSDT": D(1)}
        await daemon.until(lambda: sizes(daemon) == held, "both held", seconds=5)


@pytest.mark.parametrize(
    ("cause", "head"),
    [
        ("liquidation", "LIQUIDATION"),
        ("takeover", "TAKEN OVER"),
        ("adl", "AUTO-DELEVERAGING"),
        ("settlement", "SETTLED"),
    ],
)
async def test_what_bybit_takes_is_told_once_with_its_amount(
    tmp_path: Path, cause: str, head: str
) -> None:
    """
    0.05 of 0.2 at 94,000: 0.05 x 1,000 = 50 lost. Everything comes twice, by the stream and,
    in the log, by readings as well.
    """
    async with stage(tmp_path, poll_seconds=1) as (simulation, receiver, daemon):
        await listens(daemon)
        simulation.world.fault("bybit", "doubled", path=PRIVATE)
        await steer(simulation, "take", **BTC, contracts="0.05", cause=cause)
        (told,) = await daemon.until(lambda: receiver.of("main", head), head, seconds=3)
        assert "BTC/USDT:USDT long" in told.title
        assert "0.05 contracts" in told.body
        assert "−50.00 USDT in the wallet" in told.body
        await daemon.until(lambda: sizes(daemon) == {"BTCUSDT": D("0.15")}, "what is left")
        (task,) = daemon.daemon._tasks.values()
        known = task._engine._known
        await daemon.until(lambda: known.bookings, "the log being read")
        listed_at = known.snapshot.at
        await daemon.until(
            lambda: known.snapshot.at - listed_at > timedelta(seconds=1), "it being listed again"
        )
        assert len(receiver.of("main", head)) == 1
        titles = [m.title for m in receiver.messages if "WARNED" not in m.title]
        assert len(titles) == 1, titles


async def test_what_happened_while_nobody_listened_is_told_from_the_log(tmp_path: Path) -> None:
    async with stage(tmp_path, poll_seconds=1) as (simulation, receiver, daemon):
        await listens(daemon)
        simulation.world.fault("bybit", "refuse", path=PRIVATE)
        simulation.world.fault("bybit", "drop", path=PRIVATE, seconds=0.3)
        await daemon.until(
            lambda: any(row["event"] == "feed.lost" for row in daemon.logged()), "the loss"
        )
        await steer(simulation, "take", **BTC, contracts="0.05", cause="adl")
        (told,) = await daemon.until(lambda: receiver.of("main", "AUTO-DELEVERAGING"), "the ADL")
        assert "−50.00 USDT in the wallet" in told.body
        await daemon.until(lambda: sizes(daemon) == {"BTCUSDT": D("0.15")}, "what is left")
        simulation.world.clear_faults()
        await listens(daemon)
        await steer(simulation, "change", coin="USDT", amount="500")
        assert len(receiver.of("main", "AUTO-DELEVERAGING")) == 1


async def test_bybits_own_warnings_are_told_beside_our_figures(tmp_path: Path) -> None:
    async with stage(tmp_path) as (simulation, receiver, daemon):
        await listens(daemon)
        await steer(simulation, "standing", **BTC, status="Adl")
        words = "WARNED BY THE EXCHANGE"
        (told,) = await daemon.until(lambda: receiver.of("main", words), words, seconds=3)
        assert "Bybit is auto-deleveraging BTCUSDT (positionStatus Adl)" in told.body
        assert "Our own figures show no danger" in told.body


async def test_frames_out_of_order_lost_and_late_end_in_the_truth(tmp_path: Path) -> None:
    async with stage(tmp_path, poll_seconds=2) as (simulation, receiver, daemon):
        await listens(daemon)
        for kind, size in {"swapped": "0.15", "late": "0.12", "lost": "0.1"}.items():
            simulation.world.fault("bybit", kind, path=PRIVATE, value="0.3")
            await steer(simulation, "change", **BTC, contracts="0.18")
            await steer(simulation, "change", **BTC, contracts=size)
            await simulation.tick()
            simulation.world.clear_faults()
            held = {"BTCUSDT": D(size)}
            await daemon.until(lambda now=held: sizes(daemon) == now, f"{size} after {kind}")
        assert not [m for m in receiver.messages if "DRIFT" not in m.title]


@pytest.mark.parametrize("value", ["10003", "33004"])
async def test_a_key_that_may_not_listen_is_polled_on(tmp_path: Path, value: str) -> None:
    async with running(scenario()) as simulation, receiving() as receiver:
        pin(simulation, "94000")
        simulation.world.fault("bybit", "login", path=PRIVATE, value=value)
        config = write_config(tmp_path, simulation.access(), receiver.url, poll_seconds=1)
        async with watching(config) as daemon:
            await daemon.fresh("main")
            found = await daemon.until(
                lambda: [r for r in daemon.logged() if r["event"] == "feed.not_given"], "the word"
            )
            assert "API key" in found[0]["because"]
            await steer(simulation, "change", **BTC, contracts="0.1")
            # within the poll interval and a second
            await daemon.until(lambda: sizes(daemon) == {"BTCUSDT": D("0.1")}, "half", seconds=2.5)
            assert daemon.state("main") == "fresh"
            tries = [r for r in daemon.logged() if r["event"] == "feed.not_given"]
            assert len(tries) == 1, json.dumps(tries)


async def test_a_login_refused_once_is_tried_again(tmp_path: Path) -> None:
    async with running(scenario()) as simulation, receiving() as receiver:
        pin(simulation, "94000")
        simulation.world.fault("bybit", "login", path=PRIVATE, seconds=0.5)
        config = write_config(tmp_path, simulation.access(), receiver.url, poll_seconds=RARELY)
        async with watching(config) as daemon:
            await daemon.fresh("main")
            await listens(daemon)
            await steer(simulation, "change", **BTC, contracts="0.1")
            await daemon.until(lambda: sizes(daemon) == {"BTCUSDT": D("0.1")}, "half", seconds=1)


async def test_another_mode_asks_for_a_reading(tmp_path: Path) -> None:
    async with stage(tmp_path) as (simulation, receiver, daemon):
        await listens(daemon)
        await steer(simulation, "mode", margin_mode="isolated")
        words = "ACCOUNT MODE CHANGED"
        await daemon.until(lambda: receiver.of("main", words), words, seconds=5)
        (account,) = daemon.daemon.board.assessments()
        assert [str(pool.risk.pool.id) for pool in account.pools] == ["main/isolated/BTCUSDT"]
