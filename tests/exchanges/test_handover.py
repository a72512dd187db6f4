"""One private connection in place of another, where that is broken off."""

from websockets.asyncio.server import ServerConnection

from monitor.exchanges.account_feed import Closed, Listening
from tests.end_to_end.stage import until
from tests.exchanges.attending import admitting, attending
from tests.fakes.private import said


async def test_a_successor_on_its_way_ends_with_its_stream() -> None:
    visits, open_now = 0, 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits, open_now
        visits += 1
        open_now += 1
        sockets.append(socket)
        try:
            await (socket.wait_closed() if visits == 2 else admitting(socket))
        finally:
            open_now -= 1

    sockets: list[ServerConnection] = []
    async with attending(talk) as (attended, feed):
        # Asked to leave before it is whole, the first would never say that it listens.
        await attended.have(Listening)
        await sockets[0].send(said("leave"))
        await until(lambda: visits == 2, "the successor, which nobody lets in")
        feed.renew()
        await attended.have(Listening, 2)
        assert [each.number for each in attended.of(Closed)] == [1, 0]
        await attended.until(lambda: feed.is_healthy)
        assert open_now == 1
