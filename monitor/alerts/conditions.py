"""
What is wrong right now: one function per subject, each giving a condition or None.

They take what is known and say what it means; they know neither what was told before nor
what has been open since when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerts.incident import WHOLE_ACCOUNT, Condition, Subject
from monitor.alerts.ladder import Measure, Severity
from monitor.alerts.words import headroom_gap
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder, Rung
    from monitor.risk.model import PoolId
    from monitor.risk.result import Reconciliation


def ratio(pool: PoolId, value: Decimal, *, rung: Rung | None, ladder: Ladder) -> Condition | None:
    """The pool stands on a rung on margin ratio."""
    return _on_rung(pool, Subject.RATIO, value, rung, ladder.on(Measure.RATIO))


def liquidation_near(
    pool: PoolId, value: Decimal | None, *, rung: Rung | None, ladder: Ladder
) -> Condition | None:
    """The pool stands on a rung on distance; `value` is the adverse move left, positive."""
    return _on_rung(pool, Subject.LIQUIDATION_NEAR, value, rung, ladder.on(Measure.DISTANCE))


def stale(account: str, silent: Mapping[PoolId, str], *, positions_open: bool) -> Condition | None:
    """Live marks are silent for too long in these pools; `silent` says of each in words what."""
    if not silent:
        return None
    return Condition(
        account=account,
        pool=None,
        subject=Subject.STALE,
        severity=_severity(positions_open=positions_open),
        because="; ".join(dict.fromkeys(silent.values())),
        reasons=tuple(str(pool) for pool in silent),
    )


def blind(  # noqa: PLR0913 - each is a fact of its own
    account: str,
    because: str,
    *,
    pools: tuple[PoolId, ...],
    whole: bool,
    positions_open: bool,
    owner_must_act: bool = False,
) -> Condition:
    """
    No figure can be given for `pools`.

    Args:
        pools: Those concerned.
        whole: Whether that is the whole account, known or not.
        positions_open: Whether any was when last seen; True where nothing is known.
        owner_must_act: Whether it lasts until somebody acts: then each new cause is told.
    """
    reasons = tuple(str(pool) for pool in pools)
    reasons = (WHOLE_ACCOUNT, *reasons) if whole else reasons
    return Condition(
        account=account,
        pool=None,
        subject=Subject.BLIND,
        severity=_severity(positions_open=positions_open),
        because=because,
        reasons=(*reasons, because) if owner_must_act else reasons,
    )


def disagrees(pool: PoolId, reconciliation: Reconciliation | None) -> Condition | None:
    """Our figures and the exchange's own differ by more than may be at the same marks."""
    if reconciliation is None or reconciliation.verdict is not Verdict.DISAGREES:
        return None
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.DISAGREES,
        severity=Severity.WARNING,
        because=headroom_gap(reconciliation),
    )


def key_too_powerful(account: str, powers: tuple[str, ...], *, allowed: bool) -> Condition | None:
    """The key may do more than read, and its owner did not allow that."""
    if not powers or allowed:
        return None
    return Condition(
        account=account,
        pool=None,
        subject=Subject.KEY_TOO_POWERFUL,
        severity=Severity.WARNING,
        because=", ".join(powers),
        reasons=powers,
    )


def _on_rung(
    pool: PoolId,
    subject: Subject,
    value: Decimal | None,
    rung: Rung | None,
    rungs: tuple[Rung, ...],
) -> Condition | None:
    if rung is None:
        return None
    return Condition(
        account=pool.account,
        pool=pool,
        subject=subject,
        severity=rung.severity,
        rung=rung.name,
        order=tuple(each.name for each in rungs),
        value=value,
        reasons=(rung.name,),
    )


def _severity(*, positions_open: bool) -> Severity:
    return Severity.CRITICAL if positions_open else Severity.WARNING
