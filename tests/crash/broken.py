"""
The product broken on purpose, one promise at a time, for the tests that must notice.

Each is called in a child before its life begins, and never undone.
"""

from __future__ import annotations

from typing import Any

from monitor.delivery import courier
from monitor.storage import database, outbox
from monitor.storage.store import Store
from monitor.storage.writer import Writer


def mark_before_send() -> None:
    """A crash between the two loses the message."""
    deliver = courier._Worker._deliver

    async def marked(worker: Any, batch: Any, waiting: Any) -> None:
        about = {each.about for each in batch}
        older = [
            row.notification.id
            for row in waiting
            if row.notification.about in about and row.notification.id != batch[0].id
        ]
        worker._outbox.delivered(worker.name, batch[0].id, older, worker._now())
        await deliver(worker, batch, waiting)

    courier._Worker._deliver = marked  # type: ignore[method-assign]


def never_mark() -> None:
    """What was delivered is delivered again after every start."""
    Store.delivered = lambda self, channel, name, older, _at: void(  # type: ignore[method-assign]
        self._taken(channel, [name, *older])
    )


def commit_after_send() -> None:
    """Messages wait in memory alone until the next incident is written."""
    write = Writer.write
    held: dict[Any, Any] = {}

    def later(writer: Writer, works: Any) -> bool:
        now = dict(held)
        held.clear()
        held.update(works)
        write(writer, now)
        return True

    Writer.write = later  # type: ignore[method-assign]


def no_sync() -> None:
    """SQLite leaves it to the kernel when anything gets to the disk."""
    prepare = database._prepare

    def prepared(connection: Any) -> None:
        prepare(connection)
        connection.execute("PRAGMA synchronous = OFF").close()

    database._prepare = prepared


def sync_at_checkpoints_alone() -> None:
    """`synchronous = NORMAL`, as many write-ahead logs are run."""
    prepare = database._prepare

    def prepared(connection: Any) -> None:
        prepare(connection)
        connection.execute("PRAGMA synchronous = NORMAL").close()

    database._prepare = prepared


def write_ahead_log_unasked() -> None:
    """Whether the change to a write-ahead log failed is not looked at."""

    def unasked(connection: Any) -> bool:
        connection.execute("PRAGMA journal_mode = WAL").close()
        return True

    database._is_turned_to_wal = unasked


def folder_unsynced() -> None:
    """The state directory's own name is not on the disk."""
    database._sync_directory = lambda _: None


def two_transactions() -> None:
    """The incident first, then its messages."""
    record = Store.record

    def parted(store: Store, incident: Any, notification: Any, channels: Any = ()) -> bool:
        return record(store, incident, None) & record(store, None, notification, channels)

    Store.record = parted  # type: ignore[method-assign]


def forgets_waits() -> None:
    """A receiver that asked for quiet is asked again at once after a start."""
    outbox.note_failure = lambda *_: None


def forgets_refusals() -> None:
    """Whoever was told that a channel refuses is told again after every start."""
    Store.said_at = lambda *_: None  # type: ignore[method-assign]


def says_nothing_of_the_disk() -> None:
    """A message that is on no disk looks like any other."""
    courier.as_unkept = lambda message: message  # type: ignore[attr-defined]


def drops_what_fails() -> None:
    """What could not be written once is not written later."""

    def once(writer: Writer, works: Any) -> bool:
        return writer._attempt(dict(works))

    Writer.write = once  # type: ignore[method-assign]


def never_mends() -> None:
    """A file that could not be opened is never tried again."""
    Store.mend = lambda *_: ()  # type: ignore[method-assign]


def void(_: object) -> None: ...


# What the trials of which kind must find missing where this is broken, and how far into the
# script that shows first.
ALL = (
    ("kill", mark_before_send, "Nothing lost", 0.0),
    ("kill", never_mark, "At most one duplicate", 0.385),
    ("kill", commit_after_send, "Durable before sent", 0.2),
    ("kill", two_transactions, "In one piece", 0.201),
    ("kill", forgets_waits, "Waits", 0.654),
    ("kill", forgets_refusals, "Nothing new", 0.428),
    ("power loss", no_sync, "Durable before sent", 0.217),
    ("power loss", sync_at_checkpoints_alone, "Durable before sent", 0.265),
    ("power loss", folder_unsynced, "Durable before sent", 0.21),
    ("torn write", no_sync, "Durable before sent", 0.217),
    ("no space", says_nothing_of_the_disk, "Durable before sent", 0.0),
    ("no space", write_ahead_log_unasked, "Durable: what the disk", 0.0115),
    ("I/O error", drops_what_fails, "Nothing lost", 0.0),
    ("I/O error", never_mends, "Nothing lost", 0.0),
)
