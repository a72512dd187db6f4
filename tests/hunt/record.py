"""
What was seen in a run: the truth of the exchanges' books, and what the product did about it.

Times are seconds of the world's clock since the run began (suspended seconds included). What
stands here is looked at by the invariants and makes up the trace; nothing is decided here.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.alerts.incident import Incident, Step
from monitor.alerts.message import Notification
from monitor.engine.effects import AccountAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One pool on the exchange's own books; `stakes` says whether anything stands in it."""

    at: float
    ratio: Decimal
    stakes: bool


NEAR, VERY_NEAR = Decimal("0.05"), Decimal("0.02")
FAR = Decimal("0.06")
"""A distance beyond which no rung of the default ladder lies: farther ones count as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """
    How far prices may move against a pool until its end, a fraction: from `at` on.

    The least and the most that it may be meant to be, where coins nearly cancel out.
    """

    at: float
    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A step of an incident as it was given to the store; `is_durable` as the store said."""

    at: float
    process: int
    incident: Incident
    step: Step
    notification: Notification | None
    quiet_because: str
    is_durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A word about the monitor itself, of no incident."""

    at: float
    process: int
    notification: Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that took place, from `at` to `until`."""

    at: float
    until: float
    kind: str
    where: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What the exchange took or gave by itself; `is_announced` if its private stream says so."""

    at: float
    account: str
    is_announced: bool


@dataclass(slots=True)
class Record:
    """Everything of one run, as it happened."""

    truth: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    reaches: dict[tuple[str, str], list[Reach]] = field(default_factory=dict)
    marks: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    held_since: dict[tuple[str, str], float] = field(default_factory=dict)
    changed_at: dict[str, float] = field(default_factory=dict)
    heard: dict[tuple[str, str], float] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)
    steps: list[Recorded] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    faults: list[Struck] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    wakes: list[float] = field(default_factory=list)
    ends: list[tuple[float, str]] = field(default_factory=list)
    board: dict[str, tuple[float, AccountAssessment]] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)

    def note(self, at: float, *words: object) -> None:
        """A line of the trace."""
        self.trace.append(f"{at:.3f} " + " ".join(str(word) for word in words))

    def digest(self) -> str:
        """The hash of the trace."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def written(self) -> dict[str, float]:
        """When each message about an incident was written, by its id."""
        return {s.notification.id: s.at for s in self.steps if s.notification is not None}

    def sample(self, account: str, pool: str, sample: Sample) -> None:
        self.truth.setdefault((account, pool), []).append(sample)

    def reach(self, account: str, pool: str, reach: Reach) -> None:
        reaches = self.reaches.setdefault((account, pool), [])
        if reaches:
            now, before = (
                (each.most <= NEAR, each.most <= VERY_NEAR) for each in (reach, reaches[-1])
            )
            self.counts["crossings of distance"] += now != before
        reaches.append(reach)

    def nearest(self, account: str, pool: str, start: float, end: float) -> Decimal:
        """The least distance of a pool between two times; `FAR` where there was none such."""
        reaches = self.reaches.get((account, pool), [])
        first = bisect_left(reaches, start, key=lambda reach: reach.at)
        found = [each.least for each in reaches[max(0, first - 1) :] if each.at <= end]
        return min(found, default=FAR)

    def since(self, account: str, pool: str, start: float) -> Iterator[Sample]:
        """The pool's samples from this time on; the one that held then among them."""
        samples = self.truth.get((account, pool), [])
        first = bisect_left(samples, start, key=lambda sample: sample.at)
        yield from samples[max(0, first - 1) :]

    def latest(self, account: str, pool: str) -> Sample | None:
        samples = self.truth.get((account, pool))
        return samples[-1] if samples else None

    def pools(self, account: str) -> list[str]:
        return [pool for owner, pool in self.truth if owner == account]

    def highest(self, account: str, pool: str, start: float, end: float) -> Decimal:
        """The highest true ratio of a pool between two times, that which held at first included."""
        found = [s.ratio for s in self.since(account, pool, start) if s.at <= end]
        return max(found, default=Decimal(0))

    def lowest(self, account: str, pool: str, start: float, end: float) -> Decimal:
        """The lowest, likewise."""
        found = [s.ratio for s in self.since(account, pool, start) if s.at <= end]
        return min(found, default=Decimal(0))

    def active(self, start: float, end: float) -> list[Struck]:
        """The faults that held at any time between."""
        return [fault for fault in self.faults if fault.at <= end and fault.until >= start]
