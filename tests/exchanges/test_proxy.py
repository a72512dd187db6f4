"""REST and sockets go through the one proxy that the environment names."""

from __future__ import annotations

import pytest

from monitor.exchanges.connection import Connection, Lost
from monitor.exchanges.port import MarkStream
from monitor.exchanges.rest import RestClient
from tests.exchanges.serving import Hands
from tests.exchanges.test_tls import Listener
from tests.fakes.exchange import FAKE, TIME
from tests.proxying import proxy


async def test_rest_goes_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with proxy(monkeypatch, '{"total": 1}') as asked:
        client = RestClient(
            FAKE, None, account="main", now=Hands(), rest_url="http://exchange.invalid"
        )
        try:
            # Its name can be looked up by nobody: the proxy alone was asked.
            reply = await client.call(TIME)
        finally:
            await client.close()
    assert reply.body == {"total": 1}
    (line,) = asked
    assert line.startswith("GET http://exchange.invalid/fapi/v1/time")


async def test_sockets_go_through_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = MarkStream(host="", path="/x", subscribe=(), acks=0, symbols=frozenset())
    async with proxy(monkeypatch) as asked:
        with pytest.raises(Lost, match="no connection"):
            await Connection(Listener("wss://exchange.invalid"), stream).run()  # type: ignore[arg-type] - as much of one as is used
    assert asked == ["CONNECT exchange.invalid:443 HTTP/1.1"]
