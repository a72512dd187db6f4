"""
Of when the marks in an answer are: never of later than they can be.

A slow answer brings prices of before: taken for those of the moment at which it came, they would
take back what live marks told meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.exchanges.call import Replies
from monitor.exchanges.registry import EXCHANGES
from tests.exchanges.binance import wire as binance
from tests.exchanges.bybit import examples as bybit_examples
from tests.exchanges.bybit import wire as bybit
from tests.exchanges.okx import examples as okx_examples
from tests.exchanges.okx import wire as okx

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.exchanges.call import Reply

AHEAD = timedelta(seconds=100)
UNDER_WAY = timedelta(seconds=3)
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


def _bybit() -> Replies:
    return bybit.replies(bybit_examples.two_positions())


def _okx() -> Replies:
    return okx.replies(okx_examples.w7())


@pytest.mark.parametrize(
    ("name", "told", "age"),
    [
        # Neither names a time of the prices in a position row: they hold since it was asked for.
        ("binance", _binance, UNDER_WAY),
        ("okx", _okx, UNDER_WAY),
        # The premium index tells its time.
        ("binance", _binance_unmarked, LONG_AGO),
        # Bybit's answers are stamped, here with the time at which they came by our clock.
        ("bybit", _bybit, AHEAD),
    ],
)
def test_marks_of_a_reading_are_of_no_later_than_they_can_be(
    name: str, told: Callable[[], Replies], age: timedelta
) -> None:
    def slow(reply: Reply) -> Reply:
        return replace(reply, asked_at=reply.at - UNDER_WAY, ahead=AHEAD)

    replies = Replies(map(slow, told()))
    (came,) = {reply.at for reply in replies}
    marks = EXCHANGES[name].read_account("main", replies).snapshot(came).marks
    assert marks
    assert {mark.at for mark in marks.values()} == {came - age}
