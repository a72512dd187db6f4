"""
I/O. Calls that are sent before it is known whether they are needed; their answers wait aside.

Only what is asked for leaves here: what nobody needs any more is shown to no reader, is not
taken for a part of the account, and no reading waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from monitor.exchanges.call import Reply, RestCall


class Foreseen:
    """The calls of one reading that were sent ahead. `drop` ends those that were not taken."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Reply]] = {}

    def send(self, call: RestCall, asking: Coroutine[None, None, Reply]) -> None:
        task = self._under_way[call.request] = asyncio.create_task(asking)
        task.add_done_callback(_looked_at)

    def has(self, call: RestCall) -> bool:
        return call.request in self._under_way

    async def take(self, call: RestCall) -> Reply | None:
        """
        The answer to a call that is needed now; None where it is to be asked for: it was not
        sent ahead, or the exchange answered with an error.

        Raises:
            Unreachable: If nothing came back: a second wait would take as long as the first.
        """
        asking = self._under_way.pop(call.request, None)
        if asking is None:
            return None
        try:
            return await asking
        except ExchangeError as error:
            if isinstance(error, Unreachable) and error.status is None and error.code is None:
                raise
            return None

    def drop(self) -> None:
        """Nothing more is needed of what was sent ahead."""
        for asking in self._under_way.values():
            asking.cancel()
        self._under_way = {}


def _looked_at(asking: asyncio.Task[Reply]) -> None:
    """A failure of what nobody needs is no news."""
    if not asking.cancelled():
        asking.exception()
