"""Which positions are protected."""

from __future__ import annotations

import pytest

from monitor.exchanges.bybit import EXCHANGE
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    Json,
    envelope,
    recorded,
    replies,
    samples,
    stop_order,
)

ORDERS = "/v5/order/realtime?category=linear&settleCoin=USDT"


def stops(bodies: dict[str, Json]) -> list[bool | None]:
    pool = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW).pools[0]
    return [held.has_stop_loss for held in pool.positions]


def with_orders(*rows: Json) -> list[bool | None]:
    """Of a BTC long and an ETH short."""
    return stops(examples.two_positions() | {ORDERS: envelope({"list": list(rows)})})


def test_nothing_is_known_without_the_orders() -> None:
    assert stops(examples.two_positions()) == [None, None]


def test_no_orders_means_no_stops() -> None:
    assert with_orders() == [False, False]


def test_a_list_without_a_settle_coin_answers_too() -> None:
    row = stop_order("BTCUSDT", "Sell", "StopLoss", 2)
    request = "/v5/order/realtime?category=linear"
    assert stops(examples.two_positions() | {request: envelope({"list": [row]})}) == [True, False]


@pytest.mark.parametrize(
    ("order", "protects"),
    [
        (stop_order("BTCUSDT", "Sell", "StopLoss", 2), [True, False]),
        (stop_order("BTCUSDT", "Sell", "PartialStopLoss", 2), [True, False]),
        (stop_order("BTCUSDT", "Sell", "TrailingStop", 2), [True, False]),
        (stop_order("ETHUSDT", "Buy", "MmRateClose", 0), [False, True]),
        (stop_order("BTCUSDT", "Sell", "Stop", 2), [True, False]),
        (stop_order("ETHUSDT", "Buy", "Stop", 1), [False, True]),
        (stop_order("BTCUSDT", "Sell", "Stop", 2, reduceOnly=False), [True, False]),
        # A conditional order that would open, one on the winning side, one that takes profit.
        (
            stop_order("BTCUSDT", "Sell", "Stop", 2, reduceOnly=False, closeOnTrigger=False),
            [False, False],
        ),
        (stop_order("BTCUSDT", "Sell", "Stop", 1), [False, False]),
        (stop_order("BTCUSDT", "Sell", "TakeProfit", 1), [False, False]),
        # Of the other side, of another leg, of another symbol, already triggered.
        (stop_order("BTCUSDT", "Buy", "StopLoss", 2), [False, False]),
        (stop_order("BTCUSDT", "Sell", "StopLoss", 2, positionIdx=1), [False, False]),
        (stop_order("XRPUSDT", "Sell", "StopLoss", 2), [False, False]),
        (stop_order("BTCUSDT", "Sell", "StopLoss", 2, orderStatus="Triggered"), [False, False]),
        (stop_order("BTCUSDT", "Sell", "", 0, orderStatus="New"), [False, False]),
    ],
)
def test_what_protects_and_what_does_not(order: Json, protects: list[bool]) -> None:
    assert with_orders(order) == protects


@pytest.mark.parametrize(
    ("field", "value", "protected"),
    [
        ("stopLoss", "91000", True),
        ("trailingStop", "500", True),
        ("stopLoss", "0.00", None),
        ("trailingStop", "0", None),
        ("takeProfit", "120000", None),
    ],
)
def test_a_stop_on_the_position_itself(field: str, value: str, protected: bool | None) -> None:
    bodies = examples.two_positions()
    bodies[POSITIONS.format("linear", "USDT")]["result"]["list"][0][field] = value
    assert stops(bodies) == [protected, None]


def test_recorded_orders_protect_nothing() -> None:
    for body in (recorded("bybit_fetchOpenOrder_0")["httpResponse"], *samples("fetch_open_orders")):
        assert stops(examples.two_positions() | {ORDERS: body}) == [False, False]


def test_the_other_settle_coins_orders_say_nothing() -> None:
    request = ORDERS.replace("USDT", "USDC")
    assert stops(examples.two_positions() | {request: envelope({"list": []})}) == [None, None]
