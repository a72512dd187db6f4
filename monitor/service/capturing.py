"""
I/O. The client of a configured account, and what `capture` and the daemon's socket do with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.errors import MonitorError
from monitor.exchanges.capture import Capture, write_capture
from monitor.exchanges.port import Credentials
from monitor.exchanges.registry import exchange_for
from monitor.exchanges.rest import RestClient
from monitor.service.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.exchanges.call import Replies
    from monitor.exchanges.gate import Host
    from monitor.settings import AccountSettings

# A large account is read slowly, since its calls keep to the exchange's limits.
READ_SECONDS = 120.0


async def read_capture_text(client: RestClient) -> bytes:
    """
    The capture file of the account that `client` reads, every table read anew.

    Raises:
        ExchangeError: What kept a reply away.
    """
    try:
        async with asyncio.timeout(READ_SECONDS):
            replies = await client.read_account(anew=True)
    except TimeoutError:
        raise MonitorError(f"the account was not read within {READ_SECONDS:.0f} s") from None
    return _written(client, replies)


def _written(client: RestClient, replies: Replies) -> bytes:
    listed = tuple(replies)
    at = max(reply.at for reply in listed)
    text = write_capture(
        Capture(exchange=client.exchange.name, account=client.account, at=at, replies=listed)
    )
    return client.hidden(text.decode()).encode()


def open_client(account: AccountSettings, clock: Clock, host: Host | None = None) -> RestClient:
    """The REST client of a configured account; `host` is what all accounts behind it share."""
    return RestClient(
        exchange_for(account.exchange, account.products),
        credentials_of(account),
        account=account.name,
        now=clock.now,
        rest_url=account.rest_url,
        host=host,
    )


def credentials_of(account: AccountSettings) -> Credentials:
    """What an account's key signs with."""
    return Credentials(
        api_key=account.api_key.get_secret_value(),
        api_secret=account.api_secret.get_secret_value(),
        passphrase=account.passphrase.get_secret_value() if account.passphrase else "",
    )


async def capture_account(
    account: AccountSettings, clock: Clock | None = None, host: Host | None = None
) -> bytes:
    """The capture file of an account, read by a client of its own; `host` as for `open_client`."""
    client = open_client(account, clock or Clock(), host)
    try:
        return await read_capture_text(client)
    finally:
        await client.close()


async def capture_one(
    name: str,
    accounts: Sequence[AccountSettings],
    clock: Clock,
    host: Callable[[AccountSettings], Host],
) -> bytes:
    """The capture file of one of these accounts, by its name."""
    account = next((each for each in accounts if each.name == name), None)
    if account is None:
        known = ", ".join(each.name for each in accounts)
        raise MonitorError(f"'{name}': accounts here are {known}")
    return await capture_account(account, clock, host(account))
