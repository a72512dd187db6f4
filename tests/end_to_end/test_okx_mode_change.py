"""
An OKX account whose owner switches its mode while it is watched.

One client reads on, with the tables that it has kept: the very next reading must be of the new
mode, stand at the exchange's own figures, and hold nothing of the old one.
"""

import json
from decimal import Decimal

import pytest
from aiohttp import ClientSession

from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.port import Credentials
from monitor.exchanges.rest import RestClient
from monitor.risk import evaluate
from monitor.service.clock import Clock
from monitor.simulator.server import running
from tests.end_to_end import kinds

D = Decimal
SWITCHES = (
    {"mode": "multi_currency"},
    {"mode": "futures", "position_mode": "hedge"},
    {"mode": "multi_currency", "position_mode": "one_way"},
)
WORDS = {"futures": "futures mode", "multi_currency": "multi-currency margin"}


async def steer(simulation, path: str, body: dict[str, object]) -> None:
    async with (
        ClientSession() as session,
        session.post(f"{simulation.url('sim')}/{path}", json=body) as reply,
    ):
        assert reply.status == 200, await reply.text()


@pytest.mark.parametrize("kind", ["okx futures several pools", "okx futures linear cross net"])
async def test_the_next_reading_after_a_switch_is_of_the_new_mode(kind: str) -> None:
    async with running(kinds.scenario(kind)) as simulation:
        kinds.pin(simulation)
        access = next(a for a in simulation.access() if a.account == kinds.NAME)
        secrets = Credentials(
            api_key=access.api_key, api_secret=access.api_secret, passphrase=access.passphrase
        )
        client = RestClient(
            EXCHANGE, secrets, account=kinds.NAME, now=Clock().now, rest_url=access.rest_url
        )
        try:
            await client.read_account()
            for switch in SWITCHES:
                await steer(simulation, "okx/mode", {"account": kinds.NAME, **switch})
                replies = await client.read_account()
                assert EXCHANGE.torn(replies) is None
                read = EXCHANGE.read_account(kinds.NAME, replies).snapshot(Clock().now())
                sides = "long/short" if switch.get("position_mode") == "hedge" else "net"
                assert read.mode == f"{WORDS[switch['mode']]}, {sides}", json.dumps(switch)
                ours = {p.id.name: evaluate(p, read.marks, read.at) for p in read.pools}
                truth = [p.row() for p in simulation.world.exchanges[0].pools(kinds.NAME)]
                assert truth
                for theirs in truth:
                    mine = ours[str(theirs["pool"])].requirement
                    needed = D(str(theirs["maintenance_margin"]))
                    assert abs(mine.maintenance_margin - needed) <= needed * D("1e-14")
        finally:
            await client.close()
