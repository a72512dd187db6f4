"""
What is said where a pool stands on a rung as it was opened: calmly, for it is no alarm.

Whoever opens a position at 20x knows that its end is near; he is told how near, and when he
will hear again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.drivers_text import leg
from monitor.alerts.figures_text import distance_of, figures_lines, openings
from monitor.alerts.ladder import Measure
from monitor.alerts.naming import place, where
from monitor.alerts.place import HALF

if TYPE_CHECKING:
    from monitor.alerts.facts import Facts, PoolFacts
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.naming import Told


def calm(transition: Transition, facts: Facts) -> Told:
    """Title and lines for a pool whose rungs its owner took on."""
    incident, pool = transition.after, facts.pool
    if pool is None:
        return f"{_what(pool)}{place(incident, facts)}", where(incident, facts)
    left = distance_of(pool)
    near = f"{'an unknown move' if left is None else words.distance(left)} from liquidation"
    title = f"{_what(pool)}{place(incident, facts)} stands {near} ({incident.rung})"
    ratio = words.ratio(pool.requirement.ratio)
    if pool.openings:
        said = openings(pool)
        first = f"{said[0].upper()}{said[1:]}; margin pool {incident.pool} on {facts.exchange}"
    else:
        first = f"Margin pool {incident.pool} on {facts.exchange}, now watched,"
    lines = [
        f"{first} stands {near} ({incident.rung}), at a margin ratio of {ratio}.",
        f"That is no alarm. You hear again {_again(incident, facts)}.",
        *pool.doubts,
        "",
        *figures_lines(pool, transition.at),
    ]
    return title, lines


def _what(pool: PoolFacts | None) -> str:
    if pool is None or not pool.openings:
        return "WATCHED: "
    opened = [each for each in pool.openings if each.before is None]
    verb = "OPENED" if opened else "ADDED TO"
    shown = opened or list(pool.openings)
    name = leg(shown[0].position) if len(shown) == 1 else f"{len(shown)} positions"
    return f"{verb} {name}: "


def _again(incident: Incident, facts: Facts) -> str:
    """What the next alarm will be about."""
    ladder, taken_on = facts.ladder, incident.accepted
    ways = []
    if incident.accepted_distance is not None:
        ways.append(f"at {words.distance(incident.accepted_distance * HALF)} (half of that)")
    nearer = [rung for rung in ladder.on(Measure.DISTANCE) if rung.name not in taken_on]
    if nearer:
        ways.append(f"at {words.threshold(nearer[0].enter)} ({nearer[0].name})")
    ratios = ladder.on(Measure.RATIO)
    if ratios:
        ways.append(f"at a margin ratio of {words.threshold(ratios[0].enter)}")
    return " or ".join(ways) or "when it is over"
