"""Frames of Binance's streams; letters as in the API documentation of USD-M and COIN-M futures."""

from decimal import Decimal

from monitor.simulator.binance_accounts import BinanceState
from monitor.simulator.binance_ledger import ZERO, Ledger, Leg
from monitor.simulator.binance_public import asset_row, premium_row
from monitor.simulator.binance_quotes import Row, milliseconds, wire
from monitor.simulator.binance_tables import ASSETS, Asset, Bracket, Symbol
from monitor.simulator.truth import plain

_UM, _CM = 1, 2


def mark(state: BinanceState, symbol: Symbol) -> Row:
    """`<symbol>@markPrice`. A COIN-M delivery contract has no funding: `r` "" and `T` 0."""
    now = state.server_time()
    row = premium_row(state, symbol, now)
    return {
        "e": "markPriceUpdate",
        "E": milliseconds(now),
        "s": symbol.name,
        "p": row["markPrice"],
        "ap": row["markPrice"],
        "P": row["estimatedSettlePrice"],
        "i": row["indexPrice"],
        "r": row["lastFundingRate"],
        "T": row["nextFundingTime"],
        "st": _CM if symbol.is_coin_margined else _UM,
    }


def mark_arrays(state: BinanceState, silent: frozenset[str]) -> list[list[Row]]:
    """`!markPrice@arr`: one array with COIN-M symbols among it, one of TradFi symbols alone."""
    symbols = [symbol for symbol in state.quotes.table.values() if symbol.name not in silent]
    crypto = [mark(state, symbol) for symbol in symbols if not symbol.is_tradfi]
    tradfi = [mark(state, symbol) for symbol in symbols if symbol.is_tradfi]
    return [array for array in (crypto, tradfi) if array]


def pair_marks(state: BinanceState, pair: str, silent: frozenset[str]) -> list[Row]:
    """`<pair>@markPrice` of COIN-M: all contracts of a pair."""
    return [
        mark(state, symbol)
        for symbol in state.quotes.coin_symbols
        if symbol.pair == pair and symbol.name not in silent
    ]


def asset_index(state: BinanceState, asset: Asset) -> Row | None:
    """`<asset>usd@assetIndex`."""
    row = asset_row(state, asset, state.server_time())
    if row is None:
        return None
    return {
        "e": "assetIndexUpdate",
        "E": row["time"],
        "s": row["symbol"],
        "i": row["index"],
        "b": row["bidBuffer"],
        "a": row["askBuffer"],
        "B": row["bidRate"],
        "A": row["askRate"],
        "q": row["autoExchangeBidBuffer"],
        "g": row["autoExchangeAskBuffer"],
        "Q": row["autoExchangeBidRate"],
        "G": row["autoExchangeAskRate"],
    }


def asset_indices(state: BinanceState) -> list[Row]:
    """`!assetIndex@arr`."""
    rows = (asset_index(state, asset) for asset in ASSETS.values())
    return [row for row in rows if row is not None]


def contract_info(state: BinanceState, symbol: Symbol) -> Row:
    """`!contractInfo` with `bks`, as it comes when a symbol's brackets change."""
    return {
        "e": "contractInfo",
        "E": milliseconds(state.server_time()),
        "s": symbol.name,
        "ps": symbol.pair,
        "ct": symbol.contract_type,
        "dt": symbol.delivery_at,
        "ot": 1569398400000,
        "cs": "TRADING",
        "bks": [_bracket(number, bracket) for number, bracket in enumerate(symbol.brackets, 1)],
        "st": _CM if symbol.is_coin_margined else _UM,
    }


def _bracket(number: int, bracket: Bracket) -> Row:
    return {
        "bs": number,
        "bnf": int(bracket.floor),
        "bnc": int(bracket.cap),
        "mmr": float(bracket.rate),
        "cf": float(bracket.cum),
        "mi": 1,
        "ma": bracket.leverage,
    }


# --- private stream


def account_update(
    state: BinanceState,
    ledger: Ledger,
    reason: str,
    changes: dict[str, Decimal],
    legs: tuple[Leg, ...],
) -> Row:
    """
    `ACCOUNT_UPDATE` of the assets and legs that changed.

    Args:
        changes: Per asset, the change of the balance without profit and fee.
        legs: As they now are; a closed one has the amount zero.

    """
    now = milliseconds(state.server_time())
    return {
        "e": "ACCOUNT_UPDATE",
        "T": now,
        "E": now,
        **alias(is_coin_margined=ledger.is_coin_margined),
        "a": {
            "m": reason,
            "B": [_balance(ledger, asset, change) for asset, change in changes.items()],
            "P": [_position(state, leg) for leg in legs],
        },
    }


def alias(*, is_coin_margined: bool) -> Row:
    """Give what COIN-M's events of an account carry beside those of USD-M."""
    return {"i": "SfsR"} if is_coin_margined else {}


def _balance(ledger: Ledger, asset: str, change: Decimal) -> Row:
    cross = ledger.cross_wallets.get(asset, ZERO)
    wallet = cross + ledger.isolated_wallets(asset)
    return {"a": asset, "wb": wire(wallet), "cw": wire(cross), "bc": plain(change)}


def _position(state: BinanceState, leg: Leg) -> Row:
    entry = plain(leg.entry_price) if leg.amount else "0"
    return {
        "s": leg.symbol.name,
        "pa": plain(leg.amount),
        "ep": entry,
        "bep": entry,
        "cr": "0",
        "up": wire(leg.unrealized_profit(state.quotes.mark(leg.symbol.name))),
        "mt": "isolated" if leg.is_isolated else "cross",
        "iw": wire(leg.isolated_wallet) if leg.amount and leg.isolated_wallet else "0",
        "ps": leg.side,
        "ma": leg.margin_asset,
    }


def margin_call(state: BinanceState, ledger: Ledger, legs: tuple[Leg, ...]) -> Row:
    """`MARGIN_CALL` for the legs of a pool; `cw` only where they are crossed."""
    first = legs[0]
    cross = ledger.cross_wallets.get(first.margin_asset, ZERO)
    return {
        "e": "MARGIN_CALL",
        "E": milliseconds(state.server_time()),
        **({} if first.is_isolated else {"cw": wire(cross)}),
        "p": [_called(state, leg) for leg in legs],
    }


def _called(state: BinanceState, leg: Leg) -> Row:
    price = state.quotes.mark(leg.symbol.name)
    return {
        "s": leg.symbol.name,
        "ps": leg.side,
        "pa": plain(leg.amount),
        "mt": "ISOLATED" if leg.is_isolated else "CROSSED",
        "iw": wire(leg.isolated_wallet or ZERO),
        "mp": wire(price),
        "up": wire(leg.unrealized_profit(price)),
        "mm": wire(leg.maint_margin(price)),
    }


def config_update(state: BinanceState, *, multi_assets: bool) -> Row:
    """`ACCOUNT_CONFIG_UPDATE` of the asset mode."""
    now = milliseconds(state.server_time())
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ai": {"j": multi_assets}}


def leverage_update(state: BinanceState, symbol: str, leverage: Decimal) -> Row:
    """`ACCOUNT_CONFIG_UPDATE` of one symbol's leverage."""
    now = milliseconds(state.server_time())
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": now,
        "T": now,
        "ac": {"s": symbol, "l": int(leverage)},
    }


def pro_account(state: BinanceState, figures: tuple[Decimal, ...]) -> Row:
    """`PM_PRO_ACCOUNT_UPDATE`; figures: uniMMR, equity, actual equity, initial, maintenance."""
    uni_mmr, equity, actual, initial, maintenance = map(wire, figures)
    return {
        "e": "PM_PRO_ACCOUNT_UPDATE",
        "E": milliseconds(state.server_time()),
        "u": uni_mmr,
        "eq": equity,
        "ae": actual,
        "im": initial,
        "mm": maintenance,
        "avb": "0.00000000",
        "vmw": "0.00000000",
    }


def risk_level(state: BinanceState, word: str, figures: tuple[Decimal, ...]) -> Row:
    """`riskLevelChange` of portfolio margin; figures: uniMMR, equity, actual equity, margin."""
    uni_mmr, equity, actual, maintenance = map(wire, figures)
    return {
        "e": "riskLevelChange",
        "E": milliseconds(state.server_time()),
        "u": uni_mmr,
        "s": word,
        "eq": equity,
        "ae": actual,
        "m": maintenance,
    }


def listen_key_expired(state: BinanceState, listen_key: str) -> Row:
    return {
        "e": "listenKeyExpired",
        "E": milliseconds(state.server_time()),
        "listenKey": listen_key,
    }


def income(kind: str, amount: Decimal, named: tuple[str, str], at: int, number: int) -> Row:
    """One element of GET /fapi/v1/income; `named` is asset and symbol."""
    asset, symbol = named
    return {
        "symbol": symbol,
        "incomeType": kind,
        "income": wire(amount),
        "asset": asset,
        "info": "",
        "time": at,
        "tranId": number,
        "tradeId": str(number),
    }
