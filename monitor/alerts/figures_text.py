"""
The figures of a pool in words, in the order in which a person needs them.

Where it stands, how far the end is, what drives it, what brings it back, what is missing, and
how good the figures are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.drivers_text import MOST_LISTED, driver_lines, funding_lines, leg, more
from monitor.alerts.incident import Step
from monitor.alerts.ladder import Measure
from monitor.risk.model import ONE, ZERO, Basis
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.alerts.facts import Facts, LastKnown, PoolFacts
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.ladder import Rung
    from monitor.risk.model import Position
    from monitor.risk.result import Advice, LiquidationPrices

_BASES = {
    Basis.MODELLED: "all computed by the exchange's published rules",
    Basis.PARTLY: "computed by the exchange's published rules, in part taken over from it",
    Basis.REPORTED: "only profit and loss computed, requirements as the exchange reports them",
}

_VERDICTS = {
    Verdict.AGREES: "the exchange's own figures agree",
    Verdict.DRIFTS: "the exchange's own figures differ slightly",
    Verdict.DISAGREES: "the exchange's own figures differ, the worse of both is shown",
    Verdict.UNKNOWN: "the exchange gives no figures to compare",
}


def standing_lines(transition: Transition | None, facts: Facts) -> list[str]:
    """What and where: rungs, pool, ratio, distance, thresholds; without a step the doubts."""
    pool = facts.pool
    if pool is None:
        return []
    if transition is None:
        return list(pool.doubts)
    incident = transition.after
    verb = "still stands" if transition.step is Step.REPEATED else "stands"
    lines = [
        f"Margin pool {incident.pool} on {facts.exchange} {verb} on {_rungs(incident, facts)}."
    ]
    if incident.alarms and pool.requirement.reaches(ONE):
        lines.append("At 100 % the exchange liquidates: this may be going on right now.")
    if pool.openings:
        lines.append(f"It came there as its owner {openings(pool)}.")
    if pool.ratio_now is not None:
        lines.append(
            "That was a spike of the marks; "
            f"at the newest ones the ratio is {words.ratio(pool.ratio_now)}."
        )
    return [*lines, *pool.doubts]


def openings(pool: PoolFacts) -> str:
    """What was opened or grew, to stand in a sentence."""
    said = []
    for opening in pool.openings[:MOST_LISTED]:
        position = opening.position
        size = f"{words.plain(position.contracts)} contracts"
        if opening.before is None:
            price = words.price(position.entry_price)
            said.append(f"opened {leg(position)} {size} at {price}")
        else:
            said.append(f"added to {leg(position)}: {size}, {words.plain(opening.before)} before")
    left = len(pool.openings) - MOST_LISTED
    return ", ".join(said) + (f" and {left} more" if left > 0 else "")


def distance_of(pool: PoolFacts) -> Decimal | None:
    """The adverse move left as a positive fraction, 0 from 100 % on; None where none is known."""
    if pool.requirement.reaches(ONE):
        return ZERO
    move = None if pool.outlook is None else pool.outlook.adverse_move
    return None if move is None else abs(move)


def _rungs(incident: Incident, facts: Facts) -> str:
    """The highest rung of each measure with its figure and threshold, the gravest first."""
    pool, ladder = facts.pool, facts.ladder
    held = (*incident.alarms, *incident.accepted)
    tops = [ladder.top(held, measure) for measure in (Measure.RATIO, Measure.DISTANCE)]
    rungs = [rung for rung in tops if rung is not None]
    order = ladder.ordered()
    rungs.sort(key=lambda r: (r.name in incident.alarms, order.index(r)), reverse=True)
    if not rungs or pool is None:
        return f"rung {incident.rung}"
    names = " and ".join(rung.name for rung in rungs)
    said = [_reached(rung, pool, is_accepted=rung.name in incident.accepted) for rung in rungs]
    if all(rung.on is Measure.DISTANCE for rung in rungs):
        said.append(f"margin ratio {words.ratio(pool.requirement.ratio)}")
    return f"rung{'s' if len(rungs) > 1 else ''} {names}: {'; '.join(said)}"


def _reached(rung: Rung, pool: PoolFacts, *, is_accepted: bool) -> str:
    enter = words.threshold(rung.enter)
    if rung.on is Measure.RATIO:
        return f"margin ratio {words.ratio(pool.requirement.ratio)}, reached at {enter}"
    left = distance_of(pool)
    figure = "an unknown move" if left is None else words.distance(left)
    how = "since it was opened" if is_accepted else "reached"
    return f"{figure} from liquidation, {how} within {enter}"


def figures_lines(pool: PoolFacts, at: datetime) -> list[str]:
    """Everything from the margin balance to the basis, a blank line between the parts."""
    parts = (
        _distance_lines(pool),
        driver_lines(pool, at),
        funding_lines(pool),
        _advice_lines(pool),
        _missing_lines(pool),
        [_basis_line(pool)],
    )
    return "\n\n".join("\n".join(part) for part in parts if part).split("\n")


def known_lines(facts: Facts) -> list[str]:
    """A line per pool concerned: its last known ratio and its age, the highest first."""
    ordered = sorted(concerned(facts), key=_by_ratio)
    lines = [_known(each) for each in ordered[:MOST_LISTED]]
    return lines + more(len(ordered), "pools")


def concerned(facts: Facts) -> tuple[LastKnown, ...]:
    """The pools that a trouble with the data is about; all of them where none is named."""
    if not facts.concerns:
        return facts.known
    return tuple(known for known in facts.known if known.pool in facts.concerns)


def _by_ratio(known: LastKnown) -> Decimal:
    return Decimal(1) if known.ratio is None else -known.ratio


def _known(known: LastKnown) -> str:
    if known.ratio is None:
        return f"• {known.pool}: no figure was ever known"
    rung = f", rung {known.rung}" if known.rung else ""
    held = f"{known.positions or 'no'} position{'s' if known.positions > 1 else ''}"
    held = ", ".join((held, *(words.outside(each) for each in known.carried)))
    age = words.duration(known.age_seconds)
    left = "" if known.distance is None else f", {words.distance(known.distance)} from liquidation"
    ratio = words.ratio(known.ratio)
    return f"• {known.pool}: margin ratio {ratio}{left}{rung}, {held}; {age} old"


def _distance_lines(pool: PoolFacts) -> list[str]:
    needed, unit = pool.requirement, pool.requirement.unit
    left = needed.headroom
    if left < ZERO:
        rest = f"{words.money(-left, unit)} too little"
    else:
        rest = f"{words.money(left, unit)} left until liquidation"
    lines = [
        (
            f"Margin balance {words.money(needed.margin_balance, unit)}, maintenance margin "
            f"{words.money(needed.maintenance_margin, unit)}: {rest}."
        )
    ]
    if pool.outlook is None:
        return lines
    nearest = _nearest(pool)
    if nearest is not None:
        lines.append(_liquidation(pool, nearest))
    uniform, adverse = pool.outlook.uniform_move, pool.outlook.adverse_move
    if uniform is not None:
        lines.append(f"Liquidation by a common move of all marks: {words.move(uniform)}.")
    elif adverse is None:
        lines.append("No common move of the marks liquidates it.")
    if adverse is not None and adverse != uniform:
        lines.append(
            f"Liquidation if every coin moves against its positions: by {words.distance(adverse)}."
        )
    return lines


def _nearest(pool: PoolFacts) -> LiquidationPrices | None:
    if pool.outlook is None:
        return None
    found = [each for each in pool.outlook.liquidation.values() if each.distance is not None]
    return min(found, key=lambda each: abs(each.distance or ZERO), default=None)


def _liquidation(pool: PoolFacts, nearest: LiquidationPrices) -> str:
    mark = pool.risk.marks[nearest.symbol].price
    if nearest.nearest is None or nearest.distance is None or nearest.distance == ZERO:
        return f"{nearest.symbol} stands at {words.price(mark)}: at or beyond liquidation."
    side = "below" if nearest.distance < ZERO else "above"
    return (
        f"Nearest liquidation price: {nearest.symbol} at {words.price(nearest.nearest)}, "
        f"{words.distance(nearest.distance)} {side} its mark of {words.price(mark)}."
    )


def _advice_lines(pool: PoolFacts) -> list[str]:
    advice = pool.advice
    if advice is None:
        return []
    target = (
        f"{words.threshold(advice.target.ratio)} and at least "
        f"{words.threshold(advice.target.distance)} from liquidation"
    )
    if advice.top_up is None and not advice.reductions:
        if _is_safe(pool, advice):
            return []
        return [
            (
                f"Nothing alone brings it back to {target}: neither an amount added nor one "
                "position closed. Do both, or close several."
            )
        ]
    lines = [f"What brings it back to {target}, each alone:"]
    if advice.top_up is None:
        lines.append("• no amount added is enough")
    else:
        amount = words.money_to_add(advice.top_up.amount, advice.top_up.asset)
        wallet = words.outside(advice.top_up.wallet)
        lines.append(f"• add {amount} to {wallet}{_free(pool, advice.top_up.asset)}")
    if pool.risk.positions and not advice.reductions:
        lines.append("• closing one position alone is not enough")
    for reduction in advice.reductions[:MOST_LISTED]:
        whole = reduction.position.contracts
        part = words.share(reduction.contracts / whole)
        lines.append(
            f"• close {words.plain(reduction.contracts)} of {words.plain(whole)} contracts of "
            f"{leg(reduction.position)} ({part})"
        )
    return lines + more(len(advice.reductions), "such positions")


def _free(pool: PoolFacts, asset: str) -> str:
    """Where coins to add lie free already."""
    found = [
        f"{words.money(each.amount, each.asset)} in {words.outside(each.wallet)}"
        for each in pool.free
        if each.asset == asset and each.amount > ZERO
    ]
    return f" (free: {', '.join(found[:MOST_LISTED])})" if found else ""


def _is_safe(pool: PoolFacts, advice: Advice) -> bool:
    move = None if pool.outlook is None else pool.outlook.adverse_move
    return not pool.requirement.reaches(advice.target.ratio) and (
        move is None or abs(move) >= advice.target.distance
    )


def _missing_lines(pool: PoolFacts) -> list[str]:
    bare = [r.position for r in pool.risk.positions if r.position.has_stop_loss is False]
    unknown = [r.position for r in pool.risk.positions if r.position.has_stop_loss is None]
    lines = []
    if bare:
        lines.append(f"Without a stop-loss: {_legs(bare)}.")
    if unknown:
        lines.append(f"Not known whether there is a stop-loss: {_legs(unknown)}.")
    if any(r.above_last_tier for r in pool.risk.positions):
        lines.append("A position is larger than the exchange's last leverage tier.")
    return lines


def _basis_line(pool: PoolFacts) -> str:
    live = "live" if pool.is_live else "not live, kept going by what could still be read"
    carried = ", ".join(words.outside(each) for each in pool.risk.pool.carried)
    basis = _BASES[pool.risk.pool.basis] + (f" ({carried})" if carried else "")
    parts = [f"{words.duration(pool.age_seconds)} old, {live}", basis]
    if pool.reconciliation is not None:
        parts.append(_VERDICTS[pool.reconciliation.verdict])
    return f"Figures: {'; '.join(parts)}."


def _legs(positions: Iterable[Position]) -> str:
    names = [leg(position) for position in positions]
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
