"""
What OKX has written down of an account, and the prices of one moment.

Nothing is computed here but the prices' own digits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.okx_tables import INSTRUMENTS, SPOT_TAKER_RATE, TAKER_RATE, Instrument

ZERO = Decimal(0)
SPOT, FUTURES, MULTI_CURRENCY, PORTFOLIO = "1", "2", "3", "4"
Price = Callable[[str], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A swap position; `contracts` is positive, `direction` 1 for a long and -1 for a short."""

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
class OtherPosition:
    """
    A MARGIN, FUTURES or OPTION position with its figures as given, in `ccy`.

    No model stands behind it, so nothing of it moves with a mark.
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
    positions: list[Position] = field(default_factory=list)
    others: list[OtherPosition] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    switched_off: frozenset[str] = frozenset()
    taker_rate: Decimal = TAKER_RATE
    spot_taker_rate: Decimal = SPOT_TAKER_RATE
    fixed_mmr: Decimal | None = None  # USD; what portfolio margin says, as given


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
        return cut_to(self.coin(instrument.base), instrument.mark_step)

    def usd(self, ccy: str) -> Decimal:
        """US dollars for one coin."""
        if ccy in {"USDT", "USDC", "USD"}:
            return {"USDT": self.usdt, "USDC": self.usdc, "USD": Decimal(1)}[ccy]
        usd = cut_to((self.coin_index or self.coin)(ccy) * self.usdt, Decimal("0.00000001"))
        if self.moved and INSTRUMENTS[self.moved[0]].base == ccy:
            instrument = INSTRUMENTS[self.moved[0]]
            return usd * self.moved[1] / cut_to(self.coin(ccy), instrument.mark_step)
        return usd

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
