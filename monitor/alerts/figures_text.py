"""
The figures of a pool in words, in the order in which a person needs them.

Where it stands, how far the end is, what drives it, what brings it back, what is missing, and
how good the figures are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Measure
from monitor.risk.collateral import price_of
from monitor.risk.model import ONE, ZERO, Basis
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.alerts.facts import Facts, LastKnown, PoolFacts
    from monitor.alerts.incident import Transition
    from monitor.alerts.ladder import Rung
    from monitor.risk.model import Position
    from monitor.risk.result import Advice, LiquidationPrices, PositionRisk

MOST_LISTED = 5

_BASES = {
    Basis.MODELLED: "all computed by the exchange's published rules",
    Basis.PARTLY: "computed by the exchange's published rules, in part taken over from it",
    Basis.REPORTED: "requirements as the exchange reports them, only profit and loss computed",
}

_VERDICTS = {
    Verdict.AGREES: "the exchange's own figures agree",
    Verdict.DRIFTS: "the exchange's own figures differ slightly",
    Verdict.DISAGREES: "the exchange's own figures differ, the worse of both is shown",
    Verdict.UNKNOWN: "the exchange gives no figures to compare",
}


def standing_lines(transition: Transition | None, facts: Facts, rung: Rung | None) -> list[str]:
    """What and where: rung, pool, ratio and threshold; without a step only the doubts."""
    pool = facts.pool
    if pool is None:
        return []
    if transition is None:
        return list(pool.doubts)
    incident = transition.after
    ratio = words.ratio(pool.requirement.ratio)
    verb = "still stands" if transition.step is Step.REPEATED else "stands"
    lines = [
        (
            f"Margin pool {incident.pool} on {facts.exchange} {verb} on rung {incident.rung}: "
            f"margin ratio {ratio}{_threshold(rung)}."
        )
    ]
    if incident.subject is Subject.RATIO and pool.requirement.reaches(ONE):
        lines.append("At 100 % the exchange liquidates: this may be going on right now.")
    if pool.ratio_now is not None:
        lines.append(
            "That was a spike of the marks; "
            f"at the newest ones the ratio is {words.ratio(pool.ratio_now)}."
        )
    return [*lines, *pool.doubts]


def figures_lines(pool: PoolFacts) -> list[str]:
    """Everything from the margin balance to the basis, a blank line between the parts."""
    parts = (
        _distance_lines(pool),
        _driver_lines(pool),
        _advice_lines(pool),
        _missing_lines(pool),
        [_basis_line(pool)],
    )
    return "\n\n".join("\n".join(part) for part in parts if part).split("\n")


def known_lines(facts: Facts) -> list[str]:
    """A line per pool concerned: its last known ratio and its age, the highest first."""
    ordered = sorted(concerned(facts), key=_by_ratio)
    lines = [_known(each) for each in ordered[:MOST_LISTED]]
    return lines + _more(len(ordered), "pools")


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
    held = "no position" if not known.positions else f"{known.positions} position"
    held += "s" if known.positions > 1 else ""
    age = words.duration(known.age_seconds)
    return f"• {known.pool}: margin ratio {words.ratio(known.ratio)}{rung}, {held}; {age} old"


def _threshold(rung: Rung | None) -> str:
    if rung is None:
        return ""
    if rung.on is Measure.DISTANCE:
        return f", reached within {words.threshold(rung.enter)} of liquidation"
    return f", reached at {words.threshold(rung.enter)}"


def _distance_lines(pool: PoolFacts) -> list[str]:
    needed, unit = pool.requirement, pool.requirement.unit
    left = needed.headroom
    rest = "over" if left < ZERO else "left until liquidation"
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


def _driver_lines(pool: PoolFacts) -> list[str]:
    if not pool.risk.positions:
        return []
    ordered = sorted(pool.risk.positions, key=lambda each: _pnl(pool, each))
    lines = [_driver(pool, each) for each in ordered[:MOST_LISTED]]
    return ["What drives it, worst first:", *lines, *_more(len(ordered), "positions")]


def _driver(pool: PoolFacts, risk: PositionRisk) -> str:
    settle = risk.position.instrument.settle
    return (
        f"• {_leg(risk.position)} {words.plain(risk.position.contracts)} contracts: "
        f"unrealized PnL {words.money(risk.unrealized_pnl, settle, signed=True)}, "
        f"{_held(pool, risk)}"
    )


def _held(pool: PoolFacts, risk: PositionRisk) -> str:
    """The position's maintenance margin, and its share of the pool's."""
    settle, whole = risk.position.instrument.settle, pool.requirement.maintenance_margin
    margin = risk.maintenance_margin
    if margin is None:
        return "maintenance margin inside the portfolio's"
    share = f" ({words.share(margin * _price(pool, settle) / whole)})" if whole > ZERO else ""
    return f"maintenance margin {words.money(margin, settle)}{share}"


def _pnl(pool: PoolFacts, risk: PositionRisk) -> Decimal:
    return risk.unrealized_pnl * _price(pool, risk.position.instrument.settle)


def _price(pool: PoolFacts, asset: str) -> Decimal:
    held = pool.risk.pool.collateral
    return next((price_of(c, pool.risk.marks) for c in held if c.asset == asset), ONE)


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
        lines.append(f"• add {amount} to {words.outside(advice.top_up.wallet)}")
    if not advice.reductions:
        lines.append("• closing one position alone is not enough")
    for reduction in advice.reductions[:MOST_LISTED]:
        whole = reduction.position.contracts
        part = words.share(reduction.contracts / whole)
        lines.append(
            f"• close {words.plain(reduction.contracts)} of {words.plain(whole)} contracts of "
            f"{_leg(reduction.position)} ({part})"
        )
    return lines + _more(len(advice.reductions), "such positions")


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
    parts = [f"{words.duration(pool.age_seconds)} old, {live}", _BASES[pool.risk.pool.basis]]
    if pool.reconciliation is not None:
        parts.append(_VERDICTS[pool.reconciliation.verdict])
    return f"Figures: {'; '.join(parts)}."


def _legs(positions: Iterable[Position]) -> str:
    names = [_leg(position) for position in positions]
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _leg(position: Position) -> str:
    return f"{position.instrument.symbol} {position.side.value}"


def _more(count: int, what: str) -> list[str]:
    return [f"• and {count - MOST_LISTED} more {what}"] if count > MOST_LISTED else []
