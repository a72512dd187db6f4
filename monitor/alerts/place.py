"""
Where a pool stands on the ladder, and how it got there.

A rung on distance is an alarm where prices brought the pool to it. Where its owner opened, or
added to, a position so large that it stands on it from the start, he took it on: that is told
with the opening, and it becomes an alarm once half of the distance of then is gone. Rungs on
ratio are alarms however they were reached.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Measure

if TYPE_CHECKING:
    from monitor.alerts.ladder import Ladder, Rung
    from monitor.risk.result import Requirement

HALF = Decimal("0.5")
"""What is left of the distance of an opening when what was taken on becomes an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Every rung that a pool stands on, the mildest first.

    `alarms` are those that prices brought it to, `accepted` those that its owner took on,
    `accepted_distance` from liquidation, a positive fraction. `is_taken_on`: just now.
    """

    alarms: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    accepted_distance: Decimal | None = None
    is_taken_on: bool = False


def climbed(
    place: Place, requirement: Requirement, ladder: Ladder, *, may_ease: bool = True
) -> Place:
    """The place after a look at the margin ratio. Without `may_ease` it only gets worse."""
    stood = ladder.top(place.alarms, Measure.RATIO)
    now = ladder.by_ratio(requirement, stood.name if stood else None)
    if not may_ease:
        now = _higher(ladder, stood, now)
    if now == stood:
        return replace(place, is_taken_on=False) if place.is_taken_on else place
    others = [name for name in place.alarms if name not in _names(ladder, Measure.RATIO)]
    return _placed(ladder, place, (*others, *ladder.up_to(now)), place.accepted)


def approached(  # noqa: PLR0913 - each is a fact of its own
    place: Place,
    distance: Decimal | None,
    ladder: Ladder,
    *,
    may_ease: bool = True,
    unopened: Decimal | None = None,
    is_opening: bool = False,
) -> Place:
    """
    The place after a look at the distance left (positive; None: no move ends the pool).

    Args:
        may_ease: Without it, it only gets worse.
        is_opening: Whether a position was opened or grew since the last look.
        unopened: The distance that would be left without that, None for any.
    """
    held = (*place.alarms, *place.accepted)
    stood = ladder.top(held, Measure.DISTANCE)
    now = ladder.by_distance(distance, stood.name if stood else None)
    if not may_ease:
        now = _higher(ladder, stood, now)
    reached = ladder.up_to(now)
    alarms = [name for name in place.alarms if name not in _names(ladder, Measure.DISTANCE)]
    accepted = {name for name in place.accepted if name in reached}
    at_distance = place.accepted_distance if accepted else None
    if is_opening:
        by_price = set(ladder.up_to(ladder.by_distance(unopened, None)))
        taken_on = set(reached) - set(held) - by_price
        if taken_on:
            accepted, at_distance = accepted | taken_on, distance
    if now is not None and now.name in accepted and _is_half_gone(distance, at_distance):
        accepted, at_distance = set(), None
    taken = tuple(name for name in reached if name in accepted)
    found = _placed(
        ladder, place, (*alarms, *(name for name in reached if name not in taken)), taken
    )
    return Place(
        alarms=found.alarms,
        accepted=found.accepted,
        accepted_distance=at_distance if taken else None,
        is_taken_on=bool(set(taken) - set(held)),
    )


def next_below(place: Place, distance: Decimal, ladder: Ladder) -> Decimal | None:
    """
    The greatest distance below this one at which `approached` makes more of the place.

    That of a rung which it does not stand on yet, or half of what its owner took on; None
    where there is nothing more to come.
    """
    held = (*place.alarms, *place.accepted)
    reached = [rung.enter for rung in ladder.on(Measure.DISTANCE) if rung.name not in held]
    if place.accepted_distance is not None:
        reached.append(place.accepted_distance * HALF)
    return max((each for each in reached if each < distance), default=None)


def _placed(
    ladder: Ladder, before: Place, alarms: tuple[str, ...], accepted: tuple[str, ...]
) -> Place:
    order = [rung.name for rung in ladder.ordered()]
    return Place(
        alarms=tuple(sorted(set(alarms) & set(order), key=order.index)),
        accepted=tuple(sorted(set(accepted) & set(order), key=order.index)),
        accepted_distance=before.accepted_distance,
    )


def _is_half_gone(distance: Decimal | None, of: Decimal | None) -> bool:
    return distance is not None and of is not None and distance <= of * HALF


def _names(ladder: Ladder, measure: Measure) -> frozenset[str]:
    return frozenset(rung.name for rung in ladder.on(measure))


def _higher(ladder: Ladder, stood: Rung | None, now: Rung | None) -> Rung | None:
    return stood if len(ladder.up_to(stood)) > len(ladder.up_to(now)) else now
