"""What a ledger knows to be true: margin pools with exact figures, for `/sim/ledger`."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionTruth:
    """
    One open position.

    `maintenance_margin` is None where the exchange has none for a position by itself.
    `liquidation_price` is the nearest price of its symbol that ends its pool, the other one
    lies in the other direction; each is None where there is none. They may be given as
    functions, so that only who asks for the row pays for solving.
    """

    exchange_symbol: str
    side: str  # "long" or "short"
    contracts: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealized_pnl: Decimal
    maintenance_margin: Decimal | None
    liquidation_price: Decimal | Callable[[], Decimal | None] | None
    other_liquidation_price: Decimal | Callable[[], Decimal | None] | None = None

    def row(self) -> dict[str, object]:
        return {
            "exchange_symbol": self.exchange_symbol,
            "side": self.side,
            "contracts": plain(self.contracts),
            "entry_price": plain(self.entry_price),
            "mark": plain(self.mark_price),
            "notional": plain(self.notional),
            "unrealized_pnl": plain(self.unrealized_pnl),
            "maintenance_margin": _plain_or_none(self.maintenance_margin),
            "liquidation_price": _plain_or_none(_solved(self.liquidation_price)),
            "other_liquidation_price": _plain_or_none(_solved(self.other_liquidation_price)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTruth:
    """
    What is liquidated together.

    `maintenance_margin` is the whole requirement that the exchange holds against the balance
    (on OKX with the liquidation fees).
    """

    pool: str  # "USDT", "unified", "isolated/SOLUSDT", "isolated/SOLUSDT/long"
    unit: str
    margin_balance: Decimal
    maintenance_margin: Decimal
    positions: tuple[PositionTruth, ...]

    @property
    def ratio(self) -> Decimal:
        """Maintenance by balance; 0 without maintenance, Infinity without a balance left."""
        if self.maintenance_margin <= 0:
            return Decimal(0)
        if self.margin_balance <= 0:
            return Decimal("Infinity")
        return self.maintenance_margin / self.margin_balance

    def row(self) -> dict[str, object]:
        return {
            "pool": self.pool,
            "unit": self.unit,
            "margin_balance": plain(self.margin_balance),
            "maintenance_margin": plain(self.maintenance_margin),
            "ratio": plain(self.ratio),
            "positions": [position.row() for position in self.positions],
        }


def _solved(price: Decimal | Callable[[], Decimal | None] | None) -> Decimal | None:
    return price() if callable(price) else price


def _plain_or_none(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def plain(value: Decimal) -> str:
    """Give the digits of a decimal without exponent and without trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
