"""I/O. The live feeds of a configured account, beside the client that reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.exchanges.account_feed import AccountFeed
from monitor.exchanges.stream import MarkFeed
from monitor.service.capturing import credentials_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.engine.events import FeedLost, FeedRestored, MarksMoved, TablesAnnounced
    from monitor.exchanges.account_feed import AccountNews
    from monitor.exchanges.rest import RestClient
    from monitor.settings import AccountSettings

MARKS_SECONDS = 15.0


def open_mark_feed(
    account: AccountSettings,
    client: RestClient,
    now: Callable[[], datetime],
    deliver: Callable[[MarksMoved | TablesAnnounced | FeedLost | FeedRestored], None],
    patience_seconds: float = MARKS_SECONDS,
) -> MarkFeed:
    """The marks of what an account holds."""
    return MarkFeed(
        client.exchange,
        account=account.name,
        now=now,
        offset_seconds=lambda: client.offset_seconds or 0.0,
        deliver=deliver,
        ws_url=account.ws_url,
        patience_seconds=patience_seconds,
        openings=client.gate.host.openings,
    )


def open_account_feed(
    account: AccountSettings,
    client: RestClient,
    now: Callable[[], datetime],
    deliver: Callable[[AccountNews], None],
) -> AccountFeed:
    """What happens to an account."""
    return AccountFeed(
        client.exchange,
        account=account.name,
        credentials=credentials_of(account),
        rest=client,
        now=now,
        their_now=lambda: now() + timedelta(seconds=client.offset_seconds or 0.0),
        deliver=deliver,
        ws_url=account.ws_url,
        openings=client.gate.host.openings,
    )
