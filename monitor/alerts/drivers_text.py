"""What drives a pool in words: its positions, what was booked, and what funding will take."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.risk.cash import BookingKind
from monitor.risk.collateral import price_of
from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.alerts.facts import Changes, Leg, LegChange, PoolFacts
    from monitor.risk.model import Position
    from monitor.risk.result import PositionRisk

MOST_LISTED = 5

_TINY = Decimal("0.0001")
"""What is left unexplained is told from this part of the whole change on."""

_BOOKED = {
    BookingKind.FUNDING: "funding",
    BookingKind.FEE: "fees",
    BookingKind.TRANSFER: "transfers",
    BookingKind.REALISED: "realised profit and loss",
    BookingKind.INTEREST: "interest",
    BookingKind.LIQUIDATION: "taken by liquidation",
    BookingKind.OTHER: "other bookings",
}


def driver_lines(pool: PoolFacts, at: datetime) -> list[str]:
    """Each position, what changed since the last message, and the sum of it."""
    changes = _told_changes(pool)
    if not pool.risk.positions:
        if changes is None:
            return []
        head = f"What changed since {_when(changes, at)}:"
        return [head, *_others(changes, pool.requirement.unit)]
    ordered = sorted(pool.risk.positions, key=lambda each: _weight(pool, each, changes))
    head = "What drives it, worst first:"
    if changes is not None:
        head = f"What drives it, worst first; in brackets the change since {_when(changes, at)}:"
    lines = [_driver(pool, each, changes) for each in ordered[:MOST_LISTED]]
    lines += more(len(ordered), "positions")
    if changes is not None:
        lines += _others(changes, pool.requirement.unit)
    return [head, *lines]


def funding_lines(pool: PoolFacts) -> list[str]:
    """The next funding, and where the pool stands after it at the present marks."""
    funding = pool.funding
    if funding is None:
        return []
    amounts = ", ".join(words.money(a, asset, signed=True) for asset, a in funding.amounts)
    move = funding.adverse_move
    left = "" if move is None else f", {words.distance(move)} from liquidation"
    return [
        (
            f"Next funding at {words.clock(funding.at)}: {amounts}; after it, at these marks, "
            f"margin ratio {words.ratio(funding.margin_ratio)}{left}."
        )
    ]


def leg(position: Position) -> str:
    return f"{position.instrument.symbol} {position.side.value}"


def more(count: int, what: str) -> list[str]:
    return [f"• and {count - MOST_LISTED} more {what}"] if count > MOST_LISTED else []


def _told_changes(pool: PoolFacts) -> Changes | None:
    """What changed, where that is anything that would show."""
    changes = pool.changes
    if changes is None:
        return None
    moved = any(c.unrealized_pnl or c.maintenance_margin for c in changes.legs.values())
    return changes if moved or changes.booked or changes.headroom else None


def _when(changes: Changes, at: datetime) -> str:
    same_day = changes.since.date() == at.date()
    return words.clock(changes.since) if same_day else words.moment(changes.since)


def _weight(
    pool: PoolFacts, risk: PositionRisk, changes: Changes | None
) -> tuple[Decimal, Decimal]:
    """What a position did to the headroom since the last message, then its PnL: worst first."""
    pnl = risk.unrealized_pnl * _price(pool, risk.position.instrument.settle)
    change = None if changes is None else changes.legs.get(_key(risk))
    if change is None:
        return ZERO, pnl
    return change.unrealized_pnl - (change.maintenance_margin or ZERO), pnl


def _driver(pool: PoolFacts, risk: PositionRisk, changes: Changes | None) -> str:
    settle, unit = risk.position.instrument.settle, pool.requirement.unit
    change = None if changes is None else changes.legs.get(_key(risk))
    moved = "" if change is None else f" ({words.money(change.unrealized_pnl, unit, signed=True)})"
    return (
        f"• {leg(risk.position)} {words.plain(risk.position.contracts)} contracts: "
        f"unrealized PnL {words.money(risk.unrealized_pnl, settle, signed=True)}{moved}, "
        f"{_held(pool, risk, change)}"
    )


def _held(pool: PoolFacts, risk: PositionRisk, change: LegChange | None) -> str:
    """The position's maintenance margin, its share of the pool's, and its change."""
    settle, whole = risk.position.instrument.settle, pool.requirement.maintenance_margin
    margin = risk.maintenance_margin
    if margin is None:
        return "maintenance margin inside the portfolio's"
    counted = margin * _price(pool, settle) * pool.risk.pool.maintenance_factor
    notes = [words.share(counted / whole)] if whole > ZERO else []
    if change is not None and change.maintenance_margin is not None:
        notes.append(words.money(change.maintenance_margin, pool.requirement.unit, signed=True))
    noted = f" ({', '.join(notes)})" if notes else ""
    return f"maintenance margin {words.money(margin, settle)}{noted}"


def _others(changes: Changes, unit: str) -> list[str]:
    lines = [
        f"• {_BOOKED[each.kind]}: {words.money(each.amount, each.asset, signed=True)}"
        for each in changes.booked
    ]
    if abs(changes.rest) > abs(changes.headroom) * _TINY:
        lines.append(
            "• all else (positions closed, prices of collateral, orders, debts, bookings not "
            "listed yet): "
            f"{words.money(changes.rest, unit, signed=True)}"
        )
    whole = words.money(changes.headroom, unit, signed=True)
    return [*lines, f"Together {whole} of headroom."]


def _key(risk: PositionRisk) -> Leg:
    return risk.position.instrument.symbol, risk.position.side


def _price(pool: PoolFacts, asset: str) -> Decimal:
    held = pool.risk.pool.collateral
    return next((price_of(c, pool.risk.marks) for c in held if c.asset == asset), ONE)
