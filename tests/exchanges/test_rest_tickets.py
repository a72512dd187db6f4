"""A stream's ticket over REST: asked for and prolonged with the right verb, and never signed."""

from dataclasses import dataclass

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection

from monitor.engine.events import FeedLost, FeedRestored
from monitor.errors import ExchangeError, Refused
from monitor.exchanges.call import RestCall
from monitor.exchanges.registry import EXCHANGES
from tests.exchanges.attending import Office, attending
from tests.exchanges.serving import KEY, SECRET, plain, served
from tests.fakes.exchange import BUDGET
from tests.fakes.private import GET_TICKET, KEEP_TICKET, TICKETED

PORTFOLIO = (
    RestCall(implicit="papiPostListenKey", path="/papi/v1/listenKey", budget=BUDGET, verb="POST"),
    RestCall(implicit="papiPutListenKey", path="/papi/v1/listenKey", budget=BUDGET, verb="PUT"),
)
COIN = (
    RestCall(
        implicit="dapiPrivatePostListenKey", path="/dapi/v1/listenKey", budget=BUDGET, verb="POST"
    ),
    RestCall(
        implicit="dapiPrivatePutListenKey", path="/dapi/v1/listenKey", budget=BUDGET, verb="PUT"
    ),
)


@dataclass
class Seen:
    verb: str
    text: str
    key: str


@pytest.mark.parametrize("calls", [(GET_TICKET, KEEP_TICKET), PORTFOLIO, COIN])
async def test_a_ticket_is_got_and_kept_with_the_key_alone(calls: tuple[RestCall, ...]) -> None:
    seen: list[Seen] = []

    async def answer(request: web.Request) -> web.Response:
        text = f"{request.query_string} {await request.text()}"
        seen.append(Seen(request.method, text, request.headers["X-MBX-APIKEY"]))
        return web.json_response({"listenKey": "ticket-1"})

    async with served() as (server, client):
        server.answers[calls[0].path] = answer  # type: ignore[assignment] # awaited by aiohttp
        replies = [await client.call(call) for call in calls]

    assert [each.verb for each in seen] == ["POST", "PUT"]
    assert [each.key for each in seen] == [KEY, KEY]
    assert not any("signature" in each.text or SECRET in each.text for each in seen)
    assert [reply.body for reply in replies] == [{"listenKey": "ticket-1"}] * 2
    assert replies[0].request == f"POST {calls[0].path}"


async def test_a_binance_ticket_that_is_gone_is_an_error_and_tells_no_key() -> None:
    gone = plain('{"code": -1125, "msg": "This listenKey does not exist."}', status=400)
    async with served(exchange=EXCHANGES["binance"]) as (server, client):
        server.answers[KEEP_TICKET.path] = gone
        with pytest.raises(ExchangeError) as raised:
            await client.call(KEEP_TICKET)
    assert raised.value.because == "Binance does not know this listen key: a new one is needed"
    assert not any(secret in str(raised.value) for secret in (KEY, SECRET))


async def test_a_firewall_that_refuses_a_ticket_is_asked_again_soon() -> None:
    blocked = Refused("the firewall blocks this address", status=403)
    office = Office(failures={"POST": [blocked]})
    async with attending(ServerConnection.wait_closed, TICKETED, office=office) as (attended, _):
        # One second later: an hour is for what the exchange itself says of the key.
        await attended.have(FeedRestored)
        assert attended.of(FeedLost)[0].because == "not given: the firewall blocks this address"
