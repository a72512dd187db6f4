"""Pauses between sends: by a clock that nobody sets, and never slept when they are long."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from monitor.delivery.address import service_at
from monitor.delivery.apprise_channel import AppriseChannel
from monitor.delivery.throttle import Throttle
from monitor.errors import DeliveryError
from tests.alerting import a_notification
from tests.delivery.test_apprise_channel import receiving


def test_a_wall_clock_that_is_set_back_makes_no_pause_longer_f56(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    service = service_at("ntfy://127.0.0.1/topic")
    throttle = Throttle(service)
    monkeypatch.setattr(time, "sleep", slept.append)
    service._last_io_datetime = datetime.now() + timedelta(hours=1)  # noqa: DTZ005 - as apprise keeps it
    for _ in range(2):
        throttle.begin()
        service.throttle()
        service.throttle()
    assert slept == [5.5, 5.5]  # NotifyBase.request_rate_per_sec of 2.2.0
    assert throttle.asked_seconds is None


async def test_the_pause_between_messages_does_not_block() -> None:
    async with receiving() as receiver:
        channel = AppriseChannel("x", f"json://127.0.0.1:{receiver.port}/")
        channel._service.request_rate_per_sec = 0.2
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await channel.send(a_notification())
        assert loop.time() - begun < 0.2
        await channel.send(a_notification())
        assert loop.time() - begun >= 0.2


async def to_discord(headers: dict[str, str], status: int, body: str = "") -> list[DeliveryError]:
    """What two messages in a row came to, None for taken left out."""
    failures = []
    async with receiving(status=status, headers=headers, body=body, reads=False) as receiver:
        channel = AppriseChannel("chat", "discord://1234567890/canary8c1f", send_seconds=5)
        channel._service.notify_url = f"http://127.0.0.1:{receiver.port}"
        for _ in range(2):
            try:
                await channel.send(a_notification())
            except DeliveryError as error:
                failures.append(error)
        channel.close()
    return failures


def in_seconds(seconds: float) -> str:
    return str(int(datetime.now(UTC).timestamp() + seconds))


async def test_a_rate_limit_told_ahead_is_a_wait_and_not_slept_f64() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_seconds(30)}
    (second,) = await to_discord(headers, 200)
    assert str(second) == "the receiver asked for a pause"
    assert not second.permanent
    assert second.retry_after_seconds == pytest.approx(30, abs=2)


async def test_a_far_off_clock_keeps_nobody_quiet_for_long_f64() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_seconds(365 * 86400)}
    (second,) = await to_discord(headers, 200)
    assert second.retry_after_seconds == 60


async def test_the_wait_in_the_answer_itself_counts_for_more_f64() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_seconds(50)}
    first, _ = await to_discord(headers | {"Retry-After": "7"}, 429, '{"retry_after": 6.5}')
    assert str(first) == "the receiver answered with HTTP 429"
    assert first.retry_after_seconds == 7
