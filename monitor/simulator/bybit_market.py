"""Bybit's public answers, call by call; the rows are those of `bybit_public`."""

from collections.abc import Callable

from aiohttp import web

from monitor.simulator import bybit_auth as auth
from monitor.simulator import bybit_options as options
from monitor.simulator import bybit_public as public
from monitor.simulator.bybit_accounts import BybitState
from monitor.simulator.bybit_paging import cursor_at, offset, only, page_of
from monitor.simulator.bybit_tables import COLLATERAL_RATIOS, INSTRUMENTS, Instrument

Row = dict[str, object]
Public = Callable[[web.Request], Row]
_SYMBOLS_PER_RISK_PAGE = 15


class BybitMarket:
    """What anyone may ask for."""

    def __init__(self, state: BybitState) -> None:
        self._state = state

    def answers(self) -> dict[str, Public]:
        """The answer to each path."""
        return {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/tickers": self._tickers,
            "/v5/market/risk-limit": _risk_limits,
            "/v5/market/adlAlert": self._adl_alert,
            "/v5/spot-margin-trade/collateral": _collateral_ratios,
            "/v5/system/status": lambda _: {"list": []},
        }

    def _time(self, request: web.Request) -> Row:
        at_ms = self._state.server_ms(request.path.removeprefix("/bybit"))
        return {"timeSecond": str(at_ms // 1000), "timeNano": str(at_ms * 1_000_000)}

    def _instruments(self, request: web.Request) -> Row:
        category = category_of(request, "linear", "inverse", "spot", "option")
        found: list[Row] = []
        if request.query.get("status", "Trading") == "Trading":
            if category == "spot":
                found = [public.spot_instrument(c) for c in public.SPOT_COINS]
            elif category == "option":
                found = [options.instrument(option) for option in self._state.options()]
            else:
                found = [public.instrument(it) for it in contracts_of(request, category)]
            found = only(found, "symbol", request.query.get("symbol"))
        page, cursor = page_of(request, found, 500, 1000, cursor_at_end=False)
        return {"category": category, "list": page, "nextPageCursor": cursor}

    def _tickers(self, request: web.Request) -> Row:
        category = category_of(request, "linear", "inverse", "spot", "option")
        prices = self._state.prices()
        if category == "spot":
            found = [public.spot_ticker(coin, prices) for coin in public.SPOT_COINS]
        elif category == "option":
            if not request.query.keys() & {"symbol", "baseCoin"}:
                raise auth.parameter_error(auth.MISSING)
            found = [options.ticker(option, prices) for option in self._state.options()]
        else:
            found = [
                public.ticker(
                    it, prices, self._state.funding_rate(it.base), self._state.next_funding_ms()
                )
                for it in contracts_of(request, category)
            ]
        return {"category": category, "list": only(found, "symbol", request.query.get("symbol"))}

    def _adl_alert(self, request: web.Request) -> Row:
        wanted = request.query.get("symbol")
        found = [it for it in INSTRUMENTS.values() if wanted in {None, it.symbol}]
        return {
            "updatedTime": str(self._state.server_ms()),
            "list": [public.adl_alert(it) for it in found],
        }


def category_of(request: web.Request, *known: str) -> str:
    """
    The category that is asked for.

    Raises:
        Refused: If it is none of the known ones.
    """
    category = request.query.get("category", "")
    if category not in known:
        raise auth.parameter_error("params error: Category is invalid")
    return category


def contracts_of(request: web.Request, category: str) -> tuple[Instrument, ...]:
    """The contracts that are asked for. Raises Refused for a symbol that is not listed."""
    symbol = request.query.get("symbol")
    found = public.symbols_of(category)
    if symbol and category in {"linear", "inverse"}:
        found = tuple(it for it in found if it.symbol == symbol)
        if not found:
            raise auth.parameter_error("params error: symbol invalid")
    return found


def _risk_limits(request: web.Request) -> Row:
    category = category_of(request, "linear", "inverse")
    contracts = contracts_of(request, category)
    start = offset(request)
    page = contracts[start : start + _SYMBOLS_PER_RISK_PAGE]
    more = start + _SYMBOLS_PER_RISK_PAGE < len(contracts)
    return {
        "category": category,
        "list": [row for it in page for row in public.risk_limits(it.symbol)],
        "nextPageCursor": cursor_at(start + _SYMBOLS_PER_RISK_PAGE) if more else "",
    }


def _collateral_ratios(request: web.Request) -> Row:
    found = [public.collateral_ratios(coin) for coin in COLLATERAL_RATIOS]
    return {"list": only(found, "currency", request.query.get("currency"))}
