"""Which open order protects which position."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.exchanges.binance.stops import read_stop_orders
from tests.exchanges.binance import wire

LIST = "GET /fapi/v1/openAlgoOrders"


def protected(orders, *, amount="1", side="BOTH", **more):
    """Whether the one BTCUSDT position is told as protected by these conditional orders."""
    row = wire.position("BTCUSDT", amount, "60000", "61000", "244", side=side)
    told = wire.bodies([row], {"USDT": "8000"}, hedge=side != "BOTH") | {LIST: orders} | more
    (position,) = wire.snapshot(told).pools[0].positions
    return position.has_stop_loss


@pytest.mark.parametrize(
    ("order", "amount", "side", "protects"),
    [
        (wire.stop("BTCUSDT", "SELL"), "1", "BOTH", True),
        (wire.stop("BTCUSDT", "BUY"), "-1", "BOTH", True),
        (wire.stop("BTCUSDT", "SELL", orderType="STOP"), "1", "BOTH", True),
        (wire.stop("BTCUSDT", "SELL", orderType="TRAILING_STOP_MARKET"), "1", "BOTH", True),
        (
            wire.stop("BTCUSDT", "SELL", reduceOnly=False, closePosition=True, quantity="0"),
            "1",
            "BOTH",
            True,
        ),
        # Hedge legs: the direction alone tells whether an order closes.
        (wire.stop("BTCUSDT", "SELL", positionSide="LONG", reduceOnly=False), "1", "LONG", True),
        (wire.stop("BTCUSDT", "BUY", positionSide="SHORT", reduceOnly=False), "-1", "SHORT", True),
        # What protects nothing: the wrong direction, symbol, leg or kind, and an entry.
        (wire.stop("BTCUSDT", "BUY"), "1", "BOTH", False),
        (wire.stop("BTCUSDT", "SELL"), "-1", "BOTH", False),
        (wire.stop("ETHUSDT", "SELL"), "1", "BOTH", False),
        (wire.stop("BTCUSDT", "SELL", orderType="TAKE_PROFIT_MARKET"), "1", "BOTH", False),
        (wire.stop("BTCUSDT", "SELL", orderType="TAKE_PROFIT"), "1", "BOTH", False),
        (wire.stop("BTCUSDT", "SELL", reduceOnly=False), "1", "BOTH", False),
        (wire.stop("BTCUSDT", "SELL", positionSide="SHORT"), "1", "LONG", False),
        (wire.stop("BTCUSDT", "SELL", positionSide="BOTH"), "1", "LONG", False),
        (wire.stop("BTCUSDT", "BUY", positionSide="LONG"), "1", "LONG", False),
    ],
)
def test_a_stop_protects_by_kind_direction_and_leg(order, amount, side, protects):
    assert protected([order], amount=amount, side=side) is protects


def test_one_of_many_orders_is_enough():
    orders = [wire.stop("ETHUSDT", "SELL"), wire.stop("BTCUSDT", "SELL", algoId=7)]

    assert protected(orders) is True


def test_a_plain_stop_of_older_days_protects_as_well():
    plain = {
        "orderId": 1,
        "symbol": "BTCUSDT",
        "type": "STOP_MARKET",
        "side": "SELL",
        "positionSide": "BOTH",
        "reduceOnly": True,
        "closePosition": False,
    }

    assert protected([], **{"GET /fapi/v1/openOrders": [plain]}) is True
    assert protected([], **{"GET /fapi/v1/openOrders": [plain | {"type": "LIMIT"}]}) is False


def test_without_the_list_nothing_is_known():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"})
    del told[LIST]

    assert wire.snapshot(told).pools[0].positions[0].has_stop_loss is None


def test_a_list_of_this_symbol_alone_will_do():
    replies = wire.replies({f"{LIST}?symbol=BTCUSDT": [wire.stop("BTCUSDT", "SELL")]})

    assert read_stop_orders(replies, "BTCUSDT") is not None
    assert read_stop_orders(replies, "ETHUSDT") is None


@pytest.mark.parametrize("key", ["algoId", "side", "positionSide", "reduceOnly", "orderType"])
def test_a_list_that_cannot_be_read_is_no_list(key):
    order = wire.stop("BTCUSDT", "SELL")
    del order[key]

    assert protected([order]) is None


def test_a_list_older_than_the_position_does_not_deny_a_stop():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    told = wire.bodies([row], {"USDT": "8000"})
    before = wire.NOON - timedelta(minutes=5)
    del told[LIST]

    without = wire.snapshot(told, wire.reply(LIST, [], at=before))
    with_one = wire.snapshot(told, wire.reply(LIST, [wire.stop("BTCUSDT", "SELL")], at=before))

    assert without.pools[0].positions[0].has_stop_loss is None
    assert with_one.pools[0].positions[0].has_stop_loss is True
