"""
One pool under watch: its book, its figures, and the rungs it stands on.

It computes and remembers; whether that is told to anybody is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.ladder import Measure
from monitor.alerts.place import Place
from monitor.engine.assessment import (
    Figures,
    distance_left,
    distance_of,
    figures,
    most_adverse,
    reported_age,
    solved,
)
from monitor.engine.calm import is_within, look_at, spans
from monitor.engine.drivers import Baseline
from monitor.engine.effects import PoolAssessment
from monitor.engine.events import Source
from monitor.engine.openings import Opened, openings
from monitor.engine.prediction import Predictions
from monitor.engine.rungs import by_distance, by_ratio, distances
from monitor.engine.tables import Following, tier_changes
from monitor.engine.upcoming import next_funding
from monitor.errors import RiskError
from monitor.risk.evaluate import evaluate
from monitor.risk.model import ONE, ZERO
from monitor.risk.reconcile import DRIFTS_AT_MOST, reconcile
from monitor.risk.result import Verdict
from monitor.risk.sway import leeway

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.alerts.facts import NextFunding, TierChanges
    from monitor.alerts.ladder import Ladder
    from monitor.engine.calm import Span
    from monitor.engine.freshness import Freshness
    from monitor.risk.cash import Funding
    from monitor.risk.model import AccountSnapshot, MarginPool, Mark, Reported
    from monitor.risk.result import Advice, Outlook, Reconciliation, Target

LOOK_AHEAD_EVERY = timedelta(seconds=10)
# Outlook and advice of so many legs are solved in every second of an alarm; of more, in
# proportion less often: their cost grows with the square, and it stops the loop.
LEGS_A_SECOND = 10
"""So often outlook and advice are solved anew even where the end is far and marks stand."""
SHOWS = Decimal("0.001")
"""A move of a mark from which on they are no longer shown as they were."""


class Watch:
    """
    What is known of one pool; `now` is None until it could be evaluated once.

    `adverse` is the worst that the marks in between made of it in the latest event, `abreast`
    what it is with marks that lag moved along with their coin, None where none does. `place` is
    where it stands on the ladder. `opened` and `tiers` are what the latest reading shows to be
    new. `unfollowed` names what the exchange's own maintenance margins no longer follow, as of
    that reading, `awaits_tables` that they only just stopped and newer tables may tell why.
    `looked` says whether the distance left was looked at in the latest event. `error` says in
    words why the figures can't be computed, empty where they can.
    """

    def __init__(self, pool: MarginPool, place: Place | None = None) -> None:
        self.pool = pool
        self.place = place or Place()
        self.reported: Reported | None = None
        self.reconciliation: Reconciliation | None = None
        self.predictions = Predictions()
        self.now: Figures | None = None
        self.adverse: Figures | None = None
        self.abreast: Figures | None = None
        self.outlook: Outlook | None = None
        self.advice: Advice | None = None
        self.funding: NextFunding | None = None
        self.baseline: Baseline | None = None
        self.opened: Opened | None = None
        self.tiers: TierChanges | None = None
        self.unfollowed: tuple[str, ...] = ()
        self.awaits_tables = False
        self.looked = False
        self.error = ""
        self._drifts = 0
        self._is_anchored = False
        self._following = Following()
        self._fundings: Mapping[str, Funding] = {}
        self._left: tuple[Decimal | None, ...] = (None,)
        self._look_at: Decimal | None = None
        self._solved_for: tuple[MarginPool, dict[str, Decimal]] | None = None
        self._solved_at: datetime | None = None
        self._spans: Mapping[str, Span] = {}

    def adopt(
        self,
        pool: MarginPool,
        snapshot: AccountSnapshot,
        source: Source,
        beneath: AccountSnapshot | None = None,
    ) -> None:
        """
        This pool as a new reading has it, held against the exchange's own figures first.

        A live update carries no coherent report: it leaves the last comparison standing. Where
        a reading lies beneath it, that is compared, as it was before the events on top of it.
        """
        if source is Source.REST:
            self._hold(pool, snapshot)
        elif beneath is not None:
            own = next((each for each in beneath.pools if each.id == pool.id), None)
            if own is not None:
                self._hold(own, beneath, is_moving=True)
        reported = snapshot.reported.get(pool.id)
        self.pool, self.reported, self._fundings = pool, reported, snapshot.funding
        self._spans = {}

    def _hold(self, pool: MarginPool, reading: AccountSnapshot, *, is_moving: bool = False) -> None:
        """A reading of the pool against the exchange's own figures in the very same reading."""
        reported = reading.reported.get(pool.id)
        if self._is_anchored and reported is not None:
            self.predictions.measure(self.pool, pool, reported, reading)
        self._reconcile(pool, reported, reading, is_moving=is_moving)
        self._is_anchored = True

    def compare(self, pool: MarginPool, marks: Mapping[str, Mark], at: datetime) -> None:
        """What a new reading of this pool, not adopted yet, shows to have been changed."""
        self.tiers = tier_changes(self.pool, pool, marks, at)
        grown = openings(self.pool.positions, pool.positions)
        if not grown:
            return
        try:
            left = distance_of(figures(self.pool, marks, at, self.reconciliation))
        except RiskError:
            return  # in doubt it was the prices
        self.opened = Opened(openings=grown, unopened=left)

    def told(self, at: datetime, read_at: datetime) -> None:
        """Somebody was told of the pool now: changes count from here."""
        if self.now is not None:
            self.baseline = Baseline(at=at, read_at=read_at, risk=self.now.risk)

    def evaluate(
        self,
        marks: Mapping[str, Mark],
        worst: Mapping[str, tuple[Mark, ...]],
        at: datetime,
        abreast: Mapping[str, Mark] | None = None,
    ) -> None:
        """The figures at these marks, at the worst of those in between, and `abreast`."""
        self.adverse = self.abreast = None
        try:
            self.now = figures(self.pool, marks, at, self.reconciliation)
            if not is_within(worst, self._spans):
                self.adverse = most_adverse(self.now, worst, self.reconciliation)
            if abreast is not None:
                steady = figures(self.pool, abreast, at, self.reconciliation)
                self.abreast = most_adverse(steady, worst, self.reconciliation) or steady
            self.error = ""
        except RiskError as error:
            self.error = str(error)

    def solve(self, target: Target) -> None:
        """Outlook and advice for the present book and prices, unless they are solved already."""
        if self.now is None:
            return
        ahead = self.now.ahead
        wanted = ahead.pool, {symbol: mark.price for symbol, mark in ahead.marks.items()}
        if wanted == self._solved_for:
            return
        try:
            self.outlook, self.advice = solved(self.now, target)
            self._left = (distance_left(self.now, self.outlook), *self._left_abreast())
            self.funding = self.funding_after(self.now)
            self._solved_for = wanted
        except RiskError as error:
            self.error = str(error)

    def look_ahead(self, target: Target, ladder: Ladder, at: datetime, near: Decimal) -> None:
        """
        The distance left as of this second; outlook and advice too, or of a while ago.

        They may be older while the pool stands on no rung that is an alarm, the end is more than
        twice as far as `near`, and no mark has moved by more than a thousandth or by more than
        half of what the headroom bears; and in a pool of many legs by as many seconds as it has
        times `LEGS_A_SECOND`. A message has its own solved. The distance is what rungs go by:
        solved for alone, it costs a hundredth of the rest.
        """
        self.looked, is_calm = True, self._is_solved_for_now(at) and not self.is_near(2 * near)
        if not is_calm and not self._may_wait(at):
            self.solve(target)
            self._solved_at = at
        elif self.now is not None and ladder.on(Measure.DISTANCE):
            self._look(self.now)

    def look_again(self) -> None:
        """The distance left, where marks moved so far since the last look, or caught up."""
        if self.now is None or self.error:
            return
        headroom, due = self.now.ahead.requirement.headroom, self._look_at
        none_lags = len(self._left) > len(self._distances())
        if none_lags or (due is not None and headroom <= due):
            self._look(self.now)
            self.looked = True

    def _look(self, now: Figures) -> None:
        try:
            self._left = (distance_of(now), *self._left_abreast())
        except RiskError as error:
            self.error = str(error)

    def _left_abreast(self) -> tuple[Decimal | None, ...]:
        return () if self.abreast is None else (distance_of(self.abreast),)

    def _may_wait(self, at: datetime) -> bool:
        """Whether a pool of many legs was solved so lately that the page may show that."""
        if self.now is None or self._solved_for is None or self._solved_at is None:
            return False
        pool = self.now.ahead.pool
        legs = len(pool.positions)
        wait = timedelta(seconds=legs / LEGS_A_SECOND)
        return legs > LEGS_A_SECOND and at - self._solved_at < wait and pool == self._solved_for[0]

    def _is_solved_for_now(self, at: datetime) -> bool:
        if self.now is None or self._solved_for is None or self._solved_at is None:
            return False
        pool, prices = self._solved_for
        is_old = at - self._solved_at >= LOOK_AHEAD_EVERY
        if is_old or self.place.alarms or pool != self.now.ahead.pool:
            return False
        bears = min(leeway(self.now.risk, self.now.requirement) / 2, SHOWS)
        return all(
            abs(mark.price - prices[symbol]) <= bears * prices[symbol]
            for symbol, mark in self.now.risk.marks.items()
            if symbol in prices
        )

    def settle(self, ladder: Ladder, near: Decimal) -> Mapping[str, Span]:
        """
        Per symbol the marks between which this pool reaches no rung, whatever the others do.

        Empty where every mark is to be looked at at once: a pool that stands on a rung on ratio,
        is near the end or can't be bounded. Distance is looked at once a second in any case, and
        before that where `look_at` says so.
        """
        self._spans = {}
        if self.now is None or self.error or ladder.top(self.place.alarms, Measure.RATIO):
            return self._spans
        if self.outlook is None or self.is_near(near):
            return self._spans
        lowest = min((rung.enter for rung in ladder.on(Measure.RATIO)), default=ONE)
        ahead, least = self.now.ahead.requirement, self._look_at
        spending = None if least is None else ahead.headroom - least
        free = leeway(self.now.risk, self.now.requirement, lowest, spending=spending)
        self._spans = spans(self.now.risk, free)
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

    def funding_after(self, wanted: Figures) -> NextFunding | None:
        """The next funding at these figures, and how the pool stands after it."""
        return next_funding(wanted.ahead, self._fundings, wanted.risk.at)

    def climb(self, ladder: Ladder, *, may_ease: bool) -> Figures | None:
        """
        Puts the pool where its ratio belongs, and gives the figures that put it there.

        As `by_ratio` has it. Without `may_ease` it only goes up.
        """
        if self.now is None:
            return None
        self.place, by = by_ratio(
            self.place, self.now, self.adverse, self.abreast, ladder, may_ease=may_ease
        )
        return by

    def approach(self, ladder: Ladder, *, may_ease: bool) -> None:
        """Puts the pool where the distance left belongs; as `climb` does."""
        opened = self.opened
        place = by_distance(self.place, self._distances(), ladder, opened, may_ease=may_ease)
        if opened is not None and not opened.is_told:
            place = replace(place, is_taken_on=False)
        self.place = place
        if self.now is not None:
            headroom = self.now.ahead.requirement.headroom
            self._look_at = look_at(headroom, self._distances()[0], place, ladder)

    def rung(self, ladder: Ladder) -> str | None:
        """The rung that speaks for all on which the pool stands."""
        rung = ladder.highest((*self.place.alarms, *self.place.accepted))
        return None if rung is None else rung.name

    @property
    def distance(self) -> Decimal | None:
        """
        The adverse move left as a positive fraction; None where none ends the pool.

        As of the latest look, and 0 as soon as the ratio is 100 %; abreast where a mark lags.
        """
        return self._distances()[-1]

    def _distances(self) -> tuple[Decimal | None, ...]:
        return distances((self.now, self.abreast), self._left)

    @property
    def is_at_stake(self) -> bool:
        """
        Whether there is anything to be liquidated.

        Positions, or a requirement without any: of options and debts, which stand in none.
        """
        required = ZERO if self.now is None else self.now.requirement.maintenance_margin
        return bool(self.pool.positions) or required > ZERO

    def is_near(self, within: Decimal) -> bool:
        """Whether the end lies within this fraction, by any one symbol or by all of them."""
        if any(each is not None and each <= within for each in self._distances()):
            return True
        if self.outlook is None:
            return False
        single = (each.distance for each in self.outlook.liquidation.values())
        return any(each is not None and abs(each) <= within for each in single)

    def assessment(
        self, freshness: Freshness, ladder: Ladder, at: datetime
    ) -> PoolAssessment | None:
        """What is known of the pool; None while it never could be evaluated."""
        if self.now is None:
            return None
        return PoolAssessment(
            risk=self.now.risk,
            requirement=self.now.requirement,
            state=freshness.state,
            age_seconds=freshness.age_seconds,
            rung=self.rung(ladder),
            reported=self.reported,
            reported_age_seconds=reported_age(self.reported, at),
            reconciliation=self.reconciliation,
            outlook=self.outlook,
            advice=self.advice,
            funding=self.funding,
            prediction_error=self.predictions.latest,
            largest_prediction_error=self.predictions.largest(at),
        )

    def _disagrees(self) -> bool:
        """Whether the last comparison found a gap: until another heals it, it holds."""
        last = self.reconciliation
        return last is not None and last.verdict is Verdict.DISAGREES

    def _reconcile(
        self,
        pool: MarginPool,
        reported: Reported | None,
        snapshot: AccountSnapshot,
        *,
        is_moving: bool,
    ) -> None:
        """
        Ours against theirs.

        A gap in a reading during which the account moved may lie between its replies: it counts
        as a drift, and disagrees when it is there for the third time in a row.
        """
        try:
            risk = evaluate(pool, snapshot.marks, snapshot.at)
            found = reconcile(risk, reported, self._drifts)
            followed = not self.unfollowed
            self.unfollowed = self._following.lost(risk, reported)
            self.awaits_tables = followed and bool(self.unfollowed)
        except RiskError as error:
            self.error = str(error)
            return
        is_sudden = found.verdict is Verdict.DISAGREES and self._drifts < DRIFTS_AT_MOST
        if is_moving and is_sudden and not self._disagrees():
            found = replace(found, verdict=Verdict.DRIFTS)
        verdict = found.verdict
        if not (verdict is Verdict.UNKNOWN and pool.positions and self._disagrees()):
            self.reconciliation = found
        if verdict in (Verdict.DRIFTS, Verdict.DISAGREES):
            self._drifts += 1
        elif verdict is Verdict.AGREES or not pool.positions:
            self._drifts = 0
