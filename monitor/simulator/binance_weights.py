"""
What a call to Binance costs, and against which limit it counts.

USD-M and COIN-M share one limit since their engines were joined (2026-06-30); portfolio margin,
the wallet calls and spot have their own. Source: API documentation, weights of each endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FUTURES, PORTFOLIO, WALLET, SPOT = "futures", "portfolio", "wallet", "spot"
LIMITS = {FUTURES: 2400, PORTFOLIO: 6000, WALLET: 12000, SPOT: 6000}
_PREFIXES = {"/fapi/": FUTURES, "/dapi/": FUTURES, "/papi/": PORTFOLIO, "/sapi/": WALLET}
_WEIGHTS = {
    "/fapi/v3/account": 5,
    "/fapi/v3/positionRisk": 5,
    "/fapi/v3/balance": 5,
    "/fapi/v1/accountConfig": 5,
    "/fapi/v1/symbolConfig": 5,
    "/fapi/v1/adlQuantile": 5,
    "/fapi/v1/multiAssetsMargin": 30,
    "/fapi/v1/positionSide/dual": 30,
    "/fapi/v1/income": 30,
    "/fapi/v1/commissionRate": 20,
    "/dapi/v1/account": 5,
    "/dapi/v1/premiumIndex": 10,
    "/dapi/v1/adlQuantile": 5,
    "/dapi/v1/positionSide/dual": 30,
    "/dapi/v1/income": 20,
    "/dapi/v1/commissionRate": 20,
    "/papi/v1/account": 20,
    "/papi/v1/balance": 20,
    "/papi/v1/um/account": 5,
    "/papi/v2/um/account": 5,
    "/papi/v1/cm/account": 5,
    "/papi/v1/um/positionRisk": 5,
    "/papi/v1/um/accountConfig": 5,
    "/papi/v1/um/symbolConfig": 5,
    "/papi/v1/um/adlQuantile": 5,
    "/papi/v1/cm/adlQuantile": 5,
    "/papi/v1/um/positionSide/dual": 30,
    "/papi/v1/cm/positionSide/dual": 30,
    "/papi/v1/um/income": 30,
    "/papi/v1/cm/income": 30,
    "/papi/v1/um/commissionRate": 20,
    "/papi/v1/cm/commissionRate": 20,
    "/sapi/v1/portfolio/balance": 20,
    "/sapi/v1/portfolio/collateralRate": 50,
    "/sapi/v2/portfolio/collateralRate": 50,
    "/api/v3/account": 20,
}
_WEIGHTS_WITHOUT_SYMBOL = {
    "/fapi/v1/assetIndex": 10,
    "/fapi/v1/premiumIndex": 10,
    "/fapi/v1/openOrders": 40,
    "/fapi/v1/openAlgoOrders": 40,
    "/fapi/v1/forceOrders": 50,
    "/dapi/v1/openOrders": 40,
    "/dapi/v1/openAlgoOrders": 40,
    "/dapi/v1/forceOrders": 50,
    "/dapi/v2/leverageBracket": 2,
    "/papi/v1/um/openOrders": 40,
    "/papi/v1/cm/openOrders": 40,
    "/papi/v1/um/algo/openAlgoOrders": 40,
    "/papi/v1/cm/conditional/openOrders": 40,
}


def weight(path: str, query: Mapping[str, str]) -> int:
    if "symbol" not in query and path in _WEIGHTS_WITHOUT_SYMBOL:
        return _WEIGHTS_WITHOUT_SYMBOL[path]
    return _WEIGHTS.get(path, 1)


def limit_of(path: str) -> str:
    """Give the name of the limit against which a path counts."""
    return next((name for start, name in _PREFIXES.items() if path.startswith(start)), SPOT)


@dataclass(slots=True)
class Spent:
    """What was spent of each limit in the present minute."""

    minute: int = 0
    used: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, cost: int, minute: int) -> bool:
        """Count a call and tell whether its limit still holds."""
        if minute != self.minute:
            self.minute, self.used = minute, {}
        self.used[name] = self.used.get(name, 0) + cost
        return self.used[name] <= LIMITS[name]
