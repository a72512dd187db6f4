"""Every host's timetable, what is used of its limits, and that too much of it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.exchanges.call import Budget, Depth, RestCall, Used
from monitor.exchanges.gate import Gate
from monitor.service import polls as polling
from monitor.service.hosts import Hosts
from monitor.service.polls import Polls
from monitor.storage.store import open_store
from tests.alerting import NOON
from tests.assessing import a_pool, an_account
from tests.end_to_end.stage import until
from tests.fakes.exchange import FAKE
from tests.service.test_hosts import ONE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.alerts.message import Notification
    from monitor.exchanges.port import Exchange
    from monitor.storage.store import Store

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
HEAVY = (RestCall(implicit="a", path="/a", weight=300, budget=WEIGHT, heard_seconds=600),)


@dataclass
class Client:
    """As much of a client as a timetable looks at."""

    gate: Gate
    exchange: Exchange = FAKE
    standing_calls: tuple[RestCall, ...] = field(default=HEAVY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, NOON)
    yield opened
    opened.close()


def some(store: Store, *names: str, heard: bool = False) -> tuple[Polls, Hosts]:
    hosts = Hosts(store)
    found = Polls(hosts, DEFAULT_LADDER, 60)
    for name in names:
        account = replace(ONE, name=name)
        client = Client(Gate(FAKE, name, lambda: NOON, hosts.host(account)))
        found.join(account, client, lambda: heard)  # type: ignore[arg-type] - a part of one
    return found, hosts


async def test_accounts_of_one_host_share_its_room(store: Store) -> None:
    # 300 × 60 ÷ 51 = 353 of 480: one fits, two do not.
    one, _ = some(store, "a")
    one._timetables["binance"].pace("a", 0.0)
    assert one.overloaded() == {}
    two, _ = some(store, "a", "b")
    two._timetables["binance"].pace("a", 0.0)
    assert two.overloaded() == {"binance": ("a", "b")}


async def test_an_account_whose_stream_is_heard_is_read_in_the_least_way(store: Store) -> None:
    found, _ = some(store, "a", "b", heard=True)
    calm = a_pool(rung=None)
    calm = replace(
        calm,
        requirement=replace(
            calm.requirement, maintenance_margin=calm.requirement.margin_balance / 3
        ),
    )
    assert calm.outlook is not None
    calm = replace(
        calm, outlook=replace(calm.outlook, adverse_move=calm.outlook.adverse_move * 1000)
    )  # type: ignore[operator] - it has one
    for name in ("a", "b"):
        assert not found.note(an_account(account=name, pools=(calm,)))
    turns = polling.AccountTurns("a", found._timetables["binance"])
    assert turns.depth() is Depth.HEARD
    assert found.overloaded() == {}


async def test_one_that_comes_near_a_rung_is_said_so_once(store: Store) -> None:
    found, _ = some(store, "main")
    assert found.note(an_account())
    assert not found.note(an_account())
    assert not found.note(an_account(account="nobody's"))


async def test_the_gate_of_an_account_knows_how_near_its_end_is(store: Store) -> None:
    hosts = Hosts(store)
    found = Polls(hosts, DEFAULT_LADDER, 60)
    gate = Gate(FAKE, "main", lambda: NOON, hosts.host(ONE))
    found.join(replace(ONE, name="main"), Client(gate))  # type: ignore[arg-type] - a part of one
    assert gate.standing.distance is None
    known = an_account()
    found.note(known)
    (pool,) = known.pools
    assert pool.outlook is not None
    assert pool.outlook.adverse_move is not None
    assert gate.standing.distance == float(-pool.outlook.adverse_move)


async def test_what_is_used_is_told_by_host_and_limit(store: Store) -> None:
    found, hosts = some(store, "a")
    use = hosts.host(ONE).use
    use.spent(WEIGHT, 40, NOON)
    use.told(Used(budget=WEIGHT, used=100, limit=2400), NOON)
    ((host, used),) = found.in_use(NOON)
    assert (host, used.own, used.others) == ("binance", 40, 60)


async def test_a_host_that_can_not_carry_its_accounts_is_told_once_and_so_is_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "CHECK_SECONDS", 0.001)
    found, _ = some(store, "a", "b")
    timetable = found._timetables["binance"]
    timetable.pace("a", 0.0)
    told: list[Notification] = []
    watching = asyncio.create_task(found.notice_overload(told.append, lambda: NOON))
    try:
        await until(lambda: told, "that it is too much")
        assert "too many accounts" in told[0].title
        assert "2 accounts" in told[0].body
        await asyncio.sleep(0.05)
        assert len(told) == 1
        timetable._members.pop("b")
        timetable.pace("a", 10.0)
        await until(lambda: len(told) == 2, "that it fits again")
        assert told[1].title.startswith("RESOLVED")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
