"""
What an exchange says of an account beside its figures: that it warns, and what it took.

Their figures are the exchange's own; nothing is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


class Cause(Enum):
    """Why a position shrank, or went, without its owner's doing."""

    LIQUIDATION = "liquidation"
    ADL = "auto-deleveraging"
    SETTLEMENT = "settlement"
    TAKEOVER = "take-over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """
    The exchange's own warning: a margin call, a changed risk level, a coming liquidation.

    `words` for people, with the exchange's own name of it. `exchange_symbol` is None where it
    is about a whole pool. `is_critical`: it says that liquidation is near or under way.
    """

    at: datetime
    words: str
    exchange_symbol: str | None = None
    is_critical: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    A part of a position that the exchange took.

    `id` is the order's or the fill's (the same one is told once, however often and by
    whichever way it comes). `contracts` > 0. `price` is the mean price of the fill, `amount`
    what it changed the wallet by in `asset` (negative: a loss), fees included where they are
    told; each None where unknown.
    """

    id: str
    at: datetime
    cause: Cause
    exchange_symbol: str
    is_long: bool | None
    contracts: Decimal | None
    price: Decimal | None = None
    asset: str | None = None
    amount: Decimal | None = None


News = Warned | Taken
