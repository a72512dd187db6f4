"""Binance's portfolio margin calls: `/papi/`, and `/sapi/` of the pro program. All are signed."""

from collections.abc import Callable, Mapping

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_auth import not_a_portfolio, unknown_symbol
from monitor.simulator.binance_coin_calls import COIN_SIGNED
from monitor.simulator.binance_coin_rows import coin_bracket_row
from monitor.simulator.binance_portfolio_rows import PortfolioRows
from monitor.simulator.binance_quotes import COLLATERAL_RATES, Row, milliseconds, wire
from monitor.simulator.binance_tables import ASSETS
from monitor.simulator.truth import plain

Parameters = Mapping[str, str]
Reply = Row | list[Row]
Signed = Callable[[BinanceState, BinanceAccount, Parameters], Reply]
_UNBOUNDED_TIER = "1000000000.0000"


def _rows(state: BinanceState, account: BinanceAccount) -> PortfolioRows:
    return PortfolioRows(state, account)


def _account(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).account()


def _balance(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    rows = _rows(state, account).balances(sent.get("asset") or None)
    return rows[0] if sent.get("asset") and rows else rows


def _um_account(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).um_account()


def _um_account_v1(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).um_account_v1()


def _cm_account(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    return _rows(state, account).cm_account()


def _um_risk(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    return _rows(state, account).um_position_risk(sent.get("symbol") or None)


def _cm_risk(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    pair, asset = sent.get("pair") or None, sent.get("marginAsset") or None
    return _rows(state, account).cm_position_risk(pair, asset)


def _cm_brackets(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    name = sent.get("symbol")
    symbols = [s for s in state.quotes.coin_symbols if name in {None, "", s.name}]
    if not symbols:
        raise unknown_symbol()
    return [coin_bracket_row(symbol, "qtyFloor") for symbol in symbols]


def _conditional(_: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    """Conditional orders of COIN-M as portfolio margin still lists them: by strategy."""
    at = account.opened_at
    return [
        {
            "newClientStrategyId": f"sim-{number}",
            "strategyId": 3_645_916 + number,
            "strategyStatus": "NEW",
            "strategyType": "STOP_MARKET",
            "origQty": plain(order.contracts),
            "price": "0",
            "reduceOnly": order.reduce_only,
            "side": order.side.upper(),
            "positionSide": (order.position_side or "both").upper(),
            "stopPrice": plain(order.trigger_price or order.contracts),
            "symbol": order.symbol,
            "timeInForce": "GTC",
            "bookTime": at,
            "updateTime": at,
            "workingType": "MARK_PRICE",
            "priceProtect": False,
        }
        for number, order in enumerate(account.coin.orders)
        if order.kind == "stop" and sent.get("symbol") in {None, "", order.symbol}
    ]


def _pro_account(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    if not account.is_portfolio:
        raise not_a_portfolio()
    return _rows(state, account).pro_account()


def _pro_balance(state: BinanceState, account: BinanceAccount, sent: Parameters) -> Reply:
    if not account.is_portfolio:
        raise not_a_portfolio()
    return _balance(state, account, sent)


def _collateral_rates(_: BinanceState, __: BinanceAccount, ___: Parameters) -> Reply:
    return [
        {"asset": name, "collateralRate": format(rate, ".4f")}
        for name, rate in COLLATERAL_RATES.items()
    ]


def _tiered_rates(_: BinanceState, __: BinanceAccount, ___: Parameters) -> Reply:
    return [
        {
            "asset": name,
            "collateralInfo": [
                {
                    "tierFloor": "0.0000",
                    "tierCap": _UNBOUNDED_TIER,
                    "collateralRate": format(rate, ".4f"),
                    "cum": "0.0000",
                }
            ],
        }
        for name, rate in COLLATERAL_RATES.items()
    ]


def _index_prices(state: BinanceState, _: BinanceAccount, sent: Parameters) -> Reply:
    at = milliseconds(state.server_time())
    return [
        {"asset": name, "assetIndexPrice": wire(index), "time": at}
        for name in COLLATERAL_RATES
        if (index := state.quotes.asset_index(ASSETS[name])) is not None
        and sent.get("asset") in {None, "", name}
    ]


def portfolio_calls(usd: Mapping[str, Signed]) -> dict[str, Signed]:
    """Give all calls by path; some answer as their twins of USD-M (`usd`) and COIN-M do."""
    return {
        "/papi/v1/account": _account,
        "/papi/v1/balance": _balance,
        "/papi/v1/um/account": _um_account_v1,
        "/papi/v2/um/account": _um_account,
        "/papi/v1/cm/account": _cm_account,
        "/papi/v1/um/positionRisk": _um_risk,
        "/papi/v1/cm/positionRisk": _cm_risk,
        "/papi/v1/cm/leverageBracket": _cm_brackets,
        "/papi/v1/cm/conditional/openOrders": _conditional,
        **{
            f"/papi/v1/um/{name}": usd[f"/fapi/v1/{twin}"]
            for name, twin in {
                "leverageBracket": "leverageBracket",
                "positionSide/dual": "positionSide/dual",
                "accountConfig": "accountConfig",
                "symbolConfig": "symbolConfig",
                "adlQuantile": "adlQuantile",
                "openOrders": "openOrders",
                "algo/openAlgoOrders": "openAlgoOrders",
                "commissionRate": "commissionRate",
                "income": "income",
                "forceOrders": "forceOrders",
            }.items()
        },
        **{
            f"/papi/v1/cm/{name}": COIN_SIGNED[f"/dapi/v1/{name}"]
            for name in (
                "positionSide/dual",
                "adlQuantile",
                "openOrders",
                "commissionRate",
                "income",
                "forceOrders",
            )
        },
        "/sapi/v1/portfolio/account": _pro_account,
        "/sapi/v1/portfolio/balance": _pro_balance,
        "/sapi/v1/portfolio/collateralRate": _collateral_rates,
        "/sapi/v2/portfolio/collateralRate": _tiered_rates,
        "/sapi/v1/portfolio/asset-index-price": _index_prices,
    }
