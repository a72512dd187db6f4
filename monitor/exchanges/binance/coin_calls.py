"""
The calls that read a Binance COIN-M account, with their published weights.

Knows paths, weights and for how long a reply serves; must not know what replies hold. The
account and its positions are asked for even where nobody said that there are any; a key that
may not read them still watches USDⓈ-M, and the account's mode then says so.

Source: Binance «COIN Margined Futures, REST API: Account, Trade and Market Data endpoints»,
read November 2026; ccxt 4.5.90 for the implicit methods' names.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.exchanges.binance.calls import FUTURES_BUDGET, UNKNOWN_SYMBOL
from monitor.exchanges.call import RestCall

ACCOUNT = RestCall(
    implicit="dapiPrivateGetAccount",
    path="/dapi/v1/account",
    weight=5,
    budget=FUTURES_BUDGET,
    heard_seconds=600,
    optional=True,
    sticky=True,
)
POSITIONS = RestCall(
    implicit="dapiPrivateGetPositionRisk",
    path="/dapi/v1/positionRisk",
    weight=1,
    budget=FUTURES_BUDGET,
    heard_seconds=600,
    optional=True,
    sticky=True,
)
CONTRACTS = RestCall(
    implicit="dapiPublicGetExchangeInfo",
    path="/dapi/v1/exchangeInfo",
    weight=1,
    budget=FUTURES_BUDGET,
    max_age_seconds=86_400,
    optional=True,
)
PREMIUM_INDEX = RestCall(
    implicit="dapiPublicGetPremiumIndex",
    path="/dapi/v1/premiumIndex",
    weight=10,
    budget=FUTURES_BUDGET,
    max_age_seconds=60,
    optional=True,
)
ADL = RestCall(
    implicit="dapiPrivateGetAdlQuantile",
    path="/dapi/v1/adlQuantile",
    weight=5,
    budget=FUTURES_BUDGET,
    max_age_seconds=60,
    optional=True,
)
STOP_ORDERS = RestCall(
    implicit="dapiPrivateGetOpenAlgoOrders",
    path="/dapi/v1/openAlgoOrders",
    weight=40,
    budget=FUTURES_BUDGET,
    max_age_seconds=600,
    optional=True,
    lists_stops=True,
)
PLAIN_ORDERS = RestCall(
    implicit="dapiPrivateGetOpenOrders",
    path="/dapi/v1/openOrders",
    weight=40,
    budget=FUTURES_BUDGET,
    max_age_seconds=600,
    optional=True,
)
INCOME = RestCall(
    implicit="dapiPrivateGetIncome",
    path="/dapi/v1/income",
    query=(("limit", "1000"),),
    weight=20,
    budget=FUTURES_BUDGET,
    max_age_seconds=300,
    calm_seconds=3600,
    optional=True,
    is_log=True,
)


def bracket_call(symbol: str) -> RestCall:
    """The leverage brackets of one symbol, as they hold for this account."""
    return RestCall(
        implicit="dapiPrivateV2GetLeverageBracket",
        path="/dapi/v2/leverageBracket",
        query=(("symbol", symbol),),
        weight=1,
        budget=FUTURES_BUDGET,
        max_age_seconds=3600,
        absent_codes=UNKNOWN_SYMBOL,
    )


def contract_call(symbol: str) -> RestCall:
    """The contract list asked anew because of one symbol that the daily one does not hold."""
    return replace(CONTRACTS, query=(("symbol", symbol),))


def mark_call(symbol: str) -> RestCall:
    """The mark of one symbol by REST."""
    return replace(PREMIUM_INDEX, query=(("symbol", symbol),), max_age_seconds=0)


def stop_call(symbol: str) -> RestCall:
    """The conditional orders of one symbol; the list of all answers it as well."""
    return replace(STOP_ORDERS, query=(("symbol", symbol),), weight=1)


def plain_call(symbol: str) -> RestCall:
    """The plain orders of one symbol; the list of all answers it as well."""
    return replace(PLAIN_ORDERS, query=(("symbol", symbol),), weight=1)


def fee_call(symbol: str) -> RestCall:
    """The account's fee rates for one symbol."""
    return RestCall(
        implicit="dapiPrivateGetCommissionRate",
        path="/dapi/v1/commissionRate",
        query=(("symbol", symbol),),
        weight=20,
        budget=FUTURES_BUDGET,
        max_age_seconds=3600,
        optional=True,
    )
