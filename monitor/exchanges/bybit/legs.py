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
from monitor.exchanges.bybit.fees import bankruptcy_share, fee_to_close, published_rate
from monitor.exchanges.bybit.instruments import by_name, instrument_of, is_unlisted
from monitor.exchanges.bybit.modes import Mode
from monitor.exchanges.bybit.tiers import (
    beside_orders,
    has_no_tiers,
    own_shares,
    tier_table,
    worst_table,
)
from monitor.risk.model import ONE, ZERO, CloseFee, MarginMode, Mark, Position

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.fees import Fee
    from monitor.exchanges.bybit.rows import Held
    from monitor.risk.model import Instrument, TierTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """
    A held row with the instrument, the mark and the position that it became.

    `assumed` says in words what of it Bybit does not tell.
    """

    held: Held
    mark: Mark
    position: Position
    is_anchored: bool = False
    assumed: tuple[str, ...] = ()

    @property
    def instrument(self) -> Instrument:
        return self.position.instrument

    @property
    def notional(self) -> Decimal:
        """At the row's mark, in the settle coin."""
        return self.held.value_at(self.mark.price)

    @property
    def carried(self) -> tuple[str, ...]:
        """What of this leg's margins is taken over, in words; nothing where the rules tell it."""
        beyond = (f"margins of {self.held.symbol} beyond its tier",) if self.is_anchored else ()
        return self.assumed + beyond

    @property
    def initial_gap(self) -> Decimal:
        """Wire's initial margin less the rule's, in the settle coin; of anchored legs only."""
        rate, wire = self.position.initial_rate, self.held.initial_margin
        if not self.is_anchored or rate is None or wire is None:
            return ZERO
        return wire - self.position.close_fee.fixed - self.notional * rate


def leg_of(account: Account, held: Held) -> Leg:
    """
    The position that a row is.

    Raises:
        MissingReply: If its instrument or risk limits are not there.
        Malformed: If they can't be read.
        Unmodelled: If it is a contract of a kind that is not known.
    """
    instrument, assumed = contract_of(account, held)
    mark = mark_of(account, held)
    fee_rate = published_rate(account.replies, held.symbol, held.category)
    if account.mode is Mode.PORTFOLIO:
        # The stress test over the whole account stands for it: no tiers, no leverage, no margin.
        position = _position(account, held, instrument, mark, None, None, fee_rate)
        return Leg(held=held, mark=mark, position=position, assumed=assumed)
    table = table_of(account, held, mark.price)
    if has_no_tiers(account.replies, held.symbol, held.category):
        rate = table.tiers[0].maintenance_rate
        known = f"the worst rate known at its leverage, {100 * rate:.2f} %"
        assumed += (f"tiers of {held.symbol}, which Bybit does not tell: {known}",)
    fee = fee_to_close(
        held,
        mark.price,
        table,
        fee_rate,
        # An isolated leg is charged by itself, whatever the other side holds.
        is_hedged=account.mode is Mode.CROSS and is_hedged(account.held, held),
        has_orders=any(c.coin == instrument.settle and c.order_im for c in account.anchor_coins),
    )
    position = _position(account, held, instrument, mark, table, fee, fee.rate)
    return Leg(
        held=held, mark=mark, position=position, is_anchored=fee.is_anchored, assumed=assumed
    )


def contract_of(account: Account, held: Held) -> tuple[Instrument, tuple[str, ...]]:
    """The contract, and in words what of it is only assumed. Raises as `instrument_of`."""
    if is_unlisted(account.replies, held.symbol, held.category):
        words = f"{held.symbol}, which is not among Bybit's contracts: read by its name"
        return by_name(held.symbol, held.category, held.size), (words,)
    return instrument_of(account.replies, held.symbol, held.category), ()


def table_of(account: Account, held: Held, mark: Decimal) -> TierTable:
    """
    The leg's tiers, moved by the orders that are open on its side of the symbol.

    Where Bybit tells none, the worst that is known. Raises as `tier_table`.
    """
    if has_no_tiers(account.replies, held.symbol, held.category) and held.leverage is not None:
        return worst_table(held.leverage)
    table = tier_table(account.replies, held.symbol, held.category)
    ordered, value = account.orders.beside(held), held.value_at(mark)
    rate = published_rate(account.replies, held.symbol, held.category) or ZERO
    fee = held.value_at(held.entry_price) * bankruptcy_share(held) * rate
    told = (held.maintenance_margin or ZERO) - fee
    return beside_orders(
        table,
        ordered,
        value,
        in_one_pool=account.mode is not Mode.ISOLATED,
        own=min(own_shares(table, ordered, value), key=lambda share: abs(told - share)),
    )


def _position(  # noqa: PLR0913, PLR0917 - the parts of one position
    account: Account,
    held: Held,
    instrument: Instrument,
    mark: Mark,
    table: TierTable | None,
    fee: Fee | None,
    rate: Decimal | None,
) -> Position:
    isolated = account.mode is Mode.ISOLATED
    return Position(
        instrument=instrument,
        side=held.side,
        contracts=held.size,
        entry_price=_pnl_entry(held, mark),
        tiers=table,
        margin_mode=MarginMode.ISOLATED if isolated else MarginMode.CROSS,
        initial_rate=None if held.leverage is None else ONE / held.leverage,
        leverage=held.leverage,
        close_fee=CloseFee() if fee is None else CloseFee(fixed=fee.fixed),
        taker_fee_rate=rate or ZERO,
        adl_rank=held.adl_rank,
        has_stop_loss=account.orders.protect(held, instrument.settle),
        reported_liquidation_price=held.liquidation_price,
        reported_maintenance_margin=held.maintenance_margin,
    )


def mark_of(account: Account, held: Held) -> Mark:
    """The row's own mark, else the ticker's. Raises MissingReply where there is neither."""
    if held.mark is not None:
        return Mark(price=held.mark, at=held.mark_at)
    mark = ticker_mark(account.replies, held.symbol, held.category)
    if mark is None:
        # Names the request that would bring it.
        account.replies.get(calls.ticker(held.symbol, held.category))
        raise Malformed("result.list", f"a ticker of {held.symbol}", "none")
    return mark


def is_hedged(legs: tuple[Held, ...], held: Held) -> bool:
    """Whether the other side of the leg's symbol is held too."""
    return any(other.symbol == held.symbol and other.side is not held.side for other in legs)


def _pnl_entry(held: Held, mark: Mark) -> Decimal:
    """
    The price that unrealized PnL runs from.

    USDC contracts are settled into the wallet every eight hours; what has been settled is no
    longer unrealized. The row's own PnL says which of its two prices it runs from.
    """
    if held.is_inverse or held.session_price in (None, held.entry_price):
        return held.entry_price

    def off_by(price: Decimal) -> Decimal:
        return abs(held.unrealised_pnl - held.side.sign * held.size * (mark.price - price))

    return min(held.entry_price, held.session_price or held.entry_price, key=off_by)
