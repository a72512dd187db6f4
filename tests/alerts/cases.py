"""Conditions and incidents in a line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from monitor.alerts.incident import Condition, Incident, Subject, Transition, step
from monitor.alerts.ladder import Severity
from monitor.risk.model import PoolId
from tests.build import NOON

POOL = PoolId(account="main", name="unified")
ORDER = ("warning", "critical")
NEAR = ("near", "very near")


def on_rung(rung: str, value: str, **changes: Any) -> Condition:
    """On this rung and those before it of its measure."""
    order = NEAR if rung in NEAR else ORDER
    alarms = order[: order.index(rung) + 1]
    condition = Condition(
        account="main",
        pool=POOL,
        subject=Subject.STANDING,
        severity=Severity.CRITICAL if rung in ("critical", "very near") else Severity.WARNING,
        rung=rung,
        alarms=alarms,
        value=Decimal(value),
        reasons=alarms,
    )
    return replace(condition, **changes)


def taken_on(rung: str, distance: str, **changes: Any) -> Condition:
    """On this rung of distance as it was opened."""
    condition = Condition(
        account="main",
        pool=POOL,
        subject=Subject.STANDING,
        severity=Severity.INFO,
        rung=rung,
        accepted=NEAR[: NEAR.index(rung) + 1],
        accepted_distance=Decimal(distance),
        is_taken_on=True,
        value=Decimal("0.1"),
        distance=Decimal(distance),
    )
    return replace(condition, **changes)


def blind(*reasons: str, because: str = "no reply") -> Condition:
    return Condition(
        account="main",
        pool=None,
        subject=Subject.BLIND,
        severity=Severity.CRITICAL,
        because=because,
        reasons=reasons or ("account",),
    )


def taken(
    before: Incident | None, condition: Condition | None, *, seconds: float = 0, ease: bool = True
) -> Transition:
    """The step so many seconds after noon, which must be one."""
    transition = step(before, condition, NOON + timedelta(seconds=seconds), may_ease=ease)
    assert transition is not None
    return transition


def opened(rung: str = "warning", value: str = "0.81", **changes: Any) -> Incident:
    return replace(taken(None, on_rung(rung, value)).after, **changes)
