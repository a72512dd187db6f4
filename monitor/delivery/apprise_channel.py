"""
One apprise URL = one channel.

apprise sends in a thread of this channel's own, so that one that hangs delays no other. It
reports every failure alike; what a failure means is read from what it logged during that very
send, and only our own words of it go further: no text of apprise's leaves this file.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from apprise import Apprise, NotifyFormat, NotifyType, OverflowMode

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.delivery import telegram
from monitor.delivery.address import host_of, leads_to_link_local, service_at
from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from monitor.alerts.message import Notification

CONNECT_SECONDS = 4.0
READ_SECONDS = 4.0
# A service may send a long message in parts; each has the times above.
SEND_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 3600.0
# Below this a service (SMS, say) would make a dozen messages of one: the end is cut off instead.
LEAST_WORTH_SPLITTING = 1000

_PERMANENT = frozenset({401, 403, 404, 410})
_STATUS = re.compile(r"error=(\d{3})\b")
_WAIT = re.compile(r"retry[_ -]?after\W{0,4}(\d+(?:\.\d+)?)", re.IGNORECASE)
# Telegram answers 400 to what only its owner can mend.
_NO_RECEIVER = re.compile(r"chat not found|user is deactivated|chat was deleted", re.IGNORECASE)
# Bad request, too large, can't be processed: it is the text that is not taken.
_REFUSE_A_TEXT = frozenset({400, 413, 422})
_MARKUP = re.compile(r"[<>&_*`~|\[\]{}\\#]")
_LONGEST_PLAIN = 1500
_MOVED = (
    "\n\nThis Telegram group became a supergroup and has another chat id now: put {} into this "
    "channel's address in the configuration. Until the next start it is used as it is."
)
_TYPES = {
    Severity.INFO: NotifyType.INFO,
    Severity.WARNING: NotifyType.WARNING,
    Severity.CRITICAL: NotifyType.FAILURE,
}


class AppriseChannel:
    """
    A channel over apprise. `name` is the owner's word for it; the URL is never shown.

    Raises:
        ValueError: If the URL may not be a channel.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        read_seconds: float = READ_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self.name = name
        self._send_seconds = send_seconds
        self._service = service_at(url)
        self._service.socket_connect_timeout = CONNECT_SECONDS
        self._service.socket_read_timeout = read_seconds
        splits = self._service.body_maxlen >= LEAST_WORTH_SPLITTING
        self._service.overflow_mode = OverflowMode.SPLIT if splits else OverflowMode.TRUNCATE
        # Through this and not the service itself: only this way is text escaped for services
        # that take markup (apprise 2.2.0 sends "<b>" to Telegram as it is otherwise).
        self._sender = Apprise()
        self._sender.add(self._service)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"channel-{name}")

    async def send(self, notification: Notification) -> None:
        """
        Hand one message to the receiver.

        Raises:
            DeliveryError: If it was not taken, or nobody can tell; `permanent` where it never
                will be as things stand.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._send_seconds):
                await loop.run_in_executor(self._executor, self._send, notification)
        except TimeoutError:
            raise DeliveryError(f"no answer within {self._send_seconds:g} s") from None

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _send(self, notification: Notification) -> None:
        host = host_of(self._service)
        if host and leads_to_link_local(host):
            raise DeliveryError(
                "the address leads to a link-local or metadata service", permanent=True
            )
        title, body = _harmless(notification.title), _harmless(notification.body)
        logged = self._notify(notification, title, body)
        if logged is None:
            return
        moved = telegram.switched(self._service, logged, READ_SECONDS)
        if moved:
            logged = self._notify(notification, title, body + _MOVED.format(", ".join(moved)))
        elif _is_refused_as_it_is(logged):
            # A plain and shorter message is better than none (F-67).
            logged = self._notify(notification, _plainest(title), _plainest(body))
        if logged is not None:
            raise _failure(logged)

    def _notify(self, notification: Notification, title: str, body: str) -> str | None:
        """None where it was taken, else what apprise logged of the failure."""
        kind = NotifyType.SUCCESS if notification.step is Step.RESOLVED else None
        try:
            result = self._sender.notify(
                title=title,
                body=body,
                body_format=NotifyFormat.TEXT,
                notify_type=kind or _TYPES[notification.severity],
            )
            logged = "\n".join(entry.message for entry in result.logs())
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; its text may hold the URL
            raise DeliveryError(f"the service failed ({type(error).__name__})") from None
        return None if result else logged


def _harmless(text: str) -> str:
    """The same to read, but nobody is called by it: no @everyone, no <!channel>."""
    # A blank of no width. apprise offers no way to forbid mentions (Discord's allowed_mentions).
    return text.replace("@", "@\N{ZERO WIDTH SPACE}").replace("<!", "<\N{ZERO WIDTH SPACE}!")


def _is_refused_as_it_is(logged: str) -> bool:
    """Whether the receiver is there but does not take this text."""
    found = _STATUS.search(logged)
    refused = found is not None and int(found.group(1)) in _REFUSE_A_TEXT
    return refused and _NO_RECEIVER.search(logged) is None


def _plainest(text: str) -> str:
    """The text without anything that could be markup anywhere, cut to what any service takes."""
    plain = _MARKUP.sub(" ", text)
    return plain if len(plain) <= _LONGEST_PLAIN else plain[:_LONGEST_PLAIN] + " …"


def _failure(logged: str) -> DeliveryError:
    """What a failed send means, from what apprise logged during it."""
    found = _STATUS.search(logged)
    if found is None:
        return DeliveryError("the receiver can't be reached")
    status = int(found.group(1))
    wait = _WAIT.search(logged)
    seconds = min(float(wait.group(1)), LONGEST_WAIT_SECONDS) if wait else None
    gone = status == 400 and _NO_RECEIVER.search(logged) is not None  # noqa: PLR2004 - HTTP's own
    return DeliveryError(
        "the receiver is not there any more"
        if gone
        else f"the receiver answered with HTTP {status}",
        permanent=gone or status in _PERMANENT,
        retry_after_seconds=seconds,
    )
