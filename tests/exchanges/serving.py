"""A server on loopback that answers by path, and a client that reads from it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiohttp import web

from monitor.exchanges.call import RestCall
from monitor.exchanges.gate import Host
from monitor.exchanges.port import Credentials, Exchange
from monitor.exchanges.rest import RestClient
from tests.fakes.exchange import ACCOUNT, FAKE, STOPS, TIERS, TIME, milliseconds

SECRET = "canary-secret-2f9c"
KEY = "canary-key-77aa"


@dataclass
class Server:
    """Answers by path; remembers what was asked."""

    answers: dict[str, Callable[[web.Request], web.Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)

    def count(self, path: str) -> int:
        return self.asked.count(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if "timestamp" in request.query:
            self.stamps.append(int(request.query["timestamp"]))
        answer = self.answers[request.path](request)
        return answer if isinstance(answer, web.Response) else await answer


@dataclass
class Hands:
    """A clock moved by hand."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


def plain(text: str, status: int = 200, **headers: str) -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(
        text=text, status=status, content_type="application/json", headers=headers
    )


@asynccontextmanager
async def served(
    clock: Hands | None = None, exchange: Exchange = FAKE, host: Host | None = None
) -> AsyncIterator[tuple[Server, RestClient]]:
    hands = clock or Hands()
    server = Server()
    server.answers = {
        TIME.path: lambda _: web.json_response({"serverTime": milliseconds(hands.now)}),
        ACCOUNT.path: plain('{"total": 1.10}'),
        TIERS.path: plain('[{"cum": 0.0065}]'),
        STOPS.path: plain("[]"),
    }
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = RestClient(
        exchange,
        Credentials(api_key=KEY, api_secret=SECRET),
        account="main",
        now=hands,
        rest_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
        host=host,
    )
    try:
        yield server, client
    finally:
        await client.close()
        await runner.cleanup()


def needing(calls: tuple[RestCall, ...]) -> Exchange:
    """The fake exchange with an account that needs just these replies."""
    return replace(FAKE, needed=lambda replies: tuple(c for c in calls if not replies.has(c)))
