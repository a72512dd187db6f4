"""Calls sent ahead: what is taken of them, what a failure means, and that the rest ends."""

import asyncio
import gc
from datetime import UTC, datetime

import pytest

from monitor.errors import ExchangeError, Malformed, Refused, Unreachable
from monitor.exchanges.call import Reply
from monitor.exchanges.foreseen import Foreseen
from tests.fakes.exchange import ACCOUNT, STOPS

REPLY = Reply(request=ACCOUNT.request, status=200, body={}, at=datetime(2026, 11, 23, tzinfo=UTC))


async def answered(reply: Reply | ExchangeError) -> Reply:
    if isinstance(reply, ExchangeError):
        raise reply
    return reply


async def test_an_answer_is_taken_once_and_only_by_whom_it_answers() -> None:
    ahead = Foreseen()
    ahead.send(ACCOUNT, answered(REPLY))
    assert (ahead.has(ACCOUNT), ahead.has(STOPS)) == (True, False)
    assert await ahead.take(STOPS) is None
    assert await ahead.take(ACCOUNT) == REPLY
    assert not ahead.has(ACCOUNT)
    assert await ahead.take(ACCOUNT) is None


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("a problem of theirs", status=503),
        Unreachable("busy", code="50013"),
        Refused("no", status=401),
        Malformed("body", "JSON"),
    ],
)
async def test_where_an_error_was_answered_it_is_asked_for_again(error: ExchangeError) -> None:
    ahead = Foreseen()
    ahead.send(ACCOUNT, answered(error))
    assert await ahead.take(ACCOUNT) is None


async def test_where_nothing_came_back_that_is_the_end_of_it() -> None:
    ahead = Foreseen()
    ahead.send(ACCOUNT, answered(Unreachable("no answer within 10 s")))
    with pytest.raises(Unreachable):
        await ahead.take(ACCOUNT)


async def test_what_is_dropped_ends_and_a_failure_that_nobody_saw_is_not_told() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    ahead = Foreseen()
    ends = asyncio.Event()

    async def endless() -> Reply:
        try:
            await asyncio.Event().wait()
        finally:
            ends.set()
        return REPLY

    ahead.send(ACCOUNT, endless())
    ahead.send(STOPS, answered(Unreachable("down")))
    await asyncio.sleep(0)
    ahead.drop()
    await asyncio.wait_for(ends.wait(), 1)
    await asyncio.sleep(0)
    gc.collect()
    assert told == []
    assert not ahead.has(ACCOUNT)
