"""
Rungs and the ladder they make: thresholds with hysteresis.

A rung on ratio is reached by rising to `enter`, and left by falling below `leave`. A rung on
distance (the adverse move left to liquidation, as a positive fraction) is reached by falling
to `enter`, and left by rising above `leave`. A pool may stand on rungs of both measures: the
gravest speaks for all, and of those alike in severity the one nearest to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.risk.result import Requirement


class Severity(Enum):
    """What channels and quiet hours go by."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 2 for critical."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Measure(Enum):
    """What a rung goes by."""

    RATIO = "ratio"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """
    One threshold. `enter` and `leave` are fractions: 0.80 is 80 %.

    Raises:
        ValueError: If a threshold is no fraction, or the two are in the wrong order.
    """

    name: str
    enter: Decimal
    leave: Decimal
    severity: Severity = Severity.WARNING
    on: Measure = Measure.RATIO

    def __post_init__(self) -> None:
        place = f"rung '{self.name}'"
        if not self.name or self.name == "none":
            raise ValueError("a rung needs a name, other than 'none'")
        for word, value in (("enter", self.enter), ("leave", self.leave)):
            if not (value.is_finite() and 0 < value < 1):
                raise ValueError(
                    f"{place}: {word} ({value}) must be a fraction between 0 and 1: 0.80 is 80 %"
                )
        if self.on is Measure.RATIO and not self.leave < self.enter:
            raise ValueError(f"{place}: leave ({self.leave}) must lie below enter ({self.enter})")
        if self.on is Measure.DISTANCE and not self.leave > self.enter:
            raise ValueError(f"{place}: leave ({self.leave}) must lie above enter ({self.enter})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """
    The rungs, in any order; names are unique.

    Raises:
        ValueError: If two rungs share a name, or two on one measure share `enter`.
    """

    rungs: tuple[Rung, ...]

    def __post_init__(self) -> None:
        names = [rung.name for rung in self.rungs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rungs are called '{name}'")
        places = [(rung.on, rung.enter) for rung in self.rungs]
        for on, enter in places:
            if places.count((on, enter)) > 1:
                raise ValueError(f"two rungs on {on.value} enter at {enter}")

    def on(self, measure: Measure) -> tuple[Rung, ...]:
        """The rungs that go by this measure, the mildest first."""
        rungs = [rung for rung in self.rungs if rung.on is measure]
        return tuple(
            sorted(rungs, key=lambda rung: rung.enter, reverse=measure is Measure.DISTANCE)
        )

    def ordered(self) -> tuple[Rung, ...]:
        """
        All rungs, the mildest first: by severity, then by how near to the end they usually lie.

        A ratio of 80 % is mostly nearer to it than any rung on distance: on a major coin it
        leaves a tenth of a percent of price.
        """
        by_nearness = (*self.on(Measure.DISTANCE), *self.on(Measure.RATIO))
        return tuple(sorted(by_nearness, key=lambda rung: rung.severity.rank))

    def highest(self, names: Iterable[str]) -> Rung | None:
        """The rung that speaks for all of these; None where the ladder has none of them."""
        wanted = set(names)
        found = [rung for rung in self.ordered() if rung.name in wanted]
        return found[-1] if found else None

    def up_to(self, rung: Rung | None) -> tuple[str, ...]:
        """The names of this rung and of those of its measure that come before it."""
        if rung is None:
            return ()
        names = [each.name for each in self.on(rung.on)]
        return tuple(names[: names.index(rung.name) + 1])

    def top(self, names: Iterable[str], measure: Measure) -> Rung | None:
        """The highest of these rungs that goes by a measure; None where none does."""
        wanted = set(names)
        found = [rung for rung in self.on(measure) if rung.name in wanted]
        return found[-1] if found else None

    def rung(self, name: str | None) -> Rung | None:
        """The rung of this name, None where the ladder has none (any more)."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    def by_ratio(self, requirement: Requirement, standing: str | None) -> Rung | None:
        """
        The rung on ratio that a pool stands on, given the one it stood on before.

        A rung is reached at `enter`; one that was stood on, and every one below it, holds
        until the ratio falls below its `leave`. None: below them all.
        """
        return _highest(
            self.on(Measure.RATIO),
            standing,
            reached=lambda rung: requirement.reaches(rung.enter),
            held=lambda rung: requirement.reaches(rung.leave),
        )

    def by_distance(self, distance: Decimal | None, standing: str | None) -> Rung | None:
        """
        The rung on distance that a pool stands on, given the one it stood on before.

        `distance` is the adverse move left as a positive fraction; None where no move ends it.
        """
        if distance is None:
            return None
        return _highest(
            self.on(Measure.DISTANCE),
            standing,
            reached=lambda rung: distance <= rung.enter,
            held=lambda rung: distance <= rung.leave,
        )


def _highest(
    rungs: tuple[Rung, ...],
    standing: str | None,
    *,
    reached: Callable[[Rung], bool],
    held: Callable[[Rung], bool],
) -> Rung | None:
    """The highest rung that is reached, or still held from `standing` downwards."""
    names = [rung.name for rung in rungs]
    stood = names.index(standing) if standing in names else -1
    for place in range(len(rungs) - 1, -1, -1):
        if reached(rungs[place]) or (place <= stood and held(rungs[place])):
            return rungs[place]
    return None


DEFAULT_LADDER = Ladder(
    rungs=(
        Rung(name="warning", enter=Decimal("0.80"), leave=Decimal("0.77")),
        Rung(
            name="critical",
            enter=Decimal("0.90"),
            leave=Decimal("0.87"),
            severity=Severity.CRITICAL,
        ),
        Rung(name="near", on=Measure.DISTANCE, enter=Decimal("0.05"), leave=Decimal("0.06")),
        Rung(
            name="very near",
            on=Measure.DISTANCE,
            enter=Decimal("0.02"),
            leave=Decimal("0.025"),
            severity=Severity.CRITICAL,
        ),
    )
)
