"""
Leverage brackets → tier tables.

Knows Binance's bracket rows; must not know positions. A bracket's `cum` is the deduction that
makes maintenance margin continuous; a row without it is unreadable, never a 0. USDⓈ-M's edges
are in the margin asset, COIN-M's in coins: both measure notional in what the position settles in.

Source: Binance «Notional and Leverage Brackets (USER_DATA)», «Notional Bracket for Symbol
(USER_DATA)» (COIN-M), «Leverage and Margin of USDⓈ-M Futures», read November 2026.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import BadTierTable, ExchangeError, Malformed, MissingReply
from monitor.exchanges.binance import calls, coin_calls, portfolio_calls
from monitor.exchanges.binance.account import Product, answer
from monitor.exchanges.binance.contracts import product_of
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ONE, ZERO, LeverageTier, TierMeasure, TierTable

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies, RestCall

# The official samples spell one of them wrongly, and so do answers.
_EDGES = {
    Product.USDM: (("notionalFloor",), ("notionalCap",)),
    Product.COINM: (("qtyFloor", "qtylFloor"), ("qtyCap", "qtylCap")),
}

# The first tier's rate where leverage is highest (150x): there alone the rule below gives less.
_LEAST_RATE = Decimal("0.004")
_HALF = Decimal("0.5")


def bracket_call(symbol: str) -> RestCall:
    """The leverage brackets of one symbol of either side."""
    coin = product_of(symbol) is Product.COINM
    return coin_calls.bracket_call(symbol) if coin else calls.bracket_call(symbol)


def portfolio_bracket_calls(symbol: str) -> tuple[RestCall, RestCall]:
    """The same in a portfolio, which needs them less: by its own endpoint, by the wallet's."""
    coin = product_of(symbol) is Product.COINM
    own = portfolio_calls.COINM_BRACKETS if coin else portfolio_calls.USDM_BRACKETS
    return (
        replace(own, query=(("symbol", symbol),)),
        replace(bracket_call(symbol), optional=True),
    )


def has_brackets(replies: Replies, symbol: str, call: RestCall) -> bool:
    """Whether a reply was given that must hold this symbol's brackets, or does."""
    reply = replies.find(call)
    if reply is None:
        return False
    if reply.query.get("symbol") == symbol:
        return True
    return _row_of(reply.body, symbol) is not None


def has_no_tiers(replies: Replies, symbol: str) -> bool:
    """
    Whether Binance was asked for a symbol's brackets and has none: a new listing, say.

    Not so where nobody asked, or where its answer can't be read.
    """
    call = bracket_call(symbol)
    reply = replies.find(call)
    if reply is None:
        return replies.tried(call)
    body = answer(replies, call)
    row = _row_of(body, symbol)
    if row is None:
        return reply.query.get("symbol") == symbol
    return row.raw("brackets") == []


def worst_table(leverage: Decimal | None) -> TierTable:
    """
    What stands in for tiers that Binance doesn't tell: the worst rate known at this leverage.

    In Binance's whole list of brackets (907 symbols, September 2026) a tier's rate is at most
    half of what its highest leverage asks for, but for 0.4 % at 150x; one without leverage is
    charged a half. A position stands in a tier that allows its leverage, or a higher one.
    """
    rate = _HALF if leverage is None else max(_HALF / leverage, _LEAST_RATE)
    tier = LeverageTier(floor=ZERO, cap=None, maintenance_rate=rate, deduction=ZERO)
    return TierTable(tiers=(tier,), measured_in=TierMeasure.NOTIONAL)


def read_tier_tables(replies: Replies, symbol: str) -> tuple[TierTable, ...]:
    """
    The symbol's tier table as the reply has it, most often alone.

    Where Binance has adjusted the account's brackets (`notionalCoef`), it does not publish
    whether the edges are already multiplied: the second table is then the multiplied one.

    Raises:
        MissingReply: If no reply holds the symbol; the request that would is named.
        Malformed: If its brackets can't be read or don't make a table.
    """
    return _tables(replies, symbol, bracket_call(symbol))


def read_portfolio_tables(replies: Replies, symbol: str) -> tuple[TierTable, ...]:
    """The same of a portfolio's symbol; none where they were not told, or can't be read."""
    for call in portfolio_bracket_calls(symbol):
        try:
            return _tables(replies, symbol, call)
        except ExchangeError:
            continue
    return ()


def _tables(replies: Replies, symbol: str, call: RestCall) -> tuple[TierTable, ...]:
    body = answer(replies, call)
    row = _row_of(body, symbol)
    if row is None and replies.get(call).query.get("symbol") != symbol:
        raise MissingReply("the brackets given don't hold this symbol", call=call.request)
    if row is None:
        raise Malformed("leverageBracket", f"a row for {symbol}", "none")
    tables = [_table(row, ONE)]
    coefficient = row.positive("notionalCoef") if row.has("notionalCoef") else ONE
    if coefficient != ONE:
        tables.append(_table(row, coefficient))
    return tuple(tables)


def _row_of(body: object, symbol: str) -> Row | None:
    """The symbol's row of a list, or the one object that a call with a symbol may answer."""
    if isinstance(body, dict):
        row = Row(body, "leverageBracket")
        return row if row.text("symbol") == symbol else None
    for row in rows_of(body, "leverageBracket"):
        if row.text("symbol") == symbol:
            return row
    return None


def _table(row: Row, coefficient: Decimal) -> TierTable:
    floors, caps = _EDGES[product_of(row.text("symbol"))]
    brackets = sorted(
        row.rows("brackets"), key=lambda bracket: bracket.positive(_of(bracket, caps))
    )
    if not brackets:
        raise Malformed(row.at("brackets"), "at least one bracket", "an empty list")
    lowest = _of(brackets[0], floors)
    if brackets[0].decimal(lowest) != ZERO:
        raise Malformed(brackets[0].at(lowest), "0 in the lowest bracket")
    tiers = []
    floor = ZERO
    for bracket in brackets:
        tier = _tier(bracket, floor, bracket.positive(_of(bracket, caps)), coefficient)
        tiers.append(tier)
        floor = tier.cap or floor
    try:
        return TierTable(tiers=tuple(tiers), measured_in=TierMeasure.NOTIONAL)
    except BadTierTable as error:
        raise Malformed(row.at("brackets"), "brackets that make a table", str(error)) from error


def _of(row: Row, names: tuple[str, ...]) -> str:
    """The name by which a row has a datum; the proper one where it has it by none."""
    return next((name for name in names if row.has(name)), names[0])


def _tier(bracket: Row, floor: Decimal, cap: Decimal, coefficient: Decimal) -> LeverageTier:
    """
    ``{"bracket": 1, "initialLeverage": 75, "notionalCap": 10000, "notionalFloor": 0,
    "maintMarginRatio": 0.0065, "cum": 0}``
    """
    return LeverageTier(
        floor=floor,
        cap=cap * coefficient,
        maintenance_rate=bracket.positive("maintMarginRatio"),
        deduction=bracket.decimal("cum") * coefficient,
        max_leverage=bracket.optional_decimal("initialLeverage"),
    )
