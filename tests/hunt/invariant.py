"""What an invariant is, and the run that it looks at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from monitor.alerts.ladder import Measure
from tests.hunt.life import Host, Life
from tests.hunt.plan import CHANNEL_FAULTS, KEY_FAULTS, Plan
from tests.hunt.receivers import Pings, Receiver
from tests.hunt.record import Record, Struck
from tests.hunt.world import Stage

if TYPE_CHECKING:
    from tests.hunt.play import Log

SHOWN = 6


class Seen(Protocol):
    """What is true from a time on."""

    @property
    def at(self) -> float: ...


T = TypeVar("T", bound=Seen)


@dataclass(slots=True)
class Stretch:
    """How far samples were looked at, and since when all of them are beyond a rung."""

    looked: int = 0
    since: float | None = None

    def advance(self, samples: Sequence[T], is_beyond: Callable[[T], bool]) -> None:
        for sample in samples[self.looked :]:
            if not is_beyond(sample):
                self.since = None
            elif self.since is None:
                self.since = sample.at
        self.looked = len(samples)


@dataclass(slots=True, kw_only=True)
class Run:
    """Everything of a run that is under way."""

    plan: Plan
    record: Record
    stage: Stage
    host: Host
    life: Life
    receivers: Mapping[str, Receiver]
    pings: Pings
    log: "Log"
    folder: Path
    waits: dict[str, float] = field(default_factory=dict)

    @property
    def now(self) -> float:
        return self.host.now()

    def exchange_of(self, account: str) -> str:
        return next(each.exchange for each in self.plan.accounts if each.name == account)

    def last_heard(self, account: str) -> float:
        """Of when the oldest is of the latest live marks of all that an account holds."""
        held = [
            max(self.record.heard.get(key, 0.0), since)
            for key, since in self.record.held_since.items()
            if key[0] == account
        ]
        return min(held, default=0.0)

    def faults_on(self, account: str, start: float, end: float) -> list[Struck]:
        """What may keep an account's figures from being known: its exchange's, the host's."""
        exchange = self.exchange_of(account)
        return [
            fault
            for fault in self.record.active(start, end)
            if fault.kind not in CHANNEL_FAULTS and fault.where in {"", exchange}
        ]

    def trouble_until(self) -> float:
        """Until when the last fault held, and what it made the monitor wait for."""
        ends = [fault.until for fault in self.record.faults]
        waits = [self.waited(fault) for fault in self.record.faults]
        return max([0.0, *ends, *waits, *self.record.starts, *self.record.wakes])

    def waited(self, fault: Struck) -> float:
        """Until when a fault kept the monitor from asking again, the fault itself included."""
        if fault.kind in KEY_FAULTS:
            return fault.until + 300
        # To Bybit's word for a ban, a bare 403, belong ten minutes.
        if fault.kind in {"403_html", "418"} and fault.where == "bybit":
            return fault.until + 600
        if fault.kind in {"403_html", "418"}:
            return fault.until + 60
        if fault.kind == "429":
            return fault.until + 30
        return fault.until

    @property
    def ladder_on_ratio(self) -> tuple[tuple[str, float], ...]:
        """Names and thresholds of the rungs on ratio, the lowest first."""
        return self._ladder_on(Measure.RATIO)

    @property
    def ladder_on_distance(self) -> tuple[tuple[str, float], ...]:
        """Those on distance, the farthest first."""
        return self._ladder_on(Measure.DISTANCE)

    def _ladder_on(self, measure: Measure) -> tuple[tuple[str, float], ...]:
        rungs = self.life.settings.ladder.on(measure)
        return tuple((rung.name, float(rung.enter)) for rung in rungs)


class Invariant:
    """One promise. `look` is called once a second, `finish` when all trouble is long over."""

    name: ClassVar[str] = "nothing"

    def __init__(self) -> None:
        self.violations: list[str] = []

    def violated(self, found: Run, words: str) -> None:
        if len(self.violations) < SHOWN:
            self.violations.append(
                f"{self.name}: seed {found.plan.seed} at {found.now:.1f} s: {words}"
            )

    def begin(self, found: Run) -> None:
        """The daemon is about to start."""

    def look(self, found: Run) -> None:
        """A second has passed."""

    def finish(self, found: Run) -> None:
        """The run is over, and every fault with all waits long before."""
