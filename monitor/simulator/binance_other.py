"""Replies of Binance's signed calls beside futures: rights of the key, kind of account, spot."""

from collections.abc import Callable, Mapping

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ZERO
from monitor.simulator.binance_quotes import Row, wire
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
        "enablePortfolioMarginTrading": "trade" in rights and account.is_portfolio,
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


def _spot(state: BinanceState, account: BinanceAccount, _: Parameters) -> Reply:
    """GET /api/v3/account."""
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": account.opened_at,
        "accountType": "SPOT",
        "balances": [
            {"asset": name, "free": wire(amount), "locked": wire(ZERO)}
            for name, amount in account.extras.spot.items()
        ],
        "permissions": ["SPOT"],
        "uid": state.accounts.index(account) + 1,
    }


OTHER_CALLS: dict[str, Callable[[BinanceState, BinanceAccount, Parameters], Reply]] = {
    "/sapi/v1/account/apiRestrictions": _restrictions,
    "/sapi/v1/account/info": _info,
    "/sapi/v1/capital/config/getall": _coins,
    "/sapi/v1/margin/allPairs": _nothing,
    "/sapi/v1/margin/isolated/allPairs": _nothing,
    "/api/v3/account": _spot,
}
