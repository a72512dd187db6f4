"""
A contract's position row with everything that it is figured with: tiers, fee, stop, mark.

Knows one position at a time; must not know which pool it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.okx import tables
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.tiers import flat_table, worst_rate
from monitor.risk.model import ONE, ZERO, CloseFee, Mark, Payoff, Position
from monitor.risk.payoff import notional

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.held import Held
    from monitor.risk.model import Instrument, TierTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """
    An open position: OKX's row, the core's position, and its mark (None where none came).

    `fee_rate`, on the notional, and `fixed_fee` make up what liquidating it costs. `assets`
    are coins of `row.ccy` that come with it into its pool: what a margin trade has beyond
    its unrealized PnL. `assumed` says in words what stands in for its tiers.
    """

    row: Held
    position: Position
    mark: Mark | None
    fee_rate: Decimal
    fixed_fee: Decimal = ZERO
    assets: Decimal = ZERO
    assumed: str = ""

    @property
    def instrument(self) -> Instrument:
        return self.position.instrument

    @property
    def fee(self) -> Decimal | None:
        """The liquidation fee at the leg's mark, in the settle coin; None without a mark."""
        if self.mark is None:
            return None
        return self.fixed_fee + notional(self.position, self.mark.price) * self.fee_rate


def leg(row: Held, replies: Replies, *, has_stop_loss: bool | None, stressed: bool) -> Leg:
    """
    The leg of an open perpetual or expiry future.

    OKX holds the fee of liquidating against the equity along with the maintenance margin,
    but not in the initial margin (notional ÷ leverage), whose rate is therefore less by it.

    Args:
        stressed: Its margin comes from portfolio margin's stress test of the whole account,
            not from tiers of its own.

    Raises:
        MissingReply: If no reply holds its contract, tiers or fee rate.
        Malformed: If one of them can't be read.
        Unmodelled: If it is margined in another coin than it settles in.

    Source: OKX help, «Maintenance margin ratio = adjusted equity ÷ (maintenance margin +
    liquidation fees)»; reproduced to 12 to 16 digits on published rows.
    """
    listed = tables.listed(replies, row.inst_type, row.inst_id, row.ccy)
    instrument = listed.instrument
    if row.ccy != instrument.settle:
        raise Unmodelled(
            f"{row.inst_id} is margined in {row.ccy} and settles in {instrument.settle}: "
            "such contracts are not modelled",
            exchange=NAME,
        )
    fee = tables.taker_rate(replies, listed)
    mark = mark_of(row, replies)
    table, assumed = None, ""
    if not stressed:
        table, assumed = _tiers(row, replies, listed, mark)
    return Leg(
        row=row,
        position=Position(
            instrument=instrument,
            side=row.side,
            contracts=abs(row.contracts),
            entry_price=entry_of(row),
            tiers=table,
            margin_mode=row.margin_mode,
            initial_rate=None if stressed else initial_rate(row, fee),
            leverage=row.leverage,
            close_fee=CloseFee() if stressed else CloseFee(rate_on_notional=fee),
            taker_fee_rate=fee,
            adl_rank=row.adl_rank,
            has_stop_loss=True if row.protected else has_stop_loss,
            reported_liquidation_price=row.liquidation_price,
            reported_maintenance_margin=row.maintenance,
        ),
        mark=mark,
        fee_rate=fee,
        assumed=assumed,
    )


def _tiers(
    row: Held, replies: Replies, listed: tables.Listed, mark: Mark | None
) -> tuple[TierTable, str]:
    """
    The position's tiers; where OKX says that it has none, one flat rate, and what it is.

    That of the row's own maintenance margin where it is told: it is OKX's, for the position as
    it stands.
    """
    if not tables.has_no_tiers(replies, listed, row.margin_mode):
        return tables.tier_table(replies, listed, row.margin_mode), ""
    rate, source = worst_rate(row.leverage), "assumed, the worst that is known at its leverage"
    if row.maintenance and mark is not None:
        size = abs(row.contracts) * listed.instrument.contract_size
        linear = listed.instrument.payoff is Payoff.LINEAR
        rate = row.maintenance / (size * mark.price if linear else size / mark.price)
        source = "as in OKX's own figure"
    words = f"OKX tells no tiers of {row.inst_id}: maintenance rate {rate * 100:.3g} % {source}"
    return flat_table(rate), words


def entry_of(row: Held) -> Decimal:
    """The row's entry price. Raises Malformed where there is none."""
    if row.entry_price is None:
        raise Malformed(f"{row.path}.avgPx", "an entry price", "nothing")
    return row.entry_price


def initial_rate(row: Held, fee: Decimal) -> Decimal | None:
    """Initial margin per notional, less the fee that the core adds; None without leverage."""
    return None if row.leverage is None else ONE / row.leverage - fee


def mark_of(row: Held, replies: Replies) -> Mark | None:
    """The mark in the row itself, else a mark-price reply's; None where there is neither."""
    if row.mark_price is not None and row.told_at is not None:
        return Mark(price=row.mark_price, at=row.told_at)
    return tables.mark_of(replies, row.inst_type, row.inst_id)
