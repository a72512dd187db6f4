"""
What must hold of a run that was cut and taken up again, as sentences that name what was broken.

A run is told by tapes (what left, what was taken, what was said to be kept) and by what the file
holds after the cut and at the end. `reference` is the same script lived through in one piece.
"""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.delivery.digest import UNKEPT
from monitor.storage.database import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Entry = dict[str, Any]
Rows = list[dict[str, Any]]
# A message may wait for one about the disk, and be gathered with it.
LATE_SECONDS = 12.0
# Times are sums of fractions.
ROUNDING_SECONDS = 1e-6
# The next try to mend the file, and to tell of it.
MENDED_SECONDS = 7.0
# What nobody reads again is no part of what is taken up.
UNREAD = frozenset({"samples", "sqlite_sequence"})


@dataclass(frozen=True)
class Found:
    """What a state file holds, by table; empty where there is no sound file."""

    tables: dict[str, Rows] = field(default_factory=dict)

    @property
    def outbox(self) -> Rows:
        return self.tables.get("outbox", [])

    def row(self, name: str, channel: str) -> dict[str, Any] | None:
        return next(
            (r for r in self.outbox if (r["notification_id"], r["channel"]) == (name, channel)),
            None,
        )

    def told(self) -> Counter[tuple[str, ...]]:
        """What was to be said on each channel, without the times: account, subject, step, what."""
        subjects = {row["id"]: row["subject"] for row in self.tables.get("incidents", [])}
        return Counter(
            (
                row["channel"],
                row["account"],
                subjects.get(row["incident_id"], _plain(row["notification_id"])),
                str(row["step"]),
                row["title"].split(":")[0],
            )
            for row in self.outbox
        )

    def key(self, *, without: str = "") -> str:
        return repr(sorted(each for each in self.tables.items() if each[0] != without))


def _plain(name: str) -> str:
    """A notice's id without its time."""
    return re.sub(r"-\d{8}T.*", "", name)


def look(state: Path, aside: Path) -> Found:
    """What is in the file, read from a copy: a reader that closes it would tidy it up."""
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for ending in ("", "-wal", "-journal"):
        if (state / f"{FILE_NAME}{ending}").exists():
            shutil.copy(state / f"{FILE_NAME}{ending}", aside)
    if not (aside / FILE_NAME).exists():
        return Found()
    connection = sqlite3.connect(aside / FILE_NAME)
    connection.row_factory = sqlite3.Row
    try:
        names = [row[0] for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        )]  # fmt: skip
        return Found({
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608 - names of the file itself
            for name in names if name not in UNREAD
        })  # fmt: skip
    except sqlite3.DatabaseError as error:
        return Found({"unreadable": [{"because": str(error)}]})
    finally:
        connection.close()


def of_the_cut(before: Sequence[Entry], found: Found) -> list[str]:
    """What the file must hold after the cut, whatever comes next."""
    wrong = []
    if "unreadable" in found.tables:
        wrong.append(f"Soundness: the file can't be read: {found.tables['unreadable']}")
    for entry in before:
        if entry["what"] == "left" and found.row(entry["id"], entry["channel"]) is None:
            wrong.append(f"Durable before sent: {entry['id']} left for {entry['channel']}")
        if entry["what"] == "kept":
            wrong += [
                f"Nothing lost: {entry['id']} for {channel} was said to be kept"
                for channel in entry["channels"]
                if found.row(entry["id"], channel) is None
            ]
            kept = {row["id"] for row in found.tables.get("incidents", [])}
            if entry["incident"] and entry["incident"] not in kept:
                wrong.append(f"Nothing lost: incident {entry['incident']}")
    known = {row["incident_id"] for row in found.outbox if row["incident_id"]}
    held = {row["id"] for row in found.tables.get("incidents", [])}
    wrong += [f"In one piece: {name} has a message and no record" for name in known - held]
    wrong += _untold(found)
    hosts = {row["host"] for row in found.tables.get("quiet", [])}
    wrong += [
        f"Nothing lost: what {entry['host']} asked for"
        for entry in before
        if entry["what"] == "quiet" and entry["host"] not in hosts
    ]
    return wrong


def _untold(found: Found) -> list[str]:
    """An incident that was an alarm was kept without the message of its opening."""
    spoken = {row["incident_id"] for row in found.outbox}
    return [
        f"In one piece: incident {row['id']} ({row['subject']}) is kept without its message"
        for row in found.tables.get("incidents", [])
        if row["spoken_at"] is not None and row["id"] not in spoken
    ]


def of_the_whole(
    before: Sequence[Entry], after: Sequence[Entry], end: Found, reference: Found
) -> list[str]:
    """What must hold once the second life has come to its end."""
    wrong = []
    if not after or after[-1]["what"] != "ended":
        wrong.append("Goes on: the second life did not come to its end")
    taken = [e for e in (*before, *after) if e["what"] == "taken"]
    wrong += of_deliveries(taken, end)
    wrong += _repeats(before, after) + _long_told(before, after)
    wrong += _orders(taken)
    wrong += _waits(before, after)
    more, less = end.told() - reference.told(), reference.told() - end.told()
    wrong += [f"Nothing new: {what} was said beyond the script" for what in more]
    wrong += [f"Nothing lost: {what} was never said" for what in less]
    return wrong


def of_deliveries(taken: Iterable[Entry], end: Found) -> list[str]:
    """Every message was taken, or one that came after it in its incident was."""
    received = {(e["channel"], e["id"]) for e in taken}
    wrong = []
    for row in end.outbox:
        channel, name = row["channel"], row["notification_id"]
        if row["outcome"] == "delivered" and (channel, name) not in received:
            wrong.append(f"Nothing lost: {name} is marked delivered, {channel} never had it")
        if row["outcome"] == "superseded" and not _stands_in(row, end.outbox, received):
            wrong.append(f"Nothing lost: {name} is superseded on {channel} by nothing")
        if row["outcome"] in {"expired", "abandoned"}:
            wrong.append(f"Nothing lost: {name} for {channel} is {row['outcome']}")
        if row["outcome"] is None and channel != "team":
            wrong.append(f"Nothing lost: {name} still waits for {channel}")
    return wrong


def _stands_in(row: dict[str, Any], outbox: Rows, received: set[tuple[str, str]]) -> bool:
    """Whether a message was taken at the same time or later that names it or follows it."""
    return any(
        other["settled_at"] == row["settled_at"]
        and other["outcome"] == "delivered"
        and (other["channel"], other["notification_id"]) in received
        for other in outbox
        if other["channel"] == row["channel"]
    )


def titles(entry: Entry) -> list[str]:
    """The titles that a receipt tells of: its own, and those listed where it is a digest."""
    first = re.sub(r"^\d+ messages in one\. ", "", entry["title"])
    _, _, beside = entry["body"].partition("\n\nBeside it, ")
    listed = [line[2:] for line in beside.splitlines() if line.startswith("• ")]
    return [first, *listed]


def duplicates(before: Sequence[Entry], after: Sequence[Entry]) -> Counter[str]:
    """By channel: receipts after the cut that told nothing which was not told before."""
    found: Counter[str] = Counter()
    told: dict[str, set[str]] = {}
    for entry in before:
        if entry["what"] == "taken":
            told.setdefault(entry["channel"], set()).update(titles(entry))
    for entry in after:
        if entry["what"] == "taken" and set(titles(entry)) <= told.get(entry["channel"], set()):
            found[entry["channel"]] += 1
    return found


def _repeats(before: Sequence[Entry], after: Sequence[Entry]) -> list[str]:
    wrong = [
        f"At most one duplicate: {count} on {channel} after one crash"
        for channel, count in duplicates(before, after).items()
        if count > 1
    ]
    counted = Counter((e["channel"], e["id"]) for e in (*before, *after) if e["what"] == "taken")
    return wrong + [
        f"At most one duplicate: {name} came {count} times to {channel}"
        for (channel, name), count in counted.items()
        if count > 2
    ]


def _long_told(before: Sequence[Entry], after: Sequence[Entry]) -> list[str]:
    """Only what was under way in the crash may come again: the last receipt of a channel."""
    told: dict[str, list[set[str]]] = {}
    for entry in before:
        if entry["what"] == "taken":
            told.setdefault(entry["channel"], []).append(set(titles(entry)))
    long_told = {
        channel: set().union(*receipts[:-1]) - receipts[-1] for channel, receipts in told.items()
    }
    return [
        f"At most one duplicate: «{title}» on {entry['channel']} was settled long before"
        for entry in after
        if entry["what"] == "taken"
        for title in titles(entry)
        if title in long_told.get(entry["channel"], ())
    ]


def _orders(taken: Iterable[Entry]) -> list[str]:
    last: dict[tuple[str, str], Entry] = {}
    wrong = []
    for entry in taken:
        about = (entry["channel"], entry["incident"])
        if entry["incident"] and about in last and entry["written"] < last[about]["written"]:
            wrong.append(f"In order: {entry['id']} came after {last[about]['id']}")
        last[about] = entry
    return wrong


def of_failing(
    entries: Sequence[Entry], end: Found, ideal: Sequence[Entry], reference: Found, seconds: float
) -> list[str]:
    """What must hold of a life whose disk failed for a while, at its end."""
    said, meant = _said(entries), _said(ideal)
    wrong = [f"Nothing lost: {name} was never said" for name in meant - said]
    wrong += [f"Nothing new: {name} was said beyond the script" for name in said - meant]
    taken = [e for e in entries if e["what"] == "taken"]
    wrong += of_deliveries(taken, end)
    wrong += _orders(taken)
    counted = Counter((e["channel"], e["id"]) for e in taken)
    wrong += [f"No duplicate: {each} came {n} times" for each, n in counted.items() if n > 1]
    wrong += _late(taken, ideal)
    for entry in entries:
        if entry["what"] == "left" and not entry["on_disk"] and UNKEPT not in entry["body"]:
            wrong.append(f"Durable before sent: {entry['id']} left and does not say it is not kept")
    less = reference.told() - end.told()
    wrong += [f"Nothing lost: {what} is not in the file" for what in less]
    return wrong + _told_of_the_disk(entries, taken, seconds)


def _told_of_the_disk(
    entries: Sequence[Entry], taken: Iterable[Entry], seconds: float
) -> list[str]:
    names = Counter(
        title.split()[0]
        for entry in taken
        if entry["channel"] == "phone"
        for title in titles(entry)
        if title.endswith("the monitor's state on disk")
    )
    wrong = []
    began = next((e["t"] for e in entries if e["what"] == "disk failed"), math.inf)
    is_over = began + seconds + MENDED_SECONDS < entries[-1]["t"]
    if seconds and is_over and any(e["what"] == "unkept" for e in entries):
        wrong += [
            f"Told: no {each} of the disk" for each in ("WARNING", "RESOLVED") if not names[each]
        ]
    if max(names.values(), default=0) > 1:
        wrong.append(f"Told once: {names}")
    return wrong


def _said(entries: Iterable[Entry]) -> set[tuple[str, ...]]:
    return {
        (_plain(e["id"]), *e["channels"])
        for e in entries
        if e["what"] in {"kept", "unkept"} and e["id"] and not e["id"].startswith("state-")
    }


def _late(taken: Iterable[Entry], ideal: Iterable[Entry]) -> list[str]:
    """Whatever the phone had by a second of the run in one piece it has soon after here too."""
    told: dict[str, float] = {}
    for entry in taken:
        if entry["channel"] == "phone":
            for title in titles(entry):
                told.setdefault(title, entry["t"])
    wrong = []
    for entry in ideal:
        if entry["what"] == "taken" and entry["channel"] == "phone":
            wrong += [
                f"In time: «{title}» came at {told.get(title)} and not at {entry['t']:.1f}"
                for title in titles(entry)
                if told.get(title, math.inf) > entry["t"] + LATE_SECONDS
            ]
    return wrong


def _waits(before: Sequence[Entry], after: Sequence[Entry]) -> list[str]:
    """A receiver's own wait outlives the process, if that lived a moment longer."""
    wrong = []
    for entry in before:
        if entry["what"] != "refused" or not entry["wait"] or before[-1]["t"] <= entry["t"]:
            continue
        until = entry["t"] + entry["wait"]
        early = [
            e
            for e in after
            if e["what"] == "left"
            and e["channel"] == entry["channel"]
            and e["t"] < until - ROUNDING_SECONDS
        ]
        wrong += [f"Waits: {e['channel']} had asked for quiet until {until}" for e in early[:1]]
    return wrong
