"""
One held row → one position: its instrument, mark, tiers, fee, stops.

Source: docs «Get Position Info» and «Position» stream, read 2026-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.collateral import ticker_mark
from monitor.exchanges.bybit.fees import fee_to_close, published_rate
from monitor.exchanges.bybit.instruments import instrument_of
from monitor.exchanges.bybit.tiers import tier_table
from monitor.risk.model import ONE, ZERO, CloseFee, MarginMode, Mark, Position

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Held
    from monitor.risk.model import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A held row with the instrument, the mark and the position that it became."""

    held: Held
    mark: Mark
    position: Position
    is_anchored: bool

    @property
    def instrument(self) -> Instrument:
        return self.position.instrument

    @property
    def initial_gap(self) -> Decimal:
        """Wire's initial margin less the rule's, in the settle coin; of anchored legs only."""
        if not self.is_anchored:
            return ZERO
        fee = self.position.close_fee.fixed
        return (
            self.held.initial_margin - fee - self.held.size * self.mark.price / self.held.leverage
        )


def leg_of(account: Account, held: Held) -> Leg:
    """
    The position that a row is.

    Raises:
        MissingReply: If its instrument or risk limits are not there.
        Malformed: If they can't be read.
        Unmodelled: If it is no linear contract.
    """
    instrument = instrument_of(account.replies, held.symbol)
    mark = mark_of(account, held)
    table = tier_table(account.replies, held.symbol)
    fee = fee_to_close(
        held,
        mark.price,
        table,
        published_rate(account.replies, held.symbol),
        is_hedged=_is_hedged(account, held),
        has_orders=any(c.coin == instrument.settle and c.order_im for c in account.anchor_coins),
    )
    position = Position(
        instrument=instrument,
        side=held.side,
        contracts=held.size,
        entry_price=_pnl_entry(held, mark),
        tiers=table,
        margin_mode=MarginMode.CROSS,
        initial_rate=ONE / held.leverage,
        leverage=held.leverage,
        close_fee=CloseFee(fixed=fee.fixed),
        taker_fee_rate=fee.rate,
        adl_rank=held.adl_rank,
        has_stop_loss=account.orders.protect(held, instrument.settle),
        reported_liquidation_price=held.liquidation_price,
        reported_maintenance_margin=held.maintenance_margin,
    )
    return Leg(held=held, mark=mark, position=position, is_anchored=fee.is_anchored)


def mark_of(account: Account, held: Held) -> Mark:
    """The row's own mark, else the ticker's. Raises MissingReply where there is neither."""
    if held.mark is not None:
        return Mark(price=held.mark, at=held.mark_at)
    mark = ticker_mark(account.replies, held.symbol)
    if mark is None:
        # Names the request that would bring it.
        account.replies.get(calls.ticker(held.symbol))
        raise Malformed("result.list", f"a ticker of {held.symbol}", "none")
    return mark


def _pnl_entry(held: Held, mark: Mark) -> Decimal:
    """
    The price that unrealized PnL runs from.

    USDC contracts are settled into the wallet every eight hours; what has been settled is no
    longer unrealized. The row's own PnL says which of its two prices it runs from.
    """
    if held.session_price is None or held.session_price == held.entry_price:
        return held.entry_price

    def off_by(price: Decimal) -> Decimal:
        return abs(held.unrealised_pnl - held.side.sign * held.size * (mark.price - price))

    return min(held.entry_price, held.session_price, key=off_by)


def _is_hedged(account: Account, held: Held) -> bool:
    return any(o.symbol == held.symbol and o.side is not held.side for o in account.held)
