"""
The calls that read a Bybit account, as data. Knows paths, queries and limits; no replies.

Source: Bybit V5 «Rate Limit» (600 requests in 5 s per IP; per UID and endpoint 50 a second,
fee-rate 5), read 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.port import Budget, RestCall

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE_COINS = ("USDT", "USDC")
PER_IP = Budget(name="bybit: requests per IP", per_minute=600 * 12)

_STOPS_SECONDS = 120
_TABLE_SECONDS = 3_600
_INSTRUMENT_SECONDS = 86_400


def _per_uid(endpoint: str, per_second: int) -> Budget:
    return Budget(name=f"bybit: {endpoint} per UID", per_minute=per_second * 60)


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


def other_positions(category: str) -> RestCall:
    """
    What is held of a category that is not modelled, to name it.

    Optional: the wallet tells of such holdings too, though not of their symbols.
    """
    return RestCall(
        implicit="privateGetV5PositionList",
        path="/v5/position/list",
        query=(("category", category), ("limit", "200")),
        budget=_POSITIONS,
        optional=True,
    )


LINEAR = {settle: positions(settle) for settle in SETTLE_COINS}
UNMODELLED = tuple(other_positions(category) for category in ("inverse", "option"))


def instrument(symbol: str, *, optional: bool = False) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketInstrumentsInfo",
        path="/v5/market/instruments-info",
        query=(("category", "linear"), ("symbol", symbol), ("limit", "1000")),
        budget=PER_IP,
        max_age_seconds=_INSTRUMENT_SECONDS,
        optional=optional,
    )


def risk_limit(symbol: str) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketRiskLimit",
        path="/v5/market/risk-limit",
        query=(("category", "linear"), ("symbol", symbol)),
        budget=PER_IP,
        max_age_seconds=_TABLE_SECONDS,
    )


def ticker(symbol: str, *, optional: bool = False) -> RestCall:
    return RestCall(
        implicit="publicGetV5MarketTickers",
        path="/v5/market/tickers",
        query=(("category", "linear"), ("symbol", symbol)),
        budget=PER_IP,
        optional=optional,
    )


def fee_rate(symbol: str) -> RestCall:
    return RestCall(
        implicit="privateGetV5AccountFeeRate",
        path="/v5/account/fee-rate",
        query=(("category", "linear"), ("symbol", symbol)),
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


def orders(settle: str) -> RestCall:
    """Open and conditional orders; conditional ones are in the list by default."""
    return RestCall(
        implicit="privateGetV5OrderRealtime",
        path="/v5/order/realtime",
        query=(
            ("category", "linear"),
            ("settleCoin", settle),
            ("openOnly", "0"),
            ("limit", "50"),
        ),
        budget=_per_uid("order/realtime", 50),
        max_age_seconds=_STOPS_SECONDS,
        optional=True,
    )


def _for_symbols() -> tuple[RestCall, ...]:
    per_symbol: tuple[Callable[[str], RestCall], ...] = (instrument, risk_limit, fee_rate)
    return tuple(make("<SYMBOL>") for make in per_symbol)


CATALOGUE = (
    (
        "unified, cross",
        (
            INFO,
            WALLET,
            *LINEAR.values(),
            *UNMODELLED,
            *_for_symbols(),
            collateral_ratio("<COIN>"),
            collateral_switch("<COIN>"),
            instrument("<COIN>USDT", optional=True),
            ticker("<COIN>USDT", optional=True),
            *(orders(settle) for settle in SETTLE_COINS),
        ),
    ),
)
