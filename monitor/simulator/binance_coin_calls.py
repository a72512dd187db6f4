"""Binance's COIN-M calls: `/dapi/`, public and signed."""

from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_auth import unknown_symbol
from monitor.simulator.binance_coin_rows import CoinRows, coin_bracket_row
from monitor.simulator.binance_income import income_rows
from monitor.simulator.binance_public import premium_row, symbol_filters
from monitor.simulator.binance_quotes import Row, milliseconds
from monitor.simulator.binance_tables import Symbol

Parameters = Mapping[str, str]
Reply = Row | list[Row]


def _chosen(state: BinanceState, sent: Parameters) -> tuple[Symbol, ...]:
    """Give the symbols that `symbol` or `pair` names; all without either."""
    name, pair = sent.get("symbol"), sent.get("pair")
    found = tuple(
        symbol
        for symbol in state.quotes.coin_symbols
        if (not name or symbol.name == name) and (not pair or symbol.pair == pair)
    )
    if not found and (name or pair):
        raise unknown_symbol()
    return found


def _name(state: BinanceState, sent: Parameters) -> str | None:
    return _chosen(state, sent)[0].name if sent.get("symbol") else None


def _rows(state: BinanceState, account: BinanceAccount) -> CoinRows:
    return CoinRows(state, account)


# --- public


def _ping(_: BinanceState, __: Parameters, ___: datetime) -> Reply:
    return {}


def _time(_: BinanceState, __: Parameters, now: datetime) -> Reply:
    return {"serverTime": milliseconds(now)}


def _premium_index(state: BinanceState, sent: Parameters, now: datetime) -> Reply:
    return [premium_row(state, symbol, now) for symbol in _chosen(state, sent)]


def _exchange_info(state: BinanceState, _: Parameters, now: datetime) -> Reply:
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            }
        ],
        "exchangeFilters": [],
        "symbols": [_symbol_info(symbol) for symbol in state.quotes.coin_symbols],
    }


def _symbol_info(symbol: Symbol) -> Row:
    return {
        "symbol": symbol.name,
        "pair": symbol.pair,
        "contractType": symbol.contract_type,
        "deliveryDate": symbol.delivery_at,
        "onboardDate": 1569398400000,
        "contractStatus": "TRADING",
        "contractSize": int(symbol.contract_size or 0),
        "marginAsset": symbol.margin_asset,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": symbol.base,
        "quoteAsset": symbol.quote,
        "pricePrecision": symbol.price_decimals,
        "quantityPrecision": 0,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "equalQtyPrecision": 4,
        "maxMoveOrderLimit": 10000,
        "triggerProtect": "0.0500",
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "liquidationFee": format(symbol.liquidation_fee, ".6f"),
        "marketTakeBound": "0.05",
        "filters": symbol_filters(symbol),
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TRAILING_STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


COIN_PUBLIC: dict[str, Callable[[BinanceState, Parameters, datetime], Reply]] = {
    "/dapi/v1/ping": _ping,
    "/dapi/v1/time": _time,
    "/dapi/v1/exchangeInfo": _exchange_info,
    "/dapi/v1/premiumIndex": _premium_index,
}

# --- signed


def _account(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).account()


def _balance(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).balances()


def _position_risk(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).position_risk(sent.get("pair"), sent.get("marginAsset"))


def _brackets(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    # The documentation's samples spell it so.
    return [coin_bracket_row(symbol, "qtylFloor") for symbol in _chosen(state, sent)]


def _pair_brackets(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    """v1 is per pair and knows one table for all of its contracts: the perpetual's."""
    rows = [coin_bracket_row(symbol, "qtylFloor") for symbol in _chosen(state, sent)]
    perpetual = [row for row in rows if str(row["symbol"]).endswith("_PERP")]
    return [
        {"pair": str(row["symbol"]).removesuffix("_PERP"), "brackets": row["brackets"]}
        for row in perpetual
    ]


def _dual(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return {"dualSidePosition": account.coin.hedge}


def _adl(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).adl_quantiles(_name(state, sent))


def _open_orders(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).open_orders(_name(state, sent))


def _algo_orders(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).open_algo_orders(_name(state, sent))


def _commission(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    name = _name(state, sent)
    if name is None:
        raise unknown_symbol()
    return {
        "symbol": name,
        "makerCommissionRate": "0.000200",
        "takerCommissionRate": "0.000500",
    }


def _income(_: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return income_rows(account.coin_income, sent)


def _force_orders(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return [row for row in account.force_orders if "_" in str(row["symbol"])]


COIN_SIGNED: dict[str, Callable[[BinanceState, BinanceAccount, Parameters], Reply]] = {
    "/dapi/v1/account": _account,
    "/dapi/v1/balance": _balance,
    "/dapi/v1/positionRisk": _position_risk,
    "/dapi/v1/leverageBracket": _pair_brackets,
    "/dapi/v2/leverageBracket": _brackets,
    "/dapi/v1/positionSide/dual": _dual,
    "/dapi/v1/adlQuantile": _adl,
    "/dapi/v1/openOrders": _open_orders,
    "/dapi/v1/openAlgoOrders": _algo_orders,
    "/dapi/v1/commissionRate": _commission,
    "/dapi/v1/income": _income,
    "/dapi/v1/forceOrders": _force_orders,
}
