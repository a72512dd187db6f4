"""The port through which messages leave: what a channel is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from monitor.alerts.message import Notification


class Channel(Protocol):
    """
    One way to reach a person.

    `send` returns after the receiver took the message; until then it may be taken twice,
    never lost without an error.
    """

    @property
    def name(self) -> str: ...

    async def send(self, notification: Notification) -> None:
        """
        Send one message.

        Raises:
            DeliveryError: If the receiver did not take it, or nobody can tell whether it did.
        """
