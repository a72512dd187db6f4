"""A Telegram group that became a supergroup: the new id is found out and used."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from monitor.delivery.apprise_channel import AppriseChannel
from monitor.errors import DeliveryError
from tests.alerting import a_notification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "123456789:canary8c1f-ABCDEFGHIJKLMNOPQRSTUVWX"
OLD, NEW = "-4400123", -1001234567890
UPGRADED = {
    "ok": False,
    "error_code": 400,
    "description": "Bad Request: group chat was upgraded to a supergroup chat",
    "parameters": {"migrate_to_chat_id": NEW},
}


@dataclass
class Telegram:
    """Its Bot API as far as a message goes; the old chat has moved."""

    answer: Any = field(default_factory=lambda: UPGRADED)
    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        sent = json.loads(await request.text())
        self.asked.append((request.path.rsplit("/", 1)[1], str(sent["chat_id"])))
        if str(sent["chat_id"]) == OLD:
            return web.json_response(self.answer, status=400)
        self.taken.append(sent)
        return web.json_response({"ok": True, "result": {}})


@asynccontextmanager
async def telegram(**how: object) -> AsyncIterator[Telegram]:
    told = Telegram(**how)
    app = web.Application()
    app.router.add_post("/{path:.*}", told.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/bot"
    try:
        yield told
    finally:
        await runner.cleanup()


def channel(to: Telegram, *chats: str) -> AppriseChannel:
    found = AppriseChannel("phone", f"tgram://{TOKEN}/{'/'.join(chats)}")
    found._service.notify_url = to.url
    return found


async def test_the_message_goes_to_the_new_chat_and_says_what_to_write_into_the_config() -> None:
    async with telegram() as far:
        sender = channel(far, OLD)
        await sender.send(a_notification())
        assert far.asked == [("sendMessage", OLD), ("getChat", OLD), ("sendMessage", str(NEW))]
        (taken,) = far.taken
        assert f"put {NEW} into this channel" in taken["text"]
        # For the rest of the run without further ado.
        await sender.send(a_notification())
        assert far.asked[3:] == [("sendMessage", str(NEW))]
        assert "supergroup" not in far.taken[1]["text"]
        sender.close()


async def test_other_chats_of_the_channel_stay_as_they_are() -> None:
    async with telegram() as far:
        sender = channel(far, OLD)
        sender._service.targets.insert(0, (777, None))
        await sender.send(a_notification())
        sender.close()
        assert {chat for chat, _ in sender._service.targets} == {777, str(NEW)}
        assert {str(sent["chat_id"]) for sent in far.taken} >= {"777", str(NEW)}


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": False, "error_code": 400, "description": UPGRADED["description"]},
        UPGRADED | {"parameters": {"migrate_to_chat_id": "https://elsewhere"}},
        UPGRADED | {"parameters": [1]},
    ],
)
async def test_without_a_new_id_it_is_a_failure_like_any_other(answer: object) -> None:
    async with telegram(answer=answer) as far:
        sender = channel(far, OLD)
        with pytest.raises(DeliveryError) as caught:
            await sender.send(a_notification())
        sender.close()
        assert str(caught.value) == "the receiver answered with HTTP 400"
        assert far.taken == []


async def test_another_refusal_asks_nothing() -> None:
    refused = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
    async with telegram(answer=refused) as far:
        sender = channel(far, OLD)
        with pytest.raises(DeliveryError) as caught:
            await sender.send(a_notification())
        sender.close()
        assert caught.value.permanent
        assert far.asked == [("sendMessage", OLD)]
