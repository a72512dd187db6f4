"""
The calls of OKX's V5 API that reading an account may need, as data.

Knows paths, parameters and published limits; must not know what the replies say.

Limits: OKX API guide, «REST API» of each endpoint («rate limit: n requests per 2 seconds»),
copies of July 2026. Private ones count per user, public ones per IP address.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.exchanges.call import Budget, RestCall
from monitor.exchanges.okx.products import FUTURES, MARGIN, SWAP, family_in

HOUR = 3600.0
DAY = 86_400.0
# A stop order may be a minute older than it looks.
STOPS_SECONDS = 60.0
STOP_KINDS = ("conditional", "oco", "trigger", "move_order_stop")
STOPS_PER_PAGE = 100
# What explains a figure, or helps to better it, may be a minute old.
AROUND_SECONDS = 60.0

# A parameter that is none («Parameter instFamily error»), an instrument that there is not.
_UNKNOWN = frozenset({"51000", "51001"})

Query = tuple[tuple[str, str], ...]


def _budget(name: str, per_two_seconds: int) -> Budget:
    by_address = name.startswith("public/")
    return Budget(name=f"okx {name}", per_minute=per_two_seconds * 30, by_address=by_address)


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
_INSTRUMENTS = RestCall(
    implicit="publicGetPublicInstruments",
    path="/api/v5/public/instruments",
    budget=_budget("public/instruments", 20),
    max_age_seconds=DAY,
)
_FEES = RestCall(
    implicit="privateGetAccountTradeFee",
    path="/api/v5/account/trade-fee",
    budget=_budget("account/trade-fee", 5),
    max_age_seconds=HOUR,
)
_TIERS = RestCall(
    implicit="publicGetPublicPositionTiers",
    path="/api/v5/public/position-tiers",
    budget=_budget("public/position-tiers", 10),
    max_age_seconds=HOUR,
)
_MARKS = RestCall(
    implicit="publicGetPublicMarkPrice",
    path="/api/v5/public/mark-price",
    budget=_budget("public/mark-price", 10),
    optional=True,
)
ALL_DISCOUNTS = RestCall(
    implicit="publicGetPublicDiscountRateInterestFreeQuota",
    path="/api/v5/public/discount-rate-interest-free-quota",
    budget=_budget("public/discount-rate-interest-free-quota", 2),
    max_age_seconds=HOUR,
)
FREE = RestCall(
    implicit="privateGetAssetBalances",
    path="/api/v5/asset/balances",
    # Published: 6 requests per second.
    budget=_budget("asset/balances", 12),
    max_age_seconds=AROUND_SECONDS,
    optional=True,
)
BILLS = RestCall(
    implicit="privateGetAccountBills",
    path="/api/v5/account/bills",
    # Published: 5 requests per second.
    budget=_budget("account/bills", 10),
    max_age_seconds=AROUND_SECONDS,
    optional=True,
    is_log=True,
)
_FUNDING = RestCall(
    implicit="publicGetPublicFundingRate",
    path="/api/v5/public/funding-rate",
    budget=_budget("public/funding-rate", 20),
    max_age_seconds=AROUND_SECONDS,
    optional=True,
)
ALL_FUNDING = replace(_FUNDING, query=(("instId", "ANY"),))
"""The next funding of every perpetual."""


def _of(product: str) -> Query:
    return (("instType", product),)


def _one(product: str, inst_id: str) -> Query:
    # The family goes with a contract's id so that a reply for either answers the call.
    family = () if product == MARGIN else (("instFamily", family_in(inst_id)),)
    return (*_of(product), *family, ("instId", inst_id))


def all_instruments(product: str) -> RestCall:
    return replace(_INSTRUMENTS, query=_of(product))


def all_fees(product: str) -> RestCall:
    return replace(_FEES, query=_of(product))


def all_marks(product: str) -> RestCall:
    return replace(_MARKS, query=_of(product))


def instrument(product: str, inst_id: str, *, optional: bool = False) -> RestCall:
    """One instrument. By its id, so that a listing of today is asked for when first held."""
    query = _one(product, inst_id)
    return replace(_INSTRUMENTS, query=query, optional=optional, absent_codes=_UNKNOWN)


def mark(product: str, inst_id: str) -> RestCall:
    """The mark of one instrument. Optional: a position's own row or a frame may bring it."""
    return replace(_MARKS, query=_one(product, inst_id))


def tiers(product: str, family: str, margin_mode: str) -> RestCall:
    """The position tiers of a contract family; `margin_mode` is cross or isolated."""
    query = (*_of(product), ("tdMode", margin_mode), ("instFamily", family))
    return replace(_TIERS, query=query, absent_codes=_UNKNOWN)


def loan_tiers(inst_id: str, margin_mode: str) -> RestCall:
    """The tiers of margin trading on one pair, by what is borrowed of base or quote."""
    query = (*_of(MARGIN), ("tdMode", margin_mode), ("instId", inst_id))
    return replace(_TIERS, query=query, absent_codes=_UNKNOWN)


def borrow_tiers(ccy: str, *, optional: bool = False) -> RestCall:
    """
    The tiers of an account's borrowing of one coin.

    Optional for a coin that is not owed yet.
    """
    query = (*_of(MARGIN), ("tdMode", "cross"), ("ccy", ccy))
    return replace(_TIERS, query=query, optional=optional)


def fees(product: str, family: str) -> RestCall:
    """The account's fee rates for a contract family (with the family: its own discounts)."""
    query = (*_of(product), ("instFamily", family))
    return replace(_FEES, query=query, absent_codes=_UNKNOWN)


def pair_fees(inst_id: str) -> RestCall:
    """The account's fee rates for margin trading on one pair."""
    query = (*_of(MARGIN), ("instId", inst_id))
    return replace(_FEES, query=query, absent_codes=_UNKNOWN)


def loan_fees(*, optional: bool = False) -> RestCall:
    """The account's fee rates for margin trading, which closing a debt costs."""
    return replace(_FEES, query=_of(MARGIN), optional=optional)


def discount(ccy: str) -> RestCall:
    """The discount tiers of one coin as collateral."""
    return replace(ALL_DISCOUNTS, query=(("ccy", ccy),))


def funding(inst_id: str) -> RestCall:
    """The next funding of one perpetual."""
    return replace(_FUNDING, query=(("instId", inst_id),))


def stops(kind: str, after: str | None = None, product: str | None = None) -> RestCall:
    """Pending algo orders of one kind, newest first; `after` asks for those before that id."""
    cursor = () if after is None else (("after", after),)
    return RestCall(
        implicit="privateGetTradeOrdersAlgoPending",
        path="/api/v5/trade/orders-algo-pending",
        query=(("ordType", kind), *(() if product is None else _of(product)), *cursor),
        budget=_budget("trade/orders-algo-pending", 20),
        max_age_seconds=STOPS_SECONDS,
        optional=True,
        lists_stops=True,
        continues=after is not None,
    )


_FAMILY = "<FAMILY>"
_PAIR = "<PAIR>"
_COIN = "<COIN>"
_EVERY_MODE = (CONFIG, BALANCE, POSITIONS)
_AROUND = (FREE, BILLS)


def _contracts(product: str, inst_id: str, *margin_modes: str) -> tuple[RestCall, ...]:
    def filled(call: RestCall) -> RestCall:
        query = tuple((k, _FAMILY if k == "instFamily" else v) for k, v in call.query)
        return replace(call, query=query)

    return (
        filled(instrument(product, inst_id)),
        *(tiers(product, _FAMILY, mode) for mode in margin_modes),
        fees(product, _FAMILY),
        filled(mark(product, inst_id)),
    )


def _held(*margin_modes: str) -> tuple[RestCall, ...]:
    return (
        *_contracts(SWAP, f"{_FAMILY}-SWAP", *margin_modes),
        *_contracts(FUTURES, f"{_FAMILY}-<DATE>", *margin_modes),
        funding(f"{_FAMILY}-SWAP"),
        *map(stops, STOP_KINDS),
    )


def _pairs(*margin_modes: str) -> tuple[RestCall, ...]:
    return (
        instrument(MARGIN, _PAIR),
        *(loan_tiers(_PAIR, mode) for mode in margin_modes),
        pair_fees(_PAIR),
        mark(MARGIN, _PAIR),
    )


_DEBTS = (borrow_tiers(_COIN), loan_fees())
_BACKING = (discount(_COIN), all_marks(SWAP), all_marks(MARGIN))
_BOTH = ("cross", "isolated")
CATALOGUE = (
    ("spot mode", (*_EVERY_MODE, *_AROUND)),
    ("spot mode with borrowing", (*_EVERY_MODE, *_BACKING, *_DEBTS, *_AROUND)),
    ("futures mode", (*_EVERY_MODE, *_held(*_BOTH), *_pairs(*_BOTH), *_AROUND)),
    (
        "multi-currency margin",
        (*_EVERY_MODE, *_held(*_BOTH), *_pairs("isolated"), *_BACKING, *_DEBTS, *_AROUND),
    ),
    (
        "portfolio margin",
        (*_EVERY_MODE, *_held("isolated"), *_pairs("isolated"), *_BACKING, *_AROUND),
    ),
)
