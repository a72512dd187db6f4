"""
Money around the pools: the next funding, what lies free elsewhere, what was booked.

No figure of risk depends on it: a reply that is not there, or can't be read, is as good as none.

Source: OKX API guide, «Get funding rate», «Get balance» (funding account), «Get bills details
(last 7 days)», «Get bill types», read November 2026; the fields are those documented, no
recording was at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.okx import calls
from monitor.exchanges.okx.envelope import row_with, rows
from monitor.exchanges.okx.products import SWAP, product_of
from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.payload import Row
    from monitor.risk.model import Instrument

FUNDING_ACCOUNT = "Funding account"
_KINDS = {
    "1": BookingKind.TRANSFER,
    "2": BookingKind.REALISED,
    "3": BookingKind.REALISED,  # delivery and exercise
    "4": BookingKind.LIQUIDATION,  # a debt repaid by force
    "5": BookingKind.LIQUIDATION,
    "6": BookingKind.TRANSFER,  # margin moved to or from an isolated position
    "7": BookingKind.INTEREST,
    "8": BookingKind.FUNDING,
    "9": BookingKind.LIQUIDATION,  # auto-deleveraging
    "10": BookingKind.LIQUIDATION,  # clawback: a part of the profit covers losses of others
    "12": BookingKind.TRANSFER,  # to or from a strategy
    "13": BookingKind.REALISED,  # hedging by OKX's own
    "14": BookingKind.REALISED,  # block trade
    "34": BookingKind.REALISED,  # daily settlement
}


def _rows(replies: Replies, call: RestCall) -> tuple[Row, ...]:
    reply = replies.find(call)
    if reply is None:
        return ()
    try:
        return rows(reply)
    except ExchangeError:
        return ()


def read_funding(replies: Replies, held: Iterable[Instrument]) -> dict[str, Funding]:
    """
    The next funding of each perpetual held, by unified symbol; those not told are left out.

    ``{"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": "1790006400000", …}``
    """
    found: dict[str, Funding] = {}
    for instrument in held:
        if product_of(instrument.exchange_symbol) == SWAP:
            for funding in _funding(replies, instrument):
                found[instrument.symbol] = funding
    return found


def _funding(replies: Replies, instrument: Instrument) -> Iterator[Funding]:
    name = instrument.exchange_symbol
    try:
        for call in (calls.funding(name), calls.ALL_FUNDING):
            row = row_with(replies, call, "instId", name)
            if row is not None:
                yield Funding(
                    symbol=instrument.symbol,
                    rate=row.decimal("fundingRate"),
                    at=row.time("fundingTime"),
                )
                return
    except ExchangeError:
        return


def read_free(replies: Replies) -> tuple[FreeBalance, ...]:
    """
    Coins in the funding account that may be moved at once.

    ``{"ccy": "USDT", "bal": "120", "availBal": "100", "frozenBal": "20"}``
    """
    found: list[FreeBalance] = []
    for row in _rows(replies, calls.FREE):
        try:
            asset, amount = row.text("ccy"), row.decimal("availBal")
        except ExchangeError:
            continue
        if amount > ZERO:
            found.append(FreeBalance(asset=asset, amount=amount, wallet=FUNDING_ACCOUNT))
    return tuple(found)


def read_bookings(replies: Replies) -> tuple[Booking, ...]:
    """
    The trading account's latest entries, oldest first; a trade's fee is one of its own.

    ``{"billId": "62…", "ts": "1790000000000", "type": "8", "ccy": "USDT", "balChg": "-1.2",
    "pnl": "-1.2", "fee": "0", "instId": "BTC-USDT-SWAP", …}``
    """
    found: list[Booking] = []
    for row in _rows(replies, calls.BILLS):
        try:
            found += _bookings(row)
        except ExchangeError:
            continue
    return tuple(sorted(found, key=lambda booking: (booking.at, booking.id)))


def _bookings(row: Row) -> Iterator[Booking]:
    kind = _KINDS.get(row.text("type"), BookingKind.OTHER)
    fee = row.optional_decimal("fee") or ZERO
    changed = row.decimal("balChg")
    name, at, asset = row.text("billId"), row.time("ts"), row.text("ccy")
    symbol = row.optional_text("instId")
    if kind is BookingKind.REALISED and fee:
        yield Booking(
            id=f"{name}/fee",
            at=at,
            kind=BookingKind.FEE,
            asset=asset,
            amount=fee,
            symbol=symbol,
        )
        changed -= fee
    if changed:
        yield Booking(id=name, at=at, kind=kind, asset=asset, amount=changed, symbol=symbol)
