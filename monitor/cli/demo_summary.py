"""What the demo showed, in one table: crossing, message, and what the exchange did next."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.cli.demo_receiver import Received

RUNGS = (Decimal("0.8"), Decimal("0.9"))


def summary(events: Sequence[Mapping[str, object]], messages: Iterable[Received]) -> Table:
    """
    A row for each time a pool rose over a rung on the exchange's own books.

    `events` are the simulator's record: crossings by its own arithmetic, and liquidations.
    """
    table = Table(title="What happened", title_justify="left")
    for head in ("pool", "rose over", "at", "message came", "after", "what the exchange did next"):
        table.add_column(head)
    kept = list(messages)
    for event in events:
        if not _is_rise(event):
            continue
        at = _time(event)
        message = next((m for m in kept if m.at >= at and str(event["account"]) in m.title), None)
        table.add_row(
            f"{event['account']}/{event['pool']}",
            f"{Decimal(str(event['threshold'])) * 100:.0f} %",
            f"{at:%H:%M:%S.%f}"[:-3],
            "none" if message is None else f"{message.at:%H:%M:%S.%f}"[:-3],
            "" if message is None else f"{(message.at - at).total_seconds():.3f} s",
            _next(event, events),
        )
    return table


def _is_rise(event: Mapping[str, object]) -> bool:
    return (
        event["event"] == "crossing"
        and event["direction"] == "up"
        and Decimal(str(event["threshold"])) in RUNGS
    )


def _time(event: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(event["at"]))


def _next(event: Mapping[str, object], events: Sequence[Mapping[str, object]]) -> str:
    """The next liquidation of this pool, or its return below the rung."""
    at = _time(event)
    for later in events:
        same = later.get("account") == event["account"] and later.get("pool") == event["pool"]
        if not same or _time(later) < at or later is event:
            continue
        seconds = (_time(later) - at).total_seconds()
        if later["event"] == "liquidation":
            return f"liquidated it {seconds:.1f} s later"
        fell = later["event"] == "crossing" and later["direction"] == "down"
        if fell and later["threshold"] == event["threshold"]:
            return f"nothing: back below after {seconds:.1f} s"
    return "nothing yet"
