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


def on_rung(rung: str, value: str, **changes: Any) -> Condition:
    condition = Condition(
        account="main",
        pool=POOL,
        subject=Subject.RATIO,
        severity=Severity.CRITICAL if rung == "critical" else Severity.WARNING,
        rung=rung,
        order=ORDER,
        value=Decimal(value),
        reasons=(rung,),
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
