"""
Ours against theirs: is our model right, and which of the two drives the ladder.

Compares two requirements at the same marks; must not know how either came about.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import ZERO
from monitor.risk.result import Reconciliation, Requirement, Verdict

if TYPE_CHECKING:
    from monitor.risk.model import Reported
    from monitor.risk.result import PoolRisk

AGREES_UP_TO = Decimal("0.0005")  # 5 bp of gross notional
DISAGREES_ABOVE = Decimal("0.0020")  # 20 bp of gross notional
DRIFTS_AT_MOST = 2  # in a row; the third disagrees


def reconcile(
    risk: PoolRisk, reported: Reported | None, previous_drifts: int = 0
) -> Reconciliation:
    """
    Our headroom (balance − maintenance) against the exchange's own, at the snapshot's marks.

    Agrees up to 5 bp of gross notional or the wire's own precision, drifts above, disagrees
    above 20 bp or when two polls in a row have drifted before this one. Unknown where the
    exchange gives nothing to compare, or where nothing is held.

    Args:
        risk: The pool evaluated at the marks that came with the snapshot.
        previous_drifts: How many polls in a row, up to the last one, drifted or disagreed.
    """
    theirs = None if reported is None else _headroom(reported)
    if reported is None or theirs is None or risk.gross_notional <= ZERO:
        return Reconciliation(
            ours=risk.requirement, theirs=reported, gap=None, verdict=Verdict.UNKNOWN
        )
    gap = theirs - risk.requirement.headroom
    return Reconciliation(
        ours=risk.requirement,
        theirs=reported,
        gap=gap / risk.gross_notional,
        verdict=_verdict(abs(gap), risk.gross_notional, reported.resolution, previous_drifts),
    )


def worse(
    ours: Requirement, reported: Reported | None, ours_at_snapshot: Requirement
) -> Requirement:
    """
    The worse of our requirement and theirs carried forward: the one that drives the ladder.

    Theirs is carried by our own change since the snapshot, part by part. The higher ratio is
    worse; between equal ones the lesser headroom is. Ours where they say nothing.

    Args:
        ours_at_snapshot: Ours at the marks of the snapshot to which `reported` belongs.
    """
    figures = None if reported is None else _figures(reported)
    if reported is None or figures is None:
        return ours
    balance, maintenance = figures
    carried = Requirement(
        unit=ours.unit,
        margin_balance=balance + ours.margin_balance - ours_at_snapshot.margin_balance,
        initial_margin=_initial(ours, reported, ours_at_snapshot),
        maintenance_margin=maintenance
        + ours.maintenance_margin
        - ours_at_snapshot.maintenance_margin,
    )
    return max(ours, carried, key=lambda r: (r.ratio, -r.headroom))


def _verdict(gap: Decimal, gross: Decimal, resolution: Decimal, previous_drifts: int) -> Verdict:
    if gap <= max(AGREES_UP_TO * gross, resolution):
        return Verdict.AGREES
    if gap > DISAGREES_ABOVE * gross or previous_drifts >= DRIFTS_AT_MOST:
        return Verdict.DISAGREES
    return Verdict.DRIFTS


def _headroom(reported: Reported) -> Decimal | None:
    figures = _figures(reported)
    return None if figures is None else figures[0] - figures[1]


def _figures(reported: Reported) -> tuple[Decimal, Decimal] | None:
    """Their balance and maintenance. Never derived from their ratio: its digits are too few."""
    balance, maintenance = reported.margin_balance, reported.maintenance_margin
    if balance is None or maintenance is None:
        return None
    return balance, maintenance


def _initial(ours: Requirement, reported: Reported, ours_at_snapshot: Requirement) -> Decimal:
    if reported.initial_margin is None:
        return ours.initial_margin
    return reported.initial_margin + ours.initial_margin - ours_at_snapshot.initial_margin
