"""
The USD index of a coin: what Bybit values it at, live and at a reading.

`usdValue` ÷ `equity` is that index wherever there is some of the coin. Where there is next to
none (equity near 0 beside margins or debts), a spot ticker names it (`usdIndexPrice`); that of
USDT is the index of BTCUSD ÷ the index of BTCUSDT. Between two readings the stream of spot
tickers brings the index of every coin that counts as collateral.

Source: Bybit «Index price calculation» and docs «Get Tickers», 2025-09-18 and 2026-07.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import answers, listing, naming
from monitor.risk.model import ONE, ZERO, Instrument, Payoff

if TYPE_CHECKING:
    from monitor.exchanges.bybit.rows import Coin
    from monitor.exchanges.call import Replies, RestCall

# Of less than this, in USD or in coins, eight decimals don't tell the index well enough.
_TELLS_FROM = Decimal("0.0001")
_DIGIT = Decimal("0.00000001")
_USDT, _USD = "USDT", "USD"
_BTC = calls.ticker("BTCUSDT", optional=True)
_BTC_IN_USD = calls.ticker("BTCUSD", "inverse", optional=True)


def index_of(coin: str) -> Instrument:
    """The index as something whose mark can be listened to; nobody holds it."""
    return Instrument(
        symbol=f"{coin}/{_USD}",
        exchange_symbol=f"{coin}/{_USD}",
        base=coin,
        quote=_USD,
        settle=_USD,
        payoff=Payoff.LINEAR,
        contract_size=ONE,
        lot=ONE,
    )


def is_index(instrument: Instrument) -> bool:
    return instrument.settle == _USD


def spot_symbol(coin: str) -> str:
    """The spot market whose ticker carries the coin's index."""
    return f"{coin}{_USDT}"


def coin_of(symbol: str) -> str | None:
    """The coin whose index the ticker of this spot market carries, None of another quote."""
    return symbol.removesuffix(_USDT) if symbol.endswith(_USDT) else None


def live_call(coin: str) -> RestCall:
    """The spot ticker, which shows whether the coin has an index, and where it stands."""
    return calls.ticker(spot_symbol(coin), "spot", optional=True)


def live_index(replies: Replies, coin: str) -> Decimal | None:
    """The coin's index by its spot ticker, None where there is no such reply or index."""
    return _figure(replies, live_call(coin), "usdIndexPrice")


def index_calls(coin: Coin) -> list[RestCall]:
    """What would tell the coin's index, where its own row does not."""
    if _is_told(coin):
        return []
    if coin.coin == _USDT:
        return [_BTC, _BTC_IN_USD]
    return [live_call(coin.coin)]


def priced(replies: Replies, coin: Coin) -> Coin:
    """
    The coin at its index, from a ticker where its own row can't tell it and a ticker does.

    A ticker that is the row's own index up to the row's eight decimals has it exactly.
    """
    if _is_told(coin):
        live = live_index(replies, coin.coin)
        is_same = live is not None and abs(live - coin.price) <= _error(coin)
        return replace(coin, price=live) if live is not None and is_same else coin
    if coin.coin == _USDT:
        usdt, usd = (
            _figure(replies, _BTC, "indexPrice"),
            _figure(replies, _BTC_IN_USD, "indexPrice"),
        )
        index = usd / usdt if usdt and usd else None
    else:
        index = live_index(replies, coin.coin)
    return coin if index is None else replace(coin, price=index)


def _is_told(coin: Coin) -> bool:
    return coin.price > ZERO and min(abs(coin.usd_value), abs(coin.equity)) >= _TELLS_FROM


def _error(coin: Coin) -> Decimal:
    """How far off `usdValue` ÷ `equity` may be, both being cut to eight decimals."""
    return _DIGIT * (ONE + abs(coin.price)) / abs(coin.equity)


def _figure(replies: Replies, call: RestCall, key: str) -> Decimal | None:
    """A ticker's figure, None where no such ticker is there or it leaves the figure empty."""
    if not answers(replies, call):
        return None
    symbol = dict(call.query)["symbol"]
    with naming(call.request):
        rows = [r for r in listing(replies, call).rows if r.optional_text("symbol") == symbol]
        return rows[0].positive(key) if rows and rows[0].has(key) else None
