"""
Isolated margin: each position (in hedge mode each side) is a pool of its own, in its settle coin.

What stands for it is its initial margin on the entry price, what was added by hand, and its
unrealized PnL; against that its maintenance margin on the mark, the fee to close in both. The
wire does not tell what was added; but it tells the liquidation price, which is the real
trigger: there the pool's balance is its maintenance margin. So the balance is found backwards
from that price, wherever it is not just the initial margin.

Two formulas of that price are known. The published one has maintenance margin on the entry
price; the other follows from the rule of 2025-09-18, which has it on the mark, and is derived,
not confirmed on a wire. A price that is the published one to the tick, with nothing added, says
no more than that nothing was added.

Source: Bybit «Liquidation price (USDT contract, isolated margin)» and «(inverse contract)»,
2024-09; «Maintenance Margin Calculation (USDT Contract)», 2025-09-18.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit.instruments import price_filter
from monitor.exchanges.bybit.legs import leg_of
from monitor.exchanges.bybit.unread import isolated_name, of_leg
from monitor.risk.model import (
    ONE,
    ZERO,
    Basis,
    Collateral,
    MarginMode,
    MarginPool,
    PoolId,
    Reported,
    Side,
)
from monitor.risk.payoff import unrealized_pnl
from monitor.risk.tiers import maintenance_margin

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.legs import Leg
    from monitor.exchanges.bybit.unread import Unread

_DIGIT = Decimal("0.00000001")
_REPLENISHES = (
    "auto-margin replenishment is on: Bybit draws on the wallet before it liquidates this position"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """
    What stands for a position beside its PnL, in its settle coin.

    `told` is what Bybit's own liquidation price says it is, or its initial margin where there
    is no such price; `error` what the digits of either leave open.
    """

    amount: Decimal
    told: Decimal
    error: Decimal
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One leg as its own pool, with the margin posted for it."""

    pool: MarginPool
    leg: Leg
    margin: Posted


def isolated_pools(account: Account) -> tuple[tuple[Alone, ...], tuple[Unread, ...]]:
    """One pool for each leg, and the legs of which no figure can be given."""
    found: list[Alone] = []
    unread = list(account.unread)
    for held in account.held:
        try:
            leg = leg_of(account, held)
            margin = posted(account, leg)
        except ExchangeError as error:
            unread.append(of_leg(held, error))
        else:
            pool = _pool(account.name, leg, margin)
            found.append(Alone(pool=pool, leg=leg, margin=margin))
    return tuple(found), tuple(unread)


def _pool(account: str, leg: Leg, found: Posted) -> MarginPool:
    held, settle = leg.held, leg.instrument.settle
    side = f" ({held.side.value})" if held.idx else ""
    carried = found.words + leg.carried + ((_REPLENISHES,) if held.adds_margin else ())
    return MarginPool(
        id=PoolId(account=account, name=isolated_name(held.symbol, held.idx)),
        unit=settle,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=settle, balance=found.amount),),
        positions=(leg.position,),
        top_up_asset=settle,
        wallet=f"margin of the isolated position {held.symbol}{side}",
        basis=Basis.PARTLY if found.words or leg.carried else Basis.MODELLED,
        carried=carried,
    )


def reported(leg: Leg, found: Posted, at: datetime) -> Reported:
    """
    What Bybit says of the position: its margins, and the balance that its price implies.

    There is no account rate in isolated margin.
    """
    held = leg.held
    return Reported(
        at=at,
        margin_balance=found.told + held.unrealised_pnl,
        maintenance_margin=held.maintenance_margin,
        initial_margin=held.initial_margin,
        resolution=found.error + 4 * _DIGIT + held.value_at(held.entry_price) * _DIGIT,
    )


def posted(account: Account, leg: Leg) -> Posted:
    """
    The margin posted for a leg: its own, or what its liquidation price says beyond it.

    Raises:
        MissingReply, Malformed: As `leg_of` does.
    """
    held, price = leg.held, leg.held.liquidation_price
    own = _initial(leg) + leg.position.close_fee.fixed
    limits = price_filter(account.replies, held.symbol, held.category)
    if price is None:
        edge = limits.least if held.side is Side.LONG else limits.most
        wire = held.initial_margin or own
        # Bybit shows no price beyond the contract's own limits: so much must have been added.
        most = own if edge is None or edge <= ZERO else _needed_at(leg, edge)
        if most <= own:
            return Posted(amount=own, told=wire, error=_DIGIT)
        words = ("margin added by hand: at least so much that no tradable price liquidates",)
        return Posted(amount=most, told=most, error=ZERO, words=words)
    told, step = _needed_at(leg, price), 2 * _step(leg, price, limits.tick)
    if min(abs(told - own), abs(_added_by_entry(leg, price))) <= step:
        return Posted(amount=own, told=told, error=step)
    return Posted(amount=told, told=told, error=step)


def _initial(leg: Leg) -> Decimal:
    """Initial margin on the entry price, without the fee to close."""
    return leg.held.value_at(leg.held.entry_price) * (leg.position.initial_rate or ONE)


def _needed_at(leg: Leg, price: Decimal) -> Decimal:
    """The posted margin with which the position is liquidated at just this price."""
    return (
        _maintenance(leg, price)
        + leg.position.close_fee.fixed
        - unrealized_pnl(leg.position, price)
    )


def _added_by_entry(leg: Leg, price: Decimal) -> Decimal:
    """What was added by hand, were the price that of the published formula."""
    entry = leg.held.entry_price
    return _maintenance(leg, entry) - unrealized_pnl(leg.position, price) - _initial(leg)


def _maintenance(leg: Leg, price: Decimal) -> Decimal:
    """By the tiers, without the fee."""
    table, notional = leg.position.tiers, leg.held.value_at(price)
    return ZERO if table is None else maintenance_margin(notional, notional, table)


def _step(leg: Leg, price: Decimal, tick: Decimal | None) -> Decimal:
    """What the last digit of a price on the wire changes the position's value by."""
    shown = ONE.scaleb(int(price.as_tuple().exponent))
    digit = max(_DIGIT, shown if tick is None else min(shown, tick))
    return leg.held.value_at(price) * digit / price
