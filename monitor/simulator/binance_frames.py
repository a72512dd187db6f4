"""Frames of Binance's streams; letters as in the API documentation of USD-M futures."""

from decimal import Decimal

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ZERO, Leg
from monitor.simulator.binance_pools import Closed
from monitor.simulator.binance_public import asset_row, premium_row
from monitor.simulator.binance_quotes import milliseconds, wire
from monitor.simulator.binance_rows import Row
from monitor.simulator.binance_tables import ASSETS, Asset, Bracket, Symbol
from monitor.simulator.truth import plain

_UM, _CM = 1, 2
_COIN_SYMBOL = "BTCUSD_PERP"  # rides along in the array streams since 2026-06-30


def mark(state: BinanceState, symbol: Symbol) -> Row:
    """`<symbol>@markPrice`."""
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
        "st": _UM,
    }


def mark_arrays(state: BinanceState, silent: frozenset[str]) -> list[list[Row]]:
    """`!markPrice@arr`: one array with a COIN-M symbol in it, one of TradFi symbols alone."""
    symbols = [symbol for symbol in state.quotes.symbols if symbol.name not in silent]
    crypto = [mark(state, symbol) for symbol in symbols if not symbol.is_tradfi]
    crypto += [_coin_mark(row) for row in crypto if row["s"] == "BTCUSDT"]
    tradfi = [mark(state, symbol) for symbol in symbols if symbol.is_tradfi]
    return [array for array in (crypto, tradfi) if array]


def _coin_mark(row: Row) -> Row:
    """The COIN-M twin. Its mark lies a little off, so that mixing them up shows."""
    price = wire(Decimal(str(row["p"])) * Decimal("1.001"))
    return {**row, "s": _COIN_SYMBOL, "p": price, "ap": price, "st": _CM}


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
        "ps": symbol.name,
        "ct": symbol.contract_type,
        "dt": 4133404800000,
        "ot": 1569398400000,
        "cs": "TRADING",
        "bks": [_bracket(number, bracket) for number, bracket in enumerate(symbol.brackets, 1)],
        "st": _UM,
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
    account: BinanceAccount,
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
        "a": {
            "m": reason,
            "B": [_balance(account, asset, change) for asset, change in changes.items()],
            "P": [_position(state, leg) for leg in legs],
        },
    }


def _balance(account: BinanceAccount, asset: str, change: Decimal) -> Row:
    cross = account.ledger.cross_wallets.get(asset, ZERO)
    wallet = cross + account.ledger.isolated_wallets(asset)
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
        "ma": leg.symbol.margin_asset,
    }


def liquidation_order(state: BinanceState, closed: Closed, order_id: int) -> Row:
    """`ORDER_TRADE_UPDATE` of the order by which Binance closed a leg."""
    now = milliseconds(state.server_time())
    quantity = plain(abs(closed.leg.amount))
    price = plain(closed.mark)
    return {
        "e": "ORDER_TRADE_UPDATE",
        "E": now,
        "T": now,
        "o": {
            "s": closed.leg.symbol.name,
            "c": f"autoclose-{order_id}",
            "S": "SELL" if closed.leg.amount > 0 else "BUY",
            "o": "LIQUIDATION",
            "f": "IOC",
            "q": quantity,
            "p": price,
            "ap": price,
            "sp": "0",
            "x": "TRADE",
            "X": "FILLED",
            "i": order_id,
            "l": quantity,
            "z": quantity,
            "L": price,
            "N": closed.leg.symbol.margin_asset,
            "n": wire(closed.fee),
            "T": now,
            "t": order_id,
            "b": "0",
            "a": "0",
            "m": False,
            "R": False,
            "wt": "CONTRACT_PRICE",
            "ot": "LIQUIDATION",
            "ps": closed.leg.side,
            "cp": False,
            "rp": wire(closed.realized),
            "pP": False,
            "V": "NONE",
            "pm": "NONE",
            "gtd": 0,
            "er": "0",
        },
    }


def margin_call(state: BinanceState, account: BinanceAccount, legs: tuple[Leg, ...]) -> Row:
    """`MARGIN_CALL` for the legs of a pool; `cw` only where they are crossed."""
    first = legs[0]
    cross = account.ledger.cross_wallets.get(first.symbol.margin_asset, ZERO)
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
