"""
Of when the marks in an answer are: never of later than they can be.

A slow answer brings prices of before: taken for those of the moment at which it came, they would
take back what live marks told meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.exchanges.registry import EXCHANGES
from tests.exchanges.binance import coins
from tests.exchanges.binance import wire as binance
from tests.exchanges.bybit import constructed
from tests.exchanges.bybit import examples as bybit_examples
from tests.exchanges.bybit import wire as bybit
from tests.exchanges.okx import examples as okx_examples
from tests.exchanges.okx import wire as okx
from tests.exchanges.slow_answers import AHEAD, UNDER_WAY, slow

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.exchanges.call import Replies

LONG_AGO = timedelta(seconds=5)


def _binance() -> Replies:
    held = [binance.position("BTCUSDT", "1", "60000", "61000", "244")]
    return binance.replies(binance.bodies(held, {"USDT": "8000"}))


def _binance_unmarked() -> Replies:
    held = [binance.position("BTCUSDT", "1", "60000", "61000", "244")]
    told = binance.bodies(held, {"USDT": "8000"})
    for row in told["GET /fapi/v3/positionRisk"]:
        row.pop("markPrice")
    # By Binance's clock, a moment that was over when it was asked.
    theirs = binance.NOON + AHEAD - LONG_AGO
    index = binance.premium("BTCUSDT", "61000", time=round(theirs.timestamp() * 1000))
    told["GET /fapi/v1/premiumIndex"] = [index]
    return binance.replies(told)


def _binance_coin() -> Replies:
    row = coins.position("BTCUSD_PERP", "100", "26000", "25000")
    around = binance.bodies([], {"USDT": "0"})
    return binance.replies(coins.beside(around, [row], {"BTC": "0.05"}, {"BTCUSD_PERP": "0.0016"}))


def _binance_index(**row: object) -> Replies:
    told = binance.bodies([], {"BTC": "0.5", "USDT": "0"})
    told["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True
    told["GET /fapi/v3/account"] |= {
        "totalMarginBalance": "28500",
        "totalMaintMargin": "0",
        "totalInitialMargin": "0",
        "totalOpenOrderInitialMargin": "0",
    }
    theirs = binance.NOON + AHEAD - LONG_AGO
    index = binance.index("BTC", "60000", "57000", "63000")
    index["time"] = round(theirs.timestamp() * 1000)
    told["GET /fapi/v1/assetIndex"] = [index | row, binance.index("USDT", "1", "1", "1")]
    return binance.replies(told)


def _binance_index_without_a_time() -> Replies:
    return _binance_index(time=None)


def _bybit() -> Replies:
    return bybit.replies(bybit_examples.two_positions())


def _bybit_collateral() -> Replies:
    """BTC is collateral here, and Bybit streams its index."""
    spot = {"list": [bybit.ticker("BTCUSDT", "1", usdIndexPrice="100010")]}
    told = constructed.coins_as_collateral()
    told["/v5/market/tickers?category=spot&symbol=BTCUSDT"] = bybit.envelope(spot)
    return bybit.replies(told)


def _okx() -> Replies:
    return okx.replies(okx_examples.w7())


@pytest.mark.parametrize(
    ("name", "told", "age"),
    [
        # Neither names a time of the prices in a position row: they hold since it was asked for.
        ("binance", _binance, UNDER_WAY),
        ("binance", _binance_coin, UNDER_WAY),
        ("okx", _okx, UNDER_WAY),
        # The premium index tells its time.
        ("binance", _binance_unmarked, LONG_AGO),
        ("binance", _binance_index, LONG_AGO),
        ("binance", _binance_index_without_a_time, UNDER_WAY),
        # Bybit's answers are stamped, here with the time at which they came by our clock.
        ("bybit", _bybit, AHEAD),
        ("bybit", _bybit_collateral, AHEAD),
    ],
)
def test_marks_of_a_reading_are_of_no_later_than_they_can_be(
    name: str, told: Callable[[], Replies], age: timedelta
) -> None:
    replies = slow(told())
    (came,) = {reply.at for reply in replies}
    marks = EXCHANGES[name].read_account("main", replies).snapshot(came).marks
    assert marks
    assert {mark.at for mark in marks.values()} == {came - age}
