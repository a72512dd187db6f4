"""The monitor broken in crowds, in what an exchange takes by itself, and in its own watching."""

import asyncio
from collections.abc import Sequence
from typing import Any

from monitor.alerts.message import Notification
from monitor.delivery import courier as courier_module
from monitor.delivery import pacing as pacing_module
from monitor.delivery.digest import digest
from monitor.service.daemon import Daemon
from monitor.service.dead_man import DeadMan
from monitor.service.live_account import After, LiveAccount
from tests.hunt.broken import _BINANCE, Broken, _fault, _instead, _many, _plan, _to
from tests.hunt.plan import Act


def _forgetful(messages: Sequence[Notification]) -> Notification:
    """Of many the last one is left out."""
    return digest(messages if len(messages) < 3 else messages[:-1])


async def _once(switch: DeadMan) -> None:
    await switch.beat()
    await asyncio.Event().wait()


def _deaf(live: LiveAccount, *_: Any) -> After:
    return After()


BROKEN_WATCHING = (
    Broken(
        promise="Detection.funding",
        how="what the account's own stream tells is not taken in",
        plan=_plan(
            accounts=(_BINANCE,),
            moves=(_to(70, 0.75, account="binance-0"),),
            acts=(Act(at=91.0, account="binance-0", kind="funding", share=0.86),),
            poll_seconds=30.0,
            seconds=140.0,
        ),
        patches=lambda: [_instead(LiveAccount, "heard", _deaf)],
    ),
    Broken(
        promise="Flood.digest",
        how="no minute's messages are too many",
        plan=_plan(accounts=_many(), moves=(_to(60, 0.95, 0.0),)),
        patches=lambda: [
            _instead(pacing_module, "ACCOUNTS_AT_MOST", 10**6),
            _instead(pacing_module, "POOLS_AT_MOST", 10**6),
            _instead(pacing_module, "INCIDENTS_AT_MOST", 10**6),
        ],
    ),
    Broken(
        promise="Flood.named",
        how="a digest leaves one out",
        plan=_plan(accounts=_many(), moves=(_to(60, 0.85),)),
        patches=lambda: [_instead(courier_module, "digest", _forgetful)],
    ),
    Broken(
        promise="Liveness.ping_comes",
        how="one ping is all",
        plan=_plan(),
        patches=lambda: [_instead(DeadMan, "run", _once)],
    ),
    Broken(
        promise="Liveness.ping_stops",
        how="no trouble is known of",
        plan=_plan(
            faults=(_fault(40, "refuses", "phone", 80), _fault(45, "net_refused", "bybit", 70)),
            seconds=130.0,
        ),
        patches=lambda: [_instead(Daemon, "_hidden_trouble", lambda _: None)],
    ),
    Broken(
        promise="Liveness.ping_fails",
        how="trouble is never said outright",
        plan=_plan(
            faults=(_fault(40, "refuses", "phone", 460), _fault(45, "net_refused", "bybit", 450)),
            seconds=510.0,
        ),
        patches=lambda: [_instead(DeadMan, "beat", _never_failing)],
    ),
)

_beat = DeadMan.beat


async def _never_failing(switch: DeadMan) -> None:
    switch._failed = True
    await _beat(switch)
