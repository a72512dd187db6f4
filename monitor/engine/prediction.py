"""
How true the model came: the old pool at the new marks against the new report.

Both in parts of gross notional, theirs − ours; measured where nothing was traded or booked in
between.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.errors import RiskError
from monitor.risk.evaluate import evaluate
from monitor.risk.reconcile import reconcile
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.risk.model import AccountSnapshot, MarginPool, Reported

KEPT_FOR = timedelta(hours=1)


class Predictions:
    """
    The prediction errors of one pool within the last hour.

    `latest` is None before the first; `verdict` is what `reconcile` makes of it: three drifts
    in a row disagree, as with the figures themselves.
    """

    def __init__(self) -> None:
        self.latest: Decimal | None = None
        self.verdict: Verdict | None = None
        self._drifts = 0
        self._errors: deque[tuple[datetime, Decimal]] = deque()

    def measure(
        self, old: MarginPool, new: MarginPool, reported: Reported, at: AccountSnapshot
    ) -> None:
        """Hold the old pool at the new reading's marks against what that reading reports."""
        if _are_retiered(old, new):
            self.verdict, self._drifts = None, 0  # what was foretold, was by other rules
            return
        if _book(old) != _book(new):
            return
        try:
            predicted = evaluate(old, at.marks, at.at)
        except RiskError:
            return
        found = reconcile(predicted, reported, self._drifts)
        if found.gap is None:
            return
        self.latest, self.verdict = found.gap, found.verdict
        self._drifts = 0 if found.verdict is Verdict.AGREES else self._drifts + 1
        self._errors.append((at.at, found.gap))

    def largest(self, at: datetime) -> Decimal | None:
        """The error of the last hour that is farthest from nothing, with its sign."""
        while self._errors and at - self._errors[0][0] > KEPT_FOR:
            self._errors.popleft()
        return max((error for _, error in self._errors), key=abs, default=None)


def _are_retiered(old: MarginPool, new: MarginPool) -> bool:
    """Whether a position that both hold has other leverage tiers now."""
    tables = {(p.instrument.symbol, p.side): p.tiers for p in old.positions}
    return any(tables.get((p.instrument.symbol, p.side), p.tiers) != p.tiers for p in new.positions)


def _book(pool: MarginPool) -> tuple[frozenset[object], frozenset[object]]:
    """What trading, funding and transfers change: the legs held and the coins owned."""
    legs = frozenset((p.instrument.symbol, p.side, p.contracts) for p in pool.positions)
    return legs, frozenset((c.asset, c.balance) for c in pool.collateral)
