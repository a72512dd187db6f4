"""I/O. Bybit's REST: paths, paging, envelope, rate headers."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from monitor.simulator import bybit_auth as auth
from monitor.simulator import bybit_options as options
from monitor.simulator import bybit_public as public
from monitor.simulator import bybit_rows as rows
from monitor.simulator.bybit_accounts import BybitAccount, BybitState
from monitor.simulator.bybit_auth import Refused
from monitor.simulator.bybit_cash import log_row
from monitor.simulator.bybit_ledger import figures
from monitor.simulator.bybit_market import BybitMarket, Public, category_of, contracts_of
from monitor.simulator.bybit_paging import only, page_of
from monitor.simulator.bybit_tables import COLLATERAL_RATIOS, INSTRUMENTS, Instrument, has_legs
from monitor.simulator.truth import plain

Row = dict[str, object]
Private = Callable[[web.Request, BybitAccount], Row]
_LIMITS_PER_SECOND = {
    "/v5/account/fee-rate": 5,
    "/v5/account/transaction-log": 25,
    "/v5/asset/transfer/query-account-coins-balance": 2,
}


class BybitRest:
    """Answers `/bybit/v5/...`, and every unknown path in the exchange's own way."""

    def __init__(self, state: BybitState) -> None:
        self._state = state
        self._calls: dict[tuple[str, str], deque[int]] = {}

    def mount(self, app: web.Application) -> None:
        for path, answer in BybitMarket(self._state).answers().items():
            app.router.add_get(f"/bybit{path}", self._open(answer))
        for path, reply in self._private().items():
            app.router.add_get(f"/bybit{path}", self._signed(path, reply))
        app.router.add_route("*", "/bybit/{tail:.*}", self._unknown)

    def _private(self) -> dict[str, Private]:
        return {
            "/v5/user/query-api": self._key,
            "/v5/account/info": self._account,
            "/v5/account/wallet-balance": self._wallet,
            "/v5/account/collateral-info": self._collateral,
            "/v5/account/fee-rate": _fees,
            "/v5/position/list": self._positions,
            "/v5/order/realtime": self._orders,
            "/v5/execution/list": _executions,
            "/v5/account/transaction-log": _log,
            "/v5/asset/transfer/query-account-coins-balance": _funding_wallet,
            "/v5/spot-margin-trade/position-tiers": _borrow_tiers,
            "/v5/spot-margin-trade/state": _spot_margin,
            "/v5/asset/coin/query-info": _coins,
            "/v5/asset/portfolio-margin": lambda *_: {"list": []},
        }

    # --- the envelope

    def _open(self, answer: Public) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            at_ms = self._state.server_ms(_path(request))
            try:
                return _enveloped(answer(request), at_ms)
            except Refused as refused:
                return refused.response(at_ms)

        return handle

    def _signed(
        self, path: str, answer: Private
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            at_ms = self._state.server_ms(path)
            try:
                account = self._caller(request, at_ms)
                headers = self._counted(account.spec.key, path, at_ms)
                return _enveloped(answer(request, account), at_ms, headers)
            except Refused as refused:
                return refused.response(at_ms)

        return handle

    def _caller(self, request: web.Request, at_ms: int) -> BybitAccount:
        key = request.headers.get("X-BAPI-API-KEY")
        if not key:
            raise auth.unknown_key(status=401)
        account = self._state.by_key(key)
        if account is None:
            raise auth.unknown_key()
        auth.check_signed(
            request.headers, request.rel_url.raw_query_string, account.spec.secret, at_ms
        )
        return account

    def _counted(self, key: str, path: str, at_ms: int) -> dict[str, str]:
        limit = _LIMITS_PER_SECOND.get(path, 50)
        calls = self._calls.setdefault((key, path), deque())
        while calls and calls[0] <= at_ms - 1000:
            calls.popleft()
        if len(calls) >= limit:
            raise auth.too_many(at_ms, "1")
        calls.append(at_ms)
        return {
            "X-Bapi-Limit": str(limit),
            "X-Bapi-Limit-Status": str(limit - len(calls)),
            "X-Bapi-Limit-Reset-Timestamp": str(at_ms),
        }

    async def _unknown(self, request: web.Request) -> web.Response:
        return auth.route_not_found().response(self._state.server_ms(_path(request)))

    # --- private

    def _key(self, _: web.Request, account: BybitAccount) -> Row:
        permissions = account.spec.permissions
        readonly = not {"trade", "withdraw", "transfer"} & set(permissions)
        wallet = ["AccountTransfer", "SubMemberTransferList"] if "transfer" in permissions else []
        wallet += ["Withdraw"] if "withdraw" in permissions else []
        return {
            "id": str(account.uid),
            "note": account.spec.name,
            "apiKey": account.spec.key,
            "readOnly": 1 if readonly else 0,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"],
                "Spot": ["SpotTrade"],
                "Wallet": wallet,
                "Options": ["OptionsTrade"],
                "Derivatives": ["DerivativesTrade"],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": [],
                "NFT": [],
                "Affiliate": [],
                "Earn": [],
            },
            "ips": ["127.0.0.1"],
            "type": 1,
            "deadlineDay": -2,
            "expiredAt": "1970-01-01T00:00:00Z",
            "createdAt": "2026-01-05T02:24:40Z",
            "unified": 0,
            "uta": 1,
            "userID": account.uid,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        }

    def _account(self, _: web.Request, account: BybitAccount) -> Row:
        return {
            "marginMode": account.ledger.margin_mode,
            "updatedTime": "1767586946000",
            "unifiedMarginStatus": account.ledger.unified_status,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def _wallet(self, request: web.Request, account: BybitAccount) -> Row:
        kinds = rows.wallet_kinds(account.ledger)
        kind = request.query.get("accountType", "")
        if kind not in kinds:
            raise auth.parameter_error(f"accountType only support {'/'.join(kinds)}.")
        now = figures(account.ledger, self._state.prices())
        row = rows.wallet(account.ledger, now, kind)
        wanted = request.query.get("coin")
        if wanted and isinstance(row["coin"], list):
            row["coin"] = [coin for coin in row["coin"] if coin["coin"] in wanted.split(",")]
        return {"list": [row]}

    def _collateral(self, request: web.Request, account: BybitAccount) -> Row:
        prices = self._state.prices()
        found = [rows.collateral_info(account.ledger, prices, coin) for coin in COLLATERAL_RATIOS]
        return {"list": only(found, "currency", request.query.get("currency"))}

    def _positions(self, request: web.Request, account: BybitAccount) -> Row:
        category = category_of(request, "linear", "inverse", "option")
        at_ms = self._state.server_ms()
        symbol, settle = request.query.get("symbol"), request.query.get("settleCoin")
        base = request.query.get("baseCoin")
        if category == "linear" and not (symbol or settle or base):
            raise auth.parameter_error(auth.MISSING)
        if category == "option":
            found = [
                options.held(account.ledger, it, rows.flat_position(it.symbol, 0), at_ms)
                for it in account.ledger.options
                if symbol in {None, it.symbol} and settle in {None, it.settle}
            ]
        else:
            now = figures(account.ledger, self._state.prices())
            found = [
                rows.position(account.ledger, now, mine)
                for mine in now.positions
                if mine.instrument.category == category
                and symbol in {None, mine.instrument.symbol}
                and settle in {None, mine.instrument.settle}
                and base in {None, mine.instrument.base}
            ]
            if symbol:
                found += _flat_rows(account, symbol, category, found)
        page, cursor = page_of(request, found, 20, 200)
        return {"category": category, "list": page, "nextPageCursor": cursor}

    def _orders(self, request: web.Request, account: BybitAccount) -> Row:
        category = category_of(request, "linear", "inverse", "spot", "option")
        query = request.query
        if category == "linear" and not (
            query.get("symbol") or query.get("settleCoin") or query.get("baseCoin")
        ):
            raise auth.parameter_error(auth.MISSING)
        wanted = query.get("orderFilter")
        found = [
            rows.open_order(order, self._state.started_ms)
            for order in account.ledger.orders
            if rows.category_of(order.symbol) == category
            and _matches(INSTRUMENTS[order.symbol], query.get("symbol"), query.get("settleCoin"))
            and wanted in {None, "StopOrder" if order.trigger is not None else "Order"}
        ]
        page, cursor = page_of(request, found, 20, 50)
        return {"category": category, "list": page, "nextPageCursor": cursor}


def _fees(request: web.Request, account: BybitAccount) -> Row:
    category = category_of(request, "linear", "inverse", "spot", "option")
    return {
        "list": [
            {
                "symbol": it.symbol,
                "takerFeeRate": plain(account.ledger.taker_rate),
                "makerFeeRate": "0.0002",
            }
            for it in contracts_of(request, category)
        ]
    }


def _executions(request: web.Request, account: BybitAccount) -> Row:
    category = category_of(request, "linear", "inverse", "spot", "option")
    kind = request.query.get("execType")
    found = [
        row
        for row in account.executions
        if rows.category_of(str(row["symbol"])) == category and kind in {None, row["execType"]}
    ]
    page, cursor = page_of(request, found, 50, 100)
    return {"category": category, "list": page, "nextPageCursor": cursor}


def _log(request: web.Request, account: BybitAccount) -> Row:
    """Newest first; without times the last 24 hours, which is all there is."""
    query = request.query
    found = [
        row
        for number, booking in enumerate(account.ledger.log)
        for row in (log_row(booking, number, account.uid),)
        if query.get("category") in {None, row["category"]}
        and query.get("currency") in {None, row["currency"]}
        and query.get("type") in {None, row["type"]}
        and int(query.get("startTime", 0)) <= booking.at_ms <= int(query.get("endTime", 10**13))
    ]
    page, cursor = page_of(request, found[::-1], 20, 50)
    return {"list": page, "nextPageCursor": cursor}


def _funding_wallet(request: web.Request, account: BybitAccount) -> Row:
    kind = request.query.get("accountType", "")
    if kind not in {"FUND", "UNIFIED"}:
        raise auth.parameter_error("accountType only support FUND/UNIFIED.")
    coins = account.ledger.funding_wallet if kind == "FUND" else account.ledger.wallets
    wanted = request.query.get("coin", "")
    return {
        "memberId": str(account.uid),
        "accountType": kind,
        "balance": [
            {
                "coin": coin,
                "transferBalance": rows.coin_text(amount),
                "walletBalance": rows.coin_text(amount),
                "bonus": "",
            }
            for coin, amount in coins.items()
            if not wanted or coin in wanted.split(",")
        ],
    }


def _spot_margin(_: web.Request, account: BybitAccount) -> Row:
    borrowed = any(account.ledger.spot_borrow.values())
    mode = "1" if borrowed else "0"
    return {"spotLeverage": "10", "spotMarginMode": mode, "effectiveLeverage": "1"}


def _coins(_: web.Request, account: BybitAccount) -> Row:
    if not {"transfer", "withdraw"} & set(account.spec.permissions):
        raise auth.no_permission()
    return {"rows": [public.coin_info(coin) for coin in COLLATERAL_RATIOS]}


def _borrow_tiers(request: web.Request, _: BybitAccount) -> Row:
    found = [public.borrow_tiers(coin) for coin in COLLATERAL_RATIOS]
    return {"list": only(found, "currency", request.query.get("currency"))}


def _flat_rows(
    account: BybitAccount, symbol: str, category: str, found: Sequence[Row]
) -> list[Row]:
    """Asked for by symbol, an empty leg has a row too."""
    if symbol not in INSTRUMENTS or INSTRUMENTS[symbol].category != category:
        raise auth.parameter_error("params error: symbol invalid")
    there = {row["positionIdx"] for row in found}
    idxs = (1, 2) if account.ledger.hedge and has_legs(symbol) else (0,)
    return [rows.flat_position(symbol, idx) for idx in idxs if idx not in there]


def _enveloped(result: Row, at_ms: int, headers: dict[str, str] | None = None) -> web.Response:
    body = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": at_ms}
    return web.json_response(body, headers=headers)


def _path(request: web.Request) -> str:
    return request.path.removeprefix("/bybit")


def _matches(it: Instrument, symbol: str | None, settle: str | None) -> bool:
    return symbol in {None, it.symbol} and settle in {None, it.settle}
