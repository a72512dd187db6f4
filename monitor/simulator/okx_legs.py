"""
An OKX position, open order or debt on its own: what it is worth and what is required for it.

It knows no account: which tier a position stands in is told to it.

Source: OKX help "Position tiers" and clearing page (2024-06), "Isolated margin: MARGIN"; fees
in the requirement as recomputed on recorded rows. Of MARGIN in cross margin no rule was found:
the isolated one is taken, in the coin that it is margined in.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.okx_account import ZERO, MarginPosition, Order, Position
from monitor.simulator.okx_rates import Discount, LoanTier, PairTier, pair_tier
from monitor.simulator.okx_tables import INSTRUMENTS, PAIRS, TIERS, Instrument, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFigures:
    """
    Figures of one position, in the coin `ccy`; `fee` is the one of being liquidated.

    `notional` is what the fee and the tier's rate are on: of a MARGIN position, its debt.
    """

    position: Position | MarginPosition
    instrument: Instrument
    ccy: str
    mark: Decimal
    notional: Decimal
    tier: Tier | PairTier
    upl: Decimal
    imr: Decimal
    mmr: Decimal
    fee: Decimal

    @property
    def equity(self) -> Decimal:
        """Equity of an isolated position: its margin and its profit."""
        return (self.position.margin or ZERO) + self.upl


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    order: Order
    settle: str
    imr: Decimal
    mmr: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """A borrowing, and what is required for it, in US dollars."""

    notional: Decimal = ZERO
    imr: Decimal = ZERO
    mmr: Decimal = ZERO
    fee: Decimal = ZERO


def notional_of(instrument: Instrument, contracts: Decimal, price: Decimal) -> Decimal:
    """Notional in settle coin: base by price, or USD face by price."""
    face = contracts * instrument.face
    return face * price if instrument.is_linear else face / price


def unrealised_pnl(position: Position, mark: Decimal) -> Decimal:
    instrument = INSTRUMENTS[position.inst_id]
    face = position.contracts * instrument.face * position.direction
    if instrument.is_linear:
        return face * (mark - position.avg_px)
    return face * (1 / position.avg_px - 1 / mark)


def tier_of(family: str, contracts: Decimal, kind: str = "SWAP") -> Tier:
    """
    The first tier that holds so many contracts; above the last, the last.

    Its rate is applied to the whole position.

    Source: OKX help "Position tiers" and clearing page (2024-06).
    """
    tiers = TIERS[kind][family]
    return next((tier for tier in tiers if contracts <= tier.max_size), tiers[-1])


def position_figures(
    position: Position, mark: Decimal, tier: Tier, taker_rate: Decimal
) -> PositionFigures:
    instrument = INSTRUMENTS[position.inst_id]
    notional = notional_of(instrument, position.contracts, mark)
    return PositionFigures(
        position=position,
        instrument=instrument,
        ccy=instrument.settle,
        mark=mark,
        notional=notional,
        tier=tier,
        upl=unrealised_pnl(position, mark),
        imr=notional / position.lever,
        mmr=notional * tier.mmr,
        fee=notional * taker_rate,
    )


def margin_figures(position: MarginPosition, mark: Decimal, taker_rate: Decimal) -> PositionFigures:
    """
    A MARGIN position: what it holds less what it owes, both in its `ccy`.

    What is owed is required for at the tier's rate, and the fee is of buying back that much
    and the margin for it. The tier goes by the borrowed amount; whether interest counts as
    borrowed there is not documented, here it does not.

    Source: OKX help "Isolated margin"; an official row to 14 digits.
    """
    pair = PAIRS[position.inst_id]
    in_ccy = {position.ccy: Decimal(1)}
    in_ccy |= {pair.base: mark} if position.ccy == pair.quote else {pair.quote: 1 / mark}
    debt = position.owed + position.interest
    tier = pair_tier(pair.inst_id, position.owed, in_base=position.owed_ccy == pair.base)
    owed = debt * in_ccy[position.owed_ccy]
    held = position.held * in_ccy[position.held_ccy]
    return PositionFigures(
        position=position,
        instrument=pair,
        ccy=position.ccy,
        mark=mark,
        notional=owed,
        tier=tier,
        upl=held - owed - (position.margin or ZERO),
        imr=owed / position.lever,
        mmr=owed * tier.mmr,
        fee=owed * (1 + tier.mmr) * taker_rate,
    )


def debt_figures(owed: Decimal, usd: Decimal, tier: LoanTier, taker_rate: Decimal) -> Debt:
    """
    What is required for so many borrowed coins, in US dollars.

    The tier's rate applies to the whole debt; the fee is of buying back the debt and its margin.

    Source: official best-practices page (39.9556239578938079) and a captured account, to 16
    digits.
    """
    notional = owed * usd
    return Debt(
        notional=notional,
        imr=notional * tier.imr,
        mmr=notional * tier.mmr,
        fee=notional * (1 + tier.mmr) * taker_rate,
    )


def discounted_amount(amount: Decimal, slices: tuple[Discount, ...]) -> Decimal:
    """What of an amount counts: each slice at its rate; a liability in full."""
    if amount <= 0:
        return amount
    total = ZERO
    for part in slices:
        top = amount if part.cap is None else min(amount, part.cap)
        if top > part.floor:
            total += (top - part.floor) * part.rate
    return total
