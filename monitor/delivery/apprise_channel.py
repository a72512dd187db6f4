"""
One apprise URL = one channel.

apprise sends in threads of this channel's own, so that one that hangs delays no other. It
reports every failure alike; what a failure means is read from the receiver's answer, or where
there was none from what apprise logged during that very send. Only our own words of it go
further: no text of either leaves this room.
"""

from __future__ import annotations

import asyncio
import math
import re
from functools import partial
from typing import TYPE_CHECKING

from apprise import Apprise, NotifyFormat, NotifyType, OverflowMode

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.delivery import replies, telegram
from monitor.delivery.address import host_of, leads_to_link_local, service_at
from monitor.delivery.aside import Aside
from monitor.delivery.throttle import Throttle
from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from monitor.alerts.message import Notification
    from monitor.delivery.replies import Refusal

CONNECT_SECONDS = 4.0
READ_SECONDS = 4.0
# A service may send a long message in parts; each has the times above.
SEND_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 3600.0
# A receiver that asks for no wait at all is not asked again and again without a pause.
LEAST_WAIT_SECONDS = 1.0
# Below this a service (SMS, say) would make a dozen messages of one: the end is cut off instead.
LEAST_WORTH_SPLITTING = 1000
# Of more parts than these the rest is cut off: some services take one in five seconds only.
MOST_PARTS = 4

_PERMANENT = frozenset({401, 403, 404, 410})
_FORBIDDEN = 403
# Telegram answers 400 to what only its owner can mend.
_NO_RECEIVER = re.compile(r"chat not found|user is deactivated|chat was deleted", re.IGNORECASE)
# Bad request, too large, can't be processed: it is the text that is not taken.
_REFUSE_A_TEXT = frozenset({400, 413, 422})
_MARKUP = re.compile(r"[<>&_*`~|\[\]{}\\#]")
_LONGEST_PLAIN = 1500
# Controls but for tab and line feed, and marks that turn the direction of what follows.
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
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
        self._service = service_at(url)
        self._service.socket_connect_timeout = CONNECT_SECONDS
        self._service.socket_read_timeout = read_seconds
        splits = self._service.body_maxlen >= LEAST_WORTH_SPLITTING
        self._service.overflow_mode = OverflowMode.SPLIT if splits else OverflowMode.TRUNCATE
        # Through this and not the service itself: only this way is text escaped for services
        # that take markup (apprise 2.2.0 sends "<b>" to Telegram as it is otherwise).
        self._sender = Apprise()
        self._sender.add(self._service)
        self._throttle = Throttle(self._service)
        self._longest = self._service.body_maxlen * (MOST_PARTS if splits else 1)
        self._send_seconds = send_seconds + (MOST_PARTS - 1) * self._throttle.between_seconds
        self._aside = Aside(f"channel-{name}")
        self._free_at = -math.inf

    async def send(self, notification: Notification) -> None:
        """
        Hand one message to the receiver.

        Raises:
            DeliveryError: If it was not taken, or nobody can tell; `permanent` where it never
                will be as things stand.
        """
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(self._free_at - loop.time(), 0.0))
        try:
            await self._aside.run(partial(self._send, notification), self._send_seconds)
        finally:
            self._free_at = loop.time() + self._throttle.between_seconds

    def close(self) -> None:
        """Nothing is to be given back: a thread that is at it still ends with its call."""

    def _send(self, notification: Notification) -> None:
        host = host_of(self._service)
        if host and leads_to_link_local(host):
            raise DeliveryError(
                "the address leads to a link-local or metadata service", permanent=True
            )
        title = " ".join(_harmless(notification.title).split())
        body = _harmless(notification.body)
        body = _cut(body, self._longest - len(title))
        refusal = self._notify(notification, title, body)
        if refusal is None:
            return
        moved = telegram.switched(self._service, refusal.words, READ_SECONDS)
        if moved:
            refusal = self._notify(notification, title, body + _MOVED.format(", ".join(moved)))
        elif _is_refused_as_it_is(refusal):
            # A plain and shorter message is better than none (F-67).
            refusal = self._notify(notification, _plainest(title), _plainest(body))
        if refusal is not None:
            raise _failure(refusal)

    def _notify(self, notification: Notification, title: str, body: str) -> Refusal | None:
        """None where it was taken, else why it was not."""
        kind = NotifyType.SUCCESS if notification.step is Step.RESOLVED else None
        self._throttle.begin()
        with replies.heard() as refusals:
            result = self._sender.notify(
                title=title,
                body=body,
                body_format=NotifyFormat.TEXT,
                notify_type=kind or _TYPES[notification.severity],
            )
        asked = self._throttle.asked_seconds
        if asked is not None and not any(refusal.wait_seconds for refusal in refusals):
            raise DeliveryError("the receiver asked for a pause", retry_after_seconds=asked)
        logged = "\n".join(entry.message for entry in result.logs())
        return replies.concluded(refusals, logged, is_taken=bool(result))


def _harmless(text: str) -> str:
    """
    The same to read, but nobody is called by it: no @everyone, no <!channel>; nothing steers how
    it is shown; and every receiver can be sent it.
    """
    text = _STEERS.sub("", text.encode("utf-8", "replace").decode("utf-8"))
    # A blank of no width. apprise offers no way to forbid mentions (Discord's allowed_mentions).
    return text.replace("@", "@\N{ZERO WIDTH SPACE}").replace("<!", "<\N{ZERO WIDTH SPACE}!")


def _is_refused_as_it_is(refusal: Refusal) -> bool:
    """Whether the receiver is there but does not take this text."""
    return refusal.status in _REFUSE_A_TEXT and _NO_RECEIVER.search(refusal.words) is None


def _plainest(text: str) -> str:
    """The text without anything that could be markup anywhere, cut to what any service takes."""
    return _cut(_MARKUP.sub(" ", text), _LONGEST_PLAIN)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: max(longest - 2, 0)]} …"


def _failure(refusal: Refusal) -> DeliveryError:
    """What a failed send means."""
    status, wait = refusal.status, refusal.wait_seconds
    if status is None and refusal.is_hidden:
        return DeliveryError("the receiver answered that it did not take it")
    if status is None:
        return DeliveryError("the receiver can't be reached")
    if status == _FORBIDDEN and refusal.is_page:
        return DeliveryError("something on the way answered with a page (HTTP 403)")
    gone = status == 400 and _NO_RECEIVER.search(refusal.words) is not None  # noqa: PLR2004 - HTTP's own
    return DeliveryError(
        "the receiver is not there any more"
        if gone
        else f"the receiver answered with HTTP {status}",
        permanent=gone or status in _PERMANENT,
        retry_after_seconds=None
        if wait is None
        else min(max(wait, LEAST_WAIT_SECONDS), LONGEST_WAIT_SECONDS),
    )
