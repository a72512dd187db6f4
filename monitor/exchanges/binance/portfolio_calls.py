"""
The calls that read a Binance portfolio margin account, with their published weights.

Knows paths, weights and for how long a reply serves; must not know what replies hold. They
count against a limit of their own (6,000 a minute).

Source: Binance «Portfolio Margin, REST API: Account and Trade endpoints», «Portfolio Margin
Pro: Market Data», read November 2026; ccxt 4.5.90 for the implicit methods' names.
"""

from __future__ import annotations

from monitor.exchanges.binance.calls import WALLET_BUDGET
from monitor.exchanges.call import Budget, RestCall

BUDGET = Budget(name="binance papi", per_minute=6000, window_seconds=60)

ACCOUNT = RestCall(implicit="papiGetAccount", path="/papi/v1/account", weight=20, budget=BUDGET)
BALANCE = RestCall(implicit="papiGetBalance", path="/papi/v1/balance", weight=20, budget=BUDGET)
USDM_POSITIONS = RestCall(
    implicit="papiGetUmPositionRisk", path="/papi/v1/um/positionRisk", weight=5, budget=BUDGET
)
COINM_POSITIONS = RestCall(
    implicit="papiGetCmPositionRisk", path="/papi/v1/cm/positionRisk", weight=1, budget=BUDGET
)
# Each leg's own maintenance margin, which the position rows leave out.
USDM_ACCOUNT = RestCall(
    implicit="papiV2GetUmAccount",
    path="/papi/v2/um/account",
    weight=5,
    budget=BUDGET,
    optional=True,
)
COINM_ACCOUNT = RestCall(
    implicit="papiGetCmAccount",
    path="/papi/v1/cm/account",
    weight=5,
    budget=BUDGET,
    optional=True,
)
CONFIG = RestCall(
    implicit="papiGetUmAccountConfig",
    path="/papi/v1/um/accountConfig",
    weight=5,
    budget=BUDGET,
    max_age_seconds=30,
    calm_seconds=300,
    optional=True,
)
USDM_STOPS = RestCall(
    implicit="papiGetUmAlgoOpenAlgoOrders",
    path="/papi/v1/um/algo/openAlgoOrders",
    weight=40,
    budget=BUDGET,
    max_age_seconds=300,
    calm_seconds=1800,
    optional=True,
    lists_stops=True,
)
COINM_STOPS = RestCall(
    implicit="papiGetCmConditionalOpenOrders",
    path="/papi/v1/cm/conditional/openOrders",
    weight=40,
    budget=BUDGET,
    max_age_seconds=300,
    calm_seconds=1800,
    optional=True,
)
USDM_INCOME = RestCall(
    implicit="papiGetUmIncome",
    path="/papi/v1/um/income",
    query=(("limit", "1000"),),
    weight=30,
    budget=BUDGET,
    max_age_seconds=180,
    calm_seconds=3600,
    optional=True,
    is_log=True,
)
COINM_INCOME = RestCall(
    implicit="papiGetCmIncome",
    path="/papi/v1/cm/income",
    query=(("limit", "1000"),),
    weight=30,
    budget=BUDGET,
    max_age_seconds=180,
    calm_seconds=3600,
    optional=True,
    is_log=True,
)
# What a Pro account's wallets hold, where papi does not serve it.
PRO_BALANCE = RestCall(
    implicit="sapiGetPortfolioBalance",
    path="/sapi/v1/portfolio/balance",
    weight=20,
    budget=WALLET_BUDGET,
    optional=True,
)
# How much of each coin counts. Public; the weight is that of the heaviest market data call.
COLLATERAL_RATES = RestCall(
    implicit="sapiGetPortfolioCollateralRate",
    path="/sapi/v1/portfolio/collateralRate",
    weight=50,
    budget=WALLET_BUDGET,
    max_age_seconds=3600,
    optional=True,
)
# The leverage brackets of one symbol, as they hold for this account. Without them its figures
# are Binance's own all the same, and move by an assumption between two readings.
USDM_BRACKETS = RestCall(
    implicit="papiGetUmLeverageBracket",
    path="/papi/v1/um/leverageBracket",
    weight=1,
    budget=BUDGET,
    max_age_seconds=3600,
    optional=True,
)
COINM_BRACKETS = RestCall(
    implicit="papiGetCmLeverageBracket",
    path="/papi/v1/cm/leverageBracket",
    weight=1,
    budget=BUDGET,
    max_age_seconds=3600,
    optional=True,
)
