"""What the monitor has to say about itself: messages that belong to no account's incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_USEFUL_FOR = timedelta(days=1)
# Of a stop one hears at once or not at all: later it may be running again.
_STOP_USEFUL_FOR = timedelta(minutes=1)
_MISTAKES_SHOWN = 10


def refusal_of(channel: str) -> str:
    """By what name it is remembered that this channel takes no messages."""
    return f"channel-{channel}-refuses"


def channel_refuses(channel: str, because: str, at: datetime) -> Notification:
    """For the other channels: this one takes no messages any more, for its owner to mend."""
    return _notice(
        refusal_of(channel),
        f"WARNING channel '{channel}' takes no messages",
        f"Channel '{channel}' refuses messages for good: {because}.\n"
        "What is meant for it waits and is tried once an hour. Check its address and its key, "
        "then try it with `margin-monitor check --send-test`.",
        at,
    )


def channel_takes_again(channel: str, at: datetime) -> Notification:
    """For the other channels: this one is back."""
    return _notice(
        f"channel-{channel}-back",
        f"RESOLVED channel '{channel}' takes messages again",
        f"Channel '{channel}' takes messages again; what waited for it goes out.",
        at,
    )


def state_fails(because: str, at: datetime) -> Notification:
    """The state on disk is not what it should be; watching goes on."""
    return _notice(
        "state-fails",
        "WARNING the monitor's state on disk",
        f"{because[:1].upper()}{because[1:]}.\nWatching and alerting go on.",
        at,
    )


def state_recovers(at: datetime) -> Notification:
    """The state on disk is written again."""
    return _notice(
        "state-recovers",
        "RESOLVED the monitor's state on disk",
        "The state is written to disk again, with what could not be written before.",
        at,
    )


def config_refused(mistakes: Sequence[str], at: datetime) -> Notification:
    """The configuration was to be read anew and can't be used: the one of before serves on."""
    listed = "\n".join(mistakes[:_MISTAKES_SHOWN])
    return _notice(
        "config-refused",
        "WARNING the new configuration was refused",
        f"Watching goes on with the configuration of before.\n{listed}",
        at,
    )


def host_overloaded(host: str, accounts: Sequence[str], at: datetime) -> Notification:
    """This machine's address can't carry its accounts within the exchange's limits."""
    return _notice(
        "host-overloaded",
        f"WARNING too many accounts for this address at {host}",
        f"The {len(accounts)} accounts that are read at {host} need more of its published limits "
        "than steady reading may take from one address, even when each is read as seldom as its "
        "budget allows, or others behind this address use them. Their figures may get late. "
        "Watch some of them from another machine; `margin-monitor check` says how many fit.",
        at,
    )


def host_relieved(host: str, accounts: Sequence[str], at: datetime) -> Notification:
    """There is room for all of a host's accounts again."""
    return _notice(
        "host-relieved",
        f"RESOLVED too many accounts for this address at {host}",
        f"The limits at {host} leave room for its {len(accounts)} accounts again.",
        at,
    )


RESTARTING = "restarting"
"""By what name it is remembered that this was said."""


def restarting(starts: int, at: datetime) -> Notification:
    """The process ends and is started again, time and again."""
    return _notice(
        RESTARTING,
        "WARNING the monitor is restarting repeatedly",
        f"It was started {starts} times within ten minutes without having been stopped in order. "
        "Between its lives nothing is watched for some seconds; open incidents and messages not "
        "yet delivered are kept.\n"
        "What to do: see `journalctl -u margin-monitor` for why it ends.\n"
        "Said at most once an hour.",
        at,
    )


def stopped(at: datetime) -> Notification:
    """The monitor was told to stop: nobody watches from here on."""
    notice = _notice(
        "stopped",
        "STOPPED: margin-monitor was told to stop",
        "Nothing is watched until it is started again. Open incidents and messages not yet "
        "delivered are kept.",
        at,
    )
    return replace(notice, severity=Severity.INFO, useful_until=at + _STOP_USEFUL_FOR)


def _notice(name: str, title: str, body: str, at: datetime) -> Notification:
    return Notification(
        id=f"{name}-{at:%Y%m%dT%H%M%S.%f}",
        incident_id="",
        account="",
        severity=Severity.WARNING,
        step=None,
        title=title,
        body=body,
        created_at=at,
        useful_until=at + _USEFUL_FOR,
    )
