"""
What is wrong right now: one function per subject, each giving a condition or None.

They take what is known and say what it means; they know neither what was told before nor
what has been open since when.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts.incident import WHOLE_ACCOUNT, Condition, Subject
from monitor.alerts.ladder import Severity
from monitor.alerts.words import basis_points, headroom_gap
from monitor.alerts.words import cause as word_for
from monitor.alerts.words import ratio as ratio_text
from monitor.risk.news import Cause
from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.alerts.place import Place
    from monitor.risk.model import PoolId
    from monitor.risk.news import Warned
    from monitor.risk.result import Reconciliation

# So long before it ends a key is told of.
_DAYS_AHEAD = (14, 7, 1)


def standing(
    pool: PoolId,
    ladder: Ladder,
    place: Place,
    *,
    ratio: Decimal,
    distance: Decimal | None,
) -> Condition | None:
    """The pool stands on the ladder: one condition for all of its rungs, whatever they go by."""
    rung = ladder.highest(place.alarms) or ladder.highest(place.accepted)
    if rung is None:
        return None
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.STANDING,
        severity=rung.severity if place.alarms else Severity.INFO,
        reasons=place.alarms,
        rung=rung.name,
        alarms=place.alarms,
        accepted=place.accepted,
        accepted_distance=place.accepted_distance,
        is_taken_on=place.is_taken_on,
        value=ratio,
        distance=distance,
    )


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


def prediction_off(
    pool: PoolId, error: Decimal | None, verdict: Verdict | None
) -> Condition | None:
    """What was foretold of the pool was far from what the next reading said."""
    if error is None or verdict is not Verdict.DISAGREES:
        return None
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.PREDICTION,
        severity=Severity.WARNING,
        because=basis_points(abs(error)),
    )


def mode_changed(account: str, before: str, after: str) -> Condition:
    """The account is of another kind now, and its rules are others."""
    return Condition(
        account=account,
        pool=None,
        subject=Subject.MODE,
        severity=Severity.WARNING,
        because=f"from «{before}» to «{after}»",
    )


def tiers_changed(pool: PoolId, symbols: tuple[str, ...], *, is_worse: bool) -> Condition:
    """The exchange's leverage tiers of what is held are others now."""
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.TIERS,
        severity=Severity.WARNING if is_worse else Severity.INFO,
        because=", ".join(symbols),
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


def taken(
    account: str, pool: PoolId | None, causes: tuple[Cause | None, ...], *, ids: tuple[str, ...]
) -> Condition:
    """
    The exchange took something; each `id` is told once.

    A settlement is the end of a contract and no force; a piece without a cause was by force.
    """
    by_force = any(cause is not Cause.SETTLEMENT for cause in causes)
    return Condition(
        account=account,
        pool=pool,
        subject=Subject.TAKEN,
        severity=Severity.CRITICAL if by_force else Severity.WARNING,
        because=", ".join(dict.fromkeys(word_for(cause) for cause in causes)),
        reasons=ids,
    )


def warned(account: str, pool: PoolId | None, warnings: Mapping[str, Warned]) -> Condition:
    """The exchange warns of this pool (None: of the account); each key is told once."""
    is_critical = any(warning.is_critical for warning in warnings.values())
    return Condition(
        account=account,
        pool=pool,
        subject=Subject.WARNED,
        severity=Severity.CRITICAL if is_critical else Severity.WARNING,
        because="; ".join(dict.fromkeys(warning.words for warning in warnings.values())),
        reasons=tuple(warnings),
    )


def drifted(pool: PoolId, before: Decimal, after: Decimal) -> Condition:
    """A reading moved the pool's margin ratio though no event told of the change."""
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.DRIFT,
        severity=Severity.WARNING if after > before else Severity.INFO,
        because=f"from {ratio_text(before)} to {ratio_text(after)}",
    )


def shrunk(pool: PoolId, parts: tuple[str, ...]) -> Condition:
    """
    Positions are smaller than they were and no event told why, in words each; at least one.

    It may be a liquidation under way, so it is critical whatever the ratio is.
    """
    return Condition(
        account=pool.account,
        pool=pool,
        subject=Subject.SHRUNK,
        severity=Severity.CRITICAL,
        because=parts[0] + (f" and {len(parts) - 1} more" if len(parts) > 1 else ""),
    )


def key_lacks(account: str, missing: tuple[str, ...]) -> Condition | None:
    """The key may not read something that watching needs, in the exchange's words."""
    if not missing:
        return None
    return Condition(
        account=account,
        pool=None,
        subject=Subject.KEY_LACKS,
        severity=Severity.WARNING,
        because=", ".join(missing),
        reasons=missing,
    )


def key_ends(account: str, expires_at: datetime | None, at: datetime) -> Condition | None:
    """The key expires within 14 days; a reason of its own at 14, at 7 and at 1."""
    if expires_at is None:
        return None
    near = [days for days in _DAYS_AHEAD if expires_at - at <= timedelta(days=days)]
    if not near:
        return None
    return Condition(
        account=account,
        pool=None,
        subject=Subject.KEY_ENDS,
        severity=Severity.WARNING,
        because=f"{expires_at:%Y-%m-%d %H:%M} UTC",
        reasons=tuple(f"{days} days" for days in near),
    )


def _severity(*, positions_open: bool) -> Severity:
    return Severity.CRITICAL if positions_open else Severity.WARNING
