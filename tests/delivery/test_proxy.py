"""Messages go through the one proxy that the environment names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.delivery.apprise_channel import AppriseChannel
from tests.alerting import a_notification
from tests.proxying import proxy

if TYPE_CHECKING:
    import pytest


async def test_messages_go_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with proxy(monkeypatch) as asked:
        channel = AppriseChannel("phone", "json://receiver.invalid/x")
        await channel.send(a_notification())
        channel.close()
    (line,) = asked
    assert line.startswith("POST http://receiver.invalid")
