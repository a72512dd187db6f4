"""Mark frames and replies of an account, recorded once: what both consumers get."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from monitor.exchanges.call import Replies
from monitor.exchanges.registry import EXCHANGES
from monitor.service.capturing import open_client

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from monitor.exchanges.call import Reply
    from monitor.exchanges.port import MarkStream
    from monitor.service.clock import Clock
    from monitor.settings import AccountSettings

LIVE, FLAT = "live", "flat"
FLAT_FRAMES = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """
    One account. `frames` are seconds since `began_at` and the very bytes, in their order, from
    the first acknowledgement on; `replies` answer every call of a reading.
    """

    account: str
    exchange: str
    replies: tuple[Reply, ...]
    began_at: datetime
    frames: tuple[tuple[float, bytes], ...]

    def times(self, cadence: str) -> int:
        """How often the frames are sent: once as they came, or so often that it can be timed."""
        return 1 if cadence == LIVE else max(1, round(FLAT_FRAMES / len(self.frames)))

    def total(self, cadence: str) -> int:
        return len(self.frames) * self.times(cadence)


def load(file: Path) -> tuple[Recording, ...]:
    recordings: tuple[Recording, ...] = pickle.loads(file.read_bytes())
    return recordings


async def record(account: AccountSettings, clock: Clock, seconds: float) -> Recording:
    """Read the account once, then listen to its marks for so long."""
    exchange = EXCHANGES[account.exchange]
    client = open_client(account, clock)
    try:
        replies = list(await client.read_account())
        replies += [await client.call(call) for call in exchange.permission_calls]
    finally:
        await client.close()
    view = exchange.read_account(account.name, Replies(replies))
    (stream,) = exchange.mark_streams(view.snapshot(clock.now()).instruments())
    return Recording(
        account=account.name,
        exchange=exchange.name,
        replies=tuple(replies),
        began_at=clock.now(),
        frames=await _frames(stream, account.ws_url or stream.host, seconds),
    )


async def _frames(stream: MarkStream, base: str, seconds: float) -> tuple[tuple[float, bytes], ...]:
    loop = asyncio.get_running_loop()
    frames: list[tuple[float, bytes]] = []
    async with connect(base + stream.path, compression=None) as socket:
        for text in stream.subscribe:
            await socket.send(text)
        began = loop.time()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = bytes(await socket.recv(decode=False))
                    frames.append((loop.time() - began, frame))
        except TimeoutError:
            return tuple(frames)
