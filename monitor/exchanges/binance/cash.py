"""
Money around the pools: the next funding, what lies free in the spot wallet, what was booked.

None of it is part of a figure; each is left out where its reply is absent or can't be read.

Source: Binance «Mark Price», «Index Price and Mark Price» (COIN-M), «Get Income History
(USER_DATA)», «Account Information (USER_DATA)» (spot), read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance import calls, coin_calls, portfolio_calls
from monitor.exchanges.binance.account import Product, optional_answer
from monitor.exchanges.binance.contracts import product_of
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.exchanges.call import Replies, RestCall
    from monitor.risk.model import Instrument

INCOMES = (
    calls.INCOME,
    coin_calls.INCOME,
    portfolio_calls.USDM_INCOME,
    portfolio_calls.COINM_INCOME,
)
SPOT_WALLET = "Spot wallet"
_KEPT = 500
_KINDS = {
    "FUNDING_FEE": BookingKind.FUNDING,
    "COMMISSION": BookingKind.FEE,
    "POSITION_LIMIT_INCREASE_FEE": BookingKind.FEE,
    "COMMISSION_REBATE": BookingKind.FEE,
    "FEE_RETURN": BookingKind.FEE,
    "REALIZED_PNL": BookingKind.REALISED,
    "DELIVERED_SETTELMENT": BookingKind.REALISED,
    "OPTIONS_SETTLE_PROFIT": BookingKind.REALISED,
    "TRANSFER": BookingKind.TRANSFER,
    "INTERNAL_TRANSFER": BookingKind.TRANSFER,
    "CROSS_COLLATERAL_TRANSFER": BookingKind.TRANSFER,
    "STRATEGY_UMFUTURES_TRANSFER": BookingKind.TRANSFER,
    "COIN_SWAP_DEPOSIT": BookingKind.TRANSFER,
    "COIN_SWAP_WITHDRAW": BookingKind.TRANSFER,
    "INSURANCE_CLEAR": BookingKind.LIQUIDATION,
    "LIQUIDATION_FEE": BookingKind.LIQUIDATION,
}


def mark_call(symbol: str) -> RestCall:
    """The mark, and the next funding, of one symbol of either side."""
    coin = product_of(symbol) is Product.COINM
    return coin_calls.mark_call(symbol) if coin else calls.mark_call(symbol)


def premium_rows(body: object) -> tuple[Row, ...]:
    """The rows of a premium index, which comes alone for one symbol of USDⓈ-M."""
    if isinstance(body, dict):
        return (Row(body, "premiumIndex"),)
    return rows_of(body, "premiumIndex")


def read_funding(replies: Replies, instruments: Iterable[Instrument]) -> Mapping[str, Funding]:
    """
    The next funding of each perpetual, by unified symbol; dated contracts have none.

    ``{"symbol": "BTCUSDT", "lastFundingRate": "0.00038246", "nextFundingTime": 1597392000000}``
    """
    found = {}
    for instrument in instruments:
        funding = _funding(replies, instrument)
        if funding is not None:
            found[instrument.symbol] = funding
    return found


def _funding(replies: Replies, instrument: Instrument) -> Funding | None:
    symbol = instrument.exchange_symbol
    body = optional_answer(replies, mark_call(symbol))
    try:
        rows = [row for row in premium_rows(body) if row.text("symbol") == symbol]
        row = rows[0] if rows else Row({}, "")
        if not row.has("lastFundingRate") or not row.integer("nextFundingTime"):
            return None
        return Funding(
            symbol=instrument.symbol,
            rate=row.decimal("lastFundingRate"),
            at=row.time("nextFundingTime"),
        )
    except Malformed:
        return None


def read_free(replies: Replies, wanted: frozenset[str]) -> tuple[FreeBalance, ...]:
    """
    What lies free in the spot wallet of these assets.

    ``{"balances": [{"asset": "BTC", "free": "0.00219821", "locked": "0.00000000"}]}``
    """
    try:
        rows = Row(optional_answer(replies, calls.SPOT), "spot").rows("balances")
        return tuple(
            FreeBalance(asset=row.text("asset"), amount=row.decimal("free"), wallet=SPOT_WALLET)
            for row in rows
            if row.text("asset") in wanted and row.decimal("free") > ZERO
        )
    except Malformed:
        return ()


def read_bookings(replies: Replies) -> tuple[Booking, ...]:
    """The latest entries of both futures wallets, oldest first."""
    found = {booking.id: booking for call in INCOMES for booking in _bookings(replies, call)}
    return tuple(sorted(found.values(), key=lambda booking: (booking.at, booking.id)))[-_KEPT:]


def _bookings(replies: Replies, call: RestCall) -> tuple[Booking, ...]:
    """
    ``[{"symbol": "BTCUSDT", "incomeType": "COMMISSION", "income": "-0.01000000", "asset":
    "USDT", "info": "COMMISSION", "time": 1570636800000, "tranId": 9689322392, "tradeId": ""}]``

    A transaction id is unique within its kind only.
    """
    wallet = call.path.removesuffix("/income")
    try:
        rows = rows_of(optional_answer(replies, call), "income")
        return tuple(
            Booking(
                id=f"{wallet} {row.text('incomeType')} {row.text('tranId')}",
                at=row.time("time"),
                kind=_KINDS.get(row.text("incomeType"), BookingKind.OTHER),
                asset=row.text("asset"),
                amount=row.decimal("income"),
                symbol=row.optional_text("symbol"),
            )
            for row in rows
        )
    except Malformed:
        return ()
