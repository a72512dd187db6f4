"""
A position row with everything that it is figured with: contract, tiers, fee, stop, mark.

Knows one position at a time; must not know which pool it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.okx import tables
from monitor.exchanges.okx.errors import NAME
from monitor.risk.model import ONE, CloseFee, Mark, Position
from monitor.risk.payoff import notional

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.okx.rows import Held
    from monitor.exchanges.port import Replies
    from monitor.risk.model import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """
    An open position: OKX's row, the core's position, and its mark (None where none came).

    `fee` is the liquidation fee at that mark, in the settle coin.
    """

    row: Held
    position: Position
    mark: Mark | None

    @property
    def instrument(self) -> Instrument:
        return self.position.instrument

    @property
    def fee(self) -> Decimal | None:
        if self.mark is None:
            return None
        rate = self.position.close_fee.rate_on_notional
        return notional(self.position, self.mark.price) * rate


def leg(row: Held, replies: Replies, *, has_stop_loss: bool | None) -> Leg:
    """
    The leg of an open perpetual.

    OKX holds the fee of liquidating against the equity along with the maintenance margin,
    but not in the initial margin (notional ÷ leverage), whose rate is therefore less by it.

    Raises:
        MissingReply: If no reply holds its contract, tiers or fee rate.
        Malformed: If one of them can't be read.
        Unmodelled: If it is margined in another coin than it settles in.

    Source: OKX help, «Maintenance margin ratio = adjusted equity ÷ (maintenance margin +
    liquidation fees)»; reproduced to 12 to 16 digits on published rows.
    """
    listed = tables.listed(replies, row.inst_id)
    instrument = listed.instrument
    if row.ccy != instrument.settle:
        raise Unmodelled(
            f"{row.inst_id} is margined in {row.ccy} and settles in {instrument.settle}: "
            "such contracts are not modelled",
            exchange=NAME,
        )
    if row.entry_price is None:
        raise Malformed(f"{row.path}.avgPx", "an entry price", "nothing")
    fee = tables.taker_rate(replies, listed)
    position = Position(
        instrument=instrument,
        side=row.side,
        contracts=abs(row.contracts),
        entry_price=row.entry_price,
        tiers=tables.tier_table(replies, listed.family, row.margin_mode),
        margin_mode=row.margin_mode,
        initial_rate=None if row.leverage is None else ONE / row.leverage - fee,
        leverage=row.leverage,
        close_fee=CloseFee(rate_on_notional=fee),
        taker_fee_rate=fee,
        adl_rank=row.adl_rank,
        has_stop_loss=True if row.protected else has_stop_loss,
        reported_liquidation_price=row.liquidation_price,
        reported_maintenance_margin=row.maintenance,
    )
    return Leg(row=row, position=position, mark=_mark(row, replies))


def _mark(row: Held, replies: Replies) -> Mark | None:
    if row.mark_price is not None and row.told_at is not None:
        return Mark(price=row.mark_price, at=row.told_at)
    return tables.mark_of(replies, row.inst_id)
