"""What becomes of kept tables where replies can't be understood."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from monitor.errors import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keeper(Protocol):
    """Keeps tables from one reading to the next."""

    def forget(self) -> None: ...


@contextmanager
def understanding(keeper: Keeper) -> Iterator[None]:
    """
    Lets all kept tables go where what is done within raises.

    One may have changed under us, or have told nothing of what is held: it would be believed
    for an hour.
    """
    try:
        yield
    except ExchangeError:
        keeper.forget()
        raise
