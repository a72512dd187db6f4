"""The dead man's switch: pinged while all is well, silent in trouble, loud after five minutes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from structlog.testing import capture_logs

from monitor.service.dead_man import FAILS_AFTER, DeadMan
from tests.alerting import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Listener:
    """A service that notes what it is asked, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", listener.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/s3cret-uuid"
    try:
        yield listener
    finally:
        await runner.cleanup()


class Watched:
    """What the daemon would say of itself, on a clock moved by hand."""

    def __init__(self, url: str) -> None:
        self.now = NOON
        self.trouble: str | None = None
        self.switch = DeadMan(url, seconds=60, trouble=lambda: self.trouble, now=lambda: self.now)

    async def after(self, wait: timedelta) -> None:
        self.now += wait
        await self.switch.beat()


async def test_it_pings_while_all_is_well_and_not_in_trouble() -> None:
    async with listening() as service:
        watched = Watched(service.url)
        await watched.after(timedelta(0))
        watched.trouble = "main is blind"
        await watched.after(timedelta(minutes=1))
        assert service.asked == ["/s3cret-uuid"]
        watched.trouble = None
        await watched.after(timedelta(minutes=1))
        assert service.asked == ["/s3cret-uuid"] * 2


async def test_trouble_of_five_minutes_is_said_outright_and_once() -> None:
    async with listening() as service:
        watched = Watched(service.url)
        watched.trouble = "main is blind"
        await watched.after(timedelta(0))
        await watched.after(FAILS_AFTER - timedelta(seconds=1))
        assert service.asked == []
        await watched.after(timedelta(seconds=1))
        await watched.after(timedelta(minutes=9))
        assert service.asked == ["/s3cret-uuid/fail"]
        watched.trouble = None
        await watched.after(timedelta(0))
        watched.trouble = "main is blind"
        await watched.after(timedelta(0))
        await watched.after(FAILS_AFTER)
        assert service.asked[1:] == ["/s3cret-uuid", "/s3cret-uuid/fail"]


async def test_a_failure_that_was_not_heard_is_said_again() -> None:
    async with listening() as service:
        watched = Watched(service.url)
        watched.trouble = "main is blind"
        service.status = 503
        await watched.after(timedelta(0))
        await watched.after(FAILS_AFTER)
        await watched.after(timedelta(minutes=1))
        assert service.asked == ["/s3cret-uuid/fail"] * 2


async def test_an_orderly_stop_is_said() -> None:
    async with listening() as service:
        await Watched(service.url).switch.stopped()
        assert service.asked == ["/s3cret-uuid/fail"]


async def test_a_redirect_is_not_followed_and_counts_as_unheard() -> None:
    async with listening() as service:
        service.status = 302
        with capture_logs() as logs:
            await Watched(service.url).after(timedelta(0))
        assert service.asked == ["/s3cret-uuid"]
        assert [entry["because"] for entry in logs] == ["it answered with HTTP 302"]


async def test_what_is_logged_never_shows_the_address_and_comes_once() -> None:
    async with listening() as service:
        gone = service.url
    watched = Watched(gone)
    with capture_logs() as logs:
        await watched.after(timedelta(0))
        await watched.after(timedelta(minutes=1))
    (entry,) = logs
    assert entry["event"] == "dead_man.unheard"
    assert "s3cret" not in repr(logs)


async def test_link_local_targets_are_not_asked() -> None:
    with capture_logs() as logs:
        await Watched("http://169.254.169.254/latest").after(timedelta(0))
    assert logs[0]["because"] == "the address leads to a link-local or metadata service"
