"""What a message is written from: the figures of the moment, and what was known last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.ladder import Ladder
    from monitor.risk.cash import BookingKind, FreeBalance
    from monitor.risk.model import PoolId, Position, Side
    from monitor.risk.news import Cause
    from monitor.risk.result import Advice, Outlook, PoolRisk, Reconciliation, Requirement

Leg = tuple[str, "Side"]
"""A position by its unified symbol and side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegChange:
    """
    What one position did to the headroom since the last message, in the pool's unit.

    `maintenance_margin` is what it is held against more (positive) or less; None where it is
    not modelled by itself.
    """

    unrealized_pnl: Decimal
    maintenance_margin: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The sum of one kind of entries in one asset, signed as it changed the wallet."""

    kind: BookingKind
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What changed the headroom since the last message about the pool, or since it was first seen.

    `headroom` is the whole change, in the pool's unit; what the legs and bookings leave of it
    is `rest` (positions closed, prices of collateral, margin of debts and orders).
    """

    since: datetime
    headroom: Decimal
    legs: Mapping[Leg, LegChange]
    booked: tuple[Booked, ...]
    rest: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NextFunding:
    """
    The next funding of a pool, and how it stands after it at the present marks.

    `amounts` are by settle asset, negative where the pool pays; `adverse_move` as in `Outlook`.
    """

    at: datetime
    amounts: tuple[tuple[str, Decimal], ...]
    margin_ratio: Decimal
    adverse_move: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A position that is new (`before` None) or grew from so many contracts."""

    position: Position
    before: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """
    A position as it stands under the old and the new leverage tiers, at the same marks.

    Maintenance margin in the settle asset; a liquidation price is None where no price does it.
    """

    position: Position
    maintenance_before: Decimal
    maintenance_after: Decimal
    liquidation_before: Decimal | None
    liquidation_after: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanges:
    """The margin ratio under the old and the new tiers, and each position that they touch."""

    ratio_before: Decimal
    ratio_after: Decimal
    positions: tuple[TierChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """
    One pool at the marks that the message is about.

    `requirement` is what the ladder went by, `risk` our own arithmetic. `is_live` is False
    where REST alone keeps the marks going, or where the account itself can't be read.
    `ratio_now` is set where the newest marks say something else than those of the message
    (a spike that is over); `doubts` are sentences on what is not sure about the figures.
    `openings` are the positions that brought the pool where it stands, `free` what lies in
    other wallets of the exchange in the asset that advice would add.
    """

    risk: PoolRisk
    requirement: Requirement
    outlook: Outlook | None
    advice: Advice | None
    is_live: bool
    age_seconds: float
    reconciliation: Reconciliation | None = None
    ratio_now: Decimal | None = None
    doubts: tuple[str, ...] = ()
    changes: Changes | None = None
    funding: NextFunding | None = None
    openings: tuple[Opening, ...] = ()
    free: tuple[FreeBalance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """
    What was last known of one pool; `ratio` is None where no figure ever was.

    `distance` is the adverse move left, a positive fraction; None where none ends the pool.
    `carried` is what its requirement holds beside its positions, in words.
    """

    pool: PoolId
    ratio: Decimal | None
    rung: str | None
    age_seconds: float
    positions: int
    distance: Decimal | None = None
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """
    All positions of a pool are gone: what its margin balance was before, and is now.

    `balance_now` is None where the pool itself is gone, `balance_before` where it never was
    seen with its positions. `by_mode`: it went when the account's mode changed, in which
    words; empty where it didn't.
    """

    unit: str
    balance_before: Decimal | None
    balance_now: Decimal | None
    by_mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPart:
    """
    What the exchange took of one position, in one or more pieces.

    `name` is the contract, with the side where that is known. `cause` None: a booking says
    only that it was by force. `contracts`, `price` (the mean) and `left` (contracts that are
    held still) are None where unknown; `amounts` by asset are what it did to the wallet.
    """

    name: str
    cause: Cause | None
    contracts: Decimal | None
    price: Decimal | None
    amounts: tuple[tuple[str, Decimal], ...]
    pieces: int
    last_at: datetime
    left: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """
    What a reading changed in a pool though no event told of it, at the same marks.

    `parts` say in words what; the ratios are those without it and with it. `shrunk` are those
    of the parts that say of a position that it is smaller, or gone, for no known cause.
    """

    pool: PoolId
    parts: tuple[str, ...]
    ratio_before: Decimal
    ratio_after: Decimal
    shrunk: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    Everything that the message of one step needs beside the step itself.

    `pool` is None for what concerns a whole account. `known` are all pools of the account,
    `concerns` those that a trouble with the data is about (none: all of them);
    `since` is when a figure was last to be had or a feed was last heard, None for never.
    `to_do` is what the owner can do, empty where nothing. `tiers` is what changed tiers did,
    `taken` what the exchange took since the last message, `taken_before` what the messages of
    the same episode before it told, `drift` what nobody told.
    """

    exchange: str
    ladder: Ladder
    pool: PoolFacts | None = None
    gone: Gone | None = None
    known: tuple[LastKnown, ...] = ()
    concerns: tuple[PoolId, ...] = ()
    since: datetime | None = None
    to_do: str = ""
    tiers: TierChanges | None = None
    taken: tuple[TakenPart, ...] = ()
    taken_before: tuple[TakenPart, ...] = ()
    drift: Drift | None = None
