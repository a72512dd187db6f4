"""
What a Bybit account's private stream is told of each change, row by row.

A row of the position list is worded otherwise on the stream; a leg that holds nothing comes with
side "" and size "0", and in hedge mode both legs of a symbol come. Nothing is told of marks.

Source: Bybit V5 "Position", "Execution", "Order" and "Wallet" streams (2026-07).
"""

from collections.abc import Iterable

from monitor.simulator import bybit_rows as rows
from monitor.simulator.bybit_account import Order, Prices
from monitor.simulator.bybit_accounts import BybitAccount
from monitor.simulator.bybit_fills import Fill
from monitor.simulator.bybit_ledger import figures
from monitor.simulator.bybit_tables import INSTRUMENTS, has_legs

Row = dict[str, object]


def tell_positions(
    owner: BybitAccount, prices: Prices, symbols: Iterable[str], at_ms: int, *, status: str = ""
) -> None:
    """Queue a frame for each symbol, with all its legs as they now are."""
    ledger = owner.ledger
    now = figures(ledger, prices)
    for symbol in dict.fromkeys(symbols):
        held = [
            rows.position(ledger, now, mine) | {"updatedTime": str(at_ms)}
            for mine in now.positions
            if mine.position.symbol == symbol
        ]
        if status:
            held = [row | {"positionStatus": status} for row in held]
        there = {row["positionIdx"] for row in held}
        idxs = (1, 2) if ledger.hedge and has_legs(symbol) else (0,)
        mark = prices.mark(INSTRUMENTS[symbol])
        empty = [
            rows.closed_leg(ledger, symbol, idx, mark, at_ms) for idx in idxs if idx not in there
        ]
        category = rows.category_of(symbol)
        told = [rows.as_pushed(row, category) for row in held + empty]
        owner.outbox.append(("position", told))


def tell_wallet(owner: BybitAccount, prices: Prices) -> None:
    """Queue the wallet as it now is."""
    row = rows.wallet(owner.ledger, figures(owner.ledger, prices))
    owner.outbox.append(("wallet", [row]))


def tell_fill(owner: BybitAccount, fill: Fill) -> None:
    """Queue a fill behind the order that it fills, and note it for the execution list."""
    execution = fill.execution()
    owner.executions.insert(0, execution)
    owner.outbox.append(("order", [fill.order()]))
    owner.outbox.append(("execution", [execution | {"category": fill.category}]))


def tell_orders(owner: BybitAccount, orders: Iterable[Order], at_ms: int, status: str) -> None:
    """Queue orders as they now are: New, Cancelled …; empty is what they are by themselves."""
    told = [
        rows.open_order(order, at_ms, status or None) | {"category": rows.category_of(order.symbol)}
        for order in orders
    ]
    if told:
        owner.outbox.append(("order", told))
