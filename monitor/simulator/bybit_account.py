"""
What Bybit has written down of an account, and the prices of one moment.

Nothing is computed here but the prices' own digits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.bybit_tables import INSTRUMENTS, Instrument

ZERO = Decimal(0)
TAKER_RATE = Decimal("0.00055")
Price = Callable[[str], Decimal]


def cut_to(value: Decimal, step: Decimal) -> Decimal:
    """Cut towards zero to a multiple of `step`."""
    return (value / step).to_integral_value(rounding=ROUND_DOWN) * step


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position; `idx` is 0 one-way, 1 the long leg, 2 the short leg of hedge mode."""

    symbol: str
    side: str  # "Buy" or "Sell"
    size: Decimal
    entry: Decimal
    leverage: Decimal
    idx: int = 0
    isolated_margin: Decimal = ZERO
    stop_loss: Decimal | None = None
    opened_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An open order; a stop has a `trigger`, and only opening limit orders need margin."""

    order_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    reduce_only: bool = False
    closes_position: bool = False
    idx: int = 0

    @property
    def needs_margin(self) -> bool:
        return self.price is not None and not self.reduce_only and self.trigger is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option holding with its figures as given: no model stands behind them."""

    symbol: str
    side: str
    size: Decimal
    entry: Decimal
    mark: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal

    @property
    def market_value(self) -> Decimal:
        return (self.mark if self.side == "Buy" else -self.mark) * self.size


@dataclass(slots=True, kw_only=True)
class Account:
    """What the exchange has written down; changed by steering and by liquidation only."""

    name: str
    margin_mode: str = "REGULAR_MARGIN"
    unified_status: int = 6
    hedge: bool = False
    wallets: dict[str, Decimal] = field(default_factory=dict)
    positions: list[Position] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    spot_borrow: dict[str, Decimal] = field(default_factory=dict)
    switched_off: frozenset[str] = frozenset()
    taker_rate: Decimal = TAKER_RATE
    haircut_loss: Decimal = ZERO  # USD, of open spot orders; as given


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """
    The prices of one moment.

    `coin` gives the USDT price of a base coin; the USD index of a coin is that times the
    index of USDT, which is itself not 1. All are cut to the digits that the wire carries, so
    that the wire and the ledger can't differ.
    """

    coin: Price
    usdt_index: Decimal = Decimal("1.0002")
    usdc_index: Decimal = Decimal("0.9999")
    shifted: Mapping[str, Decimal] = field(default_factory=dict)
    shifted_coin: str | None = None

    def mark(self, instrument: Instrument) -> Decimal:
        if instrument.symbol in self.shifted:
            return self.shifted[instrument.symbol]
        return cut_to(self.coin(instrument.base), instrument.mark_step)

    def index(self, coin: str) -> Decimal:
        """USD index of a coin, of eight decimals."""
        if coin == "USDT":
            return self.usdt_index
        if coin == "USDC":
            return self.usdc_index
        if coin == self.shifted_coin:
            return next(iter(self.shifted.values())) * self.usdt_index
        return cut_to(self.coin(coin) * self.usdt_index, Decimal("0.00000001"))


def moved(prices: Prices, symbol: str, price: Decimal) -> Prices:
    """
    The same moment with one symbol's mark elsewhere, and its base coin's index with it.

    Contracts on the same coin that are settled otherwise keep their marks.
    """
    base = INSTRUMENTS[symbol].base
    return replace(prices, shifted={symbol: price}, shifted_coin=base)
