"""A channel that remembers what it took, and fails as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.alerts.message import Notification
    from monitor.errors import DeliveryError


@dataclass
class FakeChannel:
    """
    `answers` are for the next attempts, in order: an error to raise, or seconds to take before
    taking the message. Then, and for None, a message is taken at once. `always` fails each.
    """

    name: str = "phone"
    answers: deque[DeliveryError | float | None] = field(default_factory=deque)
    always: DeliveryError | None = None
    taken: list[tuple[float, str]] = field(default_factory=list)
    attempts: list[tuple[float, str]] = field(default_factory=list)

    async def send(self, notification: Notification) -> None:
        loop = asyncio.get_running_loop()
        self.attempts.append((loop.time(), notification.id))
        answer = self.answers.popleft() if self.answers else self.always
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        elif answer is not None:
            raise answer
        self.taken.append((loop.time(), notification.id))

    def taken_ids(self) -> list[str]:
        return [name for _, name in self.taken]
