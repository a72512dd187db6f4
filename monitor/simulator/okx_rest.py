"""I/O. OKX's REST: paths, envelope, limits per user."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web

from monitor.simulator import okx_auth as auth
from monitor.simulator import okx_balance
from monitor.simulator import okx_orders as orders
from monitor.simulator import okx_public as public
from monitor.simulator import okx_queries as queries
from monitor.simulator.okx_account import PORTFOLIO
from monitor.simulator.okx_accounts import OkxAccount, OkxState
from monitor.simulator.okx_auth import Refused
from monitor.simulator.okx_events import balance_row, position_rows
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_rates import DISCOUNTS
from monitor.simulator.okx_tables import INSTRUMENTS, PAIRS, SETTLE_CCY

Row = dict[str, object]
Public = Callable[[web.Request], Sequence[Row]]
Private = Callable[[web.Request, OkxAccount], Sequence[Row]]
_WINDOW_MS = 2000
# calls of one user in two seconds
_LIMITS = {
    "/api/v5/account/config": 5,
    "/api/v5/account/trade-fee": 5,
    "/api/v5/trade/orders-algo-pending": 20,
    "/api/v5/account/bills": 10,
    "/api/v5/asset/balances": 12,
    "/api/v5/asset/currencies": 12,
}
_ANY_LIMIT = 10
_ORDER_TYPES = frozenset({"conditional", "oco", "trigger", "move_order_stop", "iceberg", "twap"})
_MOST_CURRENCIES, _MOST_INSTRUMENTS, _MOST_POSITIONS = 20, 10, 20


class OkxRest:
    """Answers `/okx/api/v5/...`, and every unknown path in the exchange's own way."""

    def __init__(self, state: OkxState) -> None:
        self._state = state
        self._calls: dict[tuple[str, str], deque[int]] = {}

    def mount(self, app: web.Application) -> None:
        for path, answer in self._public().items():
            app.router.add_get(f"/okx{path}", self._open(answer))
        for path, reply in self._private().items():
            app.router.add_get(f"/okx{path}", self._signed(path, reply))
        app.router.add_route("*", "/okx/{tail:.*}", _unknown)

    def _public(self) -> dict[str, Public]:
        return {
            "/api/v5/public/time": self._time,
            "/api/v5/public/instruments": queries.instruments,
            "/api/v5/public/position-tiers": queries.tiers,
            "/api/v5/public/mark-price": self._marks,
            "/api/v5/public/funding-rate": self._funding,
            "/api/v5/public/discount-rate-interest-free-quota": queries.discounts,
            "/api/v5/market/index-tickers": self._indexes,
            "/api/v5/system/status": lambda _: [],
        }

    def _private(self) -> dict[str, Private]:
        return {
            "/api/v5/account/config": _config,
            "/api/v5/account/balance": self._balance,
            "/api/v5/account/positions": self._positions,
            "/api/v5/account/account-position-risk": self._risk,
            "/api/v5/account/risk-state": self._risk_state,
            "/api/v5/account/trade-fee": self._fees,
            "/api/v5/trade/orders-algo-pending": self._algos,
            "/api/v5/trade/orders-pending": self._orders,
            "/api/v5/account/bills": _bills,
            "/api/v5/asset/balances": _free,
            "/api/v5/asset/currencies": _currencies,
        }

    # --- the envelope

    def _open(self, answer: Public) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return _enveloped(answer(request))
            except Refused as refused:
                return refused.response()

        return handle

    def _signed(
        self, path: str, answer: Private
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                account = self._caller(request, path)
                self._count(account.spec.key, path)
                return _enveloped(answer(request, account))
            except Refused as refused:
                return refused.response()

        return handle

    def _caller(self, request: web.Request, path: str) -> OkxAccount:
        auth.check_headers(request.headers)
        account = self._state.by_key(request.headers["OK-ACCESS-KEY"])
        if account is None:
            raise auth.refused("50119")
        query = request.rel_url.raw_query_string
        signed = f"GET{path}?{query}" if query else f"GET{path}"
        auth.check_signed(
            request.headers,
            account.spec.secret,
            account.spec.passphrase,
            signed,
            self._state.server_ms(path),
        )
        return account

    def _count(self, key: str, path: str) -> None:
        now = self._state.server_ms()
        calls = self._calls.setdefault((key, path), deque())
        while calls and calls[0] <= now - _WINDOW_MS:
            calls.popleft()
        if len(calls) >= _LIMITS.get(path, _ANY_LIMIT):
            raise auth.too_many("2")
        calls.append(now)

    # --- public

    def _time(self, request: web.Request) -> Sequence[Row]:
        path = request.path.removeprefix("/okx")
        return [{"ts": str(self._state.server_ms(path))}]

    def _marks(self, request: web.Request) -> Sequence[Row]:
        kind, at_ms = request.query.get("instType", "SWAP"), self._state.server_ms()
        if kind not in queries.TYPES - {"SPOT"}:
            raise auth.parameter_error("instType")
        wanted = request.query.get("instId")
        listed = PAIRS if kind == "MARGIN" else INSTRUMENTS
        if wanted is not None and wanted not in listed:
            raise auth.no_such_instrument()
        found = [it for it in listed.values() if it.kind == kind and queries.is_asked(it, request)]
        prices = self._state.prices()
        return [public.mark_price(it, prices, at_ms) for it in found]

    def _funding(self, request: web.Request) -> Sequence[Row]:
        wanted = request.query.get("instId", "")
        if not wanted:
            raise auth.missing_parameter("instId")
        found = [it for it in INSTRUMENTS.values() if it.kind == "SWAP"]
        if wanted != "ANY":
            found = [it for it in found if it.inst_id == wanted]
        if not found:
            raise auth.no_such_instrument()
        due, at_ms = self._state.next_funding_ms(), self._state.server_ms()
        return [
            public.funding_rate(it, self._state.funding_rate(it.base), due, at_ms) for it in found
        ]

    def _indexes(self, request: web.Request) -> Sequence[Row]:
        quote, wanted = request.query.get("quoteCcy"), request.query.get("instId")
        if not (quote or wanted):
            raise auth.missing_parameter("quoteCcy or instId")
        prices, at_ms = self._state.prices(), self._state.server_ms()
        return [
            public.index_ticker(name, prices, at_ms)
            for name in public.index_names()
            if wanted in {None, name} and quote in {None, name.rsplit("-", 1)[-1]}
        ]

    # --- private

    def _balance(self, request: web.Request, account: OkxAccount) -> Sequence[Row]:
        wanted = queries.listed(request, "ccy", _MOST_CURRENCIES)
        row = balance_row(self._state, account)
        if wanted and isinstance(row["details"], list):
            row["details"] = [one for one in row["details"] if one["ccy"] in wanted]
        return [row]

    def _positions(self, request: web.Request, account: OkxAccount) -> Sequence[Row]:
        names = queries.listed(request, "instId", _MOST_INSTRUMENTS)
        ids = queries.listed(request, "posId", _MOST_POSITIONS)
        kind = request.query.get("instType")
        if kind is not None and kind not in queries.TYPES:
            raise auth.parameter_error("instType")
        return [
            row
            for row in position_rows(self._state, account)
            if (not names or row["instId"] in names)
            and (not ids or row["posId"] in ids)
            and kind in {None, row["instType"]}
        ]

    def _risk(self, _: web.Request, account: OkxAccount) -> Sequence[Row]:
        now = figures(account.ledger, self._state.prices())
        return [okx_balance.position_risk(account.ledger, now, self._state.server_ms())]

    def _risk_state(self, _: web.Request, account: OkxAccount) -> Sequence[Row]:
        if account.ledger.level != PORTFOLIO:
            message = "Operation is not supported under the current account mode."
            raise Refused(code="51010", message=message)
        ts = str(self._state.server_ms())
        return [{"atRisk": False, "atRiskIdx": [], "atRiskMgn": [], "ts": ts}]

    def _fees(self, request: web.Request, account: OkxAccount) -> Sequence[Row]:
        kind = queries.kind_of(request)
        ledger = account.ledger
        rates = {"SWAP": ledger.taker_rate, "OPTION": ledger.taker_rate}
        rates |= {"FUTURES": ledger.futures_taker_rate}
        rate = rates.get(kind, ledger.spot_taker_rate)
        return [public.trade_fee(kind, rate, self._state.server_ms())]

    def _algos(self, request: web.Request, account: OkxAccount) -> Sequence[Row]:
        kind = request.query.get("ordType", "")
        if not kind:
            raise auth.missing_parameter("ordType")
        if not _ORDER_TYPES.issuperset(kind.split(",")):
            raise auth.parameter_error("ordType")
        found = algo_rows(self._state, account) if "conditional" in kind.split(",") else []
        found = [row for row in found if request.query.get("instId") in {None, row["instId"]}]
        kinds = {None, request.query.get("instType")}
        found = [row for row in found if len(kinds) == 1 or row["instType"] in kinds]
        return queries.page_of(found, "algoId", request)

    def _orders(self, request: web.Request, account: OkxAccount) -> Sequence[Row]:
        waiting = [order for order in account.ledger.orders if order.trigger is None]
        found = [orders.open_order(order, self._state.started_ms) for order in waiting]
        found = [row for row in found if request.query.get("instId") in {None, row["instId"]}]
        return queries.page_of(found, "ordId", request)


def algo_rows(state: OkxState, account: OkxAccount) -> list[Row]:
    isolated = {p.inst_id for p in account.ledger.positions if p.is_isolated}
    return [
        orders.algo_order(order, state.started_ms, isolated=order.inst_id in isolated)
        for order in account.ledger.orders
        if order.trigger is not None
    ]


def _config(_: web.Request, account: OkxAccount) -> Sequence[Row]:
    extra = [name for name in ("withdraw", "trade") if name in account.spec.permissions]
    return [
        {
            "acctLv": account.ledger.level,
            "acctStpMode": "cancel_maker",
            "autoLoan": account.ledger.is_unified,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": account.ledger.borrows_in_spot,
            "feeType": "0",
            "greeksType": "PA",
            "ip": "127.0.0.1",
            "kycLv": "3",
            "label": account.spec.name,
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": account.uid,
            "mgnIsoMode": "automatic",
            "opAuth": "0",
            "perm": ",".join(["read_only", *extra]),
            "posMode": "long_short_mode" if account.ledger.hedge else "net_mode",
            "roleType": "0",
            "settleCcy": SETTLE_CCY,
            "settleCcyList": ["USD", "USDC", "USDG"],
            "spotBorrowAutoRepay": False,
            "spotOffsetType": "",
            "spotRoleType": "0",
            "spotTraderInsts": [],
            "stgyType": "0",
            "traderInsts": [],
            "type": "0",
            "uid": account.uid,
        }
    ]


def _bills(request: web.Request, account: OkxAccount) -> Sequence[Row]:
    """The last ones, narrowed by what is asked for."""
    begin, end = request.query.get("begin", ""), request.query.get("end", "")
    found = [
        row
        for row in account.bills.rows()
        if all(
            request.query.get(name) in {None, "", row[name]}
            for name in ("instType", "instId", "ccy", "mgnMode", "type", "subType")
        )
        and int(str(row["ts"])) >= int(begin or 0)
        and (not end or int(str(row["ts"])) <= int(end))
    ]
    return queries.page_of(found, "billId", request)


def _free(request: web.Request, account: OkxAccount) -> Sequence[Row]:
    """The funding account, which is apart from trading."""
    wanted = queries.listed(request, "ccy", _MOST_CURRENCIES)
    free = account.ledger.funding
    return [public.funding_balance(c, free[c]) for c in free if not wanted or c in wanted]


def _currencies(_: web.Request, __: OkxAccount) -> Sequence[Row]:
    return [public.currency(ccy) for ccy in DISCOUNTS]


async def _unknown(_: web.Request) -> web.Response:
    return web.json_response({"code": "404", "data": [], "msg": "Not Found"}, status=404)


def _enveloped(data: Iterable[Row]) -> web.Response:
    return web.json_response({"code": "0", "data": list(data), "msg": ""})
