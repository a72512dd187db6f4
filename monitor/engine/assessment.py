"""
From a pool and marks to what is known of it: the way of the daemon and of every offline tool.

Nothing here remembers: the same inputs give the same assessment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.alerts.place import Place, approached, climbed
from monitor.engine.abreast import together
from monitor.engine.effects import PoolAssessment, State
from monitor.risk.advice import advise
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ONE, ZERO
from monitor.risk.reconcile import reconcile, worse
from monitor.risk.result import Reconciliation, Requirement, Verdict
from monitor.risk.solve import adverse_move, outlook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.risk.model import MarginPool, Mark, Reported
    from monitor.risk.result import Advice, Outlook, PoolRisk, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    Our own arithmetic, and what is gone by.

    `requirement` is what the ladder goes by on ratio. `ahead` is the pool from which the end
    is looked for: ours, or, while the exchange's own figures leave less, ours with the gap
    between the two in it. `by_ratio` is the one of the two with the higher ratio, where they
    disagree: advice must do for both.
    """

    risk: PoolRisk
    requirement: Requirement
    ahead: PoolRisk
    by_ratio: PoolRisk | None = None


def reconciled(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    reported: Reported | None,
    at: datetime,
    *,
    previous_drifts: int = 0,
) -> Reconciliation:
    """
    Ours against theirs at the marks that came with the reading; nothing adjusted before.

    Raises:
        RiskError: If the pool can't be evaluated at these marks.
    """
    return reconcile(evaluate(pool, marks, at), reported, previous_drifts)


def figures(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    at: datetime,
    reconciliation: Reconciliation | None = None,
) -> Figures:
    """
    The pool at these marks; while ours and theirs disagree, the worse of both drives.

    Raises:
        RiskError: If the pool can't be evaluated at these marks.
    """
    risk = evaluate(pool, marks, at)
    if reconciliation is None or reconciliation.verdict is not Verdict.DISAGREES:
        return Figures(risk=risk, requirement=risk.requirement, ahead=risk)
    theirs = evaluate(carrying(pool, reconciliation), marks, at)
    return Figures(
        risk=risk,
        requirement=worse(risk.requirement, reconciliation.theirs, reconciliation.ours),
        ahead=min(risk, theirs, key=lambda each: each.requirement.headroom),
        by_ratio=max(risk, theirs, key=lambda each: each.requirement.ratio),
    )


def carrying(pool: MarginPool, reconciliation: Reconciliation) -> MarginPool:
    """
    The pool with the gap between ours and theirs in it as a constant, part by part.

    Evaluated, it gives theirs at the marks of the reading, and theirs carried forward by our
    own change at all others. Unchanged where they said nothing.
    """
    theirs, ours = reconciliation.theirs, reconciliation.ours
    if theirs is None or theirs.margin_balance is None or theirs.maintenance_margin is None:
        return pool
    return replace(
        pool,
        other_balance=pool.other_balance + theirs.margin_balance - ours.margin_balance,
        other_maintenance=pool.other_maintenance
        + theirs.maintenance_margin
        - ours.maintenance_margin,
    )


def most_adverse(
    newest: Figures,
    worst: Mapping[str, tuple[Mark, ...]],
    reconciliation: Reconciliation | None = None,
) -> Figures | None:
    """
    The worst that the marks in between made of the pool; None where the newest are the worst.

    Each coin takes what is worst by itself, all coins together: marks of one event lie within
    an instant, and in doubt the higher ratio counts. The symbols of one coin go up and down
    together: the lowest of one leg of a hedge and the highest of the other never met.
    """
    pool, marks, at = newest.risk.pool, newest.risk.marks, newest.risk.at
    picked = dict(marks)
    for symbols in together(pool):
        told = {s: (marks[s], *worst.get(s, ())) for s in symbols & worst.keys()}
        if not told:
            continue
        moments = [
            {s: prices[0] for s, prices in told.items()},
            {s: min(prices, key=_price) for s, prices in told.items()},
            {s: max(prices, key=_price) for s, prices in told.items()},
            *_ticks(told),
        ]
        picked |= max(
            moments,
            key=lambda moment: _badness(evaluate(pool, {**marks, **moment}, at).requirement),
        )
    if picked == dict(marks):
        return None
    found = figures(pool, picked, at, reconciliation)
    return found if _badness(found.requirement) > _badness(newest.requirement) else None


def _ticks(told: Mapping[str, Sequence[Mark]]) -> Iterable[dict[str, Mark]]:
    """What all symbols were at one time of the exchange's, where each tells of just one then."""
    by_time: dict[datetime, dict[str, list[Mark]]] = {}
    for symbol, marks in told.items():
        for mark in dict.fromkeys(marks):
            by_time.setdefault(mark.at, {}).setdefault(symbol, []).append(mark)
    for moment in by_time.values():
        if len(moment) == len(told) and all(len(marks) == 1 for marks in moment.values()):
            yield {symbol: marks[0] for symbol, marks in moment.items()}


def _price(mark: Mark) -> Decimal:
    return mark.price


def distance_left(figures: Figures, ahead: Outlook | None) -> Decimal | None:
    """The adverse move left as a positive fraction, 0 from 100 % on; None where none ends it."""
    if figures.requirement.reaches(ONE):
        return ZERO
    if ahead is None or ahead.adverse_move is None:
        return None
    return abs(ahead.adverse_move)


def distance_of(now: Figures) -> Decimal | None:
    """
    The adverse move left of these figures, solved for alone, as `distance_left` gives it.

    Raises:
        RiskError: As `evaluate` does.
    """
    if now.requirement.reaches(ONE):
        return ZERO
    move = adverse_move(now.ahead.pool, now.ahead.marks)
    return None if move is None else abs(move)


def assess_pool(  # noqa: PLR0913 - each is a fact of its own
    pool: MarginPool,
    marks: Mapping[str, Mark],
    at: datetime,
    *,
    ladder: Ladder,
    target: Target,
    reported: Reported | None = None,
    reconciliation: Reconciliation | None = None,
    state: State = State.FRESH,
    age_seconds: float = 0.0,
    place: Place | None = None,
) -> PoolAssessment:
    """
    Everything about one pool at these marks, solved anew.

    Args:
        reconciliation: That of the reading which the pool comes from (`reconciled`).
        place: Where the pool stood on the ladder before, for hysteresis.

    Raises:
        RiskError: If the pool can't be evaluated at these marks.
    """
    now = figures(pool, marks, at, reconciliation)
    ahead, advice = solved(now, target)
    place = climbed(place or Place(), now.requirement, ladder)
    place = approached(place, distance_left(now, ahead), ladder)
    rung = ladder.highest((*place.alarms, *place.accepted))
    return PoolAssessment(
        risk=now.risk,
        requirement=now.requirement,
        state=state,
        age_seconds=age_seconds,
        rung=None if rung is None else rung.name,
        reported=reported,
        reported_age_seconds=reported_age(reported, at),
        reconciliation=reconciliation,
        outlook=ahead,
        advice=advice,
    )


def solved(now: Figures, target: Target) -> tuple[Outlook, Advice]:
    """
    How far the end is from these figures, and what brings the pool back.

    Raises:
        RiskError: As `evaluate` does.
    """
    risk, other = now.ahead, now.by_ratio
    advice = advise(risk, target)
    if other is not None and other is not risk:
        advice = max(advice, advise(other, target), key=_needed)
    return outlook(risk.pool, risk.marks, risk.at), advice


def _needed(advice: Advice) -> tuple[bool, Decimal]:
    """How much it takes: nothing, an amount, or more than any amount that would do."""
    if advice.top_up is not None:
        return False, advice.top_up.amount
    return bool(advice.reductions), ZERO


def reported_age(reported: Reported | None, at: datetime) -> float | None:
    return None if reported is None else max(0.0, (at - reported.at).total_seconds())


def _badness(requirement: Requirement) -> tuple[Decimal, Decimal]:
    return requirement.ratio, -requirement.headroom
