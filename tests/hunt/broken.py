"""
The monitor broken in just one way for each promise, with a plan on which that shows.

What is put in place of a part of the product is wrong on purpose; nothing of it is left when
the block ends.
"""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unittest import mock

import structlog

from monitor.alerts import incident as incident_module
from monitor.alerts.place import Place
from monitor.delivery.courier import _Worker
from monitor.delivery.pacing import Pace
from monitor.engine import freshness as freshness_module
from monitor.engine.allowance import Allowance
from monitor.engine.effects import State
from monitor.engine.engine import Engine
from monitor.engine.events import TimePassed
from monitor.engine.inquest import Inquest
from monitor.engine.knowledge import Knowledge
from monitor.engine.wants import Wants
from monitor.engine.watch import Watch
from monitor.exchanges import stream as stream_module
from monitor.exchanges.payload import Row
from monitor.exchanges.rest import RestClient
from monitor.service.account_task import AccountTask
from monitor.service.logs import Redaction
from monitor.storage import outbox as outbox_module
from monitor.storage.store import Store
from tests.hunt.plan import AccountPlan, FaultPlan, Move, Plan

Patch = AbstractContextManager[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A way to break the product, and what must notice it."""

    promise: str
    how: str
    plan: Plan
    patches: Callable[[], list[Patch]]

    def __str__(self) -> str:
        return f"{self.promise}: {self.how}"

    def applied(self) -> ExitStack:
        stack = ExitStack()
        for patch in self.patches():
            stack.enter_context(patch)
        return stack


_BYBIT = AccountPlan(name="bybit-0", exchange="bybit", kind="cross usdt", seed=1, stays=True)
_BINANCE = AccountPlan(name="binance-0", exchange="binance", kind="single", seed=11, stays=True)
_PLAN = Plan(seed=1, seconds=100.0, accounts=(_BYBIT,), channels=("phone",), poll_seconds=15.0)
_numbers = itertools.count(1001)


def _plan(**changes: Any) -> Plan:
    return replace(_PLAN, seed=next(_numbers), **changes)


def _to(at: float, ratio: float, seconds: float = 1.0, account: str = "bybit-0") -> Move:
    return Move(at=at, account=account, ratio=ratio, seconds=seconds)


def _fault(at: float, kind: str, where: str, seconds: float, **more: str) -> FaultPlan:
    return FaultPlan(at=at, kind=kind, where=where, seconds=seconds, **more)


def _instead(target: object, name: str, value: object) -> Patch:
    return mock.patch.object(target, name, value)


# --- what is wrong on purpose


def _blind_to_jumps(store: dict[str, Any], symbol: str, mark: Any, at: Any) -> bool:
    known = store.get(symbol)
    if known is not None and abs(mark.price / known.price - 1) > Decimal("0.004"):
        return False
    return _take(store, symbol, mark, at)


_take = Knowledge._take
_of_pool = freshness_module.of_pool


def _always_fresh(*args: Any, **given: Any) -> Any:
    return replace(_of_pool(*args, **given), state=State.FRESH, stale=None, blind=None)


def _only_live(known: Knowledge) -> Any:
    return dict(known._live) or dict(known._asked)


def _any_number(row: Row, key: str) -> Decimal:
    number = row.decimal(key)
    return number if number > 0 else Decimal("0.001")


async def _marked_first(worker: _Worker, batch: Any, waiting: Any) -> None:
    for row in waiting:
        worker._outbox.delivered(worker._channel.name, row.notification.id, (), worker._now())
    await _deliver(worker, batch, waiting)


_deliver = _Worker._deliver
_row = outbox_module._row


async def _leaves_the_older(worker: _Worker, batch: Any, waiting: Any) -> None:
    await _deliver(worker, batch, ())


_one_at_a_time: dict[Any, asyncio.Lock] = {}


async def _in_turn(worker: _Worker, batch: Any, waiting: Any) -> None:
    lock = _one_at_a_time.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        await _deliver(worker, batch, waiting)


async def _leaking(task: AccountTask) -> None:
    kept = []
    while True:
        kept.append(asyncio.create_task(asyncio.sleep(1e6)))
        task._mailbox.put(TimePassed(at=task._shell.now()))
        await asyncio.sleep(0.2)


_process = Engine.process


def _falling_over(engine: Engine, event: Any) -> Any:
    if isinstance(event, TimePassed) and event.at.second == 30:
        raise KeyError("a bug")
    return _process(engine, event)


_read_account = RestClient.read_account


async def _telling(client: RestClient, **given: Any) -> Any:
    structlog.get_logger().info("account.read", key=client._secrets[0])
    return await _read_account(client, **given)


def _many() -> tuple[AccountPlan, ...]:
    return tuple(
        AccountPlan(name=f"bybit-{n}", exchange="bybit", kind="cross usdt", seed=1, stays=True)
        for n in range(7)
    )


def _swinging(count: int, seconds: float) -> tuple[Move, ...]:
    return tuple(_to(40.0 + n * seconds, 0.84 if n % 2 == 0 else 0.10) for n in range(count))


def _no_hysteresis() -> list[Patch]:
    return [
        _instead(incident_module, "OPENINGS_AT_MOST", 10**6),
        _instead(incident_module, "OUTAGES_AT_MOST", 10**6),
        _instead(Allowance, "has_room", lambda *_: True),
        *_nothing_gathered(),
    ]


def _nothing_gathered() -> list[Patch]:
    return [_instead(Pace, "next", lambda _, newest, __: (newest[:1], 0.0))]


BROKEN = (
    Broken(
        promise="Detection.rung",
        how="the ladder is not climbed",
        plan=_plan(moves=(_to(50, 0.85), _to(70, 0.6))),
        patches=lambda: [_instead(Watch, "climb", lambda watch, *_, **__: watch.now)],
    ),
    Broken(
        promise="Detection.end",
        how="a jump of a mark is taken for a mistake",
        plan=_plan(moves=(_to(150, 0.97, 0.0), _to(151, 0.6, 0.0)), seconds=170.0),
        patches=lambda: [_instead(Knowledge, "_take", staticmethod(_blind_to_jumps))],
    ),
    Broken(
        promise="Detection.fresh_or_told",
        how="every figure counts as fresh",
        plan=_plan(faults=(_fault(40, "stall", "bybit", 40),)),
        patches=lambda: [_instead(freshness_module, "of_pool", _always_fresh)],
    ),
    Broken(
        promise="Detection.stale_drives",
        how="only live marks count",
        plan=_plan(
            moves=(_to(70, 0.86), _to(170, 0.6)),
            faults=(_fault(40, "stall", "bybit", 120),),
            seconds=180.0,
        ),
        patches=lambda: [_instead(Knowledge, "marks", _only_live)],
    ),
    Broken(
        promise="Detection.resolved",
        how="a pool whose marks are old stands on no rung",
        plan=_plan(
            moves=(_to(40, 0.85),), faults=(_fault(70, "stall", "bybit", 50),), poll_seconds=50.0
        ),
        patches=lambda: [
            _instead(Watch, "climb", _given_up),
            _instead(Watch, "approach", _given_up_as_well),
            _instead(Inquest, "_may_ease", lambda *_: True),
            _instead(Wants, "after", lambda *_: ()),
        ],
    ),
    Broken(
        promise="Detection.no_false_alarm",
        how="every ratio is taken for five points more",
        plan=_plan(moves=(_to(50, 0.77),)),
        patches=lambda: [_instead(Watch, "climb", _climbed_too_high)],
    ),
    Broken(
        promise="Detection.no_bad_mark",
        how="a mark of 0 is taken for a small one",
        plan=_plan(
            accounts=(_BINANCE,), faults=(_fault(50, "bad_marks", "binance", 10, value="0"),)
        ),
        patches=lambda: [_instead(Row, "positive", _any_number)],
    ),
    Broken(
        promise="Durability.row_before_byte",
        how="messages are not written",
        plan=_plan(moves=(_to(50, 0.85),)),
        patches=lambda: [_instead(outbox_module, "add", lambda *_: None)],
    ),
    Broken(
        promise="Durability.nothing_is_lost",
        how="a message is settled before it is sent",
        plan=_plan(moves=(_to(50, 0.85),), faults=(_fault(45, "refuses", "phone", 20),)),
        patches=lambda: [_instead(_Worker, "_deliver", _marked_first)],
    ),
    Broken(
        promise="Durability.duplicates",
        how="what was delivered is not kept, and goes message by message after a start",
        plan=_plan(
            accounts=_many()[:3],
            moves=(_to(40, 0.85), _to(50, 0.95)),
            faults=(_fault(70, "kill", "", 2, value="2"),),
        ),
        patches=lambda: [
            _instead(outbox_module, "settle", lambda *_, **__: None),
            _instead(outbox_module, "_row", lambda row: replace(_row(row), is_left=False)),
            *_nothing_gathered(),
        ],
    ),
    Broken(
        promise="Durability.order",
        how="older messages of an incident wait on",
        plan=_plan(
            moves=(_to(50, 0.85), _to(58, 0.95)), faults=(_fault(45, "refuses", "phone", 20),)
        ),
        patches=lambda: [_instead(_Worker, "_deliver", _leaves_the_older)],
    ),
    Broken(
        promise="Durability.restart_is_quiet",
        how="a start knows nothing of open incidents",
        plan=_plan(
            moves=(_to(40, 0.84),), faults=(_fault(190, "kill", "", 2, value="2"),), seconds=260.0
        ),
        patches=lambda: [_instead(Store, "kept_incidents", lambda *_: ())],
    ),
    Broken(
        promise="Flood.sixteen_an_hour",
        how="a trouble may open as often as it likes",
        plan=_plan(moves=_swinging(24, 10.0), seconds=300.0),
        patches=_no_hysteresis,
    ),
    Broken(
        promise="Flood.oscillation",
        how="a trouble may open as often as it likes",
        plan=_plan(moves=_swinging(8, 10.0), seconds=140.0),
        patches=_no_hysteresis,
    ),
    Broken(
        promise="Flood.crash",
        how="nothing is gathered",
        plan=_plan(
            accounts=_many(),
            moves=tuple(_to(60, 0.95, 15.0, account.name) for account in _many()[:1]),
        ),
        patches=_nothing_gathered,
    ),
    Broken(
        promise="Flood.pace",
        how="a receiver's wish for quiet is not kept",
        plan=_plan(
            moves=(_to(50, 0.85),),
            faults=(_fault(45, "asks_to_wait", "phone", 20, value="40"),),
        ),
        patches=lambda: [_instead(_Worker, "_pause", lambda *_: 1.0)],
    ),
    Broken(
        promise="Liveness.fresh",
        how="a lost connection is not opened again",
        plan=_plan(faults=(_fault(40, "drop", "bybit", 5),)),
        patches=lambda: [
            _instead(stream_module, "FIRST_WAIT_SECONDS", 1e7),
            _instead(stream_module, "LONGEST_WAIT_SECONDS", 1e7),
        ],
    ),
    Broken(
        promise="Liveness.outbox",
        how="a channel that failed once is left alone for a day",
        plan=_plan(moves=(_to(50, 0.85),), faults=(_fault(45, "refuses", "phone", 10),)),
        patches=lambda: [_instead(_Worker, "_pause", lambda *_: 86400.0)],
    ),
    Broken(
        promise="Liveness.isolation",
        how="channels wait for each other",
        plan=_plan(
            channels=("phone", "mail"),
            moves=(_to(50, 0.85),),
            faults=(_fault(45, "hangs", "phone", 20),),
        ),
        patches=lambda: [_instead(_Worker, "_deliver", _in_turn)],
    ),
    Broken(
        promise="Liveness.bounded",
        how="tasks are started and never end",
        plan=_plan(),
        patches=lambda: [_instead(AccountTask, "_tick", _leaking)],
    ),
    Broken(
        promise="Liveness.no_bug",
        how="one event in a minute is too much",
        plan=_plan(),
        patches=lambda: [_instead(Engine, "process", _falling_over)],
    ),
    Broken(
        promise="Secrecy.canaries",
        how="a key is logged, and nothing is hidden",
        plan=_plan(),
        patches=lambda: [
            _instead(RestClient, "read_account", _telling),
            _instead(Redaction, "value", lambda _, value: value),
        ],
    ),
)

_climb = Watch.climb
_approach = Watch.approach
GIVEN_UP_AFTER = 15

_unmoved: dict[Watch, tuple[Any, int]] = {}


def _given_up(watch: Watch, ladder: Any, **given: Any) -> Any:
    """After a quarter of a minute without a new figure."""
    now = watch.now
    before, times = _unmoved.get(watch, (None, 0))
    _unmoved[watch] = now, times + 1 if now is before else 0
    if now is None or times < GIVEN_UP_AFTER:
        return _climb(watch, ladder, **given)
    watch.place = Place()
    return now


def _given_up_as_well(watch: Watch, ladder: Any, **given: Any) -> None:
    if _unmoved.get(watch, (None, 0))[1] < GIVEN_UP_AFTER:
        _approach(watch, ladder, **given)


def _climbed_too_high(watch: Watch, ladder: Any, **given: Any) -> Any:
    if watch.now is None:
        return None
    requirement = watch.now.requirement
    more = replace(requirement, maintenance_margin=requirement.maintenance_margin * Decimal("1.06"))
    watch.now = replace(watch.now, requirement=more)
    return _climb(watch, ladder, **given)
