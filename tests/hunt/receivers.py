"""
The far ends: a journal of what arrived, and the ways in which a receiver fails.

`FakeChannel` is what a daemon gets in place of an apprise channel; the `Receiver` behind it
outlives the daemon, as a person's phone does. `Pings` is the service that the dead man's switch
pings, over the network of the run.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from monitor.alerts.message import Notification
from monitor.errors import DeliveryError

SEND_SECONDS = 0.05
HANG_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message as it was taken; `at` in virtual seconds."""

    at: float
    channel: str
    process: int
    notification: Notification


@dataclass(slots=True)
class Receiver:
    """
    One channel's far end.

    `fault` is the kind that holds now, with its value; `asked_until` is before which it wants to
    hear nothing. `tries` are the times at which somebody sent, taken or not.
    """

    name: str
    now: Callable[[], float]
    fault: str | None = None
    value: str | None = None
    asked_until: float = 0.0
    arrivals: list[Arrival] = field(default_factory=list)
    tries: list[tuple[float, str]] = field(default_factory=list)
    too_soon: list[float] = field(default_factory=list)
    ambiguous: int = 0

    async def take(self, notification: Notification, process: int) -> None:
        """Take a message, or fail as the fault of now says."""
        now = self.now()
        self.tries.append((now, notification.id))
        if now < self.asked_until - 0.001:
            self.too_soon.append(now)
        match self.fault:
            case "refuses":
                await asyncio.sleep(SEND_SECONDS)
                raise DeliveryError("the receiver answered with HTTP 503", permanent=False)
            case "permanent":
                await asyncio.sleep(SEND_SECONDS)
                raise DeliveryError("the receiver answered with HTTP 403", permanent=True)
            case "asks_to_wait":
                await asyncio.sleep(SEND_SECONDS)
                seconds = float(self.value or "5")
                self.asked_until = self.now() + seconds
                raise DeliveryError(
                    "the receiver asked to wait", permanent=False, retry_after_seconds=seconds
                )
            case "hangs":
                await asyncio.sleep(HANG_SECONDS)
                raise DeliveryError("no answer in time", permanent=False)
            case "ambiguous":
                await asyncio.sleep(SEND_SECONDS)
                self._keep(notification, process)
                self.ambiguous += 1
                await asyncio.sleep(HANG_SECONDS / 2)
                raise DeliveryError("no answer in time", permanent=False)
            case "slow":
                await asyncio.sleep(float(self.value or "3"))
        await asyncio.sleep(SEND_SECONDS)
        self._keep(notification, process)
        await asyncio.sleep(SEND_SECONDS)

    def _keep(self, notification: Notification, process: int) -> None:
        self.arrivals.append(
            Arrival(at=self.now(), channel=self.name, process=process, notification=notification)
        )


class FakeChannel:
    """A channel of one daemon; `before` is asked first, at every send."""

    def __init__(
        self, receiver: Receiver, process: int, before: Callable[[str, Notification], None]
    ) -> None:
        self.name = receiver.name
        self._receiver = receiver
        self._process = process
        self._before = before

    async def send(self, notification: Notification) -> None:
        self._before(self.name, notification)
        await self._receiver.take(notification, self._process)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One that arrived; `failed` for the word that something is wrong."""

    at: float
    failed: bool


class Pings:
    """
    A service such as healthchecks.io: told by pings that all is well, or by /fail that it isn't.

    `fault` is the kind that holds now: it answers with 503, or not at all. What came is noted in
    any case; `on_ping` are told of each.
    """

    HOST, PORT = "ping.test", 81
    # The least that may be asked for: the more often it is pinged, the more there is to see.
    SECONDS = 20

    def __init__(self, now: Callable[[], float], secret: str) -> None:
        self.now = now
        self.secret = secret
        self.fault: str | None = None
        self.asked: list[Ping] = []
        self.on_ping: list[Callable[[Ping], None]] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self.HOST}:{self.PORT}/{self.secret}"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_get(f"/{self.secret}", self._take)
        app.router.add_get(f"/{self.secret}/fail", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.HOST, self.PORT).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        ping = Ping(at=self.now(), failed=request.path.endswith("/fail"))
        self.asked.append(ping)
        for look in self.on_ping:
            look(ping)
        if self.fault == "ping_hangs":
            await asyncio.sleep(6 * HANG_SECONDS)
        return web.Response(status=503 if self.fault == "ping_refuses" else 200)
