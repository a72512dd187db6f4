"""
Rows that can't be read, each kept apart from the others: one must blind its own pool alone.

Knows how to tell whose row it is; must not know what rows hold or which rules pools go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import ExchangeError, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.exchanges.payload import Row

T = TypeVar("T")

_ISOLATED = {"isolated": True, "cross": False, "crossed": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """
    What could not be read, and why.

    `symbol` is None for a row of the wallet itself. `asset` is None where the row doesn't tell
    what it is margined in, `isolated` where it doesn't tell how.
    """

    error: ExchangeError
    asset: str | None = None
    symbol: str | None = None
    side: str = "BOTH"
    isolated: bool | None = None

    @property
    def because(self) -> str:
        """Why, in words that name what it is about."""
        named = self.symbol or self.asset or ""
        said = self.error.because
        return said if named in said else f"{named}: {said}"


def apart(
    rows: Iterable[Row], read: Callable[[Row], T], whose: Callable[[Row, Malformed], Unread]
) -> tuple[list[T], tuple[Unread, ...]]:
    """
    What `read` makes of every row, and the rows that it can't make anything of.

    Raises:
        Malformed: Of a row that doesn't even tell whose it is.
    """
    found: list[T] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            found.append(read(row))
        except Malformed as error:
            unread.append(whose(row, error))
    return found, tuple(unread)


def position_row(row: Row, error: Malformed) -> Unread:
    """A position row that can't be read. Raises the error where it doesn't tell its symbol."""
    symbol = _text(row, "symbol")
    if symbol is None:
        raise error
    return Unread(
        error=error,
        asset=_text(row, "marginAsset"),
        symbol=symbol,
        side=_text(row, "positionSide") or "BOTH",
        isolated=_is_isolated(row),
    )


def asset_row(row: Row, error: Malformed) -> Unread:
    """A wallet's row that can't be read. Raises the error where it doesn't tell its asset."""
    asset = _text(row, "asset")
    if asset is None:
        raise error
    return Unread(error=error, asset=asset)


def _text(row: Row, key: str) -> str | None:
    try:
        return row.optional_text(key)
    except Malformed:
        return None


def _is_isolated(row: Row) -> bool | None:
    """By its margin type, else by what it has set aside; None where neither tells."""
    word = _text(row, "marginType")
    if word in _ISOLATED:
        return _ISOLATED[word]
    try:
        return bool(row.decimal("isolatedWallet") or row.decimal("isolatedMargin"))
    except Malformed:
        return None
