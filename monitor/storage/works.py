"""What is written, as work for a transaction, each under the key of the thing that it is about."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from monitor.storage import incidents, outbox
from monitor.storage.database import Corrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitor.alerts.incident import Incident
    from monitor.storage.outbox import OutboxRow, Outcome
    from monitor.storage.writer import Key, Work


def key_of(row: OutboxRow) -> tuple[str, str]:
    return row.notification.id, row.channel


def saving(incident: Incident) -> tuple[Key, Work]:
    """The incident as it is now."""
    return ("incident", incident.id), lambda connection: incidents.save(connection, incident)


def settling(
    rows: Iterable[OutboxRow], outcome: Outcome, at: datetime
) -> Iterator[tuple[Key, Work]]:
    """That nothing more is to be done for these rows."""
    for row in rows:
        yield (
            ("settled", *key_of(row)),
            partial(outbox.settle, rows=(row,), outcome=outcome, at=at),
        )


@contextmanager
def intelligible() -> Iterator[None]:
    """A row that makes no sense is damage, however sound the file: it must not end the start."""
    try:
        yield
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise Corrupt(f"the state holds what can't be read: {error}") from error
