"""
What happens to a Bybit account: the ledger is changed, written down, and the stream told.

Trades at the mark, orders, what the exchange takes (a liquidation's steps, take-over,
auto-deleveraging, settlement), funding, another margin mode, a lowered risk limit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from monitor.simulator import bybit_events as events
from monitor.simulator import bybit_fills as fills
from monitor.simulator.bybit_account import ZERO, Booking, Order, Position, Prices
from monitor.simulator.bybit_accounts import BybitAccount
from monitor.simulator.bybit_cash import book, charge_funding, note, profit_of, transfer
from monitor.simulator.bybit_fills import Cause, Fill
from monitor.simulator.bybit_isolated import with_margin
from monitor.simulator.bybit_modes import Switch, apply
from monitor.simulator.bybit_pools import Liquidation, liquidate
from monitor.simulator.bybit_tables import INSTRUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The prices and the server's time at which something happens."""

    prices: Prices
    at_ms: int


def moved(owner: BybitAccount, moment: Moment, coin: str, amount: Decimal) -> None:
    """Coins come in, or go out where the amount is negative."""
    transfer(owner.ledger, coin, amount, moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def margined(owner: BybitAccount, moment: Moment, mine: Position, amount: Decimal) -> None:
    """So many coins from outside join the margin of an isolated position."""
    ledger = owner.ledger
    ledger.positions[ledger.positions.index(mine)] = with_margin(mine, amount)
    transfer(ledger, INSTRUMENTS[mine.symbol].settle, amount, moment.at_ms)
    ledger.changed(mine.symbol, moment.at_ms)
    events.tell_positions(owner, moment.prices, [mine.symbol], moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def resized(
    owner: BybitAccount, moment: Moment, mine: Position, size: Decimal, cause: Cause = fills.OWN
) -> None:
    """A position has another size, traded at the mark."""
    ledger, mark = owner.ledger, moment.prices.mark(INSTRUMENTS[mine.symbol])
    opens = size > mine.size
    qty = abs(size - mine.size)
    fill = _fill(owner, moment, mine, cause, qty, ZERO, opens=opens)
    place = ledger.positions.index(mine)
    ledger.positions[place : place + 1] = [mine.resized(size, mark)] if size else []
    if not opens:
        book(ledger, fill.booking(size))
    ledger.changed(mine.symbol, moment.at_ms)
    events.tell_fill(owner, fill)
    events.tell_positions(owner, moment.prices, [mine.symbol], moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def opened(owner: BybitAccount, moment: Moment, mine: Position) -> None:
    """A position where its side of its symbol held nothing."""
    ledger = owner.ledger
    ledger.positions.append(mine)
    ledger.changed(mine.symbol, moment.at_ms)
    events.tell_fill(owner, _fill(owner, moment, mine, fills.OWN, mine.size, ZERO, opens=True))
    events.tell_positions(owner, moment.prices, [mine.symbol], moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def switched(owner: BybitAccount, moment: Moment, switch: Switch) -> None:
    """
    Another margin mode, position mode or kind of account; rows come in the new mode's shape.

    Whether Bybit tells of it at all is not documented.

    Raises:
        ValueError: If open positions or orders forbid it.
    """
    apply(owner.ledger, switch)
    symbols = [it.symbol for it in owner.ledger.positions]
    events.tell_positions(owner, moment.prices, symbols, moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def ordered(owner: BybitAccount, moment: Moment, order: Order) -> None:
    """An order is placed; one of its name that was there is cancelled."""
    ledger = owner.ledger
    before = [it for it in ledger.orders if it.order_id == order.order_id]
    ledger.orders[:] = [it for it in ledger.orders if it not in before]
    if order.qty:
        ledger.orders.append(order)
        events.tell_orders(owner, [order], moment.at_ms, "")
    else:
        events.tell_orders(owner, before, moment.at_ms, "Cancelled")
    # The position's row speaks on every order, even where it is as before.
    events.tell_positions(owner, moment.prices, [order.symbol], moment.at_ms)
    events.tell_wallet(owner, moment.prices)


def treated(owner: BybitAccount, moment: Moment, mine: Position, **how: object) -> None:
    """The exchange treats a position otherwise: its status, its risk limit."""
    positions = owner.ledger.positions
    positions[positions.index(mine)] = replace(mine, **how)  # type: ignore[arg-type] # its fields
    events.tell_positions(owner, moment.prices, [mine.symbol], moment.at_ms)


def funded(owner: BybitAccount, moment: Moment, rate_of: Callable[[str], Decimal]) -> None:
    """Every perpetual position is charged; each charge is an execution."""
    booked = charge_funding(owner.ledger, moment.prices, rate_of, moment.at_ms)
    for number, booking in enumerate(booked):
        row = fills.funding(booking, f"{moment.at_ms:x}-f{number:03x}")
        owner.executions.insert(0, row)
        category = {"category": INSTRUMENTS[booking.symbol].category}
        owner.outbox.append(("execution", [row | category]))
    if booked:
        events.tell_wallet(owner, moment.prices)


def liquidated(owner: BybitAccount, moment: Moment, pool: str) -> Liquidation:
    """
    A pool is taken over: orders cancelled, positions under liquidation, then gone.

    Raises:
        KeyError: If the account has no such pool.
    """
    ledger = owner.ledger
    orders, before = list(ledger.orders), dict(ledger.wallets)
    held = list(ledger.positions)
    queued = len(owner.outbox)
    symbols = [it.symbol for it in held]
    events.tell_positions(owner, moment.prices, symbols, moment.at_ms, status="Liq")
    under_way = owner.outbox[queued:]
    del owner.outbox[queued:]
    done = liquidate(ledger, moment.prices, pool)
    gone = [order for order in orders if order not in ledger.orders]
    events.tell_orders(owner, gone, moment.at_ms, "Cancelled")
    taken = {it.position.symbol for it in done.positions}
    owner.outbox += [(kind, told) for kind, told in under_way if told[0]["symbol"] in taken]
    _note_takeover(owner, moment, done, before)
    events.tell_wallet(owner, moment.prices)
    return done


def _note_takeover(
    owner: BybitAccount, moment: Moment, done: Liquidation, before: dict[str, Decimal]
) -> None:
    """Write down what each position lost, and what else became of the coins."""
    ledger = owner.ledger
    balances = dict(before)
    for mine, cost in zip(done.positions, done.costs, strict=True):
        it, settle = mine.position, mine.instrument.settle
        fill = _fill(owner, moment, it, fills.TAKEOVER, it.size, cost)
        booking = fill.booking(ZERO)
        balances[settle] = balances.get(settle, ZERO) + booking.change
        note(ledger, replace(booking, balance=balances[settle]))
        ledger.changed(it.symbol, moment.at_ms)
        events.tell_fill(owner, fill)
        events.tell_positions(owner, moment.prices, [it.symbol], moment.at_ms)
    for coin, balance in ledger.wallets.items():
        rest = balance - balances.get(coin, ZERO)
        if rest:
            line = Booking(
                kind="CURRENCY_BUY" if rest > 0 else "CURRENCY_SELL",
                coin=coin,
                at_ms=moment.at_ms,
                change=rest,
                balance=balance,
            )
            note(ledger, line)


def _fill(  # noqa: PLR0913, PLR0917 - what a fill is made of
    owner: BybitAccount,
    moment: Moment,
    mine: Position,
    cause: Cause,
    qty: Decimal,
    fee: Decimal,
    *,
    opens: bool = False,
) -> Fill:
    mark = moment.prices.mark(INSTRUMENTS[mine.symbol])
    return Fill(
        number=owner.next_fill(moment.at_ms),
        position=mine,
        cause=cause,
        qty=qty,
        price=mark,
        mark=mark,
        profit=ZERO if opens else profit_of(mine, qty, mark),
        fee=fee,
        at_ms=moment.at_ms,
        opens=opens,
    )
