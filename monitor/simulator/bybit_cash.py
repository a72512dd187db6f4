"""
Money that moves in a Bybit account: transfers, trades, funding, takeovers, and the log of them.

It changes the ledger's wallets and writes each change down as a line of the transaction log. It
knows no wire but that log's rows.

Source: Bybit V5 "Get Transaction Log": change = cashFlow + funding - fee; `funding` is positive
where it is received. Funding itself: value at the mark x rate, from longs to shorts where the
rate is positive.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from monitor.simulator.bybit_account import (
    EIGHT_DECIMALS,
    ZERO,
    Account,
    Booking,
    Position,
    Prices,
    cut_to,
)
from monitor.simulator.bybit_ledger import value_at
from monitor.simulator.bybit_tables import INSTRUMENTS
from monitor.simulator.truth import plain

Row = dict[str, object]


def transfer(account: Account, coin: str, amount: Decimal, at_ms: int) -> None:
    """Bring coins in from the funding wallet's side, or out of the account where negative."""
    kind = "TRANSFER_IN" if amount > 0 else "TRANSFER_OUT"
    book(account, Booking(kind=kind, coin=coin, at_ms=at_ms, change=amount, balance=ZERO))


def profit_of(position: Position, qty: Decimal, price: Decimal) -> Decimal:
    """What closing a part at this price brings in, in settle coin; no fee is charged."""
    sign = 1 if position.side == "Buy" else -1
    if INSTRUMENTS[position.symbol].category == "linear":
        return sign * qty * (price - position.pnl_from)
    return sign * qty * (1 / position.pnl_from - 1 / price)


def book(account: Account, booking: Booking) -> Booking:
    """Change the wallet and write it down."""
    balance = account.wallets.get(booking.coin, ZERO) + booking.change
    account.wallets[booking.coin] = balance
    return note(account, replace(booking, balance=balance))


def note(account: Account, booking: Booking) -> Booking:
    """Write down what was done to the wallet already."""
    account.log.append(booking)
    return booking


def charge_funding(
    account: Account, prices: Prices, rate_of: Callable[[str], Decimal], at_ms: int
) -> list[Booking]:
    """
    Charge every perpetual position its funding and give the bookings.

    Args:
        rate_of: The rate of a base coin; positive means that longs pay.
    """
    booked = []
    for position in account.positions:
        it = INSTRUMENTS[position.symbol]
        if it.delivery_ms:
            continue
        mark, rate = prices.mark(it), rate_of(it.base)
        sign = 1 if position.side == "Buy" else -1
        funding = -sign * value_at(it, position.size, mark) * rate
        booking = Booking(
            kind="SETTLEMENT",
            coin=it.settle,
            at_ms=at_ms,
            change=funding,
            balance=ZERO,
            funding=funding,
            fee_rate=rate,
            symbol=position.symbol,
            side=position.side,
            qty=position.size,
            size=sign * position.size,
            price=mark,
        )
        booked.append(book(account, booking))
    return booked


def log_row(booking: Booking, number: int, uid: int) -> Row:
    """A row of the transaction log; `number` tells bookings of one moment apart."""
    it = INSTRUMENTS.get(booking.symbol)
    return {
        "id": f"{uid}_{booking.symbol or booking.coin}_{number}",
        "symbol": booking.symbol,
        "category": it.category if it else "",
        "side": booking.side,
        "transactionTime": str(booking.at_ms),
        "type": booking.kind,
        "transSubType": "",
        "qty": plain(booking.qty),
        "size": plain(booking.size),
        "currency": booking.coin,
        "tradePrice": plain(booking.price) if booking.price else "",
        "funding": _eight(booking.funding) if booking.kind == "SETTLEMENT" else "",
        "fee": _eight(booking.fee),
        "cashFlow": _eight(booking.change + booking.fee - booking.funding),
        "change": _eight(booking.change),
        "cashBalance": _eight(booking.balance),
        "feeRate": plain(booking.fee_rate) if booking.fee_rate else "",
        "bonusChange": "",
        "tradeId": booking.trade_id,
        "orderId": booking.order_id,
        "orderLinkId": "",
        "extraFees": "",
    }


def _eight(value: Decimal) -> str:
    return plain(cut_to(value, EIGHT_DECIMALS))
