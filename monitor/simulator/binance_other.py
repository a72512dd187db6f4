"""
Replies of Binance's signed calls beside USD-M futures: rights of the key, and what is empty here.

COIN-M exists for every account but holds nothing in this simulator.
"""

from collections.abc import Callable, Mapping

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_rows import Row
from monitor.simulator.binance_tables import ASSETS

Parameters = Mapping[str, str]
Reply = Row | list[Row]
_CREATED = 1_704_067_200_000  # 2024-01-01


def _restrictions(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    """GET /sapi/v1/account/apiRestrictions."""
    rights = account.spec.permissions
    return {
        "ipRestrict": True,
        "createTime": _CREATED,
        "enableReading": "read" in rights,
        "enableWithdrawals": "withdraw" in rights,
        "enableInternalTransfer": "transfer" in rights,
        "enableMargin": False,
        "enableFutures": "trade" in rights,
        "permitsUniversalTransfer": "transfer" in rights,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": "trade" in rights,
        "enablePortfolioMarginTrading": False,
    }


def _info(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    """GET /sapi/v1/account/info."""
    return {
        "vipLevel": 0,
        "isMarginEnabled": True,
        "isFutureEnabled": True,
        "isOptionsEnabled": False,
        "isPortfolioMarginRetailEnabled": account.spec.mode == "portfolio_margin",
    }


def _coins(_: BinanceState, __: BinanceAccount, ___: Parameters) -> Reply:
    """GET /sapi/v1/capital/config/getall, as far as a client's start needs it."""
    return [
        {
            "coin": name,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "name": name,
            "free": "0",
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for name in ASSETS
    ]


def _nothing(_: BinanceState, __: BinanceAccount, ___: Parameters) -> Reply:
    return []


def _coin_account(_: BinanceState, __: BinanceAccount, ___: Parameters) -> Reply:
    """GET /dapi/v1/account of an account that has never used COIN-M."""
    zero = "0.00000000"
    fields = (
        "walletBalance",
        "unrealizedProfit",
        "marginBalance",
        "maintMargin",
        "initialMargin",
        "positionInitialMargin",
        "openOrderInitialMargin",
        "maxWithdrawAmount",
        "crossWalletBalance",
        "crossUnPnl",
        "availableBalance",
    )
    assets: list[Row] = [
        {"asset": name, **dict.fromkeys(fields, zero), "updateTime": 0} for name in ("BTC", "ETH")
    ]
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "assets": assets,
        "positions": [],
    }


def _coin_mode(_: BinanceState, account: BinanceAccount, __: Parameters) -> Reply:
    return {"dualSidePosition": account.ledger.hedge}


OTHER_CALLS: dict[str, Callable[[BinanceState, BinanceAccount, Parameters], Reply]] = {
    "/sapi/v1/account/apiRestrictions": _restrictions,
    "/sapi/v1/account/info": _info,
    "/sapi/v1/capital/config/getall": _coins,
    "/sapi/v1/margin/allPairs": _nothing,
    "/sapi/v1/margin/isolated/allPairs": _nothing,
    "/dapi/v1/account": _coin_account,
    "/dapi/v1/positionRisk": _nothing,
    "/dapi/v1/balance": _nothing,
    "/dapi/v2/leverageBracket": _nothing,
    "/dapi/v1/adlQuantile": _nothing,
    "/dapi/v1/openOrders": _nothing,
    "/dapi/v1/openAlgoOrders": _nothing,
    "/dapi/v1/positionSide/dual": _coin_mode,
}
