"""
I/O. What is said when the process has died of a fault: systemd runs this after every stop.

systemd tells how the service ended in $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS, see
systemd.exec(5). It starts the monitor again by itself, and waits for this to end first: so it
is said at most once an hour, and nobody waits for a channel for longer than ten seconds.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Severity
from monitor.alerts.message import Notification
from monitor.delivery.apprise_channel import AppriseChannel
from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monitor.settings import ChannelSettings, Settings

STAMP_NAME = "last-words"
QUIET_FOR = timedelta(hours=1)
SEND_SECONDS = 10.0

_CAUSES = {
    "exit-code": "it ended with an error",
    "signal": "it was killed",
    "core-dump": "it crashed",
    "watchdog": "it hung and was killed by the watchdog",
    "oom-kill": "the machine ran out of memory",
    "timeout": "it did not start or stop in time",
    "resources": "the machine lacked resources to start it",
    "protocol": "it ended before it was ready",
}


def cause(environ: Mapping[str, str]) -> str | None:
    """Why the service ended, in words with systemd's own; None where that was no fault."""
    result = environ.get("SERVICE_RESULT", "success")
    if result == "success":
        return None
    ended = " ".join(environ[key] for key in ("EXIT_CODE", "EXIT_STATUS") if key in environ)
    words = _CAUSES.get(result, "it failed")
    return f"{words} ({result}{f': {ended}' if ended else ''})"


async def speak(settings: Settings, because: str, at: datetime) -> bool:
    """
    Tell every channel that the monitor has stopped; whether anyone was told now.

    Nothing is sent where a channel took such a message within the hour before.
    """
    stamp = settings.state_directory / STAMP_NAME
    if _spoken_lately(stamp, at):
        return False
    message = _message(because, at)
    taken = await asyncio.gather(*(_send(channel, message) for channel in settings.channels))
    if any(taken):
        with suppress(OSError):  # said once too often is better than not at all
            stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stamp.write_text(at.isoformat(), encoding="utf-8")
    return any(taken)


def _spoken_lately(stamp: Path, at: datetime) -> bool:
    try:
        spoken_at = datetime.fromisoformat(stamp.read_text(encoding="utf-8"))
        return timedelta(0) <= at - spoken_at < QUIET_FOR
    except (OSError, ValueError, TypeError):
        return False


async def _send(channel: ChannelSettings, message: Notification) -> bool:
    sender = AppriseChannel(channel.name, channel.url.get_secret_value())
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await sender.send(message)
    except (DeliveryError, TimeoutError):
        return False
    finally:
        sender.close()
    return True


def _message(because: str, at: datetime) -> Notification:
    return Notification(
        id=f"last-words-{at:%Y%m%d%H%M%S}",
        incident_id="last-words",
        account="",
        severity=Severity.CRITICAL,
        step=None,
        title="MONITOR STOPPED: no account is watched right now",
        body=(
            f"margin-monitor on {socket.gethostname()} has stopped by a fault: {because}.\n"
            "systemd starts it again by itself. Until then nothing is watched; open incidents "
            "and messages not yet delivered are kept.\n"
            "\n"
            "What to do: see `systemctl status margin-monitor` and `journalctl -u "
            "margin-monitor`; look at your accounts at the exchange meanwhile.\n"
            "Said at most once an hour, however often it stops."
        ),
        created_at=at,
        useful_until=at + QUIET_FOR,
    )
