"""
Rows of options: what is held, and what is listed of it.

No model stands behind them: mark and margins are what the scenario says, the greeks are 0.
"""

from monitor.simulator.bybit_account import Account, Option, Prices, cut_to
from monitor.simulator.bybit_public import with_digits
from monitor.simulator.bybit_tables import INSTRUMENTS
from monitor.simulator.truth import plain

Row = dict[str, object]
_GREEKS: Row = {"delta": "0", "gamma": "0", "vega": "0", "theta": "0"}


def held(account: Account, option: Option, blank: Row, at_ms: int) -> Row:
    """A row of the position list of category `option`; `blank` is one of an empty position."""
    portfolio = account.portfolio
    return blank | {
        "side": option.side,
        "size": plain(option.size),
        "avgPrice": plain(option.entry),
        "positionValue": plain(option.market_value),
        "markPrice": plain(option.mark),
        "positionIM": "" if portfolio else plain(option.initial_margin),
        "positionMM": "" if portfolio else plain(option.maintenance_margin),
        "unrealisedPnl": plain(option.unrealised_pnl),
        "leverage": "",
        "liqPrice": "",
        "riskId": 0,
        **_GREEKS,
        "updatedTime": str(at_ms),
    }


def instrument(option: Option) -> Row:
    """A row of the instruments of category `option`."""
    base = option.symbol.split("-")[0]
    kind = "Put" if "P" in option.symbol.split("-")[3] else "Call"
    return {
        "symbol": option.symbol,
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": option.settle,
        "settleCoin": option.settle,
        "optionsType": kind,
        "launchTime": "1767585600000",
        "deliveryTime": str(INSTRUMENTS["BTC-31DEC27"].delivery_ms),
        "deliveryFeeRate": "0.00015",
        "priceFilter": {"minPrice": "5", "maxPrice": "1110000", "tickSize": "5"},
        "lotSizeFilter": {"maxOrderQty": "500", "minOrderQty": "0.01", "qtyStep": "0.01"},
        "displayName": option.symbol,
    }


def ticker(option: Option, prices: Prices) -> Row:
    """A row of the tickers of category `option`."""
    it = INSTRUMENTS[option.symbol.split("-")[0] + "USDT"]
    index = with_digits(cut_to(prices.quoted_index(it), it.tick), it.tick)
    return {
        "symbol": option.symbol,
        "bid1Price": "0",
        "bid1Size": "0",
        "bid1Iv": "0",
        "ask1Price": "0",
        "ask1Size": "0",
        "ask1Iv": "0",
        "lastPrice": plain(option.mark),
        "highPrice24h": plain(option.mark),
        "lowPrice24h": plain(option.mark),
        "markPrice": plain(option.mark),
        "indexPrice": index,
        "markIv": "0.5",
        "underlyingPrice": index,
        "openInterest": "10",
        "turnover24h": "0",
        "volume24h": "0",
        "totalVolume": "100",
        "totalTurnover": "1000000",
        **_GREEKS,
        "predictedDeliveryPrice": "0",
        "change24h": "0",
    }
