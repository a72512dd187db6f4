"""
A daemon on OKX's private sockets, while they fail in each way that OKX's do.

Readings by REST are 50 s apart: what is known sooner was told by a socket, or asked for because
of one. The account holds 20 contracts of BTC, 30 of ETH the other way and 50 isolated of SOL.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.engine.effects import AccountAssessment
from monitor.exchanges import account_feed, left_out
from monitor.exchanges.okx import private
from monitor.exchanges.port import KeepAlive
from monitor.simulator import okx_queries, okx_stream
from monitor.simulator.scenario import parse
from monitor.simulator.server import Simulation, running
from tests.end_to_end.stage import Receiver, Watching, receiving, watching, write_config
from tests.end_to_end.test_account_changes import steer

PRIVATE, BUSINESS = "/ws/v5/private", "/ws/v5/business"
SELDOM = 50.0
BTC, ETH, SOL = "BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP"
USDT, ALONE = "main/USDT", f"main/isolated/{SOL}"
SCENARIO = f"""
name = "private"
description = "one"
seed = 5
duration_seconds = 60
[market.BTC]
start = 94000
[market.ETH]
start = 3600
[market.SOL]
start = 171
[[accounts]]
name = "main"
exchange = "okx"
mode = "futures"
wallets = {{ USDT = 6000 }}
positions = [
  {{ symbol = "{BTC}", side = "long", contracts = 20, entry_price = 95000, leverage = 10 }},
  {{ symbol = "{ETH}", side = "short", contracts = 30, entry_price = 3500, leverage = 10 }},
  {{ symbol = "{SOL}", side = "long", contracts = 50, entry_price = 180, leverage = 5, margin_mode = "isolated", isolated_margin = 1800 }},
]
"""  # noqa: E501 - a row of TOML


@dataclass(frozen=True)
class Scene:
    simulation: Simulation
    receiver: Receiver
    daemon: Watching

    @property
    def account(self) -> AccountAssessment:
        (found,) = self.daemon.daemon.board.assessments()
        return found

    def held(self, symbol: str) -> Decimal:
        """The contracts that the figures hold, 0 for none."""
        return sum(
            (
                risk.position.contracts
                for pool in self.account.pools
                for risk in pool.risk.positions
                if risk.position.instrument.exchange_symbol == symbol
            ),
            Decimal(0),
        )

    def states(self) -> dict[str, str]:
        return {str(pool.risk.pool.id): pool.state.value for pool in self.account.pools}

    def stream(self) -> tuple[str, str]:
        """What is said of the private stream: its state, and why."""
        feeds = {feed.name: (feed.state.value, feed.because) for feed in self.account.feeds}
        return feeds.get("private stream", ("", ""))

    def is_whole(self) -> bool:
        """Whether both sockets tell everything, and no gap is left to be filled."""
        (task,) = self.daemon.daemon._tasks.values()
        return task.hears_all

    async def resize(self, symbol: str, contracts: int, side: str = "long") -> None:
        body: dict[str, object] = {"symbol": symbol, "side": side, "contracts": contracts}
        await steer(self.simulation, "okx/change", body)

    async def within(self, seconds: float, look: Callable[[], object], what: str) -> None:
        await self.daemon.until(look, what, seconds=seconds)

    def fault(self, kind: str, value: str | None = None, **more: object) -> None:
        world = self.simulation.world
        world.fault("okx", kind, value=value, **({"path": PRIVATE} | more))  # type: ignore[arg-type]

    def logged(self, event: str) -> list[dict[str, object]]:
        return [row for row in self.daemon.logged() if row["event"] == event]


@asynccontextmanager
async def scene(
    folder: Path, *, poll_seconds: float = SELDOM, whole: bool = True
) -> AsyncIterator[Scene]:
    scenario = parse(SCENARIO, "private.toml")
    async with running(scenario) as simulation, receiving() as receiver:
        config = write_config(folder, simulation.access(), receiver.url, poll_seconds=poll_seconds)
        async with watching(config) as daemon:
            found = Scene(simulation, receiver, daemon)
            await daemon.until(lambda: daemon.state("main"), "a first reading")
            if whole:
                await daemon.fresh("main")
                await daemon.until(found.is_whole, "both sockets")
            yield found


# --- what is told


async def test_each_change_is_in_the_figures_within_a_second(tmp_path: Path) -> None:
    async with scene(tmp_path) as its:
        await its.resize(BTC, 25)
        await its.within(1, lambda: its.held(BTC) == 25, "25 of BTC")
        await its.resize(ETH, 0, "short")
        await its.within(1, lambda: its.held(ETH) == 0, "no ETH")
        await its.resize(SOL, 40)
        await its.within(1, lambda: its.held(SOL) == 40, "40 of SOL, isolated")
        await its.within(1, lambda: its.states() == {USDT: "fresh", ALONE: "fresh"}, "fresh")
        assert its.receiver.messages == []


async def test_a_snapshot_of_several_pages_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_PAGE", 1)
    monkeypatch.setattr(okx_stream, "_REGULAR", timedelta(seconds=0.3))
    async with scene(tmp_path) as its:
        for wanted in (25, 30, 35):
            await its.resize(BTC, wanted)
            await its.within(1, lambda wanted=wanted: its.held(BTC) == wanted, f"{wanted} of BTC")
            assert (its.held(ETH), its.held(SOL)) == (30, 50)
        assert its.receiver.messages == []


async def test_a_stop_is_known_when_it_comes_and_when_it_goes(tmp_path: Path) -> None:
    async with scene(tmp_path) as its:

        def is_protected() -> bool:
            every = (r.position for pool in its.account.pools for r in pool.risk.positions)
            return any(p.has_stop_loss for p in every if p.instrument.exchange_symbol == BTC)

        assert not is_protected()
        await steer(its.simulation, "okx/stop", {"symbol": BTC, "trigger": "93000"})
        await its.within(2, is_protected, "the stop")
        await steer(its.simulation, "okx/stop", {"symbol": BTC})
        await its.within(2, lambda: not is_protected(), "no stop")


@pytest.mark.parametrize(
    ("event", "title", "cause"),
    [
        ("liquidation", "LIQUIDATION", "by liquidation"),
        ("adl", "AUTO-DELEVERAGING", "by auto-deleveraging"),
    ],
)
async def test_what_okx_took_is_told_at_once_with_cause_size_and_amount(
    event: str, title: str, cause: str, tmp_path: Path
) -> None:
    async with scene(tmp_path) as its:
        body: dict[str, object] = {"event": event, "symbol": BTC, "contracts": 12}
        await steer(its.simulation, "okx/take", body)
        await its.within(1.5, lambda: its.receiver.of("main", title), title)
        (told,) = its.receiver.of("main", title)
        # 8 of the 20 went: 8 × 0.01 × (94,000 − 95,000) = −80 USDT.
        assert f"BTC/USDT:USDT long: 8 contracts {cause}" in told.body
        assert "−80.00 USDT in the wallet" in told.body
        await its.daemon.until(lambda: its.held(BTC) == 12, "12 of BTC")
        # The bills tell of the same, and a reading of them brings no second message.
        (task,) = its.daemon.daemon._tasks.values()
        await its.daemon.until(lambda: _bookings(task), "the bill being read")
        assert its.receiver.of("main", title) == [told]


def _bookings(task: object) -> object:
    return task._engine._known.bookings  # type: ignore[attr-defined]


async def test_an_exchange_s_warning_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as its:
        # OKX warns below 300 %; our own first rung (80 %) is far away.
        await steer(its.simulation, "okx/change", {"coin": "USDT", "amount": "-5200"})
        found = await its.daemon.until(
            lambda: its.receiver.of("main", "WARNED BY THE EXCHANGE"), "the warning", seconds=3
        )
        assert "liquidation-warning" in found[0].body


async def test_another_mode_is_seen_by_the_next_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_REGULAR", timedelta(seconds=1))
    async with scene(tmp_path) as its:
        await steer(its.simulation, "okx/mode", {"mode": "multi_currency"})
        await its.within(4, lambda: "main/unified" in its.states(), "the one pool for all")
        await its.within(2, lambda: its.receiver.of("main", "MODE"), "the mode being told")


# --- events that fail


@pytest.mark.parametrize("kind", ["doubled", "swapped", "late"])
async def test_events_twice_in_disorder_or_late_leave_the_figures_right(
    kind: str, tmp_path: Path
) -> None:
    async with scene(tmp_path) as its:
        its.fault(kind, "0.5" if kind == "late" else None)
        for wanted in (25, 15, 30):
            await its.resize(BTC, wanted)
            await its.resize(SOL, wanted)
            await its.within(
                2,
                lambda wanted=wanted: its.held(BTC) == its.held(SOL) == wanted,
                f"{wanted} of both",
            )
        await its.resize(ETH, 0, "short")
        # A reading that an isolated change asked for may show it first: then it is asked again.
        await its.within(6, lambda: its.held(ETH) == 0, "no ETH")
        await its.daemon.fresh("main")
        assert its.receiver.messages == []


async def test_a_lost_event_is_made_good_by_the_regular_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_REGULAR", timedelta(seconds=1))
    async with scene(tmp_path) as its:
        its.fault("lost")
        await its.resize(BTC, 25)
        await its.resize(ETH, 0, "short")
        await its.within(2.5, lambda: (its.held(BTC), its.held(ETH)) == (25, 0), "both")


async def test_garbage_ends_in_another_socket_and_nothing_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_REGULAR", timedelta(seconds=0.3))
    async with scene(tmp_path) as its:
        its.fault("garbage", seconds=2)
        await its.resize(BTC, 25)
        await its.daemon.until(lambda: not its.is_whole(), "the loss")
        await its.daemon.until(its.is_whole, "both sockets again")
        await its.within(2, lambda: its.held(BTC) == 25, "25 of BTC")


# --- sockets that end


@pytest.mark.parametrize("after", range(7))
async def test_a_socket_that_ends_at_any_moment_costs_nothing(after: int, tmp_path: Path) -> None:
    """While it logs in, subscribes, or tells its first snapshots; then they are let through."""
    async with scene(tmp_path) as its:
        its.fault("cut", str(after))
        its.fault("drop", seconds=0.5)
        await its.daemon.until(lambda: not its.is_whole(), "the loss")
        await its.resize(BTC, 25)
        await its.within(5, lambda: its.held(BTC) == 25 or its.logged("feed.lost"), "either")
        its.simulation.world.clear_faults()
        await its.daemon.until(its.is_whole, "both sockets again", seconds=30)
        await its.within(2, lambda: its.held(BTC) == 25, "25 of BTC")
        await its.resize(BTC, 30)
        await its.within(1, lambda: its.held(BTC) == 30, "30 of BTC")


async def test_a_socket_that_stalls_is_replaced_by_its_own_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_REGULAR", timedelta(seconds=0.5))
    monkeypatch.setattr(private, "_SILENT_SECONDS", 2.0)
    async with scene(tmp_path) as its:
        its.fault("stall", seconds=4)
        await its.resize(BTC, 25)
        await its.within(6, lambda: not its.is_whole(), "the loss")
        assert any("nothing told for 2 s" in str(row) for row in its.logged("feed.lost"))
        await its.daemon.until(its.is_whole, "both sockets again")
        await its.within(2, lambda: its.held(BTC) == 25, "25 of BTC")


async def test_a_socket_that_has_nothing_to_say_is_kept_by_pings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_SILENCE", timedelta(seconds=1))
    monkeypatch.setattr(private, "KEEPALIVE", KeepAlive(text="ping", seconds=0.3))
    async with scene(tmp_path) as its:
        # Stop orders have no regular push: without pings OKX would close after its silence.
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert its.is_whole()
            await asyncio.sleep(0.1)
        # The marks' socket, which is pinged every 20 s, shows that it would have been.
        lost = {row["feed"] for row in its.logged("feed.lost")}
        assert lost == {"marks"}


async def test_an_announced_end_is_forestalled(tmp_path: Path) -> None:
    async with scene(tmp_path) as its:
        await steer(its.simulation, "okx/notice", {"seconds": 3})
        end, wanted = time.monotonic() + 5, 20
        while time.monotonic() < end:
            wanted += 1
            await its.resize(BTC, wanted)
            await its.within(1.5, lambda: its.held(BTC) == wanted, f"{wanted} of BTC")  # noqa: B023 - awaited
        assert its.logged("feed.lost") == []
        assert its.receiver.messages == []


async def test_a_deleted_key_is_not_tried_again_and_the_account_is_polled(tmp_path: Path) -> None:
    async with scene(tmp_path, poll_seconds=2) as its:
        await steer(its.simulation, "okx/close", {})
        await its.within(3, lambda: its.stream()[1], "word of the stream")
        assert its.stream() == ("stale", "not given: the API key was changed or deleted")
        await its.resize(BTC, 25)
        await its.within(3.5, lambda: its.held(BTC) == 25, "25 of BTC")
        assert its.stream()[1].startswith("not given"), "no other socket was opened meanwhile"


async def test_a_timestamp_that_is_refused_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_feed, "REFUSED_SECONDS", (0.5,))  # after a second refusal in a row
    async with scene(tmp_path, whole=False) as its:
        its.fault("login", "60006", seconds=1.5)
        its.fault("drop", seconds=0.3)
        await its.daemon.until(
            lambda: its.is_whole() and not its.stream()[1], "both sockets", seconds=30
        )
        await its.resize(BTC, 25)
        await its.within(1, lambda: its.held(BTC) == 25, "25 of BTC")


async def test_one_connection_too_many_is_said_and_the_account_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(okx_stream, "_MOST_CONNECTIONS", 0)
    async with scene(tmp_path, poll_seconds=2, whole=False) as its:
        await its.within(10, lambda: "30 at most" in its.stream()[1], "why there is no stream")
        await its.resize(BTC, 25)
        await its.within(3.5, lambda: its.held(BTC) == 25, "25 of BTC")


async def test_a_new_listing_blinds_its_own_pool_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = okx_queries.public.instruments

    def listed(kind: str, family: str | None) -> list[dict[str, object]]:
        return [row for row in everything(kind, family) if row["instId"] != SOL]

    monkeypatch.setattr(left_out, "OPTIONAL_RETRY_SECONDS", 1.0)
    with monkeypatch.context() as hidden:
        hidden.setattr(okx_queries.public, "instruments", listed)
        await new_listing(tmp_path, hidden)


async def new_listing(tmp_path: Path, hidden: pytest.MonkeyPatch) -> None:
    async with scene(tmp_path, poll_seconds=1, whole=False) as its:
        told = await its.daemon.until(
            lambda: its.receiver.of("main", "BLIND"), "the one pool", seconds=20
        )
        assert len(told) == 1
        assert f"{ALONE} " in told[0].body
        assert "nothing is told of SOL-USDT-SWAP" in told[0].body
        assert its.states()[USDT] == "fresh"
        await its.resize(BTC, 25)
        await its.within(2, lambda: its.held(BTC) == 25, "25 of BTC")
        hidden.undo()
        await its.daemon.until(lambda: its.states().get(ALONE) == "fresh", "SOL being known")


async def test_without_tiers_its_own_rate_is_used_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiers = {
        family: rows for family, rows in okx_queries.TIERS["SWAP"].items() if family != "SOL-USDT"
    }
    monkeypatch.setattr(okx_queries, "TIERS", {**okx_queries.TIERS, "SWAP": tiers})
    async with scene(tmp_path) as its:
        (alone,) = (pool for pool in its.account.pools if str(pool.risk.pool.id) == ALONE)
        assert "OKX tells no tiers of SOL-USDT-SWAP" in alone.risk.pool.carried[0]
        # 8,550 at 1 % (500 contracts or less) and the fee of 0.05 %
        assert abs(alone.risk.requirement.maintenance_margin - Decimal("89.775")) < Decimal("1e-6")
