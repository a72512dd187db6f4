"""What the figures say: requirements that add up, and the risk of a pool at given marks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.risk.model import MarginPool, Mark, Position, Reported

INFINITE = Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A margin balance and what is held against it, all in `unit`. Requirements add up."""

    unit: str
    margin_balance: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal

    def __add__(self, other: Requirement) -> Requirement:
        if self.unit != other.unit:
            raise ValueError(f"can't add {other.unit} to {self.unit}")
        return Requirement(
            unit=self.unit,
            margin_balance=self.margin_balance + other.margin_balance,
            initial_margin=self.initial_margin + other.initial_margin,
            maintenance_margin=self.maintenance_margin + other.maintenance_margin,
        )

    @property
    def headroom(self) -> Decimal:
        """Balance − maintenance: what may still be lost. Negative beyond liquidation."""
        return self.margin_balance - self.maintenance_margin

    @property
    def ratio(self) -> Decimal:
        """Maintenance ÷ balance: 0 without maintenance, Infinity where no balance is left."""
        if self.maintenance_margin <= ZERO:
            return ZERO
        if self.margin_balance <= ZERO:
            return INFINITE
        return self.maintenance_margin / self.margin_balance

    def reaches(self, threshold: Decimal) -> bool:
        """Whether the ratio stands at `threshold` or above. Never divides."""
        return (
            self.maintenance_margin > ZERO
            and self.maintenance_margin >= threshold * self.margin_balance
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRisk:
    """
    One leg at one mark.

    `notional` (never negative), `unrealized_pnl`, `initial_margin` and `maintenance_margin`
    are in the instrument's settle asset, fees to close included as the exchange counts them;
    `initial_margin` is None where the rate is unknown, `maintenance_margin` where it is not
    modelled by itself. `above_last_tier` flags a size beyond the tier table, where the last
    tier's rule was used.
    """

    position: Position
    mark: Mark
    notional: Decimal
    unrealized_pnl: Decimal
    initial_margin: Decimal | None
    maintenance_margin: Decimal | None
    above_last_tier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralValue:
    """
    One asset of a pool as it counts: `balance` coins + PnL settled in it, `value` in the unit.

    `haircut` is the fraction of the amount's worth that does not count (0 for a liability).
    `debt` are the coins owed, `maintenance_margin` what they are charged, in the pool's unit.
    """

    asset: str
    balance: Decimal
    unrealized_pnl: Decimal
    haircut: Decimal
    value: Decimal
    debt: Decimal = ZERO
    maintenance_margin: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRisk:
    """
    A pool evaluated at `at`: what it has, what it needs, and what makes it up.

    `gross_notional` is the sum of notionals, and of debts that are charged, in the pool's
    unit. `oldest_mark_at` is None in a pool that needs no mark.
    """

    pool: MarginPool
    marks: Mapping[str, Mark]
    at: datetime
    requirement: Requirement
    positions: tuple[PositionRisk, ...]
    collateral: tuple[CollateralValue, ...]
    gross_notional: Decimal
    oldest_mark_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationPrices:
    """
    Where one symbol alone brings its pool to the asked ratio; None where no price does.

    `nearest` is the closer one, by fraction of the mark, `other` the one in the other
    direction. `distance` = nearest ÷ mark − 1, negative when it lies below.
    """

    symbol: str
    nearest: Decimal | None
    other: Decimal | None
    distance: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """
    How far the end is: per symbol, for a common move of all marks, and for the adverse one.

    Moves are fractions of the marks, negative for a fall; None where no move does it.
    """

    liquidation: Mapping[str, LiquidationPrices]
    uniform_move: Decimal | None
    adverse_move: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What «back in safety» means: both must hold. Fractions; distance is positive."""

    ratio: Decimal = Decimal("0.50")
    distance: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """
    An amount to add, rounded up to 8 decimals, and how the pool stands after it.

    `wallet` names the place to add it to. `margin_ratio` and `adverse_move` are those of the
    changed pool.
    """

    asset: str
    amount: Decimal
    wallet: str
    margin_ratio: Decimal
    adverse_move: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """
    Contracts of one position to close, rounded up to the lot, closing fee included.

    `margin_ratio` and `adverse_move` are those of the changed pool.
    """

    position: Position
    contracts: Decimal
    margin_ratio: Decimal
    adverse_move: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Contracts of one position to close."""

    position: Position
    contracts: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportional:
    """
    The same `share` of every position to close, each rounded up to its lot, closing fees included.

    `margin_ratio` and `adverse_move` are those of the changed pool.
    """

    share: Decimal
    closings: tuple[Closing, ...]
    margin_ratio: Decimal
    adverse_move: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """
    What brings a pool back to `target`; each item alone does it.

    `top_up` is None where nothing is needed, or where no amount does it. `reductions` are
    alternatives, best (least notional to close) first; empty where closing one can't do it.
    `all_in_proportion` is None where nothing is needed, where it can't do it either, and in a
    pool of one position: there the reduction says it.
    """

    target: Target
    top_up: TopUp | None
    reductions: tuple[Reduction, ...]
    all_in_proportion: Proportional | None = None


class Verdict(Enum):
    """How our headroom compares with the exchange's own, at the same marks."""

    AGREES = "agrees"
    DRIFTS = "drifts"
    DISAGREES = "disagrees"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """
    Ours against theirs at one snapshot.

    `gap` is theirs − ours of balance − maintenance, as a fraction of gross notional; None
    where the exchange gives nothing to compare or nothing is held.
    """

    ours: Requirement
    theirs: Reported | None
    gap: Decimal | None
    verdict: Verdict
