"""I/O. What `check` goes through before going live: one line for each thing that must be right."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification
from monitor.delivery.apprise_channel import AppriseChannel
from monitor.engine.events import MarksMoved
from monitor.errors import DeliveryError, ExchangeError, Refused
from monitor.exchanges.call import Replies
from monitor.service.capacity import Asked, capacity
from monitor.service.capturing import open_client
from monitor.service.clock import Clock
from monitor.service.feeds import open_mark_feed
from monitor.service.findings import Check
from monitor.service.hosts import host_name
from monitor.service.private_check import try_private_streams
from monitor.service.untold import NOT_UNDERSTOOD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.engine.events import FeedLost, FeedRestored, TablesAnnounced
    from monitor.exchanges.rest import RestClient
    from monitor.risk.model import AccountSnapshot
    from monitor.settings import AccountSettings, ChannelSettings, Settings

MARKS_SECONDS = 20.0
# Behind these words an account's mode names what of it could not be looked at.
UNREAD = "; not read: "
_NARROW = "Name the wallets to be watched (products) if it is meant to be so"
OFFSET_WARNED_SECONDS = 1.0
EXPIRY_WARNED_DAYS = 14


async def run_checks(settings: Settings, *, send_test: bool) -> AsyncIterator[Check]:
    """Every check in its order; the accounts one after the other."""
    yield Check(what="config", ok=True, found=str(settings.file))
    yield Check(what="secrets", ok=True, found=f"{len(settings.secrets())} read")
    clock = Clock()
    hosts: dict[str, list[Asked]] = {}
    for account in settings.accounts:
        async for line in _account(account, clock, hosts.setdefault(host_name(account), [])):
            yield line
    for host, asked in hosts.items():
        configured = sum(host_name(account) == host for account in settings.accounts)
        room = capacity(host, asked, configured, settings.budgets)
        if room is not None:
            yield room
    for channel in settings.channels:
        yield await _channel(channel, clock, send_test=send_test)


async def _account(
    account: AccountSettings, clock: Clock, asked: list[Asked]
) -> AsyncIterator[Check]:
    client = open_client(account, clock)
    try:
        async for line in _account_lines(account, client, clock):
            yield line
        calls, whole = client.standing_calls, client.exchange.address_budget
        asked.append(Asked(calls=calls, whole=whole, poll_seconds=account.poll_seconds))
    except ExchangeError as error:
        hint = f". {client.exchange.permission_hint}" if isinstance(error, Refused) else ""
        yield Check(what=f"{account.name}: read", ok=False, found=f"{error}{hint}")
    except NOT_UNDERSTOOD as error:
        found = f"a reply that our rules can't read ({type(error).__name__})"
        yield Check(what=f"{account.name}: read", ok=False, found=found)
    finally:
        await client.close()


async def _account_lines(
    account: AccountSettings, client: RestClient, clock: Clock
) -> AsyncIterator[Check]:
    name = account.name
    offset = await client.measure_offset()
    yield Check(what=f"{name}: reachable", ok=True, found=account.rest_url or account.exchange)
    yield Check(
        what=f"{name}: clock",
        ok=abs(offset) <= OFFSET_WARNED_SECONDS,
        found=f"{offset:+.3f} s from ours (corrected; more than 1 s should be mended)",
    )
    yield await _rights(account, client, clock)
    replies, snapshot = await _read(account, client, clock)
    yield Check(what=f"{name}: account mode", ok=True, found=snapshot.mode)
    _, _, unread = snapshot.mode.partition(UNREAD)
    if unread:
        found = f"{unread}: this key may not ask for it, so what is there is not seen"
        yield Check(what=f"{name}: all of the account", ok=False, found=f"{found}. {_NARROW}")
    for pool, because in snapshot.unread.items():
        yield Check(what=f"{name}: pool {pool.name}", ok=False, found=f"can't be read: {because}")
    held = [p.instrument.exchange_symbol for pool in snapshot.pools for p in pool.positions]
    yield Check(what=f"{name}: positions", ok=True, found=", ".join(held) or "none open")
    held_by = (p for pool in snapshot.pools for p in pool.positions)
    tables = {id(p.tiers) for p in held_by if p.tiers is not None}
    yield Check(what=f"{name}: leverage tiers", ok=True, found=f"{len(tables)} tables read")
    yield await _marks(account, client, snapshot, clock)
    streams = client.exchange.account_streams(replies)
    ok, found = await try_private_streams(account, client, streams, clock.now)
    yield Check(what=f"{name}: private stream", ok=ok, found=found)


async def _rights(account: AccountSettings, client: RestClient, clock: Clock) -> Check:
    exchange = client.exchange
    what = f"{account.name}: key rights"
    rights = exchange.read_permissions(
        Replies([await client.call(call) for call in exchange.permission_calls])
    )
    if rights.missing:
        missing = ", ".join(rights.missing)
        return Check(what=what, ok=False, found=f"lacks {missing}. {exchange.permission_hint}")
    days = None if rights.expires_at is None else (rights.expires_at - clock.now()).days
    expiry = "" if days is None else f", expires in {days} days"
    if rights.powers:
        powers = ", ".join(rights.powers)
        allowed = " (allowed in the config)" if account.allow_trading_key else ""
        return Check(
            what=what,
            ok=account.allow_trading_key,
            found=f"may do more than read: {powers}{allowed}{expiry}",
        )
    late = days is not None and days <= EXPIRY_WARNED_DAYS
    return Check(what=what, ok=not late, found=f"read-only{expiry}")


async def _read(
    account: AccountSettings, client: RestClient, clock: Clock
) -> tuple[Replies, AccountSnapshot]:
    at = clock.now()
    replies = await client.read_account()
    return replies, client.exchange.read_account(account.name, replies).snapshot(at)


async def _marks(
    account: AccountSettings, client: RestClient, snapshot: AccountSnapshot, clock: Clock
) -> Check:
    """Whether every held symbol is heard of over the live feed."""
    what = f"{account.name}: mark stream"
    wanted = {i.exchange_symbol for i in snapshot.instruments()}
    if not wanted:
        return Check(what=what, ok=True, found="nothing held, nothing to follow")
    heard: set[str] = set()
    complete = asyncio.Event()

    def deliver(event: MarksMoved | TablesAnnounced | FeedLost | FeedRestored) -> None:
        if isinstance(event, MarksMoved):
            heard.update(event.marks)
            if wanted <= heard:
                complete.set()

    feed = open_mark_feed(account, client, clock.now, deliver)
    feed.watch(snapshot.instruments())
    running = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(complete.wait(), MARKS_SECONDS)
    except TimeoutError:
        missing = ", ".join(sorted(wanted - heard))
        return Check(what=what, ok=False, found=f"nothing of {missing} in {MARKS_SECONDS:.0f} s")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return Check(what=what, ok=True, found=f"{len(heard)} symbols heard")


async def _channel(channel: ChannelSettings, clock: Clock, *, send_test: bool) -> Check:
    what = f"channel {channel.name}"
    if not send_test:
        return Check(what=what, ok=True, found="configured; --send-test sends a message")
    sender = AppriseChannel(channel.name, channel.url.get_secret_value())
    try:
        await sender.send(_test_message(clock))
    except DeliveryError as error:
        return Check(what=what, ok=False, found=str(error))
    finally:
        sender.close()
    return Check(what=what, ok=True, found="test message taken: see that it arrived")


def _test_message(clock: Clock) -> Notification:
    now = clock.now()
    return Notification(
        id=f"test-{now:%H%M%S}",
        incident_id="test",
        account="",
        severity=Severity.INFO,
        step=None,
        title="TEST: margin-monitor reaches you here",
        body="This is a test message from `margin-monitor check`. Nothing is wrong.",
        created_at=now,
        useful_until=now,
    )
