"""What is said of data that is late or missing, of figures that disagree, and of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.drivers_text import MOST_LISTED, leg, more
from monitor.alerts.figures_text import concerned, distance_of, known_lines
from monitor.alerts.incident import Step
from monitor.alerts.naming import lasted, lasted_when_told, place, still, where

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.alerts.facts import Facts, PoolFacts, TierChange
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.naming import Told


def stale(transition: Transition, facts: Facts) -> Told:
    incident = transition.after
    name = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        lines = [f"Live mark prices of {name} arrive again. {lasted_when_told(incident)}"]
        return f"RESOLVED: live marks of {name} are back", [*lines, "", *known_lines(facts)]
    lines = [
        f"Live mark prices of {_concerned(incident, facts)} are late or silent.",
        f"Why: {words.outside(incident.because)}.",
        (
            "Marks asked for by REST keep the figures going, and rungs are still told; between two "
            "of them a fast move is not seen."
        ),
        "",
        *known_lines(facts),
        "",
        "What to do: nothing while it is short. If it lasts, look at the account at the exchange.",
    ]
    return f"{still(transition)}STALE: live marks of {_named(incident, facts)} are silent", lines


def blind(transition: Transition, facts: Facts) -> Told:
    incident = transition.after
    name = f"{incident.account} ({facts.exchange})"
    ratios = [known.ratio for known in concerned(facts) if known.ratio is not None]
    highest = words.ratio(max(ratios)) if ratios else ""
    if transition.step is Step.RESOLVED:
        lines = [f"The figures of {name} can be given again. {lasted_when_told(incident)}"]
        now = f", at {highest}" if highest else ""
        return f"RESOLVED: {name} is seen again{now}", [*lines, "", *known_lines(facts)]
    since = f"since {words.moment(facts.since)}" if facts.since else "since the start"
    lines = [
        f"No figure can be given for {_concerned(incident, facts)} {since}.",
        f"Why: {words.outside(incident.because)}.",
        "",
        *(known_lines(facts) or [f"Nothing was ever read of {_whose(facts)}."]),
        "",
        f"What to do: {facts.to_do or _LOOK}",
    ]
    known = f"last known {highest}" if highest else "nothing known"
    return f"{still(transition)}BLIND: {_named(incident, facts)}, {known}", lines


def _named(incident: Incident, facts: Facts) -> str:
    """What a title is about: the account, or those of its pools that are concerned alone."""
    count = len(facts.concerns)
    if count == 1:
        return f"{facts.concerns[0]} ({facts.exchange})"
    pools = f"{count} pools of " if count else ""
    return f"{pools}{incident.account} ({facts.exchange})"


def _whose(facts: Facts) -> str:
    return "this pool" if facts.concerns else "this account"


def _concerned(incident: Incident, facts: Facts) -> str:
    """The account and its exchange; before them the pools, where not all are concerned."""
    names = f"{', '.join(str(pool) for pool in facts.concerns)} of " if facts.concerns else ""
    return f"{names}{incident.account} on {facts.exchange}"


_LOOK = "look at the account at the exchange itself until this is over; it is tried again."


def disagrees(transition: Transition, facts: Facts) -> Told:
    incident, pool = transition.after, facts.pool
    name = place(incident, facts)
    if transition.step is Step.RESOLVED:
        lines = [*where(incident, facts), f"Ours and theirs agree again. {lasted(incident)}"]
        return f"RESOLVED: figures of {name} agree again", lines
    lines = [
        (
            f"For margin pool {incident.pool} on {facts.exchange} our figures and the exchange's "
            f"own differ at the same marks: {incident.because}."
        ),
        (
            "The worse of the two drives the rungs, and the liquidation prices and moves shown, "
            "until they agree again."
        ),
    ]
    if pool is None or pool.reconciliation is None:
        return f"FIGURES DISAGREE: {name}", lines
    ours, theirs = pool.reconciliation.ours, pool.reconciliation.theirs
    lines.append(
        f"Ours: margin balance {words.money(ours.margin_balance, ours.unit)}, maintenance margin "
        f"{words.money(ours.maintenance_margin, ours.unit)}, ratio {words.ratio(ours.ratio)}."
    )
    if theirs is not None:
        parts = (
            ("margin balance", theirs.margin_balance),
            ("maintenance margin", theirs.maintenance_margin),
        )
        said = [f"{w} {words.money(v, ours.unit)}" for w, v in parts if v is not None]
        said += [f"ratio {words.ratio(theirs.ratio)}"] if theirs.ratio is not None else []
        lines.append(f"Theirs: {', '.join(said)}.")
    lines += [f"By the worse of both, {_left(pool)}."] if pool.outlook is not None else []
    lines += ["", "What to do: go by the exchange's own figures, and tell us of the difference."]
    return (
        f"FIGURES DISAGREE: {name}, worse of both at {words.ratio(pool.requirement.ratio)}",
        lines,
    )


def prediction(transition: Transition, facts: Facts) -> Told:
    incident = transition.after
    name = place(incident, facts)
    if transition.step is Step.RESOLVED:
        lines = [*where(incident, facts), f"What is foretold comes true again. {lasted(incident)}"]
        return f"RESOLVED: predictions of {name} come true again", lines
    lines = [
        (
            f"Margin pool {incident.pool} on {facts.exchange}: between two readings its figures "
            f"went another way than the exchange's own, by {incident.because} of the notional, "
            "though nothing was traded."
        ),
        "Each reading puts them right; until the next one they may be off by as much again.",
        "",
        (
            "What to do: near liquidation go by the exchange's own figures, and tell us of the "
            "difference."
        ),
    ]
    return f"{still(transition)}PREDICTION OFF: {name} by {incident.because}", lines


def mode(transition: Transition, facts: Facts) -> Told:
    """Old and new mode, and the figures of every pool after it."""
    incident = transition.after
    lines = [
        (
            f"The account mode of {incident.account} on {facts.exchange} changed "
            f"{words.outside(incident.because)}: its pools are computed by the rules of the new "
            "one from now on."
        ),
        "",
        *(["Its pools now:", *known_lines(facts)] if facts.known else ["It has no pools now."]),
        "",
        "What to do: if it was not you who changed it, check the account at the exchange.",
    ]
    return f"ACCOUNT MODE CHANGED: {incident.account} ({facts.exchange})", lines


def tiers(transition: Transition, facts: Facts) -> Told:
    """The ratio under the old and the new tiers, and what they do to each position."""
    incident, changes = transition.after, facts.tiers
    name = place(incident, facts)
    if changes is None:
        return f"LEVERAGE TIERS CHANGED: {name}", where(incident, facts)
    before, after = words.ratio(changes.ratio_before), words.ratio(changes.ratio_after)
    lines = [
        (
            f"The exchange changed leverage tiers of what margin pool {incident.pool} on "
            f"{facts.exchange} holds. At the same marks its margin ratio was {before} under the "
            f"old ones and is {after} under the new."
        ),
        *(_tier_change(each) for each in changes.positions[:MOST_LISTED]),
        *more(len(changes.positions), "positions"),
    ]
    return f"LEVERAGE TIERS CHANGED: {name}, ratio from {before} to {after}", lines


def _tier_change(change: TierChange) -> str:
    settle = change.position.instrument.settle
    return (
        f"• {leg(change.position)}: maintenance margin from "
        f"{words.money(change.maintenance_before, settle)} to "
        f"{words.money(change.maintenance_after, settle)}, liquidation price from "
        f"{_price(change.liquidation_before)} to {_price(change.liquidation_after)}"
    )


def _price(value: Decimal | None) -> str:
    return "none" if value is None else words.price(value)


def _left(pool: PoolFacts) -> str:
    left = distance_of(pool)
    return (
        "no move liquidates it" if left is None else f"liquidation is {words.distance(left)} away"
    )
