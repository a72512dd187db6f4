"""The simulator's own record of what happened, held against the messages that arrived."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.end_to_end.stage import Message

Event = Mapping[str, object]

WITHIN = timedelta(seconds=1)
TITLES = {"0.8": "WARNING 80 %", "0.9": "CRITICAL 90 %"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A pool that rose over a threshold on the exchange's own books."""

    account: str
    threshold: str
    at: datetime

    @property
    def title(self) -> str:
        """How the title of its message begins."""
        return TITLES[self.threshold]


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(str(event["at"]))


def rises(events: Iterable[Event]) -> list[Crossing]:
    """
    The crossings of 80 % and 90 % upward, in their order.

    Where one tick crosses both, only the higher one: there is one message for a jump.
    """
    found: list[Crossing] = []
    for event in events:
        if event["event"] != "crossing" or event["direction"] != "up":
            continue
        if event["threshold"] not in TITLES:
            continue
        crossing = Crossing(
            account=str(event["account"]), threshold=str(event["threshold"]), at=time_of(event)
        )
        if found and found[-1].account == crossing.account and found[-1].at == crossing.at:
            found.pop()
        found.append(crossing)
    return found


def told(crossing: Crossing, messages: Iterable[Message]) -> timedelta | None:
    """How long after the crossing its message arrived; None where none did."""
    for message in messages:
        if message.title.startswith(crossing.title) and crossing.account in message.title:
            delay = message.at - crossing.at
            # The record has milliseconds; a message can't be older than its cause.
            if delay > timedelta(milliseconds=-2):
                return delay
    return None
