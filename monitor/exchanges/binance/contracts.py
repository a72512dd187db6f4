"""
What one contract is, and on which terms the account holds it: instrument, leverage, fee.

Knows exchangeInfo, symbolConfig and commissionRate of both futures sides; must not know
positions or tiers.

Source: Binance «Exchange Information» (USDⓈ-M and COIN-M), «Symbol Configuration
(USER_DATA)», «User Commission Rate (USER_DATA)», read November 2026.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.binance import calls, coin_calls
from monitor.exchanges.binance.account import Product, answer, optional_answer
from monitor.exchanges.payload import Row, rows_of
from monitor.risk.model import ONE, Instrument, Payoff

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies, RestCall

UNKNOWN_LOT = Decimal("1e-8")
_NAME = re.compile(r"(?P<pair>[^_]+)(_(?P<delivery>\d{6}))?")
_COIN_NAME = re.compile(r"(?P<base>[^_]+)USD_(PERP|(?P<delivery>\d{6}))")
# What a name may end with, where neither a contract list nor a row tells the margin asset.
_QUOTES = ("USDT", "USDC", "FDUSD", "USD1", "BTC")
# COIN-M contracts are worth 100 USD (BTC) or 10 USD; what a row's notional shows is near one.
_NEAR = Decimal("0.01")
# The delivery date that Binance gives to contracts without one (2100-12-25).
_NEVER = 4_133_404_800_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def product_of(symbol: str) -> Product:
    """Which side a symbol belongs to: COIN-M's are named BTCUSD_PERP or BTCUSD_261225."""
    return Product.COINM if _COIN_NAME.fullmatch(symbol) else Product.USDM


def settle_asset(symbol: str) -> str | None:
    """What a contract settles in, as its name tells; None where it tells nothing."""
    coin = _COIN_NAME.fullmatch(symbol)
    if coin is not None:
        return coin["base"]
    pair = symbol.partition("_")[0]
    return next((quote for quote in _QUOTES if pair.endswith(quote)), None)


def contract_call(symbol: str) -> RestCall:
    """The contract list of the symbol's side, asked for its sake."""
    coin = product_of(symbol) is Product.COINM
    return coin_calls.contract_call(symbol) if coin else calls.contract_call(symbol)


def fee_call(symbol: str) -> RestCall:
    """The account's fee rates for one symbol of either side."""
    coin = product_of(symbol) is Product.COINM
    return coin_calls.fee_call(symbol) if coin else calls.fee_call(symbol)


def has_contract(replies: Replies, symbol: str) -> bool:
    """Whether a contract list was given that holds the symbol, or was asked for its sake."""
    reply = replies.find(contract_call(symbol))
    if reply is None:
        return False
    return reply.query.get("symbol") == symbol or _row_of(reply.body, symbol) is not None


def read_instrument(
    replies: Replies, symbol: str, asset: str | None = None, worth: Decimal | None = None
) -> Instrument:
    """
    The contract behind an exchange symbol.

    Without any contract list it is read from its name: a USDⓈ-M one and the margin `asset`,
    if that ends the name (then both are the quote as well, and its step is as fine as an
    amount can be); a COIN-M one and what one contract is `worth` in USD by its row.

    Raises:
        MissingReply: If the contract list given does not hold it; the request is named.
        Malformed: If its row can't be read, or even a list asked for its sake lacks it.
    """
    call = contract_call(symbol)
    named = None if replies.has(call) else _by_name(symbol, asset, worth)
    if named is not None:
        return named
    row = _row_of(answer(replies, call), symbol)
    if row is None and replies.get(call).query.get("symbol") != symbol:
        raise MissingReply("the contract list given doesn't hold this symbol", call=call.request)
    if row is None:
        raise Malformed("exchangeInfo.symbols", f"a row for {symbol}", "none")
    base, quote, settle = (row.text(key) for key in ("baseAsset", "quoteAsset", "marginAsset"))
    if product_of(symbol) is Product.COINM:
        return _inverse(symbol, base, _delivery(row), row.positive("contractSize"))
    return _linear(symbol, base, quote, settle, _delivery(row), _lot(row))


def _by_name(symbol: str, asset: str | None, worth: Decimal | None) -> Instrument | None:
    coin = _COIN_NAME.fullmatch(symbol)
    if coin is not None:
        size = _contract_size(worth)
        return None if size is None else _inverse(symbol, coin["base"], coin["delivery"], size)
    named = _NAME.fullmatch(symbol)
    if named is None:
        return None
    ends = (asset,) if asset is not None else _QUOTES
    quote = next((end for end in ends if named["pair"].endswith(end)), named["pair"])
    base = named["pair"].removesuffix(quote)
    return _linear(symbol, base, quote, quote, named["delivery"], UNKNOWN_LOT) if base else None


def _contract_size(worth: Decimal | None) -> Decimal | None:
    """The power of ten that what one contract is worth comes to; None where it is near none."""
    if worth is None:
        return None
    size = min((ONE.scaleb(power) for power in range(5)), key=lambda size: abs(worth / size - ONE))
    return size if abs(worth / size - ONE) <= _NEAR else None


def _inverse(symbol: str, base: str, delivery: str | None, size: Decimal) -> Instrument:
    return Instrument(
        symbol=f"{base}/USD:{base}" + (f"-{delivery}" if delivery else ""),
        exchange_symbol=symbol,
        base=base,
        quote="USD",
        settle=base,
        payoff=Payoff.INVERSE,
        contract_size=size,
        lot=ONE,
    )


def index_instrument(asset: str) -> Instrument:
    """
    What stands for the index of a collateral asset: nobody can hold it, but its price is live.

    ``BTC/USD``, by Binance's name BTCUSD; what it settles in is USD, as no contract does.
    """
    return Instrument(
        symbol=f"{asset}/USD",
        exchange_symbol=f"{asset}USD",
        base=asset,
        quote="USD",
        settle="USD",
        payoff=Payoff.LINEAR,
        contract_size=ONE,
        lot=ONE,
    )


def is_index(instrument: Instrument) -> bool:
    """Whether an instrument stands for a collateral asset's index."""
    return instrument.settle == "USD"


def _linear(  # noqa: PLR0913, PLR0917 - the parts of a name
    symbol: str, base: str, quote: str, settle: str, delivery: str | None, lot: Decimal
) -> Instrument:
    return Instrument(
        symbol=f"{base}/{quote}:{settle}" + (f"-{delivery}" if delivery else ""),
        exchange_symbol=symbol,
        base=base,
        quote=quote,
        settle=settle,
        payoff=Payoff.LINEAR,
        contract_size=ONE,
        lot=lot,
    )


def _row_of(body: object, symbol: str) -> Row | None:
    for row in Row(body, "exchangeInfo").rows("symbols"):
        if row.text("symbol") == symbol:
            return row
    return None


def _delivery(row: Row) -> str | None:
    """
    «260327» for a dated contract, None for a perpetual one.

    Some perpetual contracts have no type, others (TRADIFI_PERPETUAL) a delivery date.
    """
    if "PERPETUAL" in (row.optional_text("contractType") or ""):
        return None
    milliseconds = row.integer("deliveryDate")
    if milliseconds == _NEVER:
        return None
    return f"{_EPOCH + timedelta(milliseconds=milliseconds):%y%m%d}"


def _lot(row: Row) -> Decimal:
    """
    The smallest step of a quantity: the filter's, or where the list has no filters the step
    that the quantity's digits allow, or where it has neither as fine as an amount can be.
    """
    filters = row.rows("filters") if row.has("filters") else ()
    for entry in filters:
        if entry.text("filterType") == "LOT_SIZE":
            return entry.positive("stepSize")
    if not row.has("quantityPrecision"):
        return UNKNOWN_LOT
    return ONE.scaleb(-row.integer("quantityPrecision"))


def read_leverage(replies: Replies, symbol: str) -> Decimal | None:
    """The leverage that the account has set for a symbol; None where it was not told."""
    body = optional_answer(replies, calls.leverage_call(symbol))
    try:
        rows = rows_of(body, "symbolConfig")
        for row in rows:
            if row.text("symbol") == symbol:
                return row.positive("leverage")
    except Malformed:
        return None
    return None


def read_taker_fee(replies: Replies, instrument: Instrument) -> Decimal | None:
    """
    The fraction of notional that closing at the market costs; None where it was not told.

    Binance sets fees by VIP level and margin asset, and weighs the question at 20: where the
    symbol's own rate was not asked, that of another symbol in the same asset stands in.
    """
    own = _told_fee(replies, instrument.exchange_symbol)
    if own is not None:
        return own
    path = fee_call(instrument.exchange_symbol).path
    for symbol in sorted(reply.query.get("symbol", "") for reply in replies if reply.path == path):
        if _settles_in(replies, symbol, instrument.settle):
            return _told_fee(replies, symbol)
    return None


def _told_fee(replies: Replies, symbol: str) -> Decimal | None:
    body = optional_answer(replies, fee_call(symbol))
    try:
        row = Row(body, "commissionRate")
        return row.decimal("takerCommissionRate") if row.text("symbol") == symbol else None
    except Malformed:
        return None


def _settles_in(replies: Replies, symbol: str, asset: str) -> bool:
    try:
        return read_instrument(replies, symbol).settle == asset
    except ExchangeError:
        return False
