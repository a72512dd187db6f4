"""An account read once for a capture file, without a daemon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from monitor.errors import MonitorError
from monitor.exchanges.call import Replies, Reply
from monitor.exchanges.capture import read_capture
from monitor.service.capturing import capture_account, read_capture_text
from monitor.simulator.server import running
from tests.alerting import NOON, at
from tests.service.test_checks import NAME, account, one_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class FakeClient:
    """`read_account` is what the test says."""

    account = "main"

    def __init__(self, read: Callable[[], Awaitable[Replies]]) -> None:
        self._read = read
        self.anew = False

    @property
    def exchange(self) -> Any:
        return type("Named", (), {"name": "bybit"})

    async def read_account(self, *, anew: bool) -> Replies:
        self.anew = anew
        return await self._read()

    def hidden(self, text: str) -> str:
        return text


async def test_the_file_holds_every_reply_and_is_of_the_latest() -> None:
    async def read() -> Replies:
        return Replies(
            Reply(request=f"GET /{n}", status=200, body={"n": n}, at=at(n)) for n in (1, 3, 2)
        )

    client = FakeClient(read)
    capture = read_capture(await read_capture_text(client))  # type: ignore[arg-type] # a double

    assert client.anew
    assert (capture.exchange, capture.account) == ("bybit", "main")
    assert capture.at - NOON == at(3) - NOON
    assert {reply.request for reply in capture.replies} == {"GET /1", "GET /2", "GET /3"}


async def test_what_is_never_answered_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.service.capturing.READ_SECONDS", 0.05)

    async def never() -> Replies:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(MonitorError, match="not read within"):
        await read_capture_text(FakeClient(never))  # type: ignore[arg-type] # a double


async def test_an_account_is_read_with_its_key_and_the_key_is_not_in_the_file() -> None:
    async with running(one_account()) as simulation:
        (access,) = simulation.access()
        text = await capture_account(account(access))

    capture = read_capture(text)
    assert (capture.exchange, capture.account) == ("bybit", NAME)
    assert any("/v5/position/list" in reply.request for reply in capture.replies)
    assert access.api_key.encode() not in text
    assert access.api_secret.encode() not in text
