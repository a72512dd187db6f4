"""The monitor broken in one way for each promise on distance, and on hedges."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

from monitor.alerts import place as place_module
from monitor.engine.abreast import Course
from monitor.engine.watch import Watch
from tests.hunt.broken import Broken
from tests.hunt.plan import AccountPlan, Move, Plan
from tests.hunt.seeds import draw

# Far from its end as it is opened, and one and a hundredth from it.
_FAR = AccountPlan(name="bybit-0", exchange="bybit", kind="cross usdt", seed=1, stays=True)
_NEAR = replace(_FAR, kind="cross inverse", seed=509)
_PLAN = Plan(seed=1, seconds=90.0, accounts=(_FAR,), channels=("phone",), poll_seconds=15.0)
_numbers = itertools.count(1101)


def _plan(ratio: float, account: AccountPlan = _FAR) -> Plan:
    """The account is brought to a ratio, and stays there."""
    move = Move(at=50.0, account=account.name, ratio=ratio, seconds=1.0)
    return replace(_PLAN, seed=next(_numbers), accounts=(account,), moves=(move,))


def _half(watch: Watch) -> tuple[Decimal | None, ...]:
    return tuple(None if left is None else left / 2 for left in _distances(watch))


_distances: Any = vars(Watch)["_distances"]

BROKEN_DISTANCE = (
    Broken(
        promise="Detection.distance",
        how="the distance left is looked at, and nothing follows from it",
        plan=_plan(0.6),
        patches=lambda: [mock.patch.object(Watch, "approach", return_value=None)],
    ),
    Broken(
        promise="Detection.distance",
        how="what was taken on is never an alarm",
        plan=_plan(0.7, _NEAR),
        patches=lambda: [mock.patch.object(place_module, "_is_half_gone", return_value=False)],
    ),
    Broken(
        promise="Detection.no_false_distance",
        how="half of the distance left is taken for all of it",
        plan=_plan(0.3),
        patches=lambda: [mock.patch.object(Watch, "_distances", _half)],
    ),
    Broken(
        promise="Detection.no_false_alarm",
        how="a silent leg of a hedge stands still while the other moves",
        plan=draw(11056),
        patches=lambda: [mock.patch.object(Course, "abreast", return_value=None)],
    ),
)
