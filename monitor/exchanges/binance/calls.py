"""
The calls that tell an account's kind and read its USDⓈ-M side, with their published weights.

Knows paths, weights and for how long a reply serves; must not know what replies hold.
COIN-M's calls stand in `coin_calls.py`, portfolio margin's in `portfolio_calls.py`.

Source: Binance «USDS Margined Futures, REST API: Account, Trade and Market Data endpoints»,
«Wallet: Account Info, Get API Key Permission», read November 2026; ccxt 4.5.90 for the
implicit methods' names (its own weights for v3 are too low).
"""

from __future__ import annotations

from dataclasses import replace

from monitor.exchanges.call import Budget, RestCall

# COIN-M shares this limit since the engines were joined (2026-06-30).
FUTURES_BUDGET = Budget(name="binance futures", per_minute=2400, window_seconds=60)
WALLET_BUDGET = Budget(name="binance sapi", per_minute=12_000, window_seconds=60)
SPOT_BUDGET = Budget(name="binance spot", per_minute=6000, window_seconds=60)

# «Invalid symbol.»
UNKNOWN_SYMBOL = frozenset({"-1121"})

# Read with every poll: a switch to multi-assets changes what every other figure means.
CONFIG = RestCall(
    implicit="fapiPrivateGetAccountConfig",
    path="/fapi/v1/accountConfig",
    weight=5,
    budget=FUTURES_BUDGET,
    heard_seconds=600,
)
# The two modes one by one: not asked for, but they serve where the reply of both is absent.
MULTI_ASSETS = RestCall(
    implicit="fapiPrivateGetMultiAssetsMargin",
    path="/fapi/v1/multiAssetsMargin",
    weight=30,
    budget=FUTURES_BUDGET,
)
POSITION_SIDE = RestCall(
    implicit="fapiPrivateGetPositionSideDual",
    path="/fapi/v1/positionSide/dual",
    weight=30,
    budget=FUTURES_BUDGET,
)
ACCOUNT = RestCall(
    implicit="fapiPrivateV3GetAccount", path="/fapi/v3/account", weight=5, budget=FUTURES_BUDGET
)
# The account reply, read each time, holds every amount: other rows than these are read anew.
POSITIONS = RestCall(
    implicit="fapiPrivateV3GetPositionRisk",
    path="/fapi/v3/positionRisk",
    weight=5,
    budget=FUTURES_BUDGET,
    calm_seconds=300,
    heard_seconds=600,
)
# On api.binance.com: a key that may not ask there still watches futures well. Asked with every
# poll; while that host fails, what it said last serves on.
ACCOUNT_KIND = RestCall(
    implicit="sapiGetAccountInfo",
    path="/sapi/v1/account/info",
    weight=1,
    budget=WALLET_BUDGET,
    max_age_seconds=1,
    optional=True,
)
# Answers an institution's account alone (PM Pro); an error from all others.
PRO_ACCOUNT = RestCall(
    implicit="sapiGetPortfolioAccount",
    path="/sapi/v1/portfolio/account",
    weight=20,
    budget=WALLET_BUDGET,
    optional=True,
    sticky=True,
)
PREMIUM_INDEX = RestCall(
    implicit="fapiPublicGetPremiumIndex",
    path="/fapi/v1/premiumIndex",
    weight=10,
    budget=FUTURES_BUDGET,
    optional=True,
)
# What one coin counts in Multi-Assets Mode: needed there, and of use where a coin floats.
ASSET_INDEX = RestCall(
    implicit="fapiPublicGetAssetIndex",
    path="/fapi/v1/assetIndex",
    weight=10,
    budget=FUTURES_BUDGET,
    calm_seconds=120,
)
# What was booked to the wallet: explains a change, is part of no figure.
INCOME = RestCall(
    implicit="fapiPrivateGetIncome",
    path="/fapi/v1/income",
    query=(("limit", "1000"),),
    weight=30,
    budget=FUTURES_BUDGET,
    max_age_seconds=300,
    calm_seconds=3600,
    optional=True,
    is_log=True,
)
# The spot wallet: what lies free there may be brought in.
SPOT = RestCall(
    implicit="privateGetAccount",
    path="/api/v3/account",
    query=(("omitZeroBalances", "true"),),
    weight=20,
    budget=SPOT_BUDGET,
    max_age_seconds=120,
    optional=True,
)
LEVERAGES = RestCall(
    implicit="fapiPrivateGetSymbolConfig",
    path="/fapi/v1/symbolConfig",
    weight=5,
    budget=FUTURES_BUDGET,
    max_age_seconds=300,
    calm_seconds=1800,
    optional=True,
)
# Conditional orders live here since 2025-12-09; without a symbol the call weighs 40.
STOP_ORDERS = RestCall(
    implicit="fapiPrivateGetOpenAlgoOrders",
    path="/fapi/v1/openAlgoOrders",
    weight=40,
    budget=FUTURES_BUDGET,
    max_age_seconds=300,
    calm_seconds=1800,
    optional=True,
    lists_stops=True,
)
# Orders placed before that day, and their kinds in older captures.
PLAIN_ORDERS = RestCall(
    implicit="fapiPrivateGetOpenOrders",
    path="/fapi/v1/openOrders",
    weight=40,
    budget=FUTURES_BUDGET,
    max_age_seconds=600,
    optional=True,
)
# Names and steps of contracts: no figure of risk depends on them.
CONTRACTS = RestCall(
    implicit="fapiPublicGetExchangeInfo",
    path="/fapi/v1/exchangeInfo",
    weight=1,
    budget=FUTURES_BUDGET,
    max_age_seconds=86_400,
    optional=True,
)


def contract_call(symbol: str) -> RestCall:
    """
    The contract list asked anew because of one symbol that the daily one does not hold.

    Binance answers the whole list whatever the query; the query only tells the two apart.
    """
    return replace(CONTRACTS, query=(("symbol", symbol),))


def mark_call(symbol: str) -> RestCall:
    """The mark of one symbol by REST."""
    return replace(PREMIUM_INDEX, query=(("symbol", symbol),), weight=1)


def index_call(asset: str) -> RestCall:
    """What one asset counts; the list of all answers it as well."""
    return replace(ASSET_INDEX, query=(("symbol", f"{asset}USD"),), weight=1)


def leverage_call(symbol: str) -> RestCall:
    """The leverage of one symbol; the list of all answers it as well."""
    return replace(LEVERAGES, query=(("symbol", symbol),))


def stop_call(symbol: str) -> RestCall:
    """The conditional orders of one symbol; the list of all answers it as well."""
    return replace(STOP_ORDERS, query=(("symbol", symbol),), weight=1)


def plain_call(symbol: str) -> RestCall:
    """The plain orders of one symbol; the list of all answers it as well."""
    return replace(PLAIN_ORDERS, query=(("symbol", symbol),), weight=1)


def bracket_call(symbol: str) -> RestCall:
    """The leverage brackets of one symbol, as they hold for this account."""
    return RestCall(
        implicit="fapiPrivateGetLeverageBracket",
        path="/fapi/v1/leverageBracket",
        query=(("symbol", symbol),),
        weight=1,
        budget=FUTURES_BUDGET,
        max_age_seconds=3600,
        absent_codes=UNKNOWN_SYMBOL,
    )


def fee_call(symbol: str) -> RestCall:
    """The account's fee rates for one symbol."""
    return RestCall(
        implicit="fapiPrivateGetCommissionRate",
        path="/fapi/v1/commissionRate",
        query=(("symbol", symbol),),
        weight=20,
        budget=FUTURES_BUDGET,
        max_age_seconds=3600,
        optional=True,
    )
