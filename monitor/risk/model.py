"""
What the figures are computed from: instruments, positions, collateral and the pools they form.

Differences between exchanges are data in these values. Nothing here knows an exchange,
a reply, a clock or a file. Money is Decimal; its unit stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from monitor.errors import BadTierTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.risk.carried import CarriedMargin
    from monitor.risk.cash import Booking, FreeBalance, Funding
    from monitor.risk.news import News

ZERO = Decimal(0)
ONE = Decimal(1)


class Payoff(Enum):
    """How profit follows the mark: along it, or along its inverse (coin-settled)."""

    LINEAR = "linear"
    INVERSE = "inverse"


class Side(Enum):
    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> Decimal:
        """+1 for a long, −1 for a short."""
        return ONE if self is Side.LONG else -ONE


class MarginMode(Enum):
    CROSS = "cross"
    ISOLATED = "isolated"


class Basis(Enum):
    """How much of a pool's ratio is our own arithmetic."""

    MODELLED = "modelled"
    PARTLY = "partly"
    REPORTED = "reported"


class TierMeasure(Enum):
    """What picks a leverage tier: the notional at mark, or the count of contracts."""

    NOTIONAL = "notional"
    CONTRACTS = "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """
    One contract.

    `symbol` is the unified name (``SOL/USDT:USDT``), `exchange_symbol` the exchange's own
    (``SOLUSDT``). `contract_size` is base coin per contract for a linear payoff, quote money
    per contract for an inverse one. `lot` is the smallest step of `Position.contracts`.
    """

    symbol: str
    exchange_symbol: str
    base: str
    quote: str
    settle: str
    payoff: Payoff
    contract_size: Decimal
    lot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageTier:
    """
    The band floor < size ≤ cap (no cap: everything above `floor`).

    `deduction` is in the settle asset; 0 where the rate applies to the whole size.
    """

    floor: Decimal
    cap: Decimal | None
    maintenance_rate: Decimal
    deduction: Decimal
    max_leverage: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """
    Leverage tiers, ascending and without gaps (`floor` = the previous `cap`).

    Positions whose tables share a `group` are tiered on their common size: the larger of the
    group's longs and its shorts. Without a group each position stands alone.

    Raises:
        BadTierTable: If there is no tier, or tiers overlap, leave gaps or descend.
    """

    tiers: tuple[LeverageTier, ...]
    measured_in: TierMeasure
    group: str | None = None

    def __post_init__(self) -> None:
        if not self.tiers:
            raise BadTierTable("a tier table needs at least one tier")
        if self.tiers[0].floor != ZERO:
            raise BadTierTable(f"the first tier must start at 0, not at {self.tiers[0].floor}")
        for lower, upper in zip(self.tiers, self.tiers[1:], strict=False):
            if lower.cap is None or upper.floor != lower.cap:
                raise BadTierTable(
                    f"tier from {upper.floor} must start where the one before ends ({lower.cap})"
                )
        for tier in self.tiers:
            if tier.cap is not None and tier.cap <= tier.floor:
                raise BadTierTable(f"tier from {tier.floor} must end above it, not at {tier.cap}")
            if tier.maintenance_rate <= ZERO:
                raise BadTierTable(f"tier from {tier.floor} has no maintenance rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFee:
    """
    The fee to close that an exchange counts into both requirements.

    `fixed` in the settle asset since the opening, `rate_on_notional` of the notional at mark.
    """

    fixed: Decimal = ZERO
    rate_on_notional: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    One leg: `contracts` > 0, its direction in `side`.

    `tiers` is None where the position's maintenance margin is not modelled by itself: it then
    stands inside the pool's `other_maintenance` (a stress test over the whole portfolio).
    `fixed_maintenance` is what comes on top of that in the settle asset, whatever the mark:
    what a debt needs that no price moves. It shrinks with the size.
    `initial_rate` is initial margin per notional at mark (1 ÷ leverage), None where unknown.
    `taker_fee_rate` is what closing at the mark costs, a fraction of notional (advice counts it).
    `reported_*` are the exchange's own figures for this leg, None where it gives none.
    `has_stop_loss` is None where nothing is known of the account's stop orders.
    """

    instrument: Instrument
    side: Side
    contracts: Decimal
    entry_price: Decimal
    tiers: TierTable | None
    margin_mode: MarginMode = MarginMode.CROSS
    initial_rate: Decimal | None = None
    leverage: Decimal | None = None
    close_fee: CloseFee = field(default_factory=CloseFee)
    taker_fee_rate: Decimal = ZERO
    adl_rank: int | None = None
    has_stop_loss: bool | None = None
    reported_liquidation_price: Decimal | None = None
    reported_maintenance_margin: Decimal | None = None
    fixed_maintenance: Decimal = ZERO

    def __post_init__(self) -> None:
        if not self.contracts > ZERO:
            raise ValueError(f"{self.instrument.symbol}: contracts must be above 0")
        if not self.entry_price > ZERO:
            raise ValueError(f"{self.instrument.symbol}: entry price must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class HaircutStep:
    """The part of an amount up to `up_to` (None: all the rest) loses the fraction `haircut`."""

    up_to: Decimal | None
    haircut: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """
    Collateral that floats: its price is `Collateral.price` × mark of `symbol` ÷ `anchor_mark`.

    `base` is the coin that it is; `symbol` any instrument of that coin whose mark is known
    (or a name that only the snapshot's own marks carry, where no live mark exists).
    """

    base: str
    symbol: str
    anchor_mark: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrow:
    """
    What a debt in one asset is charged.

    `loan` are coins borrowed outright, which `Collateral.balance` is already net of: they
    are owed even while the sum stays positive. `tiers` are measured in coins owed, deductions
    too. `fee_rate` is what a liquidation would take of the debt and its margin, a fraction;
    `initial_rate` is initial margin per coin owed, None where unknown. `beside` are coins that
    are no part of the balance, count for nothing and yet make a debt smaller (negative: larger):
    what options are worth where only their owner's equity counts them.

    Raises:
        ValueError: If the loan is negative, or the tiers are measured in something else.
    """

    tiers: TierTable
    fee_rate: Decimal = ZERO
    loan: Decimal = ZERO
    initial_rate: Decimal | None = None
    beside: Decimal = ZERO

    def __post_init__(self) -> None:
        if self.loan < ZERO:
            raise ValueError(f"a loan can't be negative, as {self.loan} is")
        if self.tiers.measured_in is not TierMeasure.CONTRACTS:
            raise ValueError("the tiers of a debt must be measured in coins owed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """
    One asset of a pool.

    `balance` counts coins, negative = borrowed; unrealized PnL of positions that settle in
    this asset is added to it before anything else. `price` is the pool's unit per coin.
    A positive sum counts at `rate_if_positive` and after `haircuts` (steps ascending, on the
    coin amount; empty: counted in full); a negative one counts in full at `rate_if_negative`.
    Requirements in this asset are turned into the pool's unit at price × `rate_if_negative`.
    `borrow` is what a debt in it is charged; None where the exchange charges nothing.
    """

    asset: str
    balance: Decimal
    price: Decimal = ONE
    rate_if_positive: Decimal = ONE
    rate_if_negative: Decimal = ONE
    haircuts: tuple[HaircutStep, ...] = ()
    follows: Follow | None = None
    borrow: Borrow | None = None

    def __post_init__(self) -> None:
        floor: Decimal | None = ZERO
        for step in self.haircuts:
            if floor is None or (step.up_to is not None and step.up_to <= floor):
                raise ValueError(f"{self.asset}: haircut steps must ascend and end once")
            floor = step.up_to


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PoolId:
    """`account`/`name`, where name is an asset, ``unified`` or ``isolated/SYMBOL[/side]``."""

    account: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPool:
    """
    What is liquidated together: collateral and the positions that it backs.

    The `other_*` amounts, in `unit`, are taken over from the exchange as constants until the
    next snapshot: parts that can't be modelled from outside (open orders, say). They are
    zero in a pool whose basis is MODELLED; `carried` says in words what each of them is
    («margin of 3 open orders»); `carried_margins` are taken over too, and move with a price.
    Legs' maintenance margins count `maintenance_factor` times: above 1 where the exchange
    liquidates before their sum is reached. `top_up_asset` is what its owner would add, and
    `wallet` names the place to add it to, in the exchange's own words for its customers.
    An asset stands in `collateral` once: PnL would be added to each of its entries.
    """

    id: PoolId
    unit: str
    margin_mode: MarginMode
    collateral: tuple[Collateral, ...]
    positions: tuple[Position, ...]
    top_up_asset: str
    wallet: str
    other_balance: Decimal = ZERO
    other_maintenance: Decimal = ZERO
    other_initial: Decimal = ZERO
    carried_margins: tuple[CarriedMargin, ...] = ()
    maintenance_factor: Decimal = ONE
    basis: Basis = Basis.MODELLED
    carried: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({c.asset for c in self.collateral}) < len(self.collateral):
            raise ValueError(f"pool {self.id} lists an asset twice")

    def symbols(self) -> frozenset[str]:
        """Every symbol whose mark the pool needs: its positions' and its floating collateral's."""
        followed = {c.follows.symbol for c in self.collateral if c.follows is not None}
        return frozenset(p.instrument.symbol for p in self.positions) | followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """
    What the exchange itself says of a pool, in the pool's unit; None where it says nothing.

    `maintenance_margin` is the whole requirement that it holds against the balance (on OKX
    with liquidation fees). `ratio` is turned so that 1 = liquidation. `resolution` is the
    largest error, in `unit`, that the wire's own digits leave in balance − maintenance.
    """

    at: datetime
    margin_balance: Decimal | None = None
    maintenance_margin: Decimal | None = None
    initial_margin: Decimal | None = None
    ratio: Decimal | None = None
    resolution: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark price, quote per base, and when the exchange says that it held."""

    price: Decimal
    at: datetime

    def __post_init__(self) -> None:
        if not (self.price.is_finite() and self.price > ZERO):
            raise ValueError(f"a mark price must be a number above 0, not {self.price}")


HeldKey = tuple[PoolId, str, str]
"""A position by its pool, its symbol and its side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """
    One coherent reading of an account: its pools, what the exchange says of each, its marks.

    `at` is when the account's state held; `mode` is for people («unified, cross»); `marks`
    are those that came with the reading, by symbol: ours and theirs are compared at these.
    `followed` are instruments that nobody holds but whose mark floating collateral follows.
    `funding` is the next one of each perpetual held, by symbol; `free` lies in other wallets;
    `bookings` are the wallets' latest entries, oldest first. All are empty where none are told.

    `unread` are pools of which no figure can be given, with the reason in words: a row could
    not be read, or no rule covers it. They don't stand in `pools`, and are certainly held. A
    symbol that they may hold and whose mark is worth having stands in `followed`.

    `news` is what the exchange says beside its figures: each warning for as long as it holds,
    and what it took of late for as long as it lists that; each is told once.

    Raises:
        ValueError: If a pool is both read and unread.
    """

    account: str
    exchange: str
    at: datetime
    mode: str
    pools: tuple[MarginPool, ...]
    reported: Mapping[PoolId, Reported]
    marks: Mapping[str, Mark]
    followed: tuple[Instrument, ...] = ()
    funding: Mapping[str, Funding] = field(default_factory=dict)
    free: tuple[FreeBalance, ...] = ()
    bookings: tuple[Booking, ...] = ()
    unread: Mapping[PoolId, str] = field(default_factory=dict)
    news: tuple[News, ...] = ()

    def __post_init__(self) -> None:
        both = self.unread.keys() & {pool.id for pool in self.pools}
        if both:
            raise ValueError(f"{', '.join(map(str, sorted(both)))}: read and unread at once")

    @property
    def held(self) -> frozenset[HeldKey]:
        """The open positions of the pools that could be read."""
        all_held = ((pool.id, p) for pool in self.pools for p in pool.positions)
        return frozenset((pool, p.instrument.symbol, p.side.value) for pool, p in all_held)

    def instruments(self) -> tuple[Instrument, ...]:
        """Every instrument whose live mark is wanted, once each: those held, then `followed`."""
        held = {p.instrument.symbol: p.instrument for pool in self.pools for p in pool.positions}
        return tuple((held | {i.symbol: i for i in self.followed if i.symbol not in held}).values())
