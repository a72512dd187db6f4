"""A feed joined to a WebSocket server on loopback, and what it delivers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from websockets.asyncio.server import ServerConnection, serve

from monitor.engine.events import FeedLost, FeedRestored, MarksMoved
from monitor.exchanges.stream import MarkFeed
from tests.fakes.exchange import FAKE, instrument, milliseconds

Talk = Callable[[ServerConnection], Awaitable[None]]
Event = MarksMoved | FeedLost | FeedRestored


def clock() -> datetime:
    return datetime.now(UTC)


class Heard:
    """What the feed delivered, and a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def deliver(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, condition: Callable[[list[Event]], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition(self.events):
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def listening(
    talk: Talk, *symbols: str, offset: float = 0.0, patience: float = 15.0
) -> AsyncIterator[tuple[Heard, MarkFeed]]:
    heard = Heard()
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        feed = MarkFeed(
            FAKE,
            account="main",
            now=clock,
            offset_seconds=lambda: offset,
            deliver=heard.deliver,
            ws_url=f"ws://127.0.0.1:{port}",
            patience_seconds=patience,
        )
        feed.watch(tuple(instrument(symbol) for symbol in symbols))
        task = asyncio.create_task(feed.run())
        try:
            yield heard, feed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def mark(symbol: str, price: str, at: datetime | None = None) -> str:
    when = milliseconds(at or clock())
    return json.dumps({"kind": "mark", "symbol": symbol, "price": price, "at": when})


def same(symbol: str) -> str:
    """A delta that leaves the mark out."""
    return json.dumps({"kind": "same", "symbol": symbol, "at": milliseconds(clock())})


def restored_twice(events: list[Event]) -> bool:
    return sum(isinstance(event, FeedRestored) for event in events) == 2


ACK = json.dumps({"kind": "ack"})


async def obliging(socket: ServerConnection) -> None:
    """Acknowledges every subscription and answers it with a mark; answers pings."""
    async for text in socket:
        if text == "ping":
            await socket.send(json.dumps({"kind": "pong"}))
            continue
        await socket.send(ACK)
        await socket.send(mark(str(text).removeprefix("subscribe "), "100"))


def prices_of(events: list[Event], symbol: str) -> list[datetime]:
    """When marks of a symbol were delivered."""
    return [e.at for e in events if isinstance(e, MarksMoved) and symbol in e.marks]
