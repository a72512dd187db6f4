"""
I/O. Calls that block, each in a thread beside the loop that may be left behind.

A receiver that gives a byte every few seconds holds its call for as long as it likes. So nobody
waits for a thread for ever, neither the next message nor the end of the process.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LEFT_BEHIND = 4


class Aside:
    """The threads of one channel, one call at a time; those that hang are counted."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: list[threading.Thread] = []

    async def run(self, call: Callable[[], None], seconds: float) -> None:
        """
        Wait until the call is over.

        Raises:
            DeliveryError: If it failed, is not over after so many seconds, or was not begun
                because too many of those before it still are not.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) >= MOST_LEFT_BEHIND:
            raise DeliveryError("earlier messages are still under way: it answers too slowly")
        loop = asyncio.get_running_loop()
        over: asyncio.Future[DeliveryError | None] = loop.create_future()

        def settle(error: DeliveryError | None) -> None:
            if not over.done():
                over.set_result(error)

        def work() -> None:
            error = _failure_of(call)
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                loop.call_soon_threadsafe(settle, error)

        # The process does not wait for it at its end: what it was about is still in the outbox.
        thread = threading.Thread(target=work, name=self._name, daemon=True)
        self._threads.append(thread)
        thread.start()
        try:
            async with asyncio.timeout(seconds):
                error = await over
        except TimeoutError:
            raise DeliveryError(f"no answer within {seconds:g} s") from None
        if error is not None:
            raise error


def _failure_of(call: Callable[[], None]) -> DeliveryError | None:
    try:
        call()
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; its text may hold the URL
        return DeliveryError(f"the service failed ({type(error).__name__})")
    return None
