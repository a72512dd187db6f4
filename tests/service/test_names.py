"""Nothing but names that can't be looked up, for ten minutes: a fresh process may do better."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.exchanges.gate import Gate
from monitor.exchanges.trouble import NAMES_FAIL
from monitor.service import names
from monitor.service.hosts import Hosts
from monitor.storage.store import open_store
from tests.alerting import NOON, at
from tests.exchanges.serving import Hands
from tests.fakes.exchange import ACCOUNT, FAKE
from tests.service.test_hosts import ONE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, NOON)
    yield opened
    opened.close()


def gates(store: Store, clock: Hands) -> tuple[Hosts, Gate, Gate]:
    hosts = Hosts(store)
    other = replace(ONE, exchange="okx")
    return (
        hosts,
        Gate(FAKE, "one", clock, hosts.host(ONE)),
        Gate(FAKE, "other", clock, hosts.host(other)),
    )


def test_only_ten_minutes_of_nothing_else_at_every_host_count(store: Store) -> None:
    clock = Hands(NOON)
    hosts, one, other = gates(store, clock)
    one.unanswered(NAMES_FAIL)
    assert not names.is_stuck(hosts, at(3600))  # the other was never asked
    other.unanswered(NAMES_FAIL)
    one.unanswered(NAMES_FAIL)
    assert not names.is_stuck(hosts, at(599))
    assert names.is_stuck(hosts, at(600))
    clock.now = at(300)
    one.unanswered("the connection failed (ConnectionResetError)")
    assert not names.is_stuck(hosts, at(3600))
    one.unanswered(NAMES_FAIL)
    assert names.is_stuck(hosts, at(900))
    other.answered(ACCOUNT, {}, timedelta(0))
    assert not names.is_stuck(hosts, at(3600))


async def watched(hosts: Hosts, store: Store, clock: Hands) -> None:
    async with asyncio.timeout(0.2):
        await names.watch(hosts, store, clock)


async def test_ten_minutes_of_nothing_but_failing_names_end_the_process(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "CHECK_SECONDS", 0.001)
    clock = Hands(NOON)
    hosts, one, other = gates(store, clock)
    for gate in (one, other):
        gate.unanswered(NAMES_FAIL)
    with pytest.raises(TimeoutError):
        await watched(hosts, store, clock)
    clock.now = at(600)
    with pytest.raises(names.NamesFail):
        await watched(hosts, store, clock)


async def test_it_does_so_once_an_hour_at_most(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "CHECK_SECONDS", 0.001)
    clock = Hands(NOON)
    hosts, one, other = gates(store, clock)
    for gate in (one, other):
        gate.unanswered(NAMES_FAIL)
    clock.now = at(700)
    with pytest.raises(names.NamesFail):
        await watched(hosts, store, clock)
    clock.now = at(700 + 3599)
    with pytest.raises(TimeoutError):
        await watched(hosts, store, clock)
    clock.now = at(700 + 3601)
    with pytest.raises(names.NamesFail):
        await watched(hosts, store, clock)


async def test_it_does_not_end_what_is_on_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "CHECK_SECONDS", 0.001)
    (tmp_path / "no-directory").touch()
    store, clock = open_store(tmp_path / "no-directory", NOON), Hands(NOON)
    hosts, one, other = gates(store, clock)
    for gate in (one, other):
        gate.unanswered(NAMES_FAIL)
    clock.now = at(700)
    with pytest.raises(TimeoutError):
        await watched(hosts, store, clock)
    store.close()
