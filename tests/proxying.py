"""A proxy on loopback that notes what it is asked for, and answers requests itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@asynccontextmanager
async def proxy(patch: pytest.MonkeyPatch, answer: str = "{}") -> AsyncIterator[list[str]]:
    """The first line of whatever came; set as the environment's only proxy."""
    asked: list[str] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0].decode())
        status = "502 Bad Gateway" if asked[-1].startswith("CONNECT") else "200 OK"
        body = answer.encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(take, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    for name in VARIABLES:
        patch.delenv(name, raising=False)
        patch.delenv(name.upper(), raising=False)
    for name in ("http_proxy", "https_proxy"):
        patch.setenv(name, address)
    try:
        yield asked
    finally:
        listening.close()
        await listening.wait_closed()
