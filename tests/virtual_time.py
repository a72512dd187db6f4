"""An event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from tests.alerting import NOON

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: a wait moves the clock. For tests without sockets."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("nothing is left to happen: this test would wait for ever")
        if not found:
            self.seconds += timeout or 0.0
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.seconds


def seconds() -> float:
    """How much time has passed in this loop."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """Noon and what has passed."""
    return NOON + timedelta(seconds=seconds())


def run(main: Coroutine[object, object, T]) -> T:
    """What a coroutine returns, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
