"""
Margin trading: coins bought or sold with borrowed ones, as a leg whose face is the debt.

Knows one such position at a time; must not know which pool it stands in.

What a trade is worth depends on the coin that it is margined in. Where that is the coin it
has (a long margined in base, a short margined in quote), its debt is in the other coin and
the price moves the debt's worth, and with it the margin that the debt needs:

- a long is an inverse leg of face D (quote): coins − D ÷ P, needing m × D ÷ P and the fee;
- a short is a linear leg of face D (base): coins − D × P, needing m × D × P and the fee.

Where it is margined in the coin that it owes (a long in quote, a short in base), the price
moves what it has, and the debt stands still with the margin that it needs: a leg of the
coins it has, whose maintenance margin is fixed.

Shown are coins that its owner knows: a long's contracts are the base coins it has, margin
included, a short's the base coins it owes. What a long owes per coin that it has is its
contract size, so that closing a part of it repays that part of the debt.

Source: OKX help, «Isolated margin trading», «Cross margin trading in futures mode»; worked
through on the official row (W1) where margined in the coin that it has. The other half is
not covered by any published figure: reconciling shows it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from monitor.errors import Malformed, MissingReply, Unmodelled
from monitor.exchanges.okx import tables
from monitor.exchanges.okx.calls import POSITIONS
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.legs import Leg, entry_of, initial_rate, mark_of
from monitor.risk.model import (
    ONE,
    ZERO,
    CloseFee,
    Instrument,
    Payoff,
    Position,
    Side,
    TierTable,
)
from monitor.risk.tiers import tier_of

if TYPE_CHECKING:
    from decimal import Decimal

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.held import Held


class _Trade(NamedTuple):
    """A trade's debt (with interest), its entry, what its debt is charged, and its coins."""

    owed: Decimal
    entry: Decimal
    tiers: TierTable
    rate: Decimal
    fee: Decimal
    pair: tables.Pair


def trade(row: Held, replies: Replies, *, has_stop_loss: bool | None) -> Leg:
    """
    The leg of an open margin trade.

    Raises:
        MissingReply: If no reply holds its pair, tiers or fee rate, or what it owes.
        Malformed: If one of them can't be read.
        Unmodelled: If it is margined in a coin that is neither its base nor its quote.
    """
    if row.owed is None:
        raise MissingReply(
            f"margin trade {row.inst_id} changed, and what it owes now is not told yet",
            exchange=NAME,
            call=POSITIONS.request,
        )
    pair = tables.pair(replies, row.inst_id)
    if row.ccy not in (pair.base, pair.quote):
        raise Unmodelled(
            f"{row.inst_id} is margined in {row.ccy}, which it neither has nor owes: such "
            "trades are not modelled",
            exchange=NAME,
        )
    of_base = row.side is Side.SHORT
    table = tables.loan_table(replies, row.inst_id, row.margin_mode, of_base=of_base)
    made = _Trade(
        owed=row.owed + row.interest,
        entry=entry_of(row),
        tiers=table,
        rate=tier_of(row.owed, table).maintenance_rate,
        fee=tables.pair_taker_rate(replies, row.inst_id, pair),
        pair=pair,
    )
    has = row.ccy == (pair.base if row.side is Side.LONG else pair.quote)
    found = _of_debt(row, made) if has else _of_assets(row, made)
    position = replace(found.position, has_stop_loss=True if row.protected else has_stop_loss)
    return replace(found, position=position, mark=mark_of(row, replies))


def _of_debt(row: Held, made: _Trade) -> Leg:
    """Margined in the coin that it has: a leg of what it owes."""
    has, owes = abs(row.contracts), row.owed or ZERO
    fee = (ONE + made.rate) * made.fee
    if row.side is Side.LONG:
        contracts, per_contract = has, made.owed / has
        tiers, payoff = _in_coins(made.tiers, has, owes), Payoff.INVERSE
        at_entry = made.owed / made.entry
    else:
        contracts, per_contract = owes, made.owed / owes
        tiers, payoff = made.tiers, Payoff.LINEAR
        at_entry = made.owed * made.entry
    position = replace(
        _position(row, made, payoff, contracts, per_contract),
        tiers=tiers,
        close_fee=CloseFee(rate_on_notional=fee),
        initial_rate=initial_rate(row, fee),
    )
    return Leg(row=row, position=position, mark=None, fee_rate=fee, assets=has - at_entry)


def _in_coins(table: TierTable, has: Decimal, owes: Decimal) -> TierTable:
    """A table of coins owed, measured in the coins that the trade has for them."""

    def edge(owed: Decimal) -> Decimal:
        # An edge that is met exactly stays so: rounding must not push a debt over it.
        return has if owed == owes else owed * has / owes

    tiers = tuple(
        replace(tier, floor=edge(tier.floor), cap=None if tier.cap is None else edge(tier.cap))
        for tier in table.tiers
    )
    return replace(table, tiers=tiers)


def _of_assets(row: Held, made: _Trade) -> Leg:
    """Margined in the coin that it owes: a leg of what it has, whose debt stands still."""
    has, owes = abs(row.contracts), row.owed or ZERO
    if row.side is Side.LONG:
        contracts, per_contract, payoff = has, ONE, Payoff.LINEAR
        at_entry = has * made.entry
    else:
        contracts, per_contract, payoff = owes, has / owes, Payoff.INVERSE
        at_entry = has / made.entry
    fee = made.owed * (ONE + made.rate) * made.fee
    position = replace(
        _position(row, made, payoff, contracts, per_contract),
        fixed_maintenance=made.owed * made.rate + fee,
    )
    return Leg(
        row=row,
        position=position,
        mark=None,
        fee_rate=ZERO,
        fixed_fee=fee,
        assets=at_entry - made.owed,
    )


def _position(
    row: Held, made: _Trade, payoff: Payoff, contracts: Decimal, per_contract: Decimal
) -> Position:
    if contracts <= ZERO:
        raise Malformed(f"{row.path}.liab", "the coins owed", str(contracts))
    pair = made.pair
    return Position(
        instrument=Instrument(
            symbol=f"{pair.base}/{pair.quote}",
            exchange_symbol=row.inst_id,
            base=pair.base,
            quote=pair.quote,
            settle=row.ccy,
            payoff=payoff,
            contract_size=per_contract,
            lot=pair.lot,
        ),
        side=row.side,
        contracts=contracts,
        entry_price=made.entry,
        tiers=None,
        margin_mode=row.margin_mode,
        leverage=row.leverage,
        taker_fee_rate=made.fee,
        adl_rank=row.adl_rank,
        reported_liquidation_price=row.liquidation_price,
        reported_maintenance_margin=row.maintenance,
    )
