"""Whether and when a call may be sent, over one gate and over two that share a host."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import Limit, Refused, Unreachable
from monitor.exchanges import gate as gates
from monitor.exchanges.call import Budget, RestCall, Used
from monitor.exchanges.gate import Gate, Host
from tests.exchanges.serving import Hands, plain, served
from tests.fakes.exchange import ACCOUNT, FAKE, TIERS
from tests.hunt.network import Network
from tests.hunt.virtual_loop import VirtualLoop

MINUTE = Budget(name="weight", per_minute=2400, window_seconds=60)
CALL = RestCall(implicit="x", path="/x", weight=5, budget=MINUTE)
AROUND = replace(CALL, weight=30, max_age_seconds=300, optional=True)
NO_OFFSET = timedelta(0)


def gate(host: Host, clock: Hands, exchange: object = FAKE) -> Gate:
    return Gate(exchange, "main", clock, host)  # type: ignore[arg-type] - a fake


async def test_what_enters_is_counted_for_all_who_share_the_host() -> None:
    clock, host = Hands(), Host()
    await gate(host, clock).enter(CALL)
    await gate(host, clock).enter(CALL)
    assert host.use.sent(MINUTE, clock()) == 10


async def test_a_limit_of_one_account_is_counted_apart_and_the_address_beside_it() -> None:
    whole = Budget(name="per ip", per_minute=7200, window_seconds=5)
    mine = replace(CALL, budget=Budget(name="uid", per_minute=3000, by_address=False))
    clock, host = Hands(), Host()
    first = gate(host, clock, replace(FAKE, address_budget=whole))
    await first.enter(mine)
    assert first.own.sent(mine.budget, clock()) == 5
    assert host.use.sent(whole, clock()) == 1
    assert host.use.sent(mine.budget, clock()) == 0


async def test_what_can_wait_is_left_for_later_where_the_minute_has_no_room_to_spare() -> None:
    clock, host = Hands(), Host(share=0.1)
    one = gate(host, clock)
    for _ in range(44):  # 44 × 5 = 220 of 240
        await one.enter(CALL)
    with pytest.raises(Unreachable, match="left for later"):
        await one.enter(AROUND)
    await one.enter(replace(AROUND, weight=20))
    # What is needed, or part of every reading, is not put off.
    await one.enter(replace(AROUND, optional=False))
    await one.enter(replace(AROUND, max_age_seconds=60))
    await one.enter(replace(AROUND, sticky=True))
    clock.now += timedelta(seconds=61)
    await one.enter(AROUND)


async def test_what_can_wait_waits_for_nobody_and_makes_nobody_wait() -> None:
    clock, host = Hands(), Host(share=0.5)
    one = gate(host, clock)
    for _ in range(46):  # 230 of the 480 that may go at once where half of the limit is steady
        await one.enter(CALL)
    with pytest.raises(Unreachable, match="left for later"):
        await one.enter(AROUND)
    await one.enter(replace(AROUND, weight=10))
    await one.enter(replace(CALL, weight=240))
    waiting = asyncio.create_task(one.enter(replace(CALL, weight=480)))
    await asyncio.sleep(0)
    with pytest.raises(Unreachable, match="left for later"):
        await one.enter(replace(AROUND, weight=1))
    waiting.cancel()


@pytest.mark.parametrize(
    ("share", "is_shared"),
    [(0.05, False), (0.2, False), (0.5, False), (0.005, True), (0.1, True), (0.25, True)],
)
def test_four_fifths_of_a_minute_s_limit_are_never_passed_and_steady_reading_has_its_share(
    share: float, is_shared: bool
) -> None:
    call = replace(CALL, weight=10)
    one = gate(Host(share=share, is_shared=is_shared), Hands())
    # Each of two monitors keeps to half of the limit, and its share is half of theirs.
    limit = 1200 if is_shared else 2400
    times: list[float] = []

    async def enter() -> None:
        await one.enter(call)
        times.append(asyncio.get_running_loop().time())

    async def three_minutes() -> None:
        tasks = [asyncio.create_task(enter()) for _ in range(800)]
        await asyncio.sleep(180)
        for task in tasks:
            task.cancel()

    loop = VirtualLoop(Network())
    try:
        loop.run_until_complete(three_minutes())
    finally:
        loop.close()
    for first in range(0, len(times), 10):
        sent = sum(10 for at in times[first:] if at < times[first] + 60)
        assert sent <= 0.8 * limit + call.weight
    last = sum(10 for at in times if at >= 120)
    # Who has more to read than his share is read late: with half of the limit, not too late.
    assert last >= max(0.49 * limit, share * 2400 * 1.08)


def test_another_share_of_steady_reading_is_another_pace() -> None:
    host = Host(share=0.2)
    first = host.pace(MINUTE)
    assert host.pace(MINUTE) is first
    host.share = 0.5
    assert host.pace(MINUTE) is not first


async def test_calls_that_are_of_use_together_find_room_together() -> None:
    host, clock = Host(), Hands()
    one, other = gate(host, clock), gate(host, clock)
    one.standing.distance, other.standing.distance = 0.5, 0.01
    calls = [replace(CALL, path=f"/{n}", weight=100) for n in range(3)]
    # 720 may go at once, and 20 more come back each second.
    await other.enter(replace(CALL, weight=620))
    reserved = asyncio.create_task(one.reserve(calls))
    await asyncio.sleep(0)
    assert not reserved.done()  # though there would be room for the first of them
    reserved.cancel()
    await asyncio.gather(reserved, return_exceptions=True)

    free = gate(Host(), clock)
    room = await free.reserve(calls)
    assert room == {call.request for call in calls}
    for call in calls:
        await free.enter(call, has_room=True)
    assert free.host.use.sent(MINUTE, clock()) == 300
    # Nothing of it was taken twice: 420 of 720 are left.
    await asyncio.wait_for(free.enter(replace(CALL, weight=420)), 0.1)


async def test_no_room_is_reserved_for_what_waits_for_none_or_may_not_go_now() -> None:
    clock, host = Hands(), Host()
    one = gate(host, clock)
    by_seconds = replace(CALL, path="/y", budget=Budget(name="quick", per_minute=600))
    ticket = replace(CALL, path="/z", verb="POST")
    around = replace(AROUND, path="/w")
    assert await one.reserve([CALL, around, by_seconds, ticket]) == {CALL.request}
    host.quiet.ask(clock() + timedelta(seconds=10), clock())
    assert await one.reserve([CALL]) == frozenset()
    with pytest.raises(Unreachable, match="as the exchange asked"):
        await one.enter(CALL, has_room=True)


async def test_a_heavy_call_is_not_overtaken_by_light_ones_for_ever() -> None:
    second = Budget(name="weight", per_minute=6000, window_seconds=1)  # 50 a second in bursts
    heavy, light = (replace(CALL, weight=w, budget=second) for w in (40, 5))
    clock, host = Hands(), Host()
    one, entered = gate(host, clock), []

    async def enter(call: RestCall) -> None:
        await one.enter(call)
        entered.append(call.weight)

    for _ in range(10):
        await one.enter(light)
    await asyncio.gather(*map(enter, (heavy, *(light for _ in range(10)))))
    assert entered[0] == 40


async def test_three_tenths_of_a_limit_may_go_at_once_and_after_too_many_half_of_that() -> None:
    clock, host = Hands(), Host()
    one = gate(host, clock)
    big = replace(CALL, weight=360)
    await one.enter(big)
    await one.enter(big)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.enter(CALL), 0.05)
    host = Host()
    host.use.limited(clock())
    one = gate(host, clock)
    await one.enter(big)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.enter(CALL), 0.05)


@pytest.mark.parametrize(("per_minute", "seconds"), [(72_000, 0.5), (6_000, 0.5)])
async def test_three_quarters_of_a_limit_over_seconds_are_passed_in_no_span_of_it(
    per_minute: int, seconds: float
) -> None:
    limit = per_minute * seconds / 60
    counted = Budget(name="ip", per_minute=per_minute, window_seconds=seconds)
    clock, loop, times = Hands(), asyncio.get_running_loop(), []
    one = gate(Host(), clock)

    async def enter() -> None:
        await one.enter(replace(CALL, weight=1, budget=counted))
        times.append(loop.time())

    await asyncio.gather(*(enter() for _ in range(int(1.1 * limit))))
    in_span = [sum(at <= each < at + seconds for each in times) for at in times]
    assert limit / 2 < max(in_span) <= 0.75 * limit + 1


async def test_beside_another_monitor_a_burst_keeps_to_half_as_much_f83() -> None:
    clock, host = Hands(), Host(is_shared=True)
    one = gate(host, clock)
    await one.enter(replace(CALL, weight=360))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.enter(CALL), 0.05)
    # So does what counts this account alone: the other monitor asks for it as well.
    mine = replace(CALL, weight=360, budget=replace(MINUTE, name="uid", by_address=False))
    await one.enter(mine)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.enter(replace(mine, weight=5)), 0.05)


async def test_too_many_silences_the_host_until_the_wait_and_a_little_more_is_over() -> None:
    clock, host = Hands(), Host(spread=lambda seconds: seconds + 2)
    one, other = gate(host, clock), gate(host, clock)
    one.failed(Unreachable("slow down", retry_after_seconds=30.0, status=429))
    clock.now += timedelta(seconds=31.5)
    for each in (one, other):
        with pytest.raises(Unreachable, match="as the exchange asked") as caught:
            await each.enter(CALL)
        assert caught.value.retry_after_seconds == pytest.approx(0.5)
    clock.now += timedelta(seconds=1)
    await other.enter(CALL)
    assert host.use.is_halved(clock())


async def test_too_many_without_a_wait_is_one_all_the_same() -> None:
    clock, host = Hands(), Host()
    one = gate(host, clock)
    one.failed(Unreachable("slow down", status=429))
    with pytest.raises(Unreachable, match="waiting 2 s more"):
        await one.enter(CALL)


async def test_too_many_that_an_exchange_says_with_a_plain_status_counts_as_well() -> None:
    clock, host = Hands(), Host()
    one, other = gate(host, clock), gate(host, clock)
    one.failed(Unreachable("slow down", status=200, limit=Limit.ADDRESS))
    for each in (one, other):
        with pytest.raises(Unreachable, match="waiting 2 s more"):
            await each.enter(CALL)
    assert host.use.is_halved(clock())


async def test_one_accounts_own_limit_halves_what_it_asks_for_and_silences_no_other() -> None:
    clock, host = Hands(), Host()
    one, other = gate(host, clock), gate(host, clock)
    one.failed(Unreachable("slow down", retry_after_seconds=1.0, status=200, limit=Limit.ACCOUNT))
    await other.enter(CALL)
    with pytest.raises(Unreachable, match="waiting 1 s more"):
        await one.enter(CALL)
    clock.now += timedelta(seconds=2)
    mine = replace(MINUTE, name="uid", by_address=False)
    assert (one.allowance(mine), other.allowance(mine)) == (240, 480)  # 20 % of 2400, and half
    big = replace(CALL, weight=600, budget=mine)
    await one.enter(big)  # a quarter at once
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.enter(replace(big, weight=5)), 0.05)
    await other.enter(replace(CALL, weight=1200, budget=mine))


async def test_other_failures_silence_nobody() -> None:
    clock, host = Hands(), Host()
    one = gate(host, clock)
    for error in (Unreachable("down", status=503), Refused("no", status=401)):
        one.failed(error)
    await one.enter(CALL)
    assert not host.use.is_halved(clock())


async def test_where_others_have_used_up_the_minute_nothing_is_sent_before_the_next() -> None:
    clock, host = Hands(), Host()
    clock.now = clock.now.replace(second=10, microsecond=0)

    def read_use(call: RestCall, headers: object) -> Used:
        return Used(budget=call.budget, used=int(headers["used"]), limit=2400)  # type: ignore[index]

    exchange = replace(FAKE, read_use=read_use)
    async with served(clock, exchange, host) as (server, client):
        server.answers[ACCOUNT.path] = plain("{}", used="2300")
        await client.call(ACCOUNT)
        with pytest.raises(Unreachable, match="by us or others: 50 s more"):
            await client.call(ACCOUNT)
        assert server.count(ACCOUNT.path) == 1
        clock.now += timedelta(seconds=51)
        await client.call(ACCOUNT)
        assert server.count(ACCOUNT.path) == 2


async def test_a_minute_that_is_full_for_reading_is_full_for_what_can_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "BURST_SHARE", 1.0)
    clock, host = Hands(), Host(share=0.01)  # 24 a minute
    one = gate(host, clock)
    # Even what weighs more than all that is allowed goes where nothing else was sent.
    await one.enter(AROUND)
    with pytest.raises(Unreachable, match="left for later"):
        await one.enter(AROUND)


async def test_what_is_the_same_for_all_is_asked_for_once() -> None:
    clock, host = Hands(), Host()
    async with served(clock, FAKE, host) as (one, first), served(clock, FAKE, host) as (_, second):
        # The second account's own server is never asked.
        replies = await asyncio.gather(
            first.call_public(ACCOUNT), second.call_public(ACCOUNT), first.call_public(ACCOUNT)
        )
        assert one.count(ACCOUNT.path) == 1
        assert replies[0] == replies[1] == replies[2]
        clock.now += timedelta(seconds=1.9)
        await second.call_public(ACCOUNT)
        assert one.count(ACCOUNT.path) == 1
        clock.now += timedelta(seconds=0.2)
        await first.call_public(ACCOUNT)
        assert one.count(ACCOUNT.path) == 2


async def test_marks_that_are_late_do_not_wait_behind_readings_of_any_account() -> None:
    clock, host = Hands(), Host()
    async with served(clock, FAKE, host) as (server, client):
        # The fake's limit is 2400 a minute, counted in two seconds; half of that is a burst's.
        await host.pace(ACCOUNT.budget).acquire(40)
        client.gate.standing.distance = 0.01
        reading = asyncio.create_task(client.call(ACCOUNT))
        await asyncio.sleep(0)
        probing = asyncio.create_task(client.call_public(TIERS))
        await asyncio.gather(reading, probing)
        assert server.asked == [TIERS.path, ACCOUNT.path]


async def test_the_account_that_is_nearest_to_its_end_is_read_first() -> None:
    clock, host = Hands(), Host()
    calm, near = gate(host, clock), gate(host, clock)
    calm.standing.distance, near.standing.distance = 0.4, 0.02
    entered: list[str] = []

    async def enter(name: str, one: Gate) -> None:
        await one.enter(replace(CALL, budget=ACCOUNT.budget))
        entered.append(name)

    await host.pace(ACCOUNT.budget).acquire(40)
    await asyncio.gather(enter("calm", calm), enter("near", near))
    assert entered == ["near", "calm"]


async def test_a_failure_reaches_all_who_waited_and_nobody_else() -> None:
    clock, host = Hands(), Host()
    async with served(clock, FAKE, host) as (server, client):
        server.answers[ACCOUNT.path] = plain("{}", 500)
        asked = (client.call_public(ACCOUNT), client.call_public(ACCOUNT))
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(result) for result in results] == [Unreachable, Unreachable]
        assert server.count(ACCOUNT.path) == 1
        server.answers[ACCOUNT.path] = plain("{}")
        assert (await client.call_public(ACCOUNT)).body == {}


async def test_a_streams_ticket_does_not_wait_behind_readings_but_is_counted() -> None:
    clock, host = Hands(), Host()
    one = gate(host, clock)
    for _ in range(2):
        await one.enter(replace(CALL, weight=360))
    await asyncio.wait_for(one.enter(replace(CALL, weight=1, verb="POST")), 0.05)
    assert host.use.sent(MINUTE, clock()) == 721
    host.quiet.ask(clock() + timedelta(seconds=5), clock())
    with pytest.raises(Unreachable):
        await one.enter(replace(CALL, weight=1, verb="POST"))
