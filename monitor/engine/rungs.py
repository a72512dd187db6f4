"""
Where figures put a pool on the ladder.

Where a mark lags behind others of its coin there are two figures of one time, by the marks as
they are and by those abreast: a rung is reached, or left, only where both say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts.place import approached, climbed
from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.alerts.place import Place
    from monitor.engine.assessment import Figures
    from monitor.engine.openings import Opened


def by_ratio(  # noqa: PLR0913 - each is a fact of its own
    stood: Place,
    now: Figures,
    adverse: Figures | None,
    abreast: Figures | None,
    ladder: Ladder,
    *,
    may_ease: bool,
) -> tuple[Place, Figures]:
    """
    The place by the margin ratio, and the figures that put the pool there.

    Of two that both do, the milder: the graver are surely wrong where a hedge parts.

    Args:
        adverse: Those of the worst marks in between: they count where they stand higher.
        abreast: Those with the marks that lag moved along, None where none does.
        may_ease: Without it, it only goes up.
    """
    place, by = climbed(stood, now.requirement, ladder, may_ease=may_ease), now
    if adverse is not None:
        worst = climbed(stood, adverse.requirement, ladder, may_ease=may_ease)
        if len(worst.alarms) > len(place.alarms):
            place, by = worst, adverse
    if abreast is not None:
        steady = climbed(stood, abreast.requirement, ladder, may_ease=may_ease)
        between = _middle(stood, place, steady)
        sights = ((place, by), (steady, abreast))
        agree = [each for at, each in sights if at.alarms == between.alarms]
        place, by = between, min(agree or (by, abreast), key=lambda each: each.requirement.ratio)
    return place, by


def by_distance(
    stood: Place,
    distances: Sequence[Decimal | None],
    ladder: Ladder,
    opened: Opened | None,
    *,
    may_ease: bool,
) -> Place:
    """
    The place by the distance left: one, or two where a mark lags, each a positive fraction.

    Args:
        distances: None in place of one: no move ends the pool.
        opened: What is newly opened, and how far the end would be without it.
    """
    first, *others = (
        approached(
            stood,
            distance,
            ladder,
            may_ease=may_ease,
            is_opening=opened is not None,
            unopened=None if opened is None else opened.unopened,
        )
        for distance in distances
    )
    return _middle(stood, first, others[0]) if others else first


def distances(
    sights: Iterable[Figures | None], left: Sequence[Decimal | None]
) -> tuple[Decimal | None, ...]:
    """
    The distance left of each of these figures that there is; as it was last looked at.

    Args:
        left: What was found then, in the same order; of figures newer than that the last holds.
    """
    known = [each for each in sights if each is not None]
    found = [
        ZERO if each.requirement.reaches(ONE) else left[min(place, len(left) - 1)]
        for place, each in enumerate(known)
    ]
    return tuple(found) or (None,)


def _middle(stood: Place, first: Place, second: Place) -> Place:
    """Of where it stood and two places where it may stand: up or down only as far as both."""
    return sorted((first, second, stood), key=_height)[1]


def _height(place: Place) -> tuple[int, int]:
    """Of the same rungs those that are alarms are more than those taken on."""
    return len(place.alarms) + len(place.accepted), len(place.alarms)
