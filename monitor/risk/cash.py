"""
Money around a pool: what funding will take, what lies free elsewhere, what was booked.

None of it is part of a margin ratio; it explains one, or helps to better it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """
    The next funding of a perpetual: `rate` × notional at `at`.

    `symbol` is the unified one. The rate is a fraction, positive where longs pay shorts.
    """

    symbol: str
    rate: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeBalance:
    """
    Coins that lie free in another wallet of the same exchange, where the key can see it.

    `wallet` names the place in the exchange's own words for its customers.
    """

    asset: str
    amount: Decimal
    wallet: str


class BookingKind(Enum):
    """Why a wallet's balance changed."""

    FUNDING = "funding"
    FEE = "fee"
    TRANSFER = "transfer"
    REALISED = "realised"
    INTEREST = "interest"
    LIQUIDATION = "liquidation"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """
    One entry of the exchange's own account of a wallet.

    `id` is the exchange's, unique within an account; `amount` is signed as it changed the
    wallet, in `asset`; `symbol` is the exchange's own, None where no contract is meant.
    """

    id: str
    at: datetime
    kind: BookingKind
    asset: str
    amount: Decimal
    symbol: str | None = None
