"""
What OKX has written down of an account, and the prices of one moment.

Nothing is computed here but the prices' own digits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.okx_tables import (
    INSTRUMENTS,
    SPOT_TAKER_RATE,
    TAKER_RATE,
    Instrument,
    instrument_of,
)

ZERO = Decimal(0)
SPOT, FUTURES, MULTI_CURRENCY, PORTFOLIO = "1", "2", "3", "4"
Price = Callable[[str], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    A swap or futures position.

    `contracts` is positive, `direction` 1 for a long and -1 for a short.
    """

    inst_id: str
    direction: int
    contracts: Decimal
    avg_px: Decimal
    lever: Decimal
    pos_id: str
    pos_side: str = "net"  # "long" and "short" in hedge mode
    margin: Decimal | None = None  # None in cross margin
    opened_ms: int = 0

    @property
    def is_isolated(self) -> bool:
        return self.margin is not None

    @property
    def pos(self) -> Decimal:
        """The size as the wire has it: signed in net mode only."""
        return self.contracts * (self.direction if self.pos_side == "net" else 1)

    def resized(self, contracts: Decimal, price: Decimal) -> "Position":
        """The position with another size; what is added comes in at `price`, without margin."""
        added = max(ZERO, contracts - self.contracts)
        average = self.avg_px
        if added and INSTRUMENTS[self.inst_id].is_linear:
            average = (self.contracts * average + added * price) / contracts
        elif added:
            average = contracts / (self.contracts / average + added / price)
        margin = self.margin
        if margin is not None and not added:
            margin = margin * contracts / self.contracts
        return replace(self, contracts=contracts, avg_px=average, margin=margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPosition:
    """
    A MARGIN position: coins bought with borrowed ones, or borrowed ones sold.

    A long holds base coin and owes quote, a short the other way round. `held` and `owed` are
    positive amounts, `interest` comes on top of what is owed. Its figures are in `ccy`: what it
    is margined in. An isolated one is margined in what it holds.
    """

    inst_id: str
    direction: int
    held: Decimal
    owed: Decimal
    avg_px: Decimal
    lever: Decimal
    pos_id: str
    ccy: str
    interest: Decimal = Decimal(0)
    margin: Decimal | None = None  # None in cross margin
    opened_ms: int = 0
    pos_side: str = "net"

    @property
    def is_isolated(self) -> bool:
        return self.margin is not None

    @property
    def contracts(self) -> Decimal:
        """The size in base coin: what a long holds, or a short owes."""
        return self.held if self.direction > 0 else self.owed

    @property
    def pos(self) -> Decimal:
        """The size as the wire has it: always positive."""
        return self.held

    def resized(self, contracts: Decimal, _: Decimal) -> "MarginPosition":
        """The position in another size, with as much more or less owed, and of its margin."""
        whole = self.contracts
        # Multiplied first, so that what is met exactly, as a tier's edge, stays so.
        return replace(
            self,
            held=self.held * contracts / whole,
            owed=self.owed * contracts / whole,
            interest=self.interest * contracts / whole,
            margin=None if self.margin is None else self.margin * contracts / whole,
        )

    @property
    def held_ccy(self) -> str:
        return self.inst_id.split("-")[0 if self.direction > 0 else 1]

    @property
    def owed_ccy(self) -> str:
        return self.inst_id.split("-")[1 if self.direction > 0 else 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPosition:
    """
    A position with its figures as given, in `ccy`: an option, say.

    No model stands behind it, so nothing of it moves with a mark. An option counts with its
    market value, which is `upl` where `value` does not say otherwise.
    """

    inst_type: str
    inst_id: str
    ccy: str
    pos: Decimal
    avg_px: Decimal
    mark_px: Decimal
    pos_id: str
    upl: Decimal = ZERO
    imr: Decimal = ZERO
    mmr: Decimal = ZERO
    fee: Decimal = ZERO
    pos_ccy: str = ""
    liab: Decimal = ZERO
    liab_ccy: str = ""
    value: Decimal | None = None

    @property
    def is_option(self) -> bool:
        return self.inst_type == "OPTION"

    @property
    def worth(self) -> Decimal:
        return self.upl if self.value is None else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An open order. With a `trigger` it is a stop of the algo kind and needs no margin."""

    order_id: str
    inst_id: str
    side: str  # "buy" or "sell"
    contracts: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    reduce_only: bool = False
    closes_position: bool = False
    pos_side: str = "net"

    @property
    def needs_margin(self) -> bool:
        return self.price is not None and self.trigger is None and not self.reduce_only


@dataclass(slots=True, kw_only=True)
class Account:
    """What the exchange has written down; changed by steering and by liquidation only."""

    name: str
    level: str = FUTURES
    hedge: bool = False
    cash: dict[str, Decimal] = field(default_factory=dict)
    strategy: dict[str, Decimal] = field(default_factory=dict)
    interest: dict[str, Decimal] = field(default_factory=dict)  # accrued, not yet deducted
    funding: dict[str, Decimal] = field(default_factory=dict)  # in the funding account, apart
    positions: list[Position] = field(default_factory=list)
    loans: list[MarginPosition] = field(default_factory=list)
    others: list[OtherPosition] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    switched_off: frozenset[str] = frozenset()
    taker_rate: Decimal = TAKER_RATE
    futures_taker_rate: Decimal = TAKER_RATE
    spot_taker_rate: Decimal = SPOT_TAKER_RATE
    spot_borrow: bool = False  # whether Spot mode may borrow
    fixed_mmr: Decimal | None = None  # USD; what portfolio margin says, as given
    fixed_fee: Decimal = ZERO  # USD; the cost of liquidating that is held beside it
    stress: Decimal | None = None  # else the shock by which portfolio margin is figured here

    @property
    def is_unified(self) -> bool:
        """Whether one pool in USD stands behind all that is cross, or borrowed."""
        return self.level in {MULTI_CURRENCY, PORTFOLIO} or self.borrows_in_spot

    @property
    def borrows_in_spot(self) -> bool:
        return self.level == SPOT and self.spot_borrow

    def taker_of(self, instrument: Instrument) -> Decimal:
        """The rate of the fee of being liquidated."""
        rates = {"FUTURES": self.futures_taker_rate, "MARGIN": self.spot_taker_rate}
        return rates.get(instrument.kind, self.taker_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """
    The prices of one moment, cut to the digits that the wire carries.

    `coin` gives the mark of every contract on a base coin and `coin_index` its index; the USD
    price of a coin is its index times the USD price of USDT.
    """

    coin: Price
    coin_index: Price | None = None
    usdt: Decimal = Decimal("0.9998")
    usdc: Decimal = Decimal("0.9999")
    moved: tuple[str, Decimal] | None = None  # one instrument's mark, and its coin's price

    def mark(self, instrument: Instrument) -> Decimal:
        if self.moved and self.moved[0] == instrument.inst_id:
            return self.moved[1]
        return self._mark_at_rest(instrument)

    def _mark_at_rest(self, instrument: Instrument) -> Decimal:
        price = self.coin(instrument.base) * (1 + instrument.premium)
        return cut_to(price, instrument.mark_step)

    def usd(self, ccy: str) -> Decimal:
        """US dollars for one coin."""
        if ccy in {"USDT", "USDC", "USD"}:
            return {"USDT": self.usdt, "USDC": self.usdc, "USD": Decimal(1)}[ccy]
        usd = cut_to((self.coin_index or self.coin)(ccy) * self.usdt, Decimal("0.00000001"))
        if self.moved is None:
            return usd
        instrument = instrument_of(self.moved[0])
        if instrument.base != ccy:
            return usd
        return usd * self.moved[1] / self._mark_at_rest(instrument)

    def index(self, instrument: Instrument) -> Decimal:
        """The index price of a contract, of as many digits as its mark."""
        return cut_to((self.coin_index or self.coin)(instrument.base), instrument.mark_step)

    def with_mark(self, inst_id: str, price: Decimal) -> "Prices":
        """
        The same moment with one instrument's mark elsewhere, its base coin's price with it.

        Contracts on the same coin that are settled otherwise keep their marks.
        """
        return replace(self, moved=(inst_id, price))


def cut_to(value: Decimal, step: Decimal) -> Decimal:
    """Cut towards zero to a multiple of `step`."""
    return (value / step).to_integral_value(rounding=ROUND_DOWN) * step
