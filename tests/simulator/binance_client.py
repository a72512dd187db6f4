"""A client of the pretended Binance for tests: signed calls, sockets, and recorded answers."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from monitor.simulator.server import Simulation
from tests.simulator.scenes import account_of, binance_query

PAYLOADS = Path(__file__).parent / "payloads"
EIGHT = re.compile(r"-?\d+\.\d{8}")


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["httpResponse"]


def sample(function: str, note: str) -> Any:
    found = json.loads((PAYLOADS / "binance_code_samples.json").read_text(encoding="utf-8"))
    return next(
        item["sample"]
        for item in found["samples"]
        if item["function"] == function and item["note"].startswith(note)
    )


async def asked(sim: Simulation, account: str, path: str, **parameters: object) -> Any:
    spec = account_of(sim.world.scenario, account)
    url = f"{sim.url('binance')}{path}?{binance_query(spec.secret, **parameters)}"
    headers = {"X-MBX-APIKEY": spec.key}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def public(sim: Simulation, path: str) -> Any:
    url = f"{sim.url('binance')}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


def same_shape(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Ours has the keys of theirs, with strings where theirs are strings of the same form."""
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        if isinstance(value, str) and EIGHT.fullmatch(value):
            assert EIGHT.fullmatch(ours[key]) or ours[key] == "0", key


SOON = 0.3  # long enough for what is already on its way over loopback


@contextlib.asynccontextmanager
async def opened(sim: Simulation, path: str) -> AsyncIterator["Client"]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(sim.ws_url("binance") + path) as socket,
    ):
        yield Client(socket)


class Client:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, method: str, *streams: str) -> Any:
        """Send a request and give its acknowledgement."""
        await self.socket.send_str(json.dumps({"method": method, "params": streams, "id": 1}))
        return await self.receive()

    async def receive(self) -> Any:
        return await self.socket.receive_json(timeout=5)

    async def silent(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await self.socket.receive(timeout=SOON)
            return False
        return True


async def listen_key(
    sim: Simulation, key: str, method: str = "POST", path: str = "/fapi/v1/listenKey"
) -> str:
    url = sim.url("binance") + path
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers={"X-MBX-APIKEY": key}) as reply,
    ):
        return (await reply.json()).get("listenKey", "")
