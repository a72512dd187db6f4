"""A private feed joined to a WebSocket server on loopback, and what it delivers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from monitor.errors import ExchangeError
from monitor.exchanges.account_feed import AccountFeed, AccountNews
from monitor.exchanges.call import Reply, RestCall
from monitor.exchanges.openings import Openings
from monitor.exchanges.port import AccountStream, Exchange
from tests.exchanges.listening import clock
from tests.fakes.private import CREDENTIALS, LOGGED_IN, SECRET, private, said

Talk = Callable[[ServerConnection], Awaitable[None]]
News = TypeVar("News", bound=AccountNews)


@dataclass
class Office:
    """REST as far as streams need it: gives ticket-1, ticket-2, …, and fails as it is told to."""

    failures: dict[str, list[ExchangeError]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    offset_seconds: float | None = 0.0
    measured: int = 0

    async def call(self, call: RestCall) -> Reply:
        self.asked.append(call.verb)
        failures = self.failures.get(call.verb)
        if failures:
            raise failures.pop(0)
        key = f"ticket-{self.asked.count('POST')}"
        return Reply(request=call.request, status=200, body={"listenKey": key}, at=clock())

    async def measure_offset(self) -> float:
        self.measured += 1
        self.offset_seconds = 0.0
        return 0.0

    def hidden(self, text: str) -> str:
        return text.replace(SECRET, "***")


class Attended:
    """What the feed delivered, and a way to wait for it."""

    def __init__(self) -> None:
        self.news: list[AccountNews] = []
        self._more = asyncio.Event()

    def deliver(self, news: AccountNews) -> None:
        self.news.append(news)
        self._more.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._more.clear()
                await self._more.wait()

    def of(self, kind: type[News]) -> list[News]:
        return [each for each in self.news if isinstance(each, kind)]

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.news]

    async def have(self, kind: type[News], times: int = 1) -> list[News]:
        await self.until(lambda: len(self.of(kind)) >= times)
        return self.of(kind)


@asynccontextmanager
async def attending(
    talk: Talk,
    *streams: AccountStream,
    office: Office | None = None,
    exchange: Exchange | None = None,
    openings: Openings | None = None,
    refuse: Callable[[ServerConnection, Request], Response] | None = None,
) -> AsyncIterator[tuple[Attended, AccountFeed]]:
    attended, rest = Attended(), office or Office()
    async with serve(talk, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        feed = AccountFeed(
            exchange or private(*streams),
            account="main",
            credentials=CREDENTIALS,
            rest=rest,
            now=clock,
            their_now=lambda: clock() + timedelta(seconds=rest.offset_seconds or 0.0),
            deliver=attended.deliver,
            ws_url=f"ws://127.0.0.1:{port}",
            openings=openings,
        )
        feed.listen(streams or (LOGGED_IN,))
        task = asyncio.create_task(feed.run())
        try:
            yield attended, feed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def admitting(socket: ServerConnection) -> None:
    """Lets everybody in, acknowledges everything, answers pings."""
    async for text in socket:
        if text == "ping":
            await socket.send(said("pong"))
        elif str(text).startswith("watch"):
            await socket.send(said("ack"))
        elif json.loads(text)["op"] == "login":
            await socket.send(said("in"))
