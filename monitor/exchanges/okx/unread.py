"""
Rows that can't be read, each kept apart from the others: one must blind its own pool alone.

Knows how to tell whose row it is; must not know what rows hold or which rules pools go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import ExchangeError, Malformed, MissingReply, Unmodelled
from monitor.exchanges.okx.errors import NAME
from monitor.risk.model import MarginMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.exchanges.call import RestCall
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.payload import Row

T = TypeVar("T")

_MODES = {"isolated": MarginMode.ISOLATED, "cross": MarginMode.CROSS}
_SIDES = ("long", "short")
# What errors name that are about a reply as such.
_WHOLE = ("", "body", "code", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """
    What could not be read, and why.

    `key` is the position's id, or the coin's with `COIN` before it. `inst_id` is None for a
    coin. `ccy` is what a position is margined in, None where it does not tell; `margin_mode`
    is None where it does not tell how. `side` is long or short in long/short mode.
    """

    key: str
    error: ExchangeError
    inst_id: str | None = None
    ccy: str | None = None
    margin_mode: MarginMode | None = None
    side: str | None = None

    def placed(self, call: RestCall) -> Unread:
        """The same, and that the reply of this call holds it."""
        self.error.placed(exchange=NAME, call=call.request)
        return self

    @property
    def because(self) -> str:
        """Why, in words that name what it is about."""
        named = self.inst_id or self.ccy or ""
        said = self.error.because
        return said if named in said else f"{named}: {said}"

    @property
    def isolated_name(self) -> str | None:
        """What its pool is called should it be isolated; None for a coin."""
        if self.inst_id is None or self.side is None:
            return self.inst_id
        return f"{self.inst_id}/{self.side}"


COIN = "coin "


def apart(
    rows: Iterable[Row], read: Callable[[Row], T], whose: Callable[[Row, Malformed], Unread]
) -> tuple[tuple[T, ...], tuple[Unread, ...]]:
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
    return tuple(found), tuple(unread)


def is_of_a_part(error: ExchangeError) -> bool:
    """
    Whether an error is about one row or one symbol, so that all others may go on.

    It is not where a whole reply is no answer: what else it would have told is not known.
    """
    if isinstance(error, Malformed):
        return error.path not in _WHOLE
    return isinstance(error, MissingReply | Unmodelled)


def position_row(row: Row, error: Malformed) -> Unread:
    """A position's row that can't be read. Raises the error where it names no instrument."""
    inst_id, mode, side = (_text(row, key) for key in ("instId", "mgnMode", "posSide"))
    if inst_id is None:
        raise error
    return Unread(
        key=_text(row, "posId") or f"{inst_id}/{mode}/{side}",
        error=error,
        inst_id=inst_id,
        ccy=_text(row, "ccy"),
        margin_mode=_MODES.get(mode or ""),
        side=side if side in _SIDES else None,
    )


def coin_row(row: Row, error: Malformed) -> Unread:
    """A coin's row that can't be read. Raises the error where it names no coin."""
    ccy = _text(row, "ccy")
    if ccy is None:
        raise error
    return Unread(key=COIN + ccy, error=error, ccy=ccy)


def held_row(row: Held, error: ExchangeError) -> Unread:
    """A position that was read, and of which no figure can be given."""
    return Unread(
        key=row.pos_id,
        error=error,
        inst_id=row.inst_id,
        ccy=row.ccy,
        margin_mode=row.margin_mode,
        side=None if row.named_side is None else row.named_side.value,
    )


def _text(row: Row, key: str) -> str | None:
    try:
        return row.optional_text(key)
    except Malformed:
        return None
