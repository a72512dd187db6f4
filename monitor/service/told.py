"""
Whether somebody knows that an account's figures are late, or that there are none.

What is open and what waits is asked of the store; nothing is decided of what to tell.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts.incident import Step, Subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification
    from monitor.settings import ChannelSettings
    from monitor.storage.store import Store

# A message that waits for longer than this is not getting through.
DRAINS_WITHIN = timedelta(minutes=5)
_NEWS = frozenset({Step.OPENED, Step.ESCALATED})


def is_trouble_told(store: Store, account: str, channels: Sequence[ChannelSettings]) -> bool:
    """
    Whether word of it was delivered, and of the gravest of it: late is not yet without figures.

    While the newest of that waits for every channel that it is meant for, as when trouble has
    spread to other pools and no message gets through, what was told before is not the trouble.
    """
    late = [i for i in store.open_incidents(account) if i.subject in {Subject.STALE, Subject.BLIND}]
    gravest = [incident for incident in late if incident.subject is Subject.BLIND] or late
    return any(
        store.was_told(incident.id) and not _waits(store, incident.id, channels)
        for incident in gravest
    )


def undelivered(store: Store, channels: Sequence[ChannelSettings], now: datetime) -> str | None:
    """The first channel through which messages don't get, in words; None where all do."""
    for channel in channels:
        waiting = [row.notification.created_at for row in store.unsettled(channel.name)]
        if waiting and now - min(waiting) > DRAINS_WITHIN:
            return f"messages for channel {channel.name} don't get through"
    return None


def _waits(store: Store, incident_id: str, channels: Sequence[ChannelSettings]) -> bool:
    """Whether there is news of an incident that no channel took yet."""
    waiting: dict[str, set[str]] = {}
    news: dict[str, Notification] = {}
    for channel in channels:
        for row in store.unsettled(channel.name):
            message = row.notification
            if message.incident_id == incident_id and message.step in _NEWS:
                waiting.setdefault(message.id, set()).add(channel.name)
                news[message.id] = message
    return any(
        names == {c.name for c in channels if c.min_severity.rank <= news[number].severity.rank}
        for number, names in waiting.items()
    )
