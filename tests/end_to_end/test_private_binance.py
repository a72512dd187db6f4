"""
Binance's private streams with the daemon at work: what happens is in the figures at once, and
what the exchange does by itself is told.

Where nothing else is said a reading by REST comes once in five minutes only: what is seen
earlier was told by a stream, or asked for because of one.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Receiver, Watching, receiving, watching, write_config
from tests.end_to_end.test_account_changes import steer
from tests.end_to_end.test_binance_frames import FUTURES, PORTFOLIO, scenario
from tests.end_to_end.test_binance_modes import pin
from tests.simulator.binance_client import asked, listen_key

D = Decimal
SELDOM = 300.0
PRIVATE = "/private"
POSITIONS = "/fapi/v3/positionRisk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    simulation: Simulation
    daemon: Watching
    receiver: Receiver

    async def steer(self, wish: str, **words: object) -> None:
        await steer(self.simulation, f"binance/{wish}", words)

    def figure(self, pool: str, name: str) -> Decimal | None:
        (account,) = self.daemon.daemon.board.assessments()
        for each in account.pools:
            if each.risk.pool.id.name == pool:
                found: Decimal = getattr(each.risk.requirement, name)
                return found
        return None

    def truth(self, pool: str) -> Any:
        (exchange,) = (e for e in self.simulation.world.exchanges if e.name == "binance")
        return next((each for each in exchange.pools("main") if each.pool == pool), None)

    def agrees(self, *pools: str) -> bool:
        for name in pools:
            truth, ours = self.truth(name), self.figure(name, "margin_balance")
            if truth is None or ours is None or abs(ours - truth.margin_balance) > D("1e-5"):
                return False
        return True

    async def followed(self, *pools: str, within: float = 15.0) -> float:
        """Seconds until the figures of these pools are those of the simulator's books."""
        began = time.monotonic()
        await self.daemon.until(
            lambda: self.agrees(*pools), f"{pools} as they truly are", seconds=within
        )
        return time.monotonic() - began

    def feed(self) -> Any:
        """The private stream as the page shows it; None where it stands."""
        (account,) = self.daemon.daemon.board.assessments()
        return next((f for f in account.feeds if f.name == "private stream"), None)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [row for row in self.daemon.logged() if row["event"] == event]

    async def listening(self, sockets: int = 2) -> None:
        """Until so many private sockets of the account are open and the account is fresh."""
        await self.daemon.until(
            lambda: len(self.private_sockets()) == sockets, f"{sockets} private sockets"
        )
        await self.daemon.fresh("main")

    def private_sockets(self) -> list[Any]:
        (exchange,) = (e for e in self.simulation.world.exchanges if e.name == "binance")
        return [s for s in exchange._stream._hub if s.account == "main"]  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    account: str = FUTURES,
    *,
    poll_seconds: float = SELDOM,
    prepare: Callable[[Simulation], None] = lambda _: None,
    sockets: int | None = 2,
) -> AsyncIterator[Stage]:
    async with running(scenario(account)) as simulation, receiving() as receiver:
        pin(simulation)
        prepare(simulation)
        config = write_config(
            folder,
            simulation.access(),
            receiver.url,
            poll_seconds=poll_seconds,
            budgets={"account": 2 * SELDOM},
        )
        async with watching(config) as daemon:
            stage = Stage(simulation=simulation, daemon=daemon, receiver=receiver)
            if sockets is not None:
                await stage.listening(sockets)
            else:
                await daemon.fresh("main")
            yield stage


async def test_money_trades_funding_and_new_positions_are_seen_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        took = []
        await stage.steer("change", coin="USDT", amount="-700.25")
        took.append(await stage.followed("USDT"))
        await stage.steer("change", symbol="BTCUSDT", side="long", contracts="0.1")
        took.append(await stage.followed("USDT"))
        await stage.steer("change", symbol="BTCUSD_PERP", side="short", contracts="40")
        took.append(await stage.followed("BTC"))
        await stage.steer("margin", symbol="ETHUSDT", side="long", amount="55.5")
        took.append(await stage.followed("isolated/ETHUSDT", "USDT"))
        assert max(took) < 1
        # A symbol never held before: its tiers are asked for, and no pool is told to be blind.
        await stage.steer("open", symbol="BTCUSDC", side="short", contracts="0.01")
        took.append(await stage.followed("USDC"))
        assert took[-1] < 3
        await stage.steer("change", symbol="ETHUSDC", side="short", contracts="0")
        assert await stage.followed("USDC") < 1
        assert stage.receiver.messages == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("liquidation", "LIQUIDATION"),
        ("adl", "AUTO-DELEVERAGING"),
    ],
)
async def test_what_binance_takes_is_told_with_cause_and_amount(
    kind: str, words: str, tmp_path: Path
) -> None:
    async with staged(tmp_path) as stage:
        began = time.monotonic()
        order = {"symbol": "BTCUSDT", "side": "long", "contracts": "0.05", "kind": kind}
        await stage.steer("force", **order)
        (message,) = await stage.daemon.until(lambda: stage.receiver.of("main", words), words)
        assert time.monotonic() - began < 3
        assert "BTC" in message.title
        assert "0.05" in message.title + message.body
        await stage.followed("USDT")


async def test_a_margin_call_is_told_in_binances_words(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.simulation.world.pin("BTC", D(83876))  # 2,500 - 0.2 x 12,125.1 = 75 against 67.1
        messages = await stage.daemon.until(
            lambda: stage.receiver.of("main", "WARNED BY THE EXCHANGE"), "the call"
        )
        assert "MARGIN" in messages[0].body


async def test_a_portfolio_s_level_of_risk_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path, PORTFOLIO, sockets=1) as stage:
        await stage.steer("change", coin="USDT", amount="-250.75")
        assert await stage.followed("unified") < 1
        stage.simulation.world.pin("BTC", D(83000))
        await stage.daemon.until(
            lambda: stage.receiver.of("main", "WARNED BY THE EXCHANGE"), "the level"
        )


async def test_without_the_right_to_listen_polling_goes_on_and_it_is_shown(tmp_path: Path) -> None:
    def refuse(simulation: Simulation) -> None:
        simulation.world.fault("binance", "no_permission", path="/fapi/v1/listenKey")
        simulation.world.fault("binance", "no_permission", path="/dapi/v1/listenKey")

    async with staged(tmp_path, poll_seconds=1, prepare=refuse, sockets=None) as stage:
        feed = await stage.daemon.until(stage.feed, "the stream being shown as not given")
        assert feed.because.startswith("not given")
        await stage.steer("change", coin="USDT", amount="-99")
        assert await stage.followed("USDT") < 1 + 1
        await stage.steer("open", symbol="BTCUSDC", side="long", contracts="0.01")
        assert await stage.followed("USDC") < 1 + 1
        assert stage.receiver.messages == []


async def test_a_key_that_ran_out_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.steer("listen-key")
        await stage.steer("change", coin="USDT", amount="-10")  # while nobody listens
        await stage.followed("USDT")
        await stage.listening()
        await stage.steer("change", coin="USDT", amount="-20")
        assert await stage.followed("USDT") < 1
        assert stage.receiver.messages == []


async def test_a_key_that_another_program_deleted_is_found_out_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.service.account_listener.EVENT_MAY_COME_SECONDS", 0.5)
    async with staged(tmp_path, poll_seconds=1) as stage:
        (key,) = {access.api_key for access in stage.simulation.access()}
        before = stage.private_sockets()
        await listen_key(stage.simulation, key, "DELETE")
        for _ in range(8):
            await stage.steer("change", coin="USDT", amount="-10")
            assert await stage.followed("USDT") < 1 + 1  # by REST
            await asyncio.sleep(0.7)
            if not set(before) & set(stage.private_sockets()):
                break
        await stage.listening()
        assert not set(before) & set(stage.private_sockets())
        assert stage.logged("event.lost")


@pytest.mark.parametrize("kind", ["doubled", "swapped", "late"])
async def test_events_that_come_twice_late_or_crosswise_end_in_the_same_figures(
    kind: str, tmp_path: Path
) -> None:
    async with staged(tmp_path) as stage:
        stage.simulation.world.fault("binance", kind, path=PRIVATE, value="0.5")
        for contracts in ("0.1", "0.25", "0.15", "0.3"):
            await stage.steer("change", symbol="BTCUSDT", side="long", contracts=contracts)
        stage.simulation.world.clear_faults()
        await stage.followed("USDT")
        assert [m.title for m in stage.receiver.messages] == []


async def test_an_event_that_never_came_is_put_right_by_the_next_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.service.account_listener.EVENT_MAY_COME_SECONDS", 0.5)
    async with staged(tmp_path, poll_seconds=1) as stage:
        task = stage.daemon.daemon._tasks["main"]
        # Before a reading that began after it listened, a change need not have been told.
        await stage.daemon.until(lambda: task.hears_all, "a book that is whole")
        stage.simulation.world.fault("binance", "lost", path=PRIVATE)
        await stage.steer("change", symbol="BTCUSDT", side="long", contracts="0.05")
        assert await stage.followed("USDT") < 1 + 1
        await stage.daemon.until(lambda: stage.logged("event.lost"), "the loss being noticed")
        # What may be deaf is opened anew.
        await stage.daemon.until(lambda: task.hears_all, "a book that is whole again")


@pytest.mark.parametrize("kind", ["drop", "garbage"])
async def test_a_stream_that_breaks_comes_back_and_nothing_is_lost(
    kind: str, tmp_path: Path
) -> None:
    async with staged(tmp_path) as stage:
        stage.simulation.world.fault("binance", kind, path=PRIVATE, seconds=1.5)
        for _ in range(6):
            await stage.steer("change", coin="USDT", amount="-10")
        await stage.followed("USDT", within=20)
        await stage.listening()
        await stage.steer("change", coin="USDT", amount="-20")
        await stage.followed("USDT", within=5)  # by the stream, or by the reading after the gap
        assert stage.receiver.messages == []


async def test_one_position_that_can_not_be_read_blinds_its_own_pool_alone(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, poll_seconds=1) as stage:
        rows = await asked(stage.simulation, "main", POSITIONS)
        (broken,) = [row for row in rows if row["symbol"] == "ETHUSDC"]
        broken["entryPrice"] = "much"
        stage.simulation.world.fault("binance", "body", path=POSITIONS, value=json.dumps(rows))
        (message,) = await stage.daemon.until(lambda: stage.receiver.of("main", "BLIND"), "BLIND")
        assert "main/USDC of main" in message.body
        (account,) = stage.daemon.daemon.board.assessments()
        states = {p.risk.pool.id.name: p.state.value for p in account.pools if p.risk.positions}
        assert states == {
            "USDT": "fresh",
            "USDC": "blind",
            "isolated/ETHUSDT": "fresh",
            "BTC": "fresh",
        }
        stage.simulation.world.clear_faults()
        await stage.daemon.until(lambda: stage.receiver.of("main", "RESOLVED"), "the end of it")
    assert len(stage.receiver.messages) == 2


async def test_no_listen_key_is_in_the_log(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        keys = {s.notes["listen_key"] for s in stage.private_sockets()}
        await stage.steer("listen-key")
        await stage.daemon.until(
            lambda: keys.isdisjoint(s.notes["listen_key"] for s in stage.private_sockets()),
            "new keys",
        )
        await stage.listening()
        keys |= {s.notes["listen_key"] for s in stage.private_sockets()}
        text = stage.daemon.log.read_text(encoding="utf-8")
    assert len(keys) == 4
    assert not [key for key in keys if key in text]


async def test_brackets_that_are_announced_are_read_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.steer("brackets", symbol="BTCUSDT", rows="100000 .02 20; 90000000 .5 1")
        await stage.daemon.until(
            lambda: stage.receiver.of("main", "LEVERAGE TIERS CHANGED"), "the new tiers"
        )
        # 0.2 x 94,321.7 = 18,864.34, at 2 % and no longer at 0.4 %.
        assert stage.figure("USDT", "maintenance_margin") == D("18864.34") * D("0.02")
