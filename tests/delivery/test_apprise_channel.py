"""apprise against a real receiver on loopback: what it takes, and what its failures mean."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.delivery.apprise_channel import AppriseChannel
from monitor.delivery.courier import Courier
from monitor.errors import DeliveryError
from monitor.storage import open_store
from tests.alerting import NOON, a_notification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CANARY = "canary8c1f"
TELEGRAM = f"tgram://123456789:{CANARY}-ABCDEFGHIJKLMNOPQRSTUVWX/12345"


@dataclass
class Receiver:
    """Answers with `status`, the same each time; `hang` answers too late for anybody."""

    status: int = 200
    body: str = "{}"
    hang: bool = False
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    reads: bool = True
    port: int = 0
    bodies: list[dict[str, str]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_asked(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.bodies) < count:
                self.came.clear()
                await self.came.wait()

    async def answer(self, request: web.Request) -> web.Response:
        self.bodies.append(json.loads(await request.text()) if self.reads else {})
        self.came.set()
        if self.hang:
            await self._released.wait()
        headers = self.headers | ({"Location": self.location} if self.location else {})
        return web.Response(status=self.status, text=self.body, headers=headers)


@asynccontextmanager
async def receiving(**answers: object) -> AsyncIterator[Receiver]:
    receiver = Receiver(**answers)  # type: ignore[arg-type] - given by the tests
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver._released.set()
        await runner.cleanup()


def to(receiver: Receiver, **options: float) -> AppriseChannel:
    url = f"json://user:{CANARY}@127.0.0.1:{receiver.port}/{CANARY}"
    return AppriseChannel("phone", url, **options)


def to_telegram(receiver: Receiver) -> AppriseChannel:
    channel = AppriseChannel("phone", TELEGRAM)
    channel._service.notify_url = f"http://127.0.0.1:{receiver.port}/bot"
    return channel


async def failure(channel: AppriseChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(a_notification())
    channel.close()
    return caught.value


async def test_a_message_arrives_as_it_was_written() -> None:
    async with receiving() as receiver:
        channel = to(receiver)
        await channel.send(a_notification(title="WARNING main", body="a_b <c> *d*\nzwölf 🚨"))
        channel.close()

    (body,) = receiver.bodies
    assert body["title"] == "WARNING main"
    assert body["message"] == "a_b <c> *d*\nzwölf 🚨"


@pytest.mark.parametrize(
    ("severity", "step", "kind"),
    [
        (Severity.INFO, Step.OPENED, "info"),
        (Severity.WARNING, Step.OPENED, "warning"),
        (Severity.CRITICAL, Step.ESCALATED, "failure"),
        (Severity.CRITICAL, Step.RESOLVED, "success"),
    ],
)
async def test_the_receiver_is_told_how_grave_it_is(
    severity: Severity, step: Step, kind: str
) -> None:
    async with receiving() as receiver:
        channel = to(receiver)
        await channel.send(a_notification(severity=severity, step=step))
        channel.close()

    assert receiver.bodies[0]["type"] == kind


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(500, False), (503, False), (429, False), (400, False), (401, True), (403, True),
     (404, True), (410, True)],
)  # fmt: skip
async def test_a_refusal_says_whether_to_try_again(status: int, permanent: bool) -> None:
    async with receiving(status=status) as receiver:
        error = await failure(to(receiver))

    assert str(error) == f"the receiver answered with HTTP {status}"
    assert error.permanent is permanent
    assert error.retry_after_seconds is None


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/"
        async with receiving(status=307, location=target) as receiver:
            error = await failure(to(receiver))

    assert str(error) == "the receiver answered with HTTP 307"
    assert elsewhere.bodies == []


async def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failure(AppriseChannel("phone", f"json://127.0.0.1:{port}/{CANARY}"))

    assert str(error) == "the receiver can't be reached"
    assert not error.permanent


async def test_a_receiver_that_hangs_is_given_up_after_its_time() -> None:
    async with receiving(hang=True) as receiver:
        error = await failure(to(receiver, read_seconds=0.2))

    assert not error.permanent
    assert len(receiver.bodies) == 1


async def test_no_send_takes_longer_than_its_bound() -> None:
    async with receiving(hang=True) as receiver:
        error = await failure(to(receiver, read_seconds=5, send_seconds=0.2))

    assert str(error) == "no answer within 0.2 s"


async def test_telegrams_wait_is_kept_to() -> None:
    body = (
        '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7",'
        '"parameters":{"retry_after":7}}'
    )  # core.telegram.org/bots/api, ResponseParameters
    async with receiving(status=429, body=body) as receiver:
        error = await failure(to_telegram(receiver))

    assert error.retry_after_seconds == 7
    assert not error.permanent


@pytest.mark.parametrize(
    ("description", "permanent"),
    [("Bad Request: chat not found", True), ("Bad Request: can't parse entities", False)],
)
async def test_a_chat_that_is_gone_is_permanent(description: str, permanent: bool) -> None:
    body = json.dumps({"ok": False, "error_code": 400, "description": description})
    async with receiving(status=400, body=body) as receiver:
        error = await failure(to_telegram(receiver))

    assert error.permanent is permanent


async def test_outside_text_is_no_markup_and_calls_nobody() -> None:
    async with receiving(body='{"ok":true}') as receiver:
        channel = to_telegram(receiver)
        text = "<b>SOL_USDT</b> & @everyone <!channel>"
        await channel.send(a_notification(title=text, body=text))
        channel.close()

    shown = receiver.bodies[0]["text"].removeprefix("<b>").replace("</b>\r\n", "\n", 1)
    safe = "&lt;b&gt;SOL_USDT&lt;/b&gt; &amp; @\u200beveryone &lt;\u200b!channel&gt;"
    assert shown == f"{safe}\n{safe}"


async def test_what_an_exchange_calls_things_steers_nothing_and_stops_no_message_f91() -> None:
    """A symbol may hold anything: lines, colours, a turned direction, half a character."""
    strange = "main/isolated/SOL\r\nUSDT\x1b[31m\u202eTDS\ud83d"
    async with receiving() as receiver:
        await to(receiver).send(a_notification(title=f"AT {strange}", body=f"one\ntwo {strange}"))
        form = AppriseChannel("form", f"xml://127.0.0.1:{receiver.port}/")
        receiver.reads = False
        await form.send(a_notification(title=strange, body=strange))

    assert receiver.bodies[0]["title"] == "AT main/isolated/SOL USDT[31mTDS?"
    assert receiver.bodies[0]["message"] == "one\ntwo main/isolated/SOL\nUSDT[31mTDS?"
    assert len(receiver.bodies) == 2


async def test_a_long_message_is_split_where_that_is_worth_it() -> None:
    long = "\n".join(f"line {number} of a long message" for number in range(300))
    async with receiving(body='{"ok":true}') as receiver:
        channel = to_telegram(receiver)
        await channel.send(a_notification(body=long))
        channel.close()

    texts = [body["text"] for body in receiver.bodies]
    assert len(texts) > 1
    assert all(len(text) <= 4096 for text in texts)  # Telegram's limit of sendMessage
    arrived = "".join(texts).replace("<b>title of i1-1</b>", "")
    assert "".join(arrived.split()) == "".join(long.split())


async def test_a_service_of_short_messages_gets_one() -> None:
    async with receiving() as receiver:
        channel = to(receiver)
        channel.close()
        short = AppriseChannel("sms", f"clicksend://user:{CANARY}@15551234567")

    assert channel._service.overflow_mode.value == "split"
    assert short._service.body_maxlen < 1000
    assert short._service.overflow_mode.value == "truncate"
    short.close()


async def test_a_name_that_leads_to_the_metadata_service_is_not_sent_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = AppriseChannel("phone", "json://innocent.example/")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [(2, 1, 6, "", ("169.254.169.254", 0))])
    error = await failure(channel)

    assert "link-local or metadata" in str(error)
    assert error.permanent


async def test_no_secret_of_a_url_shows_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving(status=500) as receiver:
        errors = [await failure(to(receiver)), await failure(to_telegram(receiver))]
        errors.append(await failure(AppriseChannel("x", f"json://:{CANARY}@127.0.0.1:1/{CANARY}")))

    told = " ".join(f"{error} {error!r} {error.__cause__!r}" for error in errors)
    assert CANARY not in told + caplog.text
    assert CANARY not in repr(to(receiver))


async def test_a_hanging_receiver_delays_no_other_channel(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    async with receiving(hang=True) as hanging, receiving() as healthy:
        slow = to(hanging, read_seconds=3)
        fast = AppriseChannel("fast", f"json://127.0.0.1:{healthy.port}/")
        courier = Courier(channels=[slow, fast], outbox=store, now=lambda: NOON)
        store.record(None, a_notification(), ["phone", "fast"])
        task = asyncio.create_task(courier.run())
        async with asyncio.timeout(2):
            await healthy.came.wait()
            await hanging.came.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        waiting = store.backlog()
        slow.close()
        fast.close()
    store.close()

    assert waiting["phone"] == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_text_that_is_refused_goes_plain_and_cut(status: int) -> None:
    taken: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        sent = json.loads(await request.text())
        if "_" in sent["message"] or len(sent["message"]) > 2000:
            return web.Response(status=status)
        taken.append(sent)
        return web.Response(text="taken")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channel = to(Receiver(port=runner.addresses[0][1]))
    long = replace(a_notification(), body="1000_SHIB <b>&amp; x</b>\n" + "a" * 5000)
    await channel.send(long)
    channel.close()
    await runner.cleanup()
    (sent,) = taken
    assert sent["message"].startswith("1000 SHIB  b  amp; x /b ")
    assert len(sent["message"]) < 1600


async def test_a_refusal_that_no_text_mends_is_told_after_one_further_try() -> None:
    async with receiving(status=400) as receiver:
        error = await failure(to(receiver))
        assert not error.permanent
        assert len(receiver.bodies) == 2


async def test_a_receiver_that_drips_holds_up_neither_its_own_next_message_nor_others() -> None:
    """It gives a byte now and then: no single read of its answer takes too long."""
    connections = 0

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(ConnectionError):
            while not over.is_set():
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = AppriseChannel("slow", f"json://127.0.0.1:{port}/", send_seconds=0.2)
    for tries in (1, 2):
        with pytest.raises(DeliveryError, match=r"no answer within 0\.2 s"):
            await channel.send(a_notification())
        assert connections == tries
    over.set()
    server.close()
    await server.wait_closed()
    for thread in channel._aside._threads:
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()


async def test_however_many_hang_the_others_are_not_delayed() -> None:
    """apprise's own threads are shared by all services, and as few as the machine has cores."""
    async with receiving(hang=True) as hanging, receiving() as healthy:
        slow = [to(hanging, read_seconds=2) for _ in range(40)]
        sends = [asyncio.create_task(each.send(a_notification())) for each in slow]
        await hanging.until_asked(len(slow))
        async with asyncio.timeout(1):
            await to(healthy).send(a_notification())
        hanging._released.set()
        await asyncio.gather(*sends)


async def test_a_slow_service_gets_four_parts_at_most_and_the_time_for_them() -> None:
    """Pushover takes 1024 characters, and apprise sends it one message in 5.5 seconds."""
    async with receiving(body='{"status": 1}', reads=False) as receiver:
        channel = AppriseChannel("phone", f"pover://{'u' * 30}@{'t' * 30}")
        assert channel._send_seconds == 30 + 3 * 5.5
        channel._service.notify_url = f"http://127.0.0.1:{receiver.port}/"
        channel._service.request_rate_per_sec = 0
        await channel.send(a_notification(body="word " * 10_000))
    assert len(receiver.bodies) == 4
