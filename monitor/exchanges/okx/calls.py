"""
The calls of OKX's V5 API that reading an account may need, as data.

Knows paths, parameters and published limits; must not know what the replies say.

Limits: OKX API guide, «REST API» of each endpoint («rate limit: n requests per 2 seconds»),
copies of July 2026. Private ones count per user, public ones per IP address.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.exchanges.port import Budget, RestCall

HOUR = 3600.0
DAY = 86_400.0
# A stop order may be a minute older than it looks.
STOPS_SECONDS = 60.0
STOP_KINDS = ("conditional", "oco", "trigger", "move_order_stop")
STOPS_PER_PAGE = 100


def _budget(name: str, per_two_seconds: int) -> Budget:
    return Budget(name=f"okx {name}", per_minute=per_two_seconds * 30)


# Read with every poll: a change of mode changes what every other figure means.
CONFIG = RestCall(
    implicit="privateGetAccountConfig",
    path="/api/v5/account/config",
    budget=_budget("account/config", 5),
)
BALANCE = RestCall(
    implicit="privateGetAccountBalance",
    path="/api/v5/account/balance",
    budget=_budget("account/balance", 10),
)
POSITIONS = RestCall(
    implicit="privateGetAccountPositions",
    path="/api/v5/account/positions",
    budget=_budget("account/positions", 10),
)
TIME = RestCall(
    implicit="publicGetPublicTime",
    path="/api/v5/public/time",
    budget=_budget("public/time", 10),
)
_INSTRUMENTS = _budget("public/instruments", 20)
_FEES = _budget("account/trade-fee", 5)
_DISCOUNTS = _budget("public/discount-rate-interest-free-quota", 2)
_ALL_SWAPS = (("instType", "SWAP"),)
ALL_INSTRUMENTS = RestCall(
    implicit="publicGetPublicInstruments",
    path="/api/v5/public/instruments",
    query=_ALL_SWAPS,
    budget=_INSTRUMENTS,
    max_age_seconds=DAY,
)
ALL_FEES = RestCall(
    implicit="privateGetAccountTradeFee",
    path="/api/v5/account/trade-fee",
    query=_ALL_SWAPS,
    budget=_FEES,
    max_age_seconds=HOUR,
)
ALL_DISCOUNTS = RestCall(
    implicit="publicGetPublicDiscountRateInterestFreeQuota",
    path="/api/v5/public/discount-rate-interest-free-quota",
    budget=_DISCOUNTS,
    max_age_seconds=HOUR,
)
ALL_MARKS = RestCall(
    implicit="publicGetPublicMarkPrice",
    path="/api/v5/public/mark-price",
    query=_ALL_SWAPS,
    budget=_budget("public/mark-price", 10),
    optional=True,
)


def family_in(inst_id: str) -> str:
    """The instrument family in a perpetual's id: ``BTC-USDT`` in ``BTC-USDT-SWAP``."""
    return inst_id.removesuffix("-SWAP")


def _swap(inst_id: str) -> tuple[tuple[str, str], ...]:
    # The family goes with the id so that a reply for either answers the call.
    return (("instType", "SWAP"), ("instFamily", family_in(inst_id)), ("instId", inst_id))


def instrument(inst_id: str, *, optional: bool = False) -> RestCall:
    """One perpetual. By its id, so that a listing of today is asked for when first held."""
    return replace(ALL_INSTRUMENTS, query=_swap(inst_id), optional=optional)


def mark(inst_id: str) -> RestCall:
    """The mark of one perpetual. Optional: a position's own row or a frame may bring it."""
    return replace(ALL_MARKS, query=_swap(inst_id))


def tiers(family: str, margin_mode: str) -> RestCall:
    """The position tiers of a family of perpetuals; `margin_mode` is cross or isolated."""
    return RestCall(
        implicit="publicGetPublicPositionTiers",
        path="/api/v5/public/position-tiers",
        query=(("instType", "SWAP"), ("tdMode", margin_mode), ("instFamily", family)),
        budget=_budget("public/position-tiers", 10),
        max_age_seconds=HOUR,
    )


def fees(family: str) -> RestCall:
    """The account's fee rates for a family of perpetuals (with the family: its own discounts)."""
    return replace(ALL_FEES, query=(*_ALL_SWAPS, ("instFamily", family)))


def discount(ccy: str) -> RestCall:
    """The discount tiers of one coin as collateral."""
    return replace(ALL_DISCOUNTS, query=(("ccy", ccy),))


def stops(kind: str, after: str | None = None) -> RestCall:
    """Pending algo orders of one kind, newest first; `after` asks for those before that id."""
    cursor = () if after is None else (("after", after),)
    return RestCall(
        implicit="privateGetTradeOrdersAlgoPending",
        path="/api/v5/trade/orders-algo-pending",
        query=(("ordType", kind), ("instType", "SWAP"), *cursor),
        budget=_budget("trade/orders-algo-pending", 20),
        max_age_seconds=STOPS_SECONDS,
        optional=True,
        continues=after is not None,
    )


_FAMILY = "<FAMILY>"
_ANY = f"{_FAMILY}-SWAP"
_EVERY_MODE = (CONFIG, BALANCE, POSITIONS)
_WITH_POSITIONS = (
    instrument(_ANY),
    tiers(_FAMILY, "cross"),
    tiers(_FAMILY, "isolated"),
    fees(_FAMILY),
    mark(_ANY),
    *map(stops, STOP_KINDS),
)
CATALOGUE = (
    ("futures mode", (*_EVERY_MODE, *_WITH_POSITIONS)),
    (
        "multi-currency margin",
        (*_EVERY_MODE, *_WITH_POSITIONS, discount("<COIN>"), ALL_MARKS),
    ),
)
