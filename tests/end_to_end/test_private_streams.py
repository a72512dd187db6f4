"""
A daemon beside each simulated exchange's private streams: what is known how soon, and what is told.

One account holds 0.2 BTC long from 95,000 and 3,000 USDT; prices stand still at 94,000. Where
readings are 50 s apart, what is known within a second was told by a stream.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.exchanges import account_connection
from monitor.exchanges.account_feed import AccountFeed
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Receiver, Watching, receiving, watching, write_config
from tests.end_to_end.test_account_changes import START, SYMBOLS, pin, scenario, steer

EXCHANGES = tuple(SYMBOLS)
PRIVATE = {"binance": "/private", "bybit": "/v5/private", "okx": "/ws/v5/private"}
SELDOM = 50.0


@dataclass(frozen=True)
class Scene:
    exchange: str
    simulation: Simulation
    receiver: Receiver
    daemon: Watching

    @property
    def feed(self) -> AccountFeed:
        (task,) = self.daemon.daemon._tasks.values()
        assert task._listener.feed is not None
        return task._listener.feed

    @property
    def contracts(self) -> Decimal:
        """How much of the one contract the figures hold."""
        (account,) = self.daemon.daemon.board.assessments()
        return sum(
            (p.position.contracts for pool in account.pools for p in pool.risk.positions),
            Decimal(0),
        )

    @property
    def balance(self) -> Decimal:
        (account,) = self.daemon.daemon.board.assessments()
        return sum((pool.requirement.margin_balance for pool in account.pools), Decimal(0))

    def stream_state(self) -> tuple[str, str] | None:
        (account,) = self.daemon.daemon.board.assessments()
        feeds = {feed.name: (feed.state.value, feed.because) for feed in account.feeds}
        return feeds.get("private stream")

    async def resize(self, factor: int) -> Decimal:
        """Make the position so many times as large as at first; how large it is then."""
        symbol, contracts = SYMBOLS[self.exchange]
        wanted = Decimal(contracts) * factor
        body: dict[str, object] = {"symbol": symbol, "side": "long", "contracts": str(wanted)}
        await steer(self.simulation, f"{self.exchange}/change", body)
        return wanted

    async def take(self, contracts: str) -> None:
        """Let the exchange liquidate so much of the position, all of it where OKX is told so."""
        symbol, held = SYMBOLS[self.exchange]
        what: dict[str, object] = {"symbol": symbol, "side": "long", "contracts": contracts}
        name, more = {
            "binance": ("force", {"kind": "liquidation"}),
            "bybit": ("take", {"cause": "liquidation"}),
            # OKX's is told what is left.
            "okx": (
                "take",
                {"event": "liquidation", "contracts": str(Decimal(held) - Decimal(contracts))},
            ),
        }[self.exchange]
        await steer(self.simulation, f"{self.exchange}/{name}", {**what, **more})

    async def within(self, seconds: float, look: Callable[[], object], what: str) -> None:
        began = time.monotonic()
        await self.daemon.until(look, what, seconds=seconds)
        assert time.monotonic() - began <= seconds


@asynccontextmanager
async def the_scene(
    exchange: str, folder: Path, *, poll_seconds: float = SELDOM, fault: str = ""
) -> AsyncIterator[Scene]:
    """A daemon whose figures are fresh and, without a fault, whose stream is whole."""
    async with running(scenario(exchange)) as simulation, receiving() as receiver:
        pin(simulation, START)
        if fault:
            simulation.world.fault(exchange, fault, path=PRIVATE[exchange])
        config = write_config(folder, simulation.access(), receiver.url, poll_seconds=poll_seconds)
        async with watching(config) as daemon:
            await daemon.fresh("main")
            scene = Scene(exchange, simulation, receiver, daemon)
            if not fault:
                await daemon.until(lambda: scene.feed.is_healthy, "the private stream")
                # The reading that fills the gap before the stream must be over.
                await daemon.until(lambda: live(scene), "the gap being filled")
            yield scene


def live(scene: Scene) -> bool:
    (task,) = scene.daemon.daemon._tasks.values()
    return task._listener._live._gaps == {} and scene.feed.is_healthy


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_what_a_stream_tells_is_in_the_figures_within_a_second(
    exchange: str, tmp_path: Path
) -> None:
    async with the_scene(exchange, tmp_path) as scene:
        assert scene.stream_state() == ("fresh", "")
        grown = await scene.resize(2)
        await scene.within(1, lambda: scene.contracts == grown, f"{grown} contracts")
        before = scene.balance
        await steer(scene.simulation, f"{exchange}/change", {"coin": "USDT", "amount": "250"})
        await scene.within(1, lambda: abs(scene.balance - before - 250) < 1, "the deposit")
        await scene.resize(0)
        await scene.within(1, lambda: scene.contracts == 0, "no contracts")
        # No figure of ours was off from the exchange's own, and nothing was lost.
        (task,) = scene.daemon.daemon._tasks.values()
        assert task._listener.untold == 0
        assert not scene.receiver.of("main", "DISAGREE")


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_what_no_stream_told_is_in_the_figures_within_the_poll_and_a_second(
    exchange: str, tmp_path: Path
) -> None:
    async with the_scene(exchange, tmp_path, poll_seconds=2) as scene:
        scene.simulation.world.fault(exchange, "lost", path=PRIVATE[exchange])
        grown = await scene.resize(2)
        await scene.within(3, lambda: scene.contracts == grown, f"{grown} contracts")


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_stream_that_is_cut_comes_back_and_nothing_is_missed(
    exchange: str, tmp_path: Path
) -> None:
    async with the_scene(exchange, tmp_path) as scene:
        scene.simulation.world.fault(exchange, "drop", path=PRIVATE[exchange], seconds=2)
        await scene.daemon.until(lambda: not scene.feed.is_healthy, "the loss")
        grown = await scene.resize(2)
        await scene.daemon.until(lambda: scene.contracts == grown, f"{grown} contracts")
        await scene.daemon.until(lambda: live(scene), "the stream being whole again")
        await scene.resize(3)
        await scene.within(1, lambda: scene.contracts == grown / 2 * 3, "more contracts")


@pytest.mark.parametrize("exchange", ["bybit", "okx"])
async def test_a_login_that_is_refused_is_shown_and_the_account_polled(
    exchange: str, tmp_path: Path
) -> None:
    async with the_scene(exchange, tmp_path, poll_seconds=2, fault="login") as scene:
        await scene.daemon.until(scene.stream_state, "word of the stream")
        state = scene.stream_state()
        assert state is not None
        assert state[0] == "stale"
        assert state[1].startswith("not given: ")
        grown = await scene.resize(2)
        await scene.within(3, lambda: scene.contracts == grown, f"{grown} contracts")
        assert [m for m in scene.receiver.messages if "BLIND" in m.title] == []


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_connections_that_are_replaced_in_time_lose_nothing(
    exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_connection, "LIFE_SECONDS", 2.0)
    monkeypatch.setattr(account_connection, "LOOK_SECONDS", 0.2)
    async with the_scene(exchange, tmp_path) as scene:
        began, factor = time.monotonic(), 1
        while time.monotonic() - began < 8:
            factor = 3 - factor
            grown = await scene.resize(factor)
            await scene.within(
                1.5, lambda wanted=grown: scene.contracts == wanted, f"{grown} contracts"
            )
            await asyncio.sleep(0.1)
        assert next(scene.feed._numbers) >= 4
        assert not [row for row in scene.daemon.logged() if row["event"] == "feed.lost"]


async def test_an_expired_listen_key_is_replaced_and_nothing_is_missed(tmp_path: Path) -> None:
    async with the_scene("binance", tmp_path) as scene:
        await steer(scene.simulation, "binance/listen-key", {})
        await scene.daemon.until(lambda: not scene.feed.is_healthy, "the end of the key")
        await scene.daemon.until(lambda: live(scene), "another key")
        grown = await scene.resize(2)
        await scene.within(1, lambda: scene.contracts == grown, f"{grown} contracts")


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_liquidation_is_told_within_a_second_once(exchange: str, tmp_path: Path) -> None:
    part = "5" if exchange == "okx" else "0.05"
    async with the_scene(exchange, tmp_path) as scene:
        await scene.take(part)
        await scene.within(
            1.5, lambda: scene.receiver.of("main", "LIQUIDATION"), "the liquidation being told"
        )
        # Whatever else tells of it, bookings and readings, it is one message.
        (task,) = scene.daemon.daemon._tasks.values()
        for _ in range(2):
            task.wake_up()
            await asyncio.sleep(2)
        told = scene.receiver.of("main", "LIQUIDATION")
        assert len(told) == 1, [m.title for m in told]
        assert "by liquidation" in told[0].body


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_no_secret_of_a_stream_is_in_the_log(exchange: str, tmp_path: Path) -> None:
    async with the_scene(exchange, tmp_path) as scene:
        secrets = [scene.simulation.access()[0].api_secret]
        secrets += [c._ticket for c in scene.feed._numbered if c._ticket]
        scene.simulation.world.fault(exchange, "drop", path=PRIVATE[exchange], seconds=1)
        await scene.daemon.until(lambda: not scene.feed.is_healthy, "the loss")
        await scene.daemon.until(lambda: live(scene), "the stream being whole again")
        scene.daemon.logged()
        text = scene.daemon.log.read_text()
        assert not [secret for secret in secrets if secret in text]
