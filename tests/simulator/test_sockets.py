"""A socket of the pretended exchanges, whose peer may leave at any moment."""

from collections.abc import AsyncIterator
from typing import cast

from aiohttp import ClientConnectionResetError, WSMessage, WSMsgType, web

from monitor.simulator.sockets import Hub, Socket


async def heard_and_gone() -> AsyncIterator[WSMessage]:
    """One text; then a ping, whose answer finds nobody."""
    yield WSMessage(WSMsgType.TEXT, "subscribe", None)
    raise ClientConnectionResetError("Cannot write to closing transport")


async def test_a_peer_that_left_before_its_ping_was_answered_is_the_end_of_its_texts() -> None:
    socket = Socket(cast("web.WebSocketResponse", heard_and_gone()), cast("Hub", None), "/")
    assert [text async for text in socket.texts()] == ["subscribe"]
