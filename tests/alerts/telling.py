"""The facts and steps that messages are written from, in a line each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from monitor.alerts.facts import Facts, LastKnown, PoolFacts
from monitor.alerts.incident import Condition, Subject, Transition
from monitor.alerts.ladder import DEFAULT_LADDER, Severity
from monitor.risk.advice import advise
from monitor.risk.evaluate import evaluate
from monitor.risk.model import MarginPool, PoolId
from monitor.risk.result import Target
from monitor.risk.solve import outlook
from tests.alerts.cases import taken
from tests.build import NOON, Number, flat, long, marks

ID = PoolId(account="main", name="USDT")
LONG = long("SOL", contracts=10, entry=100, tiers=flat("0.4"), has_stop_loss=False)
KNOWN = LastKnown(pool=ID, ratio=Decimal("0.926"), rung="critical", age_seconds=21.3, positions=1)


def pool_facts(pool: MarginPool, /, *, prices: Any = None, **changes: Any) -> PoolFacts:
    at = prices if prices is not None else marks(SOL=88)
    risk = evaluate(pool, at, NOON)
    made = PoolFacts(
        risk=risk,
        requirement=risk.requirement,
        outlook=outlook(pool, at, NOON),
        advice=advise(risk, Target()),
        is_live=True,
        age_seconds=0.4,
    )
    return replace(made, **changes)


def facts(pool: PoolFacts | None = None, **changes: Any) -> Facts:
    made = Facts(exchange="bybit", ladder=DEFAULT_LADDER, pool=pool, known=(KNOWN,))
    return replace(made, **changes)


def about(subject: Subject, **changes: Any) -> Condition:
    made = Condition(account="main", pool=None, subject=subject, severity=Severity.CRITICAL)
    return replace(made, **changes)


def critical(value: Number = "0.9263") -> Condition:
    return about(
        Subject.STANDING,
        pool=ID,
        rung="critical",
        alarms=("warning", "critical"),
        value=Decimal(value),
        reasons=("warning", "critical"),
    )


def resolved(condition: Condition, seconds: float = 750) -> Transition:
    return taken(taken(None, condition).after, None, seconds=seconds)
