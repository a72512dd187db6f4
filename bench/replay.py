"""
`python bench/replay.py FILE`: send recorded frames to whoever connects, at their own cadence
or as fast as they are taken. Prints its port; ends with its standard input.

Addresses are `/ACCOUNT/CADENCE/` and whatever follows. Frames start with the first text that
the client sends, and are the same bytes for every client.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from recording import LIVE, load
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from recording import Recording
    from websockets.asyncio.server import ServerConnection

LINGER_SECONDS = 30.0


async def play(socket: ServerConnection, recording: Recording, cadence: str) -> None:
    loop = asyncio.get_running_loop()
    await socket.recv()
    began = loop.time()
    for _ in range(recording.times(cadence)):
        for at, frame in recording.frames:
            if cadence == LIVE and (wait := began + at - loop.time()) > 0:
                await asyncio.sleep(wait)
            await socket.send(frame, text=True)
    # The client leaves first: a connection that breaks is work which no consumer should count.
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await socket.wait_closed()


async def main() -> None:
    recordings = {recording.account: recording for recording in load(Path(sys.argv[1]))}

    async def handler(socket: ServerConnection) -> None:
        _, account, cadence, *_ = (socket.request.path if socket.request else "").split("/")
        with suppress(ConnectionClosed):
            await play(socket, recordings[account], cadence)

    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
