"""
Margin that is taken over from an exchange and yet moves: with a price, until the next reading.

Knows the price that such a part goes by, and how; must not know pools, marks or exchanges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedMargin:
    """
    A part of a requirement: `fixed` + `per_price` × price, never below `least`.

    All in the pool's unit. The price is that of the pool's collateral in `asset`, or the mark
    of `symbol`, which a position of the pool has. `per_price` is negative where a falling
    price raises the requirement. `least` is 0 where the exchange publishes how it moves;
    where not, what the exchange said last: only what it may grow by is then our assumption.

    Raises:
        ValueError: If not exactly one of `asset` and `symbol` is given.
    """

    per_price: Decimal
    fixed: Decimal = _NOTHING
    least: Decimal = _NOTHING
    asset: str | None = None
    symbol: str | None = None

    def __post_init__(self) -> None:
        if (self.asset is None) == (self.symbol is None):
            raise ValueError("carried margin goes by one price: an asset's or a symbol's")

    def times(self, factor: Decimal) -> CarriedMargin:
        """The same, so many times as large at every price."""
        return replace(
            self,
            per_price=factor * self.per_price,
            fixed=factor * self.fixed,
            least=factor * self.least,
        )

    def at(self, price: Decimal) -> Decimal:
        """What is required at this price."""
        return max(self.fixed + self.per_price * price, self.least)
