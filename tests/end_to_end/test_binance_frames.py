"""
Binance's private sockets as the simulator serves them, read by the product's own functions.

No daemon: a plain client on every address that `account_streams` names, and the view kept up by
events alone. After each change its figures are those of the simulator's own books, to the wire's
eight decimals.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import websockets

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.port import AccountStream, Frame, Ignored, TicketEnded, Told
from monitor.exchanges.rest import RestClient
from monitor.risk import evaluate
from monitor.risk.news import Cause, Taken, Warned
from monitor.simulator.binance import Binance
from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Access, Simulation, running
from tests.end_to_end.test_binance_modes import client, pin

D = Decimal
FUTURES = """
mode = "single_asset"
wallets = { USDT = 2500, USDC = 300 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 96001.1, leverage = 10 },
  { symbol = "ETHUSDC", side = "short", contracts = 0.3, entry_price = 3411.5, leverage = 10 },
  { symbol = "ETHUSDT", side = "long", contracts = 1, entry_price = 3466.5, leverage = 10, margin_mode = "isolated", isolated_margin = 400 },
  { symbol = "BTCUSD_PERP", side = "short", contracts = 100, entry_price = 93911.5, leverage = 20 },
]
extra = { coin_wallets = { BTC = 0.05 } }
"""  # noqa: E501 - rows of TOML are easier to read whole
SHARED = """
mode = "multi_assets"
wallets = { USDT = 2500, USDC = 300 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 0.2, entry_price = 96001.1, leverage = 10 },
  { symbol = "ETHUSDC", side = "short", contracts = 0.3, entry_price = 3411.5, leverage = 10 },
]
"""
PORTFOLIO = SHARED.replace("multi_assets", "portfolio_margin")


def scenario(account: str) -> Scenario:
    head = 'name = "frames"\ndescription = "one"\nseed = 3\nduration_seconds = 60\n'
    market = "[market.BTC]\nstart = 94321.7\n[market.ETH]\nstart = 3456.78\n"
    words = f'[[accounts]]\nname = "main"\nexchange = "binance"\n{account}'
    return parse(head + market + words, "frames.toml")


class Listener:
    """One account: its view by REST, then by what its sockets bring."""

    def __init__(self, simulation: Simulation, rest: RestClient, access: Access) -> None:
        self.simulation, self.access = simulation, access
        self.told: list[Told] = []
        self.kinds: list[str] = []
        self._rest = rest
        self._heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def begin(self, stack: contextlib.AsyncExitStack) -> None:
        replies = await self._rest.read_account()
        self.view = EXCHANGE.read_account("main", replies)
        self.streams = EXCHANGE.account_streams(replies)
        for stream in self.streams:
            await self._listen(stream, stack)

    async def _listen(self, stream: AccountStream, stack: contextlib.AsyncExitStack) -> None:
        assert stream.ticket is not None
        key = stream.ticket.read((await self._rest.call(stream.ticket.get)).body)
        address = self.access.ws_url + stream.path.replace("{ticket}", key)
        socket = await stack.enter_async_context(websockets.connect(address, proxy=None))
        path = stream.path.replace("{ticket}", "")
        task = asyncio.create_task(self._pass_on(socket, path))
        stack.callback(task.cancel)

    async def _pass_on(self, socket: websockets.ClientConnection, path: str) -> None:
        async for text in socket:
            await self._heard.put((path, str(text)))

    async def steer(self, wish: str, frames: int, **words: object) -> None:
        """Change something and read the frames that tell it."""
        url = self.access.rest_url.removesuffix("/binance") + f"/sim/binance/{wish}"
        body = json.dumps({"account": "main", **words})
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body) as answer,
        ):
            assert answer.status == 200, await answer.text()
        await self.hear(frames)

    async def hear(self, frames: int) -> None:
        for _ in range(frames):
            path, text = await asyncio.wait_for(self._heard.get(), 5)
            frame = Frame(feed="account", text=text, at=datetime.now(UTC), path=path)
            said = EXCHANGE.read_account_frame(frame)
            self.kinds.append(json.loads(text)["e"])
            if isinstance(said, Told):
                self.told.append(said)
                if said.changes:
                    self.view = self.view.updated(frame)
            else:
                assert isinstance(said, (Ignored, TicketEnded)), said

    @property
    def news(self) -> list[Any]:
        return [each for told in self.told for each in told.news]

    def agrees(self) -> None:
        """Every pool of the view has the figures of the simulator's books."""
        taken = self.view.snapshot(datetime.now(UTC))
        assert taken.unread == {}
        truth = {p.pool: p for e in self.simulation.world.exchanges for p in e.pools("main")}
        ours = {
            pool.id.name: evaluate(pool, taken.marks, taken.at).requirement for pool in taken.pools
        }
        assert ours.keys() >= {name for name, pool in truth.items() if pool.positions}
        for name, pool in truth.items():
            if not pool.positions:
                continue
            assert abs(ours[name].margin_balance - pool.margin_balance) < D("1e-6"), name
            gap = ours[name].maintenance_margin - pool.maintenance_margin
            assert abs(gap) < D("1e-6"), name


@contextlib.asynccontextmanager
async def listening(account: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    patch.setattr(Binance, "cadence_seconds", 3600.0)
    async with contextlib.AsyncExitStack() as stack:
        simulation = await stack.enter_async_context(running(scenario(account)))
        pin(simulation)
        (access,) = simulation.access()
        rest = client(access)
        stack.push_async_callback(rest.close)
        listener = Listener(simulation, rest, access)
        await listener.begin(stack)
        listener.agrees()
        yield listener


async def test_every_change_of_a_futures_account_is_in_the_figures_by_its_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening(FUTURES, monkeypatch) as one:
        assert len(one.streams) == 2
        await one.steer("change", 1, coin="USDT", amount="-700.25")
        one.agrees()
        await one.steer("change", 1, coin="coin-m/BTC", amount="0.01")
        one.agrees()
        await one.steer("change", 2, symbol="BTCUSDT", side="long", contracts="0.35")
        one.agrees()
        await one.steer("change", 2, symbol="ETHUSDC", side="short", contracts="0")
        one.agrees()
        await one.steer("change", 2, symbol="BTCUSD_PERP", side="short", contracts="60")
        one.agrees()
        for symbol in ("BTCUSDT", "ETHUSDT", "BTCUSD_PERP"):  # crossed, isolated, in coins
            await one.steer("funding", 0, symbol=symbol, rate="0.0025")
        await one.simulation.tick()
        await one.hear(3)
        one.agrees()
        await one.steer("margin", 1, symbol="ETHUSDT", side="long", amount="125.5")
        one.agrees()
        await one.steer("leverage", 1, symbol="BTCUSDT", leverage="7")
        (leverage,) = {
            p.leverage
            for pool in one.view.snapshot(datetime.now(UTC)).pools
            for p in pool.positions
            if p.instrument.exchange_symbol == "BTCUSDT"
        }
        assert leverage == 7
        assert one.news == []


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("liquidation", Cause.LIQUIDATION),
        ("adl", Cause.ADL),
        ("settlement", Cause.SETTLEMENT),
        ("takeover", Cause.TAKEOVER),
    ],
)
async def test_what_binance_takes_is_news_and_in_the_figures(
    kind: str, cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(FUTURES, monkeypatch) as one:
        words = {"symbol": "BTCUSDT", "side": "long", "contracts": "0.05", "kind": kind}
        await one.steer("force", 3, **words)
        one.agrees()
    begun, taken = one.news
    assert isinstance(begun, Warned)
    assert isinstance(taken, Taken)
    assert (taken.cause, taken.exchange_symbol, taken.is_long) == (cause, "BTCUSDT", True)
    assert (taken.contracts, taken.price, taken.asset) == (D("0.05"), D("94321.7"), "USDT")
    # 0.05 × (94,321.7 − 96,001.1), less 1.25 % of what was liquidated.
    fee = D("0.05") * D("94321.7") * D("0.0125") if kind in {"liquidation", "takeover"} else D(0)
    assert taken.amount == D("0.05") * (D("94321.7") - D("96001.1")) - fee.quantize(D("1e-8"))


async def test_a_whole_liquidation_is_told_from_its_call_to_the_insurance_fund(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening(FUTURES, monkeypatch) as one:
        one.simulation.world.pin("BTC", D(83876))  # 2,500 - 0.2 x 12,125.1 = 75 against 67.1
        await one.simulation.tick()
        await one.hear(1)
        one.simulation.world.pin("BTC", D(80000))
        await one.simulation.tick()
        await one.hear(4)
    assert one.kinds == ["MARGIN_CALL", *["ORDER_TRADE_UPDATE"] * 2, *["ACCOUNT_UPDATE"] * 2]
    call, begun, taken, cleared = one.news
    assert call.words == "MARGIN_CALL: Binance asks for margin for BTCUSDT both (0.2)"
    assert begun.words.startswith("Binance liquidates BTCUSDT long")
    assert (taken.cause, taken.contracts) == (Cause.LIQUIDATION, D("0.2"))
    assert cleared.words.startswith("INSURANCE_CLEAR")
    left = {p.instrument.exchange_symbol for pool in pools(one) for p in pool.positions}
    assert left == {"ETHUSDC", "ETHUSDT", "BTCUSD_PERP"}


def pools(one: Listener) -> tuple[Any, ...]:
    return one.view.snapshot(datetime.now(UTC)).pools


async def test_shared_assets_are_kept_up_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(SHARED, monkeypatch) as one:
        await one.steer("change", 1, coin="USDC", amount="-299")
        one.agrees()
        await one.steer("change", 2, symbol="BTCUSDT", side="long", contracts="0.1")
        one.agrees()
        await one.steer("mode", 0, mode="single_asset")
        await one.simulation.tick()
        await one.hear(1)
    assert one.told[-1] == Told(ask="the account's settings changed")


async def test_a_portfolio_is_kept_up_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(PORTFOLIO, monkeypatch) as one:
        (stream,) = one.streams
        assert stream.path.startswith("/pm/")
        await one.steer("change", 1, coin="USDT", amount="-250.75")
        one.agrees()
        await one.steer("change", 2, symbol="BTCUSDT", side="long", contracts="0.1")
        one.agrees()  # anchored on Binance's own, and moved by what the closed part needed


async def test_a_key_that_ran_out_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(FUTURES, monkeypatch) as one:
        await one.steer("listen-key", 0)
        await one.simulation.tick()
        await one.hear(2)
    assert one.kinds == ["listenKeyExpired"] * 2
