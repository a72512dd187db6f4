"""
What a channel gets instead of a flood, and what a message says that comes late.

Knows messages alone: many become one that names each of them, gravest first, and says all of
the gravest; none is left out without being counted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.incident import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.alerts.message import Notification

MOST_LISTED = 30
_DAY = timedelta(days=1)
UNKEPT = (
    "The monitor's state can't be written to disk: this message was sent from memory alone, and "
    "alerts don't outlive a restart until that is mended."
)


def digest(messages: Sequence[Notification]) -> Notification:
    """
    One message for several, at least one: the gravest in full, a line for each of the others.

    It keeps the gravest one's id, incident and severity: an end is not grave, of equals the
    oldest is.
    """
    ordered = sorted(messages, key=gravity)
    first, rest = ordered[0], ordered[1:]
    if not rest:
        return first
    lines = [f"• {message.title}" for message in rest[:MOST_LISTED]]
    if len(rest) > MOST_LISTED:
        lines.append(f"• … and {len(rest) - MOST_LISTED} more: see `margin-monitor status`")
    return replace(
        first,
        title=f"{len(ordered)} messages in one. {first.title}",
        body="\n".join((first.body, "", f"Beside it, {len(rest)} more:", *lines)),
        useful_until=max(message.useful_until for message in ordered),
    )


def combined(waiting: Iterable[Notification]) -> dict[str, Notification]:
    """
    Of each incident its newest message, by its id: it stands for those before it.

    What was new in one of them and was not sent yet is news still.
    """
    newest: dict[str, Notification] = {}
    for message in waiting:
        before, is_over = newest.get(message.about), message.step is Step.RESOLVED
        news = message.news
        if before is not None and before.is_on_rungs and not is_over:
            news = max(before.urgency, message.urgency, key=lambda severity: severity.rank)
        newest[message.about] = replace(message, news=news)
    return {message.id: message for message in newest.values()}


def gravity(message: Notification) -> tuple[int, int, datetime, str]:
    """What messages are sorted by, the gravest first."""
    return -message.urgency.rank, -message.severity.rank, message.created_at, message.id


def as_of_now(
    message: Notification, now: datetime, standing: str | None, late_after: timedelta
) -> Notification:
    """
    The message itself, or, where it comes late, with its age and how things stand on top.

    Its title says when it was written: in a digest that may be all that is shown of it.

    Args:
        standing: How its pool or account stands at `now`, in words; None where it is unknown.
    """
    age = now - message.created_at
    if age <= late_after:
        return message
    written = words.moment(message.created_at)
    late = f"LATE: written {words.duration(age.total_seconds())} ago, {written}."
    present = f" Now: {standing}." if standing else " How it stands now is not known."
    at = words.clock(message.created_at) if age < _DAY else written
    title = f"{message.title} (LATE, of {at})"
    return replace(message, title=title, body=f"{late}{present}\n\n{message.body}")


def as_unkept(message: Notification) -> Notification:
    """The message with the word that it is on no disk: what follows could be lost in a restart."""
    return replace(message, body=f"{message.body}\n\n{UNKEPT}")


def signed(message: Notification, instance: str) -> Notification:
    """The message with the name of the monitor that sends it, where there are several."""
    return replace(message, body=f"{message.body}\n\nFrom the monitor '{instance}'.")
