"""I/O. Whether an exchange gives this key the private streams: what `check` says of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.engine.events import FeedLost, FeedRestored
from monitor.exchanges.account_feed import NOT_GIVEN
from monitor.service.feeds import open_account_feed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.exchanges.account_feed import AccountNews
    from monitor.exchanges.port import AccountStream
    from monitor.exchanges.rest import RestClient
    from monitor.settings import AccountSettings

ANSWER_SECONDS = 20.0


async def try_private_streams(
    account: AccountSettings,
    client: RestClient,
    streams: tuple[AccountStream, ...],
    now: Callable[[], datetime],
) -> tuple[bool, str]:
    """
    Whether that is as it should be, and what was found.

    Where they are not given the account is polled, which is no fault; where they can't be
    reached, something is wrong.
    """
    polled = f"the account is read every {account.poll_seconds:g} s"
    if not streams:
        return True, f"none for this kind of account; {polled}"
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def deliver(news: AccountNews) -> None:
        if isinstance(news, FeedLost | FeedRestored) and not outcome.done():
            outcome.set_result(news.because if isinstance(news, FeedLost) else "")

    feed = open_account_feed(account, client, now, deliver)
    feed.listen(streams)
    running = asyncio.create_task(feed.run())
    try:
        because = await asyncio.wait_for(outcome, ANSWER_SECONDS)
    except TimeoutError:
        return False, f"no answer within {ANSWER_SECONDS:.0f} s; {polled} all the same"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if not because:
        told = ", ".join(dict.fromkeys(stream.is_told for stream in streams))
        return True, f"given: {told}"
    if because.startswith(NOT_GIVEN):
        reason = because.removeprefix(NOT_GIVEN).lstrip(": ")
        return True, f"not given, because {reason}; {polled} instead"
    return False, f"{because}; {polled} all the same"
