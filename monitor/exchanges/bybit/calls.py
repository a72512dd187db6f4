"""
The calls that read a Bybit account, as data. Knows paths, queries and limits; no replies.

Source: Bybit V5 «Rate Limit» (600 requests in 5 s per IP; per UID and endpoint 50 a second,
fee-rate 5), read 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.call import Budget, RestCall

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE_COINS = ("USDT", "USDC")
PER_IP = Budget(name="bybit: requests per IP", per_minute=600 * 12, window_seconds=5)

_FUNDING_SECONDS = 60
_BOOKINGS_SECONDS = 60
_FREE_SECONDS = 300
_TABLE_SECONDS = 3_600
_INSTRUMENT_SECONDS = 86_400


def _per_uid(endpoint: str, per_second: int) -> Budget:
    return Budget(
        name=f"bybit: {endpoint} per UID",
        per_minute=per_second * 60,
        window_seconds=1,
        by_address=False,
    )


_POSITIONS = _per_uid("position/list", 50)

TIME = RestCall(implicit="publicGetV5MarketTime", path="/v5/market/time", budget=PER_IP)
KEY = RestCall(
    implicit="privateGetV5UserQueryApi",
    path="/v5/user/query-api",
    budget=_per_uid("user/query-api", 10),
)
# Read with every poll: a change of mode changes what every other figure means.
INFO = RestCall(
    implicit="privateGetV5AccountInfo",
    path="/v5/account/info",
    budget=_per_uid("account/info", 50),
)
WALLET = RestCall(
    implicit="privateGetV5AccountWalletBalance",
    path="/v5/account/wallet-balance",
    query=(("accountType", "UNIFIED"),),
    budget=_per_uid("account/wallet-balance", 50),
)


def positions(settle: str) -> RestCall:
    """The linear positions that settle in this coin: each coin has a list of its own."""
    return RestCall(
        implicit="privateGetV5PositionList",
        path="/v5/position/list",
        query=(("category", "linear"), ("settleCoin", settle), ("limit", "200")),
        budget=_POSITIONS,
    )


def _whole_category(category: str, *, optional: bool = False) -> RestCall:
    return RestCall(
        implicit="privateGetV5PositionList",
        path="/v5/position/list",
        query=(("category", category), ("limit", "200")),
        budget=_POSITIONS,
        optional=optional,
    )


LINEAR = {settle: positions(settle) for settle in SETTLE_COINS}
INVERSE = _whole_category("inverse")
# Optional: what options weigh stands in the wallet, though not their names.
OPTIONS = _whole_category("option", optional=True)


def instrument(symbol: str, category: str = "linear", *, optional: bool = False) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketInstrumentsInfo",
        path="/v5/market/instruments-info",
        query=(("category", category), ("symbol", symbol), ("limit", "1000")),
        budget=PER_IP,
        max_age_seconds=_INSTRUMENT_SECONDS,
        optional=optional,
    )


def risk_limit(symbol: str, category: str = "linear", *, optional: bool = False) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketRiskLimit",
        path="/v5/market/risk-limit",
        query=(("category", category), ("symbol", symbol)),
        budget=PER_IP,
        max_age_seconds=_TABLE_SECONDS,
        optional=optional,
    )


def ticker(
    symbol: str, category: str = "linear", *, optional: bool = False, max_age_seconds: float = 0
) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketTickers",
        path="/v5/market/tickers",
        query=(("category", category), ("symbol", symbol)),
        budget=PER_IP,
        max_age_seconds=max_age_seconds,
        optional=optional,
    )


def funding(symbol: str, category: str) -> RestCall:
    """The ticker of a held perpetual, for its next funding; a mark in it tells its own age."""
    return ticker(symbol, category, optional=True, max_age_seconds=_FUNDING_SECONDS)


def fee_rate(symbol: str, category: str = "linear") -> RestCall:
    return RestCall(
        implicit="privateGetV5AccountFeeRate",
        path="/v5/account/fee-rate",
        query=(("category", category), ("symbol", symbol)),
        budget=_per_uid("account/fee-rate", 5),
        max_age_seconds=_TABLE_SECONDS,
        optional=True,
    )


def collateral_ratio(coin: str) -> RestCall:
    return RestCall(
        implicit="publicGetV5SpotMarginTradeCollateral",
        path="/v5/spot-margin-trade/collateral",
        query=(("currency", coin),),
        budget=PER_IP,
        max_age_seconds=_TABLE_SECONDS,
    )


def collateral_switch(coin: str) -> RestCall:
    """Asked for only where a coin's wallet row lacks the switches."""
    return RestCall(
        implicit="privateGetV5AccountCollateralInfo",
        path="/v5/account/collateral-info",
        query=(("currency", coin),),
        budget=_per_uid("account/collateral-info", 50),
        max_age_seconds=_TABLE_SECONDS,
    )


def borrow_tiers(coin: str, *, optional: bool = False) -> RestCall:
    """What a debt in this coin is charged."""
    return RestCall(
        implicit="privateGetV5SpotMarginTradePositionTiers",
        path="/v5/spot-margin-trade/position-tiers",
        query=(("currency", coin),),
        budget=_per_uid("spot-margin-trade/position-tiers", 50),
        max_age_seconds=_TABLE_SECONDS,
        optional=optional,
    )


def orders(settle: str) -> RestCall:
    """
    Open and conditional orders; conditional ones are in the list by default.

    Linear orders are listed by settle coin, inverse ones all together.
    """
    where = (("category", "linear"), ("settleCoin", settle))
    return RestCall(
        implicit="privateGetV5OrderRealtime",
        path="/v5/order/realtime",
        query=(
            *(where if settle in SETTLE_COINS else (("category", "inverse"),)),
            ("openOnly", "0"),
            ("limit", "50"),
        ),
        budget=_per_uid("order/realtime", 50),
        optional=True,
    )


ORDERS = {settle: orders(settle) for settle in SETTLE_COINS}
INVERSE_ORDERS = orders("")


def orders_of(settle: str) -> RestCall:
    """The list that names the orders which settle in this coin."""
    return ORDERS.get(settle, INVERSE_ORDERS)


BOOKINGS = RestCall(
    implicit="privateGetV5AccountTransactionLog",
    path="/v5/account/transaction-log",
    query=(("accountType", "UNIFIED"), ("limit", "50")),
    budget=_per_uid("account/transaction-log", 25),
    max_age_seconds=_BOOKINGS_SECONDS,
    optional=True,
    is_log=True,
)
# Needs the key's «Wallet» box: without it Bybit refuses, and nothing is known of that wallet.
FUNDING_WALLET = RestCall(
    implicit="privateGetV5AssetTransferQueryAccountCoinsBalance",
    path="/v5/asset/transfer/query-account-coins-balance",
    query=(("accountType", "FUND"),),
    budget=_per_uid("asset/transfer/query-account-coins-balance", 5),
    max_age_seconds=_FREE_SECONDS,
    optional=True,
)
CASH = (BOOKINGS, FUNDING_WALLET)


def _for_symbols(*makers: Callable[[str, str], RestCall]) -> tuple[RestCall, ...]:
    return tuple(
        make(f"<{category.upper()} SYMBOL>", category)
        for make in makers
        for category in ("linear", "inverse")
    )


_LISTS = (INFO, WALLET, *LINEAR.values(), INVERSE)
_COINS = (
    collateral_ratio("<COIN>"),
    collateral_switch("<COIN>"),
    instrument("<COIN>USDT", optional=True),
    ticker("<COIN>USDT", optional=True),
    ticker("<COIN>USDT", "spot", optional=True),
)

CATALOGUE = (
    (
        "unified, cross",
        (
            *_LISTS,
            OPTIONS,
            *_for_symbols(instrument, risk_limit, fee_rate, funding),
            *_COINS,
            borrow_tiers("<SETTLE COIN>", optional=True),
            borrow_tiers("<COIN OWED>"),
            *ORDERS.values(),
            INVERSE_ORDERS,
            *CASH,
        ),
    ),
    (
        "unified, isolated",
        (
            *_LISTS,
            OPTIONS,
            *_for_symbols(instrument, risk_limit, fee_rate, funding),
            *ORDERS.values(),
            INVERSE_ORDERS,
            *CASH,
        ),
    ),
    (
        "unified, portfolio margin",
        (
            *_LISTS,
            OPTIONS,
            *_for_symbols(instrument, fee_rate, funding),
            *_COINS,
            *ORDERS.values(),
            INVERSE_ORDERS,
            *CASH,
        ),
    ),
)
