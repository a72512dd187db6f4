"""
Legs that can't be read, each kept apart: in isolated margin one blinds its own pool alone.

In cross and portfolio margin all legs are one pool, so that a leg that can't be read leaves
nothing to be said of any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.bybit.rows import is_held, read_held, read_key, settle_of
from monitor.risk.model import Side

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.exchanges.bybit.rows import Held
    from monitor.exchanges.payload import Row

_SIDES = {1: Side.LONG, 2: Side.SHORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A leg of which no figure can be given, and why."""

    symbol: str
    idx: int
    category: str
    error: ExchangeError

    @property
    def key(self) -> tuple[str, int]:
        return self.symbol, self.idx

    @property
    def settle(self) -> str:
        return settle_of(self.symbol, self.category)

    @property
    def pool_name(self) -> str:
        return isolated_name(self.symbol, self.idx)

    @property
    def because(self) -> str:
        """Why, for people, with the request that it is about."""
        said = self.error.because
        named = said if self.symbol in said else f"{self.symbol}: {said}"
        return f"{named} ({self.error.call})" if self.error.call else named


def isolated_name(symbol: str, idx: int) -> str:
    """``isolated/SYMBOL``, and in hedge mode the side, for each side is a pool of its own."""
    return f"isolated/{symbol}" + (f"/{_SIDES[idx].value}" if idx in _SIDES else "")


def read_apart(
    rows: Iterable[Row], category: str, at: datetime, request: str
) -> tuple[tuple[Held, ...], tuple[Unread, ...]]:
    """
    The legs held, and those whose rows can't be read.

    Raises:
        Malformed: Of a row that doesn't even tell which leg it is.
    """
    held: list[Held] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            if is_held(row):
                held.append(read_held(row, category, at))
        except Malformed as error:
            error.placed(call=request)
            unread.append(_unread(row, category, error))
    return tuple(held), tuple(unread)


def _unread(row: Row, category: str, error: Malformed) -> Unread:
    try:
        symbol, idx = read_key(row)
    except Malformed:
        raise error from None
    return Unread(symbol=symbol, idx=idx, category=category, error=error)


def of_leg(held: Held, error: ExchangeError) -> Unread:
    """A leg whose row can be read, but not what it stands on."""
    return Unread(symbol=held.symbol, idx=held.idx, category=held.category, error=error)
