"""
One pool under watch: its book, its figures, and the rungs it stands on.

It computes and remembers; whether that is told to anybody is decided elsewhere.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Measure
from monitor.engine.assessment import (
    Figures,
    distance_left,
    figures,
    most_adverse,
    reconciled,
    reported_age,
    solved,
)
from monitor.engine.calm import is_within, spans
from monitor.engine.effects import PoolAssessment
from monitor.engine.events import Source
from monitor.errors import RiskError
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ONE
from monitor.risk.reconcile import reconcile
from monitor.risk.result import Verdict
from monitor.risk.sway import leeway

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.alerts.ladder import Ladder, Rung
    from monitor.engine.calm import Span
    from monitor.engine.freshness import Freshness
    from monitor.risk.model import AccountSnapshot, MarginPool, Mark, Reported
    from monitor.risk.result import Advice, Outlook, Reconciliation, Target

LOOK_AHEAD_EVERY = timedelta(seconds=10)
"""So often outlook and advice are solved anew even where the end is far and marks stand."""
SHOWS = Decimal("0.001")
"""A move of a mark from which on they are no longer shown as they were."""


class Watch:
    """
    What is known of one pool; `now` is None until it could be evaluated once.

    `adverse` is the worst that the marks in between made of it in the latest event. `standing`
    and `standing_near` name the rungs on ratio and on distance. `error` says in words why the
    figures can't be computed, empty where they can.
    """

    def __init__(self, pool: MarginPool) -> None:
        self.pool = pool
        self.reported: Reported | None = None
        self.reconciliation: Reconciliation | None = None
        self.prediction_error: Decimal | None = None
        self.now: Figures | None = None
        self.adverse: Figures | None = None
        self.outlook: Outlook | None = None
        self.advice: Advice | None = None
        self.standing: str | None = None
        self.standing_near: str | None = None
        self.error = ""
        self._drifts = 0
        self._is_anchored = False
        self._solved_for: tuple[MarginPool, dict[str, Decimal]] | None = None
        self._solved_at: datetime | None = None
        self._spans: Mapping[str, Span] = {}

    def adopt(self, pool: MarginPool, snapshot: AccountSnapshot, source: Source) -> None:
        """
        This pool as a new reading has it, held against the exchange's own figures first.

        A live update carries no coherent report: it leaves the last comparison standing.
        """
        reported = snapshot.reported.get(pool.id)
        if source is Source.REST:
            if self._is_anchored and reported is not None:
                self._predict(pool, reported, snapshot)
            self._reconcile(pool, reported, snapshot)
            self._is_anchored = True
        self.pool, self.reported = pool, reported
        self._spans = {}

    def evaluate(
        self, marks: Mapping[str, Mark], worst: Mapping[str, tuple[Mark, ...]], at: datetime
    ) -> None:
        """The figures at these marks, and at the worst of those in between."""
        try:
            self.now = figures(self.pool, marks, at, self.reconciliation)
            self.adverse = (
                None
                if is_within(worst, self._spans)
                else most_adverse(self.now, worst, self.reconciliation)
            )
            self.error = ""
        except RiskError as error:
            self.adverse, self.error = None, str(error)

    def solve(self, target: Target) -> None:
        """Outlook and advice for the present book and prices, unless they are solved already."""
        if self.now is None:
            return
        wanted = self.pool, {symbol: mark.price for symbol, mark in self.now.risk.marks.items()}
        if wanted == self._solved_for:
            return
        try:
            self.outlook, self.advice = solved(self.now, target)
            self._solved_for = wanted
        except RiskError as error:
            self.error = str(error)

    def look_ahead(self, target: Target, ladder: Ladder, at: datetime, near: Decimal) -> None:
        """
        Outlook and advice as of this second, or of a while ago where that is as good.

        It is while the end is more than twice as far as anything that goes by distance, and no
        mark has moved by more than a thousandth or by more than half of the headroom bears.
        """
        farthest = max((near, *(rung.leave for rung in ladder.on(Measure.DISTANCE))))
        if not (self._is_solved_for_now(at) and self._is_far(2 * farthest)):
            self.solve(target)
            self._solved_at = at

    def _is_solved_for_now(self, at: datetime) -> bool:
        if self.now is None or self._solved_for is None or self._solved_at is None:
            return False
        pool, prices = self._solved_for
        if at - self._solved_at >= LOOK_AHEAD_EVERY or pool is not self.pool or self.standing:
            return False
        bears = min(leeway(self.now.risk, self.now.requirement) / 2, SHOWS)
        return all(
            abs(mark.price - prices[symbol]) <= bears * prices[symbol]
            for symbol, mark in self.now.risk.marks.items()
            if symbol in prices
        )

    def _is_far(self, from_here: Decimal) -> bool:
        distance = self.distance
        return not self.is_near(from_here) and (distance is None or distance > from_here)

    def settle(self, ladder: Ladder, near: Decimal) -> Mapping[str, Span]:
        """
        Per symbol the marks between which this pool reaches no rung, whatever the others do.

        Empty where every mark is to be looked at at once: a pool that stands on a rung, is near
        the end or can't be bounded.
        """
        self._spans = {}
        if self.now is None or self.error or self.standing or self.standing_near:
            return self._spans
        if self.outlook is None or self.is_near(near):
            return self._spans
        lowest = min((rung.enter for rung in ladder.on(Measure.RATIO)), default=ONE)
        self._spans = spans(self.now.risk, leeway(self.now.risk, self.now.requirement, lowest))
        return self._spans

    def solution(self, wanted: Figures, target: Target) -> tuple[Outlook | None, Advice | None]:
        """Outlook and advice for these very figures, the present ones or those of a spike."""
        if wanted is self.now:
            self.solve(target)
            return self.outlook, self.advice
        try:
            return solved(wanted, target)
        except RiskError:
            return None, None

    def climb(self, ladder: Ladder, *, may_ease: bool) -> tuple[Rung | None, Figures | None]:
        """
        The rung on ratio that the pool stands on from now on, and the figures that put it there.

        Those in between count where they stand higher. Without `may_ease` it only goes up.
        """
        rungs = ladder.on(Measure.RATIO)
        best, by = None, self.now
        for candidate in (self.now, self.adverse):
            if candidate is not None:
                rung = ladder.by_ratio(candidate.requirement, self.standing)
                if candidate is self.now or _place(rungs, rung) > _place(rungs, best):
                    best, by = rung, candidate
        stood = ladder.rung(self.standing)
        if not may_ease and _place(rungs, stood) > _place(rungs, best):
            best = stood
        self.standing = None if best is None else best.name
        return best, by

    def approach(self, ladder: Ladder, *, may_ease: bool) -> Rung | None:
        """The rung on distance that the pool stands on from now on; as `climb` does."""
        rungs = ladder.on(Measure.DISTANCE)
        best = ladder.by_distance(self.distance, self.standing_near)
        stood = ladder.rung(self.standing_near)
        if not may_ease and _place(rungs, stood) > _place(rungs, best):
            best = stood
        self.standing_near = None if best is None else best.name
        return best

    @property
    def distance(self) -> Decimal | None:
        """The adverse move left as a positive fraction; None where none ends the pool."""
        return None if self.now is None else distance_left(self.now, self.outlook)

    def is_near(self, within: Decimal) -> bool:
        """Whether the end lies within this fraction, by any one symbol or by all of them."""
        distance = self.distance
        if distance is not None and distance <= within:
            return True
        if self.outlook is None:
            return False
        single = (each.distance for each in self.outlook.liquidation.values())
        return any(each is not None and abs(each) <= within for each in single)

    def assessment(self, freshness: Freshness, at: datetime) -> PoolAssessment | None:
        """What is known of the pool; None while it never could be evaluated."""
        if self.now is None:
            return None
        return PoolAssessment(
            risk=self.now.risk,
            requirement=self.now.requirement,
            state=freshness.state,
            age_seconds=freshness.age_seconds,
            rung=self.standing,
            reported=self.reported,
            reported_age_seconds=reported_age(self.reported, at),
            reconciliation=self.reconciliation,
            outlook=self.outlook,
            advice=self.advice,
        )

    def _predict(self, new: MarginPool, reported: Reported, snapshot: AccountSnapshot) -> None:
        """How far the old pool at the new marks is from the new report, if nothing was traded."""
        self.prediction_error = None
        if _book(self.pool) != _book(new):
            return
        try:
            predicted = evaluate(self.pool, snapshot.marks, snapshot.at)
        except RiskError:
            return
        self.prediction_error = reconcile(predicted, reported).gap

    def _reconcile(
        self, pool: MarginPool, reported: Reported | None, snapshot: AccountSnapshot
    ) -> None:
        try:
            self.reconciliation = reconciled(
                pool, snapshot.marks, reported, snapshot.at, previous_drifts=self._drifts
            )
        except RiskError as error:
            self.error = str(error)
            return
        verdict = self.reconciliation.verdict
        if verdict in (Verdict.DRIFTS, Verdict.DISAGREES):
            self._drifts += 1
        elif verdict is Verdict.AGREES or not pool.positions:
            self._drifts = 0


def _place(rungs: tuple[Rung, ...], rung: Rung | None) -> int:
    return -1 if rung is None or rung not in rungs else rungs.index(rung)


def _book(pool: MarginPool) -> tuple[frozenset[object], frozenset[object]]:
    """What trading, funding and transfers change: the legs held and the coins owned."""
    legs = frozenset((p.instrument.symbol, p.side, p.contracts) for p in pool.positions)
    return legs, frozenset((c.asset, c.balance) for c in pool.collateral)
