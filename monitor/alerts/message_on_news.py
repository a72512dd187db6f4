"""What is said of what the exchange did or warned of by itself, and of events that were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.drivers_text import MOST_LISTED, more
from monitor.alerts.figures_text import figures_lines, known_lines
from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Measure
from monitor.alerts.naming import place, still
from monitor.risk.model import ZERO
from monitor.risk.news import Cause

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.alerts.facts import Facts, PoolFacts, TakenPart
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.naming import Told

_HEADS = {
    Cause.LIQUIDATION: "LIQUIDATION",
    Cause.TAKEOVER: "TAKEN OVER",
    None: "LIQUIDATION OR AUTO-DELEVERAGING",
    Cause.ADL: "AUTO-DELEVERAGING",
    Cause.SETTLEMENT: "SETTLED",
}
"""The gravest first: it names a message that tells of several."""

_AFTER_DRIFT = (
    "What to do: nothing, the reading is what counts. If it happens often, tell us; until "
    "then a smaller poll_seconds makes such gaps shorter."
)
_AFTER_SHRINKING = (
    "What to do: look at once in the exchange's own history what made it smaller. If it was no "
    "order of yours, a liquidation or auto-deleveraging may be under way: add margin or reduce "
    "what is left. If it was, its event was lost, and the reading is what counts."
)


def taken(transition: Transition, facts: Facts) -> Told:
    """What the exchange took since the last message, why, what it cost, and what is left."""
    incident, parts = transition.after, facts.taken
    causes = {part.cause for part in parts}
    head = next((text for cause, text in _HEADS.items() if cause in causes), "TAKEN")
    more_of_it = "MORE " if transition.step is Step.ESCALATED else ""
    title = f"{more_of_it}{head}: {place(incident, facts)}"
    if len(parts) == 1:
        title += f", {parts[0].name}{_size_in_title(parts[0])}"
    elif parts:
        title += f", {len(parts)} positions"
    since = " since the last message" if more_of_it else ""
    lines = [
        f"The exchange itself took from {_whole(incident, facts)}{since}:",
        *(_part(part) for part in parts[:MOST_LISTED]),
        *more(len(parts), "positions"),
        *_before(facts.taken_before),
        "",
        *_figures(facts, transition.at),
        "",
    ]
    by_force = causes != {Cause.SETTLEMENT}
    lines.append(_AFTER_FORCE if by_force else _AFTER_SETTLEMENT)
    return title, lines


def _before(parts: tuple[TakenPart, ...]) -> list[str]:
    """The message before this one may not have come: where it waits still, this one replaces it."""
    if not parts:
        return []
    listed = [_part(part) for part in parts[:MOST_LISTED]]
    return ["Told before, of the same episode:", *listed, *more(len(parts), "positions")]


_AFTER_FORCE = (
    "What to do: look at the account at the exchange now; what is left may be taken next. "
    "What follows is told in further messages."
)
_AFTER_SETTLEMENT = "What to do: nothing, if you knew that the contract ended."


def warned(transition: Transition, facts: Facts) -> Told:
    """The exchange's own words, then our figures, and whether the two fit."""
    incident, pool = transition.after, facts.pool
    name = place(incident, facts)
    title = f"{still(transition)}WARNED BY THE EXCHANGE: {name}"
    if pool is not None:
        title += f", at {words.ratio(pool.requirement.ratio)} by our figures"
    lines = [
        (
            f"The exchange itself warns of {_whole(incident, facts)}: "
            f"{words.outside(incident.because)}."
        ),
        *_doubt(pool, facts),
        "",
        *_figures(facts, transition.at),
    ]
    return title, lines


def drift(transition: Transition, facts: Facts) -> Told:
    """What no event told, and how far the ratio was off without it."""
    incident, found = transition.after, facts.drift
    name = place(incident, facts)
    title = f"DRIFT: {name}, ratio {incident.because} at one reading"
    if incident.subject is Subject.SHRUNK:
        title = f"SMALLER FOR NO KNOWN CAUSE: {name}, {words.outside(incident.because)}"
    if found is None:
        return title, [f"{_whole(incident, facts)[0].upper()}{_whole(incident, facts)[1:]}."]
    lines = [
        (f"A reading of {_whole(incident, facts)} showed what its private stream had not told:"),
        *(f"• {words.outside(part)}" for part in found.parts[:MOST_LISTED]),
        *more(len(found.parts), "changes"),
        (
            "At the same marks the margin ratio was "
            f"{words.ratio(found.ratio_before)} without it and is "
            f"{words.ratio(found.ratio_after)} with it; the figures were off by that since the "
            "reading before."
        ),
        "",
        _AFTER_SHRINKING if found.shrunk else _AFTER_DRIFT,
    ]
    return title, lines


def _whole(incident: Incident, facts: Facts) -> str:
    if incident.pool is None:
        return f"account {incident.account} on {facts.exchange}"
    return f"margin pool {incident.pool} on {facts.exchange}"


def _size_in_title(part: TakenPart) -> str:
    return "" if part.contracts is None else f" {words.plain(part.contracts)} contracts"


def _part(part: TakenPart) -> str:
    size = "a part" if part.contracts is None else f"{words.plain(part.contracts)} contracts"
    said = f"• {part.name}: {size} by {words.cause(part.cause)}"
    if part.price is not None:
        said += f" at {words.price(part.price)}"
    if part.pieces > 1:
        said += f" in {part.pieces} pieces"
    amounts = ", ".join(words.money(amount, asset, signed=True) for asset, amount in part.amounts)
    said += f"; {amounts} in the wallet" if amounts else ""
    if part.left is not None:
        left = f"{words.plain(part.left)} contracts of it" if part.left > ZERO else "nothing of it"
        said += f"; {left} {'are' if part.left > ZERO else 'is'} left as far as is known"
    return f"{said}; at {words.clock(part.last_at)}"


def _doubt(pool: PoolFacts | None, facts: Facts) -> list[str]:
    """A warning of what our figures hold for safe is a reason to doubt ours."""
    if pool is None:
        return []
    lowest = min((rung.enter for rung in facts.ladder.on(Measure.RATIO)), default=None)
    if lowest is None or pool.requirement.reaches(lowest):
        return []
    return [
        (
            f"Our own figures show no danger (margin ratio {words.ratio(pool.requirement.ratio)}): "
            "go by the exchange's word until you have looked at the account there."
        )
    ]


def _figures(facts: Facts, at: datetime) -> list[str]:
    if facts.pool is not None:
        return figures_lines(facts.pool, at)
    return known_lines(facts) or ["Nothing was read of this account yet."]
