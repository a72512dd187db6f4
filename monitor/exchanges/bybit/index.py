"""
The USD index of a coin of which there is too little to tell it: equity near 0, margins or debts.

Bybit values a coin at its USD index, so `usdValue` ÷ `equity` is that index wherever there is
some of the coin. Where there is next to none, a spot ticker names it (`usdIndexPrice`); that of
USDT is the index of BTCUSD ÷ the index of BTCUSDT.

Source: Bybit «Index price calculation» and docs «Get Tickers», 2025-09-18 and 2026-07.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import listing, naming
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from monitor.exchanges.bybit.rows import Coin
    from monitor.exchanges.port import Replies, RestCall

# Of less than this, in USD or in coins, eight decimals don't tell the index well enough.
_TELLS_FROM = Decimal("0.1")
_USDT = "USDT"
_BTC = calls.ticker("BTCUSDT", optional=True)
_BTC_IN_USD = calls.ticker("BTCUSD", "inverse", optional=True)


def index_calls(coin: Coin) -> list[RestCall]:
    """What would tell the coin's index, where its own row does not."""
    if _is_told(coin):
        return []
    if coin.coin == _USDT:
        return [_BTC, _BTC_IN_USD]
    return [calls.ticker(f"{coin.coin}{_USDT}", "spot", optional=True)]


def priced(replies: Replies, coin: Coin) -> Coin:
    """The coin at its index, from a ticker where its own row can't tell it and a ticker does."""
    if _is_told(coin):
        return coin
    if coin.coin == _USDT:
        usdt, usd = (
            _figure(replies, _BTC, "indexPrice"),
            _figure(replies, _BTC_IN_USD, "indexPrice"),
        )
        index = usd / usdt if usdt and usd else None
    else:
        call = calls.ticker(f"{coin.coin}{_USDT}", "spot")
        index = _figure(replies, call, "usdIndexPrice")
    return coin if index is None else replace(coin, price=index)


def _is_told(coin: Coin) -> bool:
    return coin.price > ZERO and min(abs(coin.usd_value), abs(coin.equity)) >= _TELLS_FROM


def _figure(replies: Replies, call: RestCall, key: str) -> Decimal | None:
    """A ticker's figure, None where no such ticker is there or it leaves the figure empty."""
    if not replies.has(call):
        return None
    symbol = dict(call.query)["symbol"]
    with naming(call.request):
        rows = [r for r in listing(replies, call).rows if r.optional_text("symbol") == symbol]
        return rows[0].positive(key) if rows and rows[0].has(key) else None
