"""A reading that is not whole: what may serve longer does, and a whole one asks for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.exchanges.call import Depth
from tests.exchanges.serving import Hands, needing, served
from tests.fakes.exchange import ACCOUNT, STOPS, TIERS

CALM = replace(TIERS, max_age_seconds=0, calm_seconds=300)
HEARD = replace(STOPS, max_age_seconds=0, heard_seconds=600)


@pytest.mark.parametrize(
    ("depth", "seconds", "asked"),
    [
        (Depth.WHOLE, 50, {ACCOUNT.path: 2, CALM.path: 2, HEARD.path: 2}),
        (Depth.CALM, 50, {ACCOUNT.path: 2, CALM.path: 1, HEARD.path: 2}),
        (Depth.CALM, 301, {ACCOUNT.path: 2, CALM.path: 2, HEARD.path: 2}),
        (Depth.HEARD, 301, {ACCOUNT.path: 2, CALM.path: 2, HEARD.path: 1}),
        (Depth.HEARD, 601, {ACCOUNT.path: 2, CALM.path: 2, HEARD.path: 2}),
    ],
)
async def test_what_is_asked_again(depth: Depth, seconds: int, asked: dict[str, int]) -> None:
    clock = Hands()
    async with served(clock, needing((ACCOUNT, CALM, HEARD))) as (server, client):
        await client.read_account()
        clock.now += timedelta(seconds=seconds)
        replies = await client.read_account(depth=depth)
        assert {path: server.count(path) for path in asked} == asked
        # Whatever was asked anew, the reading is complete.
        assert all(replies.has(call) for call in (ACCOUNT, CALM, HEARD))
        assert set(client.standing_calls) == {ACCOUNT, CALM, HEARD}


async def test_a_whole_reading_asks_for_what_served_in_one_that_was_not() -> None:
    clock = Hands()
    async with served(clock, needing((ACCOUNT, CALM))) as (server, client):
        await client.read_account(depth=Depth.CALM)
        clock.now += timedelta(seconds=10)
        await client.read_account(depth=Depth.CALM)
        assert server.count(CALM.path) == 1
        await client.read_account()
        assert server.count(CALM.path) == 2


def test_how_long_a_reply_serves() -> None:
    call = replace(TIERS, max_age_seconds=60, calm_seconds=300, heard_seconds=600)
    assert [call.age_seconds(depth) for depth in Depth] == [60, 300, 600]
    slow = replace(call, max_age_seconds=3600)
    assert [slow.age_seconds(depth) for depth in Depth] == [3600, 3600, 3600]
