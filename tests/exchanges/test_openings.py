"""How often one host is asked for a connection, by all accounts behind it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass

import pytest

from monitor.exchanges import openings as opening
from monitor.exchanges.openings import LONGEST_WAIT_SECONDS, Openings, full_jitter, longer
from tests.alerting import NOON


@dataclass
class Hands:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


async def tries(accounts: int, seconds: float) -> list[float]:
    """When connections are tried by so many accounts at a host that lets nobody in."""
    clock = Hands()
    host = Openings(clock)
    found: list[float] = []
    waits = dict.fromkeys(range(accounts), opening.FIRST_WAIT_SECONDS)
    due = dict.fromkeys(range(accounts), clock.now)
    end = clock.now + seconds
    while clock.now < end:
        for account, at in due.items():
            if at > clock.now or host.seconds_left() > 0:
                continue
            await host.turn()
            host.opened()
            found.append(clock.now)
            host.failed()
            waits[account] = longer(waits[account], LONGEST_WAIT_SECONDS)
            due[account] = clock.now + full_jitter(waits[account])
        clock.now += 0.25
    return found


@pytest.mark.parametrize("accounts", [1, 3, 50])
async def test_at_most_ten_connections_in_five_minutes_to_one_host(accounts: int) -> None:
    found = await tries(accounts, 1_800)
    most = max(sum(at <= each < at + 300 for each in found) for at in found)
    assert 6 <= most <= 10


async def test_it_is_tried_often_enough_to_be_back_within_a_minute() -> None:
    found = await tries(1, 1_800)
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert max(gaps) < 60


async def test_once_one_is_let_in_all_others_follow() -> None:
    clock = Hands()
    host = Openings(clock)
    for _ in range(opening.QUICK_TRIES):
        await host.turn()
        host.opened()
        host.failed()
    waiting = [asyncio.create_task(host.turn()) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    host.succeeded()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_who_does_not_lead_takes_no_turn_from_those_who_do() -> None:
    clock = Hands()
    host = Openings(clock)
    for _ in range(opening.QUICK_TRIES):
        host.opened()
        host.failed()
    clock.now += opening.SPACING_SECONDS
    assert host.seconds_left() == 0
    assert host.seconds_left(leads=False) == opening.SPACING_SECONDS
    follower = asyncio.create_task(host.turn(leads=False))
    await asyncio.sleep(0)
    host.succeeded()
    await asyncio.wait_for(follower, 1)


async def test_where_one_is_served_another_waits_no_longer_than_who_leads() -> None:
    clock = Hands()
    host = Openings(clock)
    standing = asyncio.create_task(asyncio.Event().wait())
    host.succeeded(standing)  # type: ignore[arg-type] - any task
    for _ in range(opening.QUICK_TRIES):
        host.opened()
        host.failed()
    assert host.seconds_left(leads=False) == host.seconds_left() == opening.SPACING_SECONDS
    standing.cancel()
    await asyncio.gather(standing, return_exceptions=True)
    assert host.seconds_left(leads=False) == 2 * opening.SPACING_SECONDS


async def test_four_fifths_of_what_is_allowed_are_never_exceeded() -> None:
    clock = Hands()
    host = Openings(clock)
    for _ in range(opening.MOST_IN_WINDOW):
        await host.turn()
        host.opened()
        host.succeeded()
    assert host.seconds_left() == 300
    clock.now += 301
    assert host.seconds_left() == 0


def test_streams_that_nobody_lets_in_leave_room_for_those_who_lead() -> None:
    clock = Hands()
    host = Openings(clock)
    while not host.seconds_left(leads=False):
        host.opened()
        clock.now += 0.5
    assert host.seconds_left() == 0
    for _ in range(opening.KEPT_FOR_LEADERS):
        assert host.seconds_left() == 0
        host.opened()
    assert host.seconds_left() > 0


def test_why_one_waits_is_told_for_people() -> None:
    clock = Hands()
    host = Openings(clock)
    assert host.why_waits(NOON) == ""
    for _ in range(opening.QUICK_TRIES):
        host.opened()
        host.failed()
    assert "let nobody in lately" in host.why_waits(NOON)
    host.succeeded()
    assert host.why_waits(NOON) == ""
    while not host.seconds_left(leads=False):
        host.opened()
    assert "so many were opened lately" in host.why_waits(NOON, leads=False)
    assert host.why_waits(NOON) == ""


async def test_who_asks_for_quiet_is_left_alone_by_all_for_so_long() -> None:
    clock = Hands()
    host = Openings(clock)
    host.opened()
    host.asked_for_quiet(600)
    host.succeeded()  # of one that was let in before
    assert (host.seconds_left(), host.seconds_left(leads=False)) == (600, 600)
    assert host.why_waits(NOON) == (
        "no connection yet: the exchange asked for none before 2026-11-22 12:10:00 UTC"
    )
    clock.now += 599
    host.asked_for_quiet(31)
    assert host.seconds_left() == 31
    clock.now += 31
    assert host.seconds_left() == 0
    host.succeeded()
    assert host.quiet.until is None


async def test_after_a_quiet_not_all_come_back_in_one_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lots = itertools.chain([0.05], itertools.repeat(0.3))
    monkeypatch.setattr(opening, "full_jitter", lambda _most: next(lots))
    host = Openings()
    host.asked_for_quiet(0.05)
    waiting = [asyncio.create_task(host.turn()) for _ in range(3)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    host.asked_for_quiet(600)  # the first that came was turned away again
    await asyncio.sleep(0.4)
    assert [task.done() for task in waiting] == [True, False, False]
    for task in waiting:
        task.cancel()


def test_waits_grow_to_fifteen_seconds_and_are_anything_up_to_that() -> None:
    wait, found = opening.FIRST_WAIT_SECONDS, []
    for _ in range(6):
        found.append(wait)
        wait = longer(wait, LONGEST_WAIT_SECONDS)
    assert found == [1, 2, 4, 8, 15, 15]
    drawn = [full_jitter(15.0) for _ in range(500)]
    assert min(drawn) < 3
    assert max(drawn) > 12
    assert all(0.1 <= each <= 15 for each in drawn)


async def test_a_rejection_is_no_trouble_of_a_host_on_which_another_stands() -> None:
    host = Openings(Hands())
    stands = asyncio.Event()

    async def serve() -> None:
        await stands.wait()

    other = asyncio.create_task(serve())
    host.succeeded(other)
    for _ in range(opening.QUICK_TRIES):
        host.opened()
        host.failed(is_let_in=True)
    assert host.seconds_left() == 0
    # Where none stands it may be the host that serves nobody; so it may where it did not answer.
    stands.set()
    await other
    for _ in range(opening.QUICK_TRIES):
        host.failed(is_let_in=True)
    assert host.seconds_left() == opening.SPACING_SECONDS


async def test_who_gets_no_answer_at_all_tells_of_the_host_whoever_stands() -> None:
    host = Openings(Hands())
    other = asyncio.create_task(asyncio.sleep(60))
    host.succeeded(other)
    for _ in range(opening.QUICK_TRIES):
        host.opened()
        host.failed()
    assert host.seconds_left() == opening.SPACING_SECONDS
    other.cancel()
