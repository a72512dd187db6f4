"""What `check` says of the private streams: given, not given and why, or not to be reached."""

from dataclasses import replace

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

from monitor.exchanges.port import AccountStream
from monitor.service import private_check
from monitor.service.private_check import try_private_streams
from monitor.settings import AccountSettings
from tests.exchanges.attending import Talk, admitting
from tests.exchanges.listening import clock
from tests.exchanges.serving import served
from tests.fakes.private import LOGGED_IN, private, said

ACCOUNT = AccountSettings(
    name="main",
    exchange="bybit",
    api_key=SecretStr("key"),
    api_secret=SecretStr("secret"),
    passphrase=None,
    products=None,
    poll_seconds=15,
    rest_url=None,
    ws_url=None,
    allow_trading_key=False,
)


async def found(talk: Talk, *streams: AccountStream) -> tuple[bool, str]:
    async with (
        serve(talk, "127.0.0.1", 0) as server,
        served(exchange=private(*streams)) as (_, client),
    ):
        port = server.sockets[0].getsockname()[1]
        account = replace(ACCOUNT, ws_url=f"ws://127.0.0.1:{port}")
        return await try_private_streams(account, client, streams, clock)


async def refusing(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.send(said("out", because="no right to read", for_good=True))
    await socket.wait_closed()


async def silent(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def test_streams_that_are_given_say_what_they_tell() -> None:
    assert await found(admitting, LOGGED_IN) == (True, "given: everything")


async def test_streams_that_are_not_given_say_why_and_are_no_fault() -> None:
    assert await found(refusing, LOGGED_IN) == (
        True,
        "not given, because no right to read; the account is read every 15 s instead",
    )


async def test_an_account_without_streams_is_polled() -> None:
    assert await found(admitting) == (
        True,
        "none for this kind of account; the account is read every 15 s",
    )


async def test_streams_that_cannot_be_reached_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_check, "ANSWER_SECONDS", 0.2)
    assert await found(silent, LOGGED_IN) == (
        False,
        "no answer within 0 s; the account is read every 15 s all the same",
    )


async def test_a_login_that_nobody_answers_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.exchanges.account_connection.ACK_SECONDS", 0.2)
    assert await found(silent, LOGGED_IN) == (
        False,
        "the login was not answered; the account is read every 15 s all the same",
    )
