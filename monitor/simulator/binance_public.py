"""Replies of Binance's public USD-M calls."""

from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.simulator.binance_accounts import BinanceState
from monitor.simulator.binance_auth import unknown_symbol
from monitor.simulator.binance_quotes import Row, milliseconds, wire
from monitor.simulator.binance_tables import ASSETS, PERPETUAL_DELIVERY, Asset, Symbol
from monitor.simulator.truth import plain

Parameters = Mapping[str, str]
Reply = Row | list[Row]
Public = Callable[[BinanceState, Parameters, datetime], Reply]

_ONBOARD = 1569398400000


def _ping(_: BinanceState, __: Parameters, ___: datetime) -> Reply:
    return {}


def _time(_: BinanceState, __: Parameters, now: datetime) -> Reply:
    return {"serverTime": milliseconds(now)}


def _exchange_info(state: BinanceState, _: Parameters, now: datetime) -> Reply:
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            },
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [
            {"asset": name, "marginAvailable": True, "autoAssetExchange": "-10000"}
            for name in ASSETS
        ],
        "symbols": [_symbol_info(symbol) for symbol in state.quotes.symbols],
    }


def _symbol_info(symbol: Symbol) -> Row:
    return {
        "symbol": symbol.name,
        "pair": symbol.name,
        "contractType": symbol.contract_type,
        "deliveryDate": PERPETUAL_DELIVERY,
        "onboardDate": _ONBOARD,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": symbol.base,
        "quoteAsset": symbol.quote,
        "marginAsset": symbol.margin_asset,
        "pricePrecision": symbol.price_decimals,
        "quantityPrecision": symbol.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COMMODITY" if symbol.is_tradfi else "COIN",
        "underlyingSubType": ["TradFi" if symbol.is_tradfi else "PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": format(symbol.liquidation_fee, ".6f"),
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": symbol_filters(symbol),
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TRAILING_STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }


def symbol_filters(symbol: Symbol) -> list[Row]:
    tick = format(10**-symbol.price_decimals, f".{symbol.price_decimals}f")
    step = format(10**-symbol.quantity_decimals, f".{symbol.quantity_decimals}f")
    lot = {"stepSize": step, "minQty": step, "maxQty": "1000000"}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": "4529764",
            "tickSize": tick,
        },
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": "1.0500",
            "multiplierDown": "0.9500",
            "multiplierDecimal": "4",
        },
    ]


def _premium_index(state: BinanceState, sent: Parameters, now: datetime) -> Reply:
    name = sent.get("symbol")
    if name:
        if name not in state.quotes.table or state.quotes.table[name].is_coin_margined:
            raise unknown_symbol()
        return premium_row(state, state.quotes.table[name], now)
    return [premium_row(state, symbol, now) for symbol in state.quotes.symbols]


def premium_row(state: BinanceState, symbol: Symbol, now: datetime) -> Row:
    """One element of premiumIndex; a COIN-M one has its pair, a delivery contract no funding."""
    index = wire(state.quotes.index(symbol))
    perpetual = symbol.delivery_at == PERPETUAL_DELIVERY
    funding = wire(state.quotes.funding_rate(symbol)) if perpetual else ""
    next_at = milliseconds(state.quotes.next_funding_at(symbol)) if perpetual else 0
    return {
        "symbol": symbol.name,
        **({"pair": symbol.pair} if symbol.is_coin_margined else {}),
        "markPrice": wire(state.quotes.mark(symbol.name)),
        "indexPrice": index,
        "estimatedSettlePrice": index,
        "lastFundingRate": funding,
        "interestRate": "0.00010000" if perpetual else "",
        "nextFundingTime": next_at,
        "time": milliseconds(now),
    }


def _asset_index(state: BinanceState, sent: Parameters, now: datetime) -> Reply:
    rows = [row for asset in ASSETS.values() if (row := asset_row(state, asset, now)) is not None]
    name = sent.get("symbol")
    if not name:
        return rows
    for row in rows:
        if row["symbol"] == name:
            return row
    raise unknown_symbol()


def asset_row(state: BinanceState, asset: Asset, now: datetime) -> Row | None:
    """Give a row of the asset index, or None where the scenario does not price the asset."""
    index = state.quotes.asset_index(asset)
    if index is None:
        return None
    rates = state.quotes.rates()[asset.name]
    return {
        "symbol": f"{asset.name}USD",
        "time": milliseconds(now),
        "index": wire(index),
        "bidBuffer": wire(asset.bid_buffer),
        "askBuffer": wire(asset.ask_buffer),
        "bidRate": wire(rates.bid),
        "askRate": wire(rates.ask),
        "autoExchangeBidBuffer": wire(asset.bid_buffer / 2),
        "autoExchangeAskBuffer": wire(asset.ask_buffer / 2),
        "autoExchangeBidRate": wire(index * (1 - asset.bid_buffer / 2)),
        "autoExchangeAskRate": wire(index * (1 + asset.ask_buffer / 2)),
    }


def _adl_risk(state: BinanceState, sent: Parameters, now: datetime) -> Reply:
    at = milliseconds(now) // 1_800_000 * 1_800_000
    rows: list[Row] = [
        {"symbol": symbol.name, "adlRisk": "low", "updateTime": at}
        for symbol in state.quotes.symbols
    ]
    name = sent.get("symbol")
    if not name:
        return rows
    for row in rows:
        if row["symbol"] == name:
            return row
    raise unknown_symbol()


def _price(state: BinanceState, sent: Parameters, now: datetime) -> Reply:
    name = sent.get("symbol")
    rows: list[Row] = [
        {
            "symbol": symbol.name,
            "price": plain(state.quotes.mark(symbol.name)),
            "time": milliseconds(now),
        }
        for symbol in state.quotes.symbols
        if name in {None, "", symbol.name}
    ]
    if name and not rows:
        raise unknown_symbol()
    return rows[0] if name else rows


PUBLIC_CALLS: dict[str, Public] = {
    "/fapi/v1/ping": _ping,
    "/fapi/v1/time": _time,
    "/fapi/v1/exchangeInfo": _exchange_info,
    "/fapi/v1/premiumIndex": _premium_index,
    "/fapi/v1/assetIndex": _asset_index,
    "/fapi/v1/symbolAdlRisk": _adl_risk,
    "/fapi/v1/ticker/price": _price,
    "/api/v3/time": _time,
}
