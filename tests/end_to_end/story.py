"""The simulator's own record of what happened, held against the messages that arrived."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.delivery import pacing
from monitor.storage.database import FILE_NAME
from tests.end_to_end.stage import Message

Event = Mapping[str, object]

WITHIN = timedelta(seconds=1)
MINUTE = timedelta(seconds=12)
"""A channel's minute in a test that plays a crash: paths are short there."""
THRESHOLDS = ("0.8", "0.9")
_RATIO = re.compile(r"\bat (?:over )?([\d.]+) %")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A pool that rose over a threshold on the exchange's own books."""

    account: str
    threshold: str
    at: datetime

    def is_told_by(self, title: str) -> bool:
        """Whether a title names the account at this ratio or a higher one, as no end of it."""
        found = _RATIO.search(title)
        is_end = "RESOLVED" in title or "GONE" in title
        if self.account not in title or found is None or is_end:
            return False
        return Decimal(found[1]) >= Decimal(self.threshold) * 100


def hasten(patch: pytest.MonkeyPatch) -> None:
    """Let what is gathered within a minute be gathered within `MINUTE`."""
    patch.setattr(pacing, "MINUTE", MINUTE)
    patch.setattr(pacing, "GATHER", MINUTE / 6)


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
        if event["threshold"] not in THRESHOLDS:
            continue
        crossing = Crossing(
            account=str(event["account"]), threshold=str(event["threshold"]), at=time_of(event)
        )
        if found and found[-1].account == crossing.account and found[-1].at == crossing.at:
            found.pop()
        found.append(crossing)
    return found


def written(state: Path) -> list[Message]:
    """Every message that a daemon committed, at the time at which it was decided."""
    with closing(sqlite3.connect(f"file:{state / FILE_NAME}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT created_at, title, body FROM outbox ORDER BY id")
        return [Message(at=datetime.fromisoformat(at), title=t, body=b) for at, t, b in rows]


def told(crossing: Crossing, messages: Iterable[Message]) -> timedelta | None:
    """
    How long after the crossing there was its message; None where there was none.

    One message speaks for all rungs, so it may be named by a graver one.
    """
    for message in messages:
        if crossing.is_told_by(message.title):
            delay = message.at - crossing.at
            # The record has milliseconds; a message can't be older than its cause.
            if delay > timedelta(milliseconds=-2):
                return delay
    return None


def is_news(title: str) -> bool:
    """Whether it tells of what the exchange did or warned of by itself."""
    return any(words in title for words in ("WARNED BY", "LIQUIDATION:", "TAKEN OVER:"))


def told_of(account: str, messages: Iterable[Message]) -> list[str]:
    """Every title about an account, those in the lines of a digest included."""
    return [m.title for m in messages if f"{account} (" in m.title]
