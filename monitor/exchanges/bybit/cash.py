"""
Money around a Bybit account: the next funding, what lies free elsewhere, the latest bookings.

All of it is optional: where Bybit was not asked, or refuses, nothing is known of it. No margin
figure depends on any of it, so a reply that can't be read is as good as none.

Source: docs «Get Tickers», «Get Transaction Log», «Get All Coins Balance», read 2026-07. A line
of the log, shortened: ``{"id": "592324_XRPUSDT_161440249321", "type": "SETTLEMENT", "symbol":
"XRPUSDT", "currency": "USDT", "transactionTime": "1672121182216", "cashFlow": "0", "funding":
"-0.003676", "fee": "0", "change": "-0.003676"}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing, result_of
from monitor.exchanges.bybit.instruments import instrument_of
from monitor.exchanges.bybit.modes import Mode
from monitor.risk.cash import Booking, BookingKind, FreeBalance, Funding
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from decimal import Decimal

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Held
    from monitor.exchanges.call import Replies
    from monitor.exchanges.payload import Row

_UNIFIED = "Unified Trading Account"
_FUNDING_ACCOUNT = "Funding Account"
_KINDS = {
    "SETTLEMENT": BookingKind.FUNDING,
    "TRADE": BookingKind.REALISED,
    "DELIVERY": BookingKind.REALISED,
    "TRANSFER_IN": BookingKind.TRANSFER,
    "TRANSFER_OUT": BookingKind.TRANSFER,
    "LIQUIDATION": BookingKind.LIQUIDATION,
    "ADL": BookingKind.LIQUIDATION,
    "INTEREST": BookingKind.INTEREST,
    "FEE_REFUND": BookingKind.FEE,
}


def funding(account: Account) -> dict[str, Funding]:
    """The next funding of every perpetual held, by unified symbol, as far as it is told."""
    found: dict[str, Funding] = {}
    for held in account.held:
        try:
            told = _funding(account.replies, held)
        except ExchangeError:
            continue
        if told is not None:
            found[told.symbol] = told
    return found


def _funding(replies: Replies, held: Held) -> Funding | None:
    call = calls.ticker(held.symbol, held.category)
    if not replies.has(call):
        return None
    for row in listing(replies, call).rows:
        named = row.optional_text("symbol") == held.symbol
        if named and row.has("fundingRate") and row.optional_decimal("nextFundingTime"):
            return Funding(
                symbol=instrument_of(replies, held.symbol, held.category).symbol,
                rate=row.decimal("fundingRate"),
                at=row.time("nextFundingTime"),
            )
    return None


def free(
    account: Account,
    posted: Mapping[tuple[str, int], Decimal] | None = None,
    unknown: Collection[str] = (),
) -> tuple[FreeBalance, ...]:
    """
    What lies free: in the Funding Account, and in isolated margin the rest of the wallet.

    Args:
        posted: The margin of each isolated leg, by its key, in the coin that it settles in.
        unknown: Coins in which something is posted that is not known.
    """
    rest: tuple[FreeBalance, ...] = ()
    if account.mode is Mode.ISOLATED:
        rest = _rest_of_wallet(account, posted or {}, unknown)
    try:
        return (*rest, *_funding_account(account.replies))
    except ExchangeError:
        return rest


def _rest_of_wallet(
    account: Account, posted: Mapping[tuple[str, int], Decimal], unknown: Collection[str]
) -> tuple[FreeBalance, ...]:
    bound: dict[str, Decimal] = {}
    for held in account.held:
        bound[held.settle] = bound.get(held.settle, ZERO) + posted.get(held.key, ZERO)
    left = (
        (c, c.own - bound.get(c.coin, ZERO) - (c.order_im or ZERO) - c.locked)
        for c in account.coins
        if c.coin not in unknown
    )
    return tuple(
        FreeBalance(asset=c.coin, amount=amount, wallet=_UNIFIED)
        for c, amount in left
        if amount > ZERO
    )


def _funding_account(replies: Replies) -> tuple[FreeBalance, ...]:
    reply = replies.find(calls.FUNDING_WALLET)
    if reply is None:
        return ()
    amounts = (
        (row.text("coin"), row.decimal("transferBalance"))
        for row in result_of(reply).rows("balance")
    )
    return tuple(
        FreeBalance(asset=coin, amount=amount, wallet=_FUNDING_ACCOUNT)
        for coin, amount in amounts
        if amount > ZERO
    )


def bookings(replies: Replies) -> tuple[Booking, ...]:
    """The latest lines of the transaction log, oldest first; a trade's fee is a line of its own."""
    reply = replies.find(calls.BOOKINGS)
    if reply is None:
        return ()
    try:
        lines = [line for row in result_of(reply).rows("list") for line in _lines(row)]
    except ExchangeError:
        return ()
    return tuple(sorted(lines, key=lambda line: line.at))


def _lines(row: Row) -> tuple[Booking, ...]:
    kind = _KINDS.get(row.text("type"), BookingKind.OTHER)
    # The log gives a fee that was paid as a positive number, a rebate as a negative one.
    paid = row.optional_decimal("fee") or ZERO
    change = row.decimal("change")
    parts = [(kind, "", change)]
    if kind is BookingKind.REALISED and paid:
        parts = [(kind, "", change + paid), (BookingKind.FEE, "/fee", -paid)]
    return tuple(
        Booking(
            id=row.text("id") + part,
            at=row.time("transactionTime"),
            kind=what,
            asset=row.text("currency"),
            amount=amount,
            symbol=row.optional_text("symbol"),
        )
        for what, part, amount in parts
        if amount
    )
