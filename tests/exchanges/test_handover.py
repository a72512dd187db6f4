"""One private connection in place of another, where that is broken off."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from monitor.exchanges.account_feed import Closed, Listening
from tests.end_to_end.stage import until
from tests.exchanges.attending import admitting, attending
from tests.fakes.private import said


# About every second time no connection follows the one that was broken off; not yet traced.
@pytest.mark.long
async def test_a_successor_on_its_way_ends_with_its_stream() -> None:
    visits, open_now = 0, 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits, open_now
        visits += 1
        open_now += 1
        try:
            if visits == 1:
                asyncio.get_running_loop().call_later(0.2, leave, socket)
            await (socket.wait_closed() if visits == 2 else admitting(socket))
        finally:
            open_now -= 1

    def leave(socket: ServerConnection) -> None:
        leaving.append(asyncio.create_task(socket.send(said("leave"))))

    leaving: list[asyncio.Task[None]] = []
    async with attending(talk) as (attended, feed):
        await until(lambda: visits == 2, "the successor, which nobody lets in")
        feed.renew()
        await attended.have(Listening, 2)
        assert [each.number for each in attended.of(Closed)] == [1, 0]
        await attended.until(lambda: feed.is_healthy)
        assert open_now == 1
