"""
What Bybit has written down of an account, and the prices of one moment.

Nothing is computed here but the prices' own digits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.bybit_tables import INSTRUMENTS, Instrument

ZERO = Decimal(0)
TAKER_RATE = Decimal("0.00055")
EIGHT_DECIMALS = Decimal("0.00000001")
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
    isolated_margin: Decimal = ZERO  # all that is posted, fee to close aside; 0: just the IM
    session: Decimal | None = None  # the price up to which PnL was settled into the wallet
    opened_ms: int = 0
    status: str = "Normal"  # "Liq" or "Adl" while under way
    only_reduces: bool = False  # its risk limit was lowered
    rate_rises_ms: int = 0  # when its maintenance rate is then raised; 0: nobody says

    @property
    def pnl_from(self) -> Decimal:
        """The price that unrealised PnL runs from."""
        return self.entry if self.session is None else self.session

    def resized(self, size: Decimal, price: Decimal) -> "Position":
        """
        The position with another size; what is added comes in at `price`.

        What is closed takes its part of the margin with it.
        """
        if size <= self.size:
            margin = self.isolated_margin * size / self.size
            return replace(self, size=size, isolated_margin=margin)
        entry = self._averaged(self.entry, size, price)
        session = None if self.session is None else self._averaged(self.session, size, price)
        return replace(self, size=size, entry=entry, session=session)

    def _averaged(self, before: Decimal, size: Decimal, price: Decimal) -> Decimal:
        added = size - self.size
        if INSTRUMENTS[self.symbol].category == "linear":
            return (self.size * before + added * price) / size
        return size / (self.size / before + added / price)


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
    def settle(self) -> str:
        return "USDT" if self.symbol.endswith("-USDT") else "USDC"

    @property
    def market_value(self) -> Decimal:
        return (self.mark if self.side == "Buy" else -self.mark) * self.size

    @property
    def unrealised_pnl(self) -> Decimal:
        return (1 if self.side == "Buy" else -1) * (self.mark - self.entry) * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """
    A line of the transaction log; `change` is what it did to the wallet.

    `kind` is Bybit's: TRANSFER_IN, TRANSFER_OUT, SETTLEMENT (funding), TRADE, LIQUIDATION, ADL,
    DELIVERY. `fee` is what was paid, as part of the change.
    """

    kind: str
    coin: str
    at_ms: int
    change: Decimal
    balance: Decimal
    funding: Decimal = ZERO
    fee: Decimal = ZERO
    fee_rate: Decimal = ZERO
    symbol: str = ""
    side: str = "None"
    qty: Decimal = ZERO
    size: Decimal = ZERO
    price: Decimal = ZERO
    order_id: str = ""
    trade_id: str = ""


@dataclass(slots=True, kw_only=True)
class Account:
    """
    What the exchange has written down; changed by steering and by liquidation only.

    `declared_im` and `declared_mm` are the two margins of portfolio margin, in USD: what the
    stress test gives is not public, so a scenario says it.
    """

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
    taker_rate: Decimal = TAKER_RATE  # as the fee list tells it
    tax: Decimal = ZERO  # on top of every fee, as a fraction of it; no list tells it
    haircut_loss: Decimal = ZERO  # USD, of open spot orders; as given
    declared_im: Decimal = ZERO
    declared_mm: Decimal = ZERO
    funding_wallet: dict[str, Decimal] = field(default_factory=dict)
    log: list[Booking] = field(default_factory=list)  # oldest first
    sequences: dict[str, int] = field(default_factory=dict)  # by symbol: its last change

    def changed(self, symbol: str, at_ms: int) -> None:
        """Note that something was traded in a symbol: its sequence goes up, never down."""
        self.sequences[symbol] = max(self.sequences.get(symbol, 0) + 1, at_ms)

    def held(self, symbol: str, side: str) -> Position:
        """Give the position of this side. Raises StopIteration where there is none."""
        return next(it for it in self.positions if (it.symbol, it.side) == (symbol, side))

    @property
    def charged_rate(self) -> Decimal:
        """The taker rate with local tax: 0.00055 is 0.000649 where tax is 18 %."""
        return self.taker_rate * (1 + self.tax)

    @property
    def isolated(self) -> bool:
        return self.margin_mode == "ISOLATED_MARGIN"

    @property
    def portfolio(self) -> bool:
        return self.margin_mode == "PORTFOLIO_MARGIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """
    The prices of one moment.

    `coin` gives the mark of a base coin and `coin_index` its index, both in USDT; the USD
    index of a coin is its index times that of USDT, which is itself not 1. All are cut to the
    digits that the wire carries, so that the wire and the ledger can't differ.
    """

    coin: Price
    coin_index: Price | None = None
    usdt_index: Decimal = Decimal("1.0002")
    usdc_index: Decimal = Decimal("0.9999")
    shifted: tuple[Instrument, Decimal] | None = None

    def mark(self, instrument: Instrument) -> Decimal:
        if self.shifted and self.shifted[0] is instrument:
            return self.shifted[1]
        return self._published(instrument)

    def quoted_index(self, instrument: Instrument) -> Decimal:
        """
        The index price of a contract in its quote, of as many digits as its mark.

        That in USD by that in USDT is the USD index of USDT.
        """
        price = (self.coin_index or self.coin)(instrument.base)
        if instrument.quote != "USDT":
            price *= self.usdt_index
        if instrument.quote == "USDC":
            price /= self.usdc_index
        return cut_to(price, instrument.mark_step)

    def index(self, coin: str) -> Decimal:
        """USD index of a coin, of eight decimals."""
        if coin in {"USDT", "USDC"}:
            return self.usdt_index if coin == "USDT" else self.usdc_index
        index = cut_to((self.coin_index or self.coin)(coin) * self.usdt_index, EIGHT_DECIMALS)
        if self.shifted and self.shifted[0].base == coin:
            instrument, price = self.shifted
            return index * price / self._published(instrument)
        return index

    def moved(self, symbol: str, price: Decimal) -> "Prices":
        """
        The same moment with one symbol's mark elsewhere, its base coin's index with it.

        Contracts on the same coin that are settled otherwise keep their marks.
        """
        return replace(self, shifted=(INSTRUMENTS[symbol], price))

    def _published(self, instrument: Instrument) -> Decimal:
        price = self.coin(instrument.base) * (1 + instrument.premium)
        return cut_to(price, instrument.mark_step)
