"""I/O. Binance's REST calls for USD-M futures, and the few others that a monitor makes."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aiohttp import web

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState, UserStream
from monitor.simulator.binance_auth import (
    Refused,
    bad_key_format,
    check_signed,
    not_permitted,
    too_many,
    unknown_path,
    unknown_symbol,
)
from monitor.simulator.binance_coin_calls import COIN_PUBLIC, COIN_SIGNED
from monitor.simulator.binance_income import income_rows
from monitor.simulator.binance_other import OTHER_CALLS
from monitor.simulator.binance_portfolio_calls import portfolio_calls
from monitor.simulator.binance_public import PUBLIC_CALLS as USD_PUBLIC
from monitor.simulator.binance_quotes import Row, milliseconds
from monitor.simulator.binance_rows import Rows, bracket_rows
from monitor.simulator.binance_tables import Symbol
from monitor.simulator.binance_weights import LIMITS, Spent, limit_of, weight

Parameters = Mapping[str, str]
Reply = Row | list[Row]
PUBLIC_CALLS = {**USD_PUBLIC, **COIN_PUBLIC}
_KEY_LENGTH = 64  # longer ones are no keys; shorter ones are this simulator's


class BinanceRest:
    """Serves every path under `/binance/`."""

    def __init__(self, state: BinanceState) -> None:
        self._state = state
        self._spent = Spent()

    def mount(self, app: web.Application) -> None:
        app.router.add_route("*", "/binance/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/binance")
        now = self._state.server_time(path)
        try:
            self._spend(path, request.query, now)
            response = await self._reply(request, path, now)
        except Refused as refusal:
            response = refusal.response()
        used = "X-SAPI-USED-IP-WEIGHT-1M" if path.startswith("/sapi") else "X-MBX-USED-WEIGHT-1M"
        response.headers[used] = str(self._spent.used.get(limit_of(path), 0))
        return response

    async def _reply(self, request: web.Request, path: str, now: datetime) -> web.Response:
        if path in _LISTEN_KEY_PATHS and request.method in {"POST", "PUT", "DELETE"}:
            account = self._account(request)
            if not _is_open(path, account):
                raise not_permitted()
            stream = account.streams[_LISTEN_KEY_PATHS[path]]
            return web.json_response(_listen_key(request.method, stream, now))
        if request.method == "GET" and path in PUBLIC_CALLS:
            return web.json_response(PUBLIC_CALLS[path](self._state, request.query, now))
        if request.method == "GET" and path in SIGNED_CALLS:
            account = self._account(request)
            payload = await _payload(request)
            parameters = check_signed(payload, account.spec.secret, now)
            if not _is_open(path, account):
                raise not_permitted()
            return web.json_response(SIGNED_CALLS[path](self._state, account, parameters))
        if request.method in {"POST", "PUT", "DELETE"} and path in TRADE_PATHS:
            return await self._trade(request, now)
        raise unknown_path(path, request.method)

    async def _trade(self, request: web.Request, now: datetime) -> web.Response:
        """Refuse: the key's rights are checked as on the exchange, but nothing is traded."""
        account = self._account(request)
        check_signed(await _payload(request), account.spec.secret, now)
        if "trade" not in account.spec.permissions:
            raise not_permitted()
        message = "ReduceOnly Order is rejected."
        raise Refused(status=400, code=-2022, message=message)

    def _account(self, request: web.Request) -> BinanceAccount:
        key = request.headers.get("X-MBX-APIKEY", "")
        if not key or len(key) > _KEY_LENGTH or not key.isascii():
            raise bad_key_format()
        account = self._state.by_key(key)
        if account is None or "read" not in account.spec.permissions:
            raise not_permitted()
        return account

    def _spend(self, path: str, query: Parameters, now: datetime) -> None:
        name = limit_of(path)
        if not self._spent.add(name, weight(path, query), milliseconds(now) // 60000):
            raise too_many(str(60 - now.second), LIMITS[name])


async def _payload(request: web.Request) -> str:
    """Give query and body as they were sent; `request.query` would decode them."""
    _, _, query = request.raw_path.partition("?")
    body = await request.text()
    return query + body


def _symbol(state: BinanceState, parameters: Parameters) -> Symbol | None:
    name = parameters.get("symbol")
    if not name:
        return None
    if name not in state.quotes.table:
        raise unknown_symbol()
    symbol = state.quotes.table[name]
    if symbol.is_coin_margined:
        raise unknown_symbol()
    return symbol


def _name(state: BinanceState, parameters: Parameters) -> str | None:
    symbol = _symbol(state, parameters)
    return None if symbol is None else symbol.name


# --- signed calls

Signed = Callable[[BinanceState, BinanceAccount, Parameters], Reply]


def _rows(state: BinanceState, account: BinanceAccount) -> Rows:
    return Rows(state, account)


def _account_v3(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).account()


def _position_risk(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).position_risk(_name(state, sent))


def _balance(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).balances()


def _brackets(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    symbol = _symbol(state, sent)
    if symbol is not None:
        return [bracket_rows(symbol)]
    return [bracket_rows(each) for each in state.quotes.symbols]


def _account_config(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": account.ledger.hedge,
        "updateTime": 0,
        "multiAssetsMargin": account.ledger.multi_assets,
        "tradeGroupId": -1,
    }


def _multi_assets(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return {"multiAssetsMargin": account.ledger.multi_assets}


def _dual(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return {"dualSidePosition": account.ledger.hedge}


def _symbol_config(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    symbol = _symbol(state, sent)
    rows = _rows(state, account)
    chosen = state.quotes.symbols if symbol is None else (symbol,)
    return [rows.symbol_config(each) for each in chosen]


def _adl(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).adl_quantiles(_name(state, sent))


def _open_orders(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).open_orders(_name(state, sent), account.opened_at)


def _algo_orders(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).open_algo_orders(_name(state, sent), account.opened_at)


def _commission(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    symbol = _name(state, sent)
    if symbol is None:
        raise unknown_symbol()
    return {
        "symbol": symbol,
        "makerCommissionRate": "0.000200",
        "takerCommissionRate": "0.000500",
        "rpiCommissionRate": "0.000200",
    }


def _force_orders(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return [row for row in account.force_orders if "_" not in str(row["symbol"])]


def _income(_: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return income_rows(account.income, sent)


_USD_CALLS: dict[str, Signed] = {
    "/fapi/v3/account": _account_v3,
    "/fapi/v3/positionRisk": _position_risk,
    "/fapi/v3/balance": _balance,
    "/fapi/v1/leverageBracket": _brackets,
    "/fapi/v1/accountConfig": _account_config,
    "/fapi/v1/multiAssetsMargin": _multi_assets,
    "/fapi/v1/positionSide/dual": _dual,
    "/fapi/v1/symbolConfig": _symbol_config,
    "/fapi/v1/adlQuantile": _adl,
    "/fapi/v1/openOrders": _open_orders,
    "/fapi/v1/openAlgoOrders": _algo_orders,
    "/fapi/v1/commissionRate": _commission,
    "/fapi/v1/forceOrders": _force_orders,
    "/fapi/v1/income": _income,
}
SIGNED_CALLS: dict[str, Signed] = {
    **_USD_CALLS,
    **COIN_SIGNED,
    **portfolio_calls(_USD_CALLS),
    **OTHER_CALLS,
}


def _is_open(path: str, account: BinanceAccount) -> bool:
    """
    Tell whether this kind of account answers at this path.

    After portfolio margin is enabled the futures calls refuse (-2015); the pro program keeps
    them. How each refuses is not published in full.
    """
    if path.startswith("/papi/"):
        return account.is_portfolio
    if path.startswith(("/fapi/", "/dapi/")):
        return account.spec.mode != "portfolio_margin"
    return True


TRADE_PATHS = frozenset(
    {"/fapi/v1/order", "/fapi/v1/algoOrder", "/fapi/v1/leverage", "/fapi/v1/marginType"}
)

# --- the listenKey: only the key's header, no signature

_LISTEN_KEY_PATHS = {
    "/fapi/v1/listenKey": "usd",
    "/dapi/v1/listenKey": "coin",
    "/papi/v1/listenKey": "portfolio",
}


def _listen_key(method: str, stream: UserStream, now: datetime) -> Reply:
    """Carry out a call; the stream's key, where one is given back."""
    match method:
        case "POST":
            return {"listenKey": stream.renew_listen_key(now)}
        case "PUT":
            return {"listenKey": stream.extend_listen_key(now)}
        case _:
            stream.delete_listen_key()
            return {}
