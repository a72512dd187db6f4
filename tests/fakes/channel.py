"""A channel that remembers, and fails as told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.alerts.message import Notification
    from monitor.errors import DeliveryError


class FakeChannel:
    """`failures` are raised by the next sends, in order; then every message is taken."""

    def __init__(self, name: str = "phone", *failures: DeliveryError) -> None:
        self.name = name
        self.failures = list(failures)
        self.taken: list[str] = []
        self.tries = 0
        self.hold: asyncio.Event | None = None
        self.news = asyncio.Event()

    async def send(self, notification: Notification) -> None:
        self.tries += 1
        if self.hold is not None:
            await self.hold.wait()
        self.news.set()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(notification.id)

    async def until_taken(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                self.news.clear()
                await self.news.wait()

    async def until_tried(self, count: int) -> None:
        async with asyncio.timeout(5):
            while self.tries < count:
                self.news.clear()
                await self.news.wait()
