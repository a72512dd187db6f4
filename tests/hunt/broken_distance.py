"""The monitor broken in one way for each promise on distance, and on hedges."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

from monitor.alerts import place as place_module
from monitor.engine.abreast import Course
from monitor.engine.watch import Watch
from monitor.exchanges.call import Reply
from tests.hunt.broken import Broken
from tests.hunt.plan import SLOW_ANSWER, AccountPlan, FaultPlan, Move, Plan
from tests.hunt.seeds import draw

# Far from its end as it is opened, and one and a hundredth from it.
_FAR = AccountPlan(name="bybit-0", exchange="bybit", kind="cross usdt", seed=1, stays=True)
_NEAR = replace(_FAR, kind="cross inverse", seed=509)
_PLAN = Plan(seed=1, seconds=90.0, accounts=(_FAR,), channels=("phone",), poll_seconds=15.0)
_numbers = itertools.count(1101)


_drawn = draw(11056)
_11056 = replace(_drawn, faults=tuple(f for f in _drawn.faults if f.kind != SLOW_ANSWER))


def _plan(ratio: float, account: AccountPlan = _FAR) -> Plan:
    """The account is brought to a ratio, and stays there."""
    move = Move(at=50.0, account=account.name, ratio=ratio, seconds=1.0)
    return replace(_PLAN, seed=next(_numbers), accounts=(account,), moves=(move,))


_OKX = AccountPlan(name="okx-0", exchange="okx", kind="multi", seed=1, stays=True)
# The price falls while the answer to a question of before is under way.
_SLOW = replace(
    _plan(0.92, _OKX),
    seconds=110.0,
    poll_seconds=5.0,
    moves=(Move(at=69.3, account=_OKX.name, ratio=0.92, seconds=0.0),),
    faults=(FaultPlan(at=55.0, kind=SLOW_ANSWER, where="okx", seconds=30.0, value="2"),),
)


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
        promise="Detection.resolved",
        how="the prices in a slow answer count as of when it came",
        plan=_SLOW,
        patches=lambda: [mock.patch.object(Reply, "priced_at", property(lambda reply: reply.at))],
    ),
    Broken(
        promise="Detection.no_false_alarm",
        how="a silent leg of a hedge stands still while the other moves",
        plan=_11056,
        patches=lambda: [mock.patch.object(Course, "abreast", return_value=None)],
    ),
)
