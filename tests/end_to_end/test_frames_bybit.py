"""
Every frame of the pretended Bybit's private stream is one that the reader understands.

A plain `websockets` client logs in with the reader's own texts; what the frames make of the first
reading is what a reading afterwards says, whatever the account's mode.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect

from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.exchanges.port import (
    AccountFrameRead,
    Credentials,
    Frame,
    Ignored,
    LoggedIn,
    Pong,
    Subscribed,
    Told,
)
from monitor.risk.model import AccountSnapshot
from monitor.risk.news import Cause, Taken, Warned
from monitor.simulator.server import Simulation, running
from tests.end_to_end import kinds
from tests.end_to_end.test_garbage import client_of

D = Decimal
PATH = "/v5/private"
QUIET = 0.4
KINDS = (
    "bybit one-way usdt",
    "bybit hedge",
    "bybit open orders",
    "bybit inverse",
    "bybit borrowing by hand",
    "bybit isolated hedge",
    "bybit portfolio",
)


def frame(text: str | bytes) -> Frame:
    plain = text if isinstance(text, str) else text.decode()
    return Frame(feed="account", text=plain, at=datetime.now(UTC), path=PATH)


async def reading(simulation: Simulation) -> Replies:
    """What a client that knows nothing yet is answered."""
    client = client_of(simulation)
    try:
        return await client.read_account()
    finally:
        await client.close()


async def answered(socket: ClientConnection, text: str) -> AccountFrameRead:
    await socket.send(text)
    return EXCHANGE.read_account_frame(frame(await asyncio.wait_for(socket.recv(), 5)))


@contextlib.asynccontextmanager
async def listening(simulation: Simulation, replies: Replies) -> AsyncIterator[ClientConnection]:
    """The reader's login, subscription and keep-alive, each acknowledged as it expects."""
    (access,) = simulation.access()
    key = Credentials(api_key=access.api_key, api_secret=access.api_secret)
    (stream,) = EXCHANGE.account_streams(replies)
    assert stream.login is not None
    assert stream.keepalive is not None
    async with connect(access.ws_url + stream.path, compression=None) as socket:
        assert await answered(socket, stream.login(key, datetime.now(UTC))) == LoggedIn()
        acks = [await answered(socket, text) for text in stream.subscribe]
        assert acks == [Subscribed(count=1)] * stream.acks
        assert await answered(socket, stream.keepalive.text) == Pong()
        yield socket


async def steer(simulation: Simulation, path: str, **body: object) -> None:
    body = {"account": kinds.NAME, **body}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulation.url('sim')}/bybit/{path}", json=body) as reply,
    ):
        assert reply.status == 200, await reply.text()


async def happens(simulation: Simulation) -> int:
    """A bit of everything to the account's first position; how much of it was taken."""
    (owner,) = simulation.world.exchanges[0].accounts
    mine = owner.ledger.positions[0]  # type: ignore[attr-defined] # Bybit's own
    side = "long" if mine.side == "Buy" else "short"
    which = {"symbol": mine.symbol, "side": side}
    part = int(mine.size / 10) if mine.size > 100 else mine.size / 10
    coin = next(iter(owner.ledger.wallets))  # type: ignore[attr-defined] # Bybit's own
    await steer(simulation, "change", coin=coin, amount="0.0125")
    await steer(simulation, "change", **which, contracts=str(mine.size - part))
    await steer(simulation, "change", **which, contracts=str(mine.size + part))
    order = {"id": "new", "symbol": mine.symbol, "side": "sell", "reduce_only": side == "long"}
    await steer(simulation, "order", **order, contracts=str(part), trigger=str(mine.entry * 2))
    await steer(simulation, "order", **order, contracts="0")
    await steer(simulation, "standing", **which, reduce_only=True, rises_in_seconds=3600)
    await steer(simulation, "standing", **which, reduce_only=False, status="Adl")
    await steer(simulation, "take", **which, contracts=str(part), cause="adl")
    await steer(simulation, "standing", **which, status="Normal")
    await steer(simulation, "funding", seconds=0, rates={"BTC": "0.001", "ETH": "0.001"})
    return 1


async def heard(socket: ClientConnection) -> list[Frame]:
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(frame(await asyncio.wait_for(socket.recv(), QUIET)))
    return found


def held(snapshot: AccountSnapshot) -> dict[str, tuple[frozenset[object], dict[str, Decimal]]]:
    """Per pool its positions, and its balances to six decimals."""
    return {
        str(pool.id): (
            frozenset(
                (p.instrument.exchange_symbol, p.side, p.contracts, round(p.entry_price, 6))
                for p in pool.positions
            ),
            {each.asset: round(each.balance, 6) for each in pool.collateral},
        )
        for pool in snapshot.pools
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_frames_on_a_reading_are_what_a_later_reading_says(kind: str) -> None:
    async with running(kinds.scenario(kind)) as simulation:
        kinds.pin(simulation)
        replies = await reading(simulation)
        view = EXCHANGE.read_account(kinds.NAME, replies)
        async with listening(simulation, replies) as socket:
            taken = await happens(simulation)
            frames = await heard(socket)
        read = [EXCHANGE.read_account_frame(each) for each in frames]
        for each, said in zip(frames, read, strict=True):
            assert isinstance(said, Told | Ignored)
            if isinstance(said, Told) and said.changes:
                view = view.updated(each)
            else:
                assert view.updated(each) is view
        later = EXCHANGE.read_account(kinds.NAME, await reading(simulation))
    now = datetime.now(UTC)
    assert held(view.snapshot(now)) == held(later.snapshot(now))
    news = [each for said in read if isinstance(said, Told) for each in said.news]
    told = [each for each in news if isinstance(each, Taken)]
    assert [each.cause for each in told] == [Cause.ADL] * taken
    assert Counter(each.is_critical for each in news if isinstance(each, Warned))[True] >= 1
    # The log tells the very same.
    logged = [each for each in later.snapshot(now).news if isinstance(each, Taken)]
    assert [(each.id, each.contracts) for each in logged] == [
        (each.id, each.contracts) for each in told
    ]
