"""Which positions a pending algo order protects."""

from __future__ import annotations

import pytest

from monitor.exchanges.call import Replies
from monitor.exchanges.okx.calls import STOPS_PER_PAGE
from monitor.exchanges.okx.stops import read_stops, stop_calls
from tests.exchanges.okx import examples, wire

POSITIONS = "GET /api/v5/account/positions"


def protected(*stops, told=None, **changes):
    """Which of W7's positions are protected: a BTC long, an ETH short, an isolated SOL long."""
    told = told or examples.w7()
    for kind in wire.STOP_KINDS:
        of_kind = [stop for stop in stops if stop["ordType"] == kind]
        told[f"GET /api/v5/trade/orders-algo-pending?ordType={kind}"] = wire.envelope(*of_kind)
    snapshot = wire.snapshot(told)
    return [p.has_stop_loss for pool in snapshot.pools for p in pool.positions]


NONE = [False, False, False]
BTC = [True, False, False]
ETH = [False, True, False]
SOL = [False, False, True]


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (wire.stop("BTC-USDT-SWAP", "sell"), BTC),
        (wire.stop("BTC-USDT-SWAP", "sell", ordType="oco", tpTriggerPx="99000"), BTC),
        (wire.stop("ETH-USDT-SWAP", "buy"), ETH),
        (wire.stop("SOL-USDT-SWAP", "sell", tdMode="isolated"), SOL),
        (wire.stop("SOL-USDT-SWAP", "sell", tdMode="cross"), NONE),
        # A buy adds to a long.
        (wire.stop("BTC-USDT-SWAP", "buy"), NONE),
        # Only the take-profit leg is there.
        (wire.stop("BTC-USDT-SWAP", "sell", slTriggerPx="", tpTriggerPx="99000"), NONE),
        (wire.stop("BTC-USDT-SWAP", "sell", ordType="move_order_stop", slTriggerPx=""), BTC),
        (wire.stop("BTC-USDT-SWAP", "sell", state="canceled"), NONE),
        (wire.stop("BTC-USDT-SWAP", "sell", state="effective"), NONE),
        (wire.stop("BTC-USD-SWAP", "sell"), NONE),
    ],
)
def test_stops_protect_the_position_that_they_close(stop, expected):
    assert protected(stop) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"triggerPx": "95000"}, BTC),
        ({"triggerPx": "95000", "reduceOnly": "false"}, NONE),
        # Above the mark of 96,000 a sale takes profit.
        ({"triggerPx": "99000"}, NONE),
    ],
)
def test_a_trigger_order_protects_if_it_only_reduces_and_at_a_loss(changes, expected):
    stop = wire.stop("BTC-USDT-SWAP", "sell", ordType="trigger", slTriggerPx="", **changes)

    assert protected(stop) == expected


@pytest.mark.parametrize(
    ("side", "pos_side", "expected"),
    [("sell", "long", True), ("buy", "short", False), ("sell", "short", False)],
)
def test_in_long_short_mode_the_side_is_named(side, pos_side, expected):
    told = examples.w7()
    told[POSITIONS]["data"][0]["posSide"] = "long"
    stop = wire.stop(
        "BTC-USDT-SWAP",
        side,
        ordType="trigger",
        posSide=pos_side,
        slTriggerPx="",
        triggerPx="95000",
        reduceOnly="false",
    )
    assert protected(stop, told=told)[0] is expected


def test_a_stop_for_the_whole_position_stands_in_its_own_row():
    told = examples.w7()
    algo = {"algoId": "1", "slTriggerPx": "95000", "tpTriggerPx": "", "closeFraction": "1"}
    told[POSITIONS]["data"][0]["closeOrderAlgo"] = [algo]

    assert protected(told=told) == BTC
    algo.update(slTriggerPx="", tpTriggerPx="99000")
    assert protected(told=told) == NONE


def test_without_the_lists_nothing_is_known():
    told = examples.w7()
    for kind in wire.STOP_KINDS:
        del told[f"GET /api/v5/trade/orders-algo-pending?ordType={kind}"]
    snapshot = wire.snapshot(told)

    assert [p.has_stop_loss for pool in snapshot.pools for p in pool.positions] == [None] * 3


def test_with_one_list_missing_a_stop_that_is_seen_counts_and_none_is_not_sure():
    told = examples.w7()
    conditional = wire.envelope(wire.stop("BTC-USDT-SWAP", "sell"))
    told["GET /api/v5/trade/orders-algo-pending?ordType=conditional"] = conditional
    del told["GET /api/v5/trade/orders-algo-pending?ordType=oco"]
    snapshot = wire.snapshot(told)

    assert [p.has_stop_loss for p in snapshot.pools[0].positions] == [True, None]


def page(kind, first, count):
    return wire.envelope(
        *(
            wire.stop("XRP-USDT-SWAP", "sell", ordType=kind, algoId=str(first - n))
            for n in range(count)
        )
    )


def test_a_full_page_asks_for_the_next_one_by_its_last_order():
    path = "GET /api/v5/trade/orders-algo-pending?ordType=conditional"
    given = [wire.reply(path, page("conditional", 1000, STOPS_PER_PAGE))]
    wanted = [call for call in stop_calls(Replies(given)) if "conditional" in call.request]

    assert [call.request for call in wanted] == [f"{path}&after=901"]
    assert wanted[0].continues
    assert wanted[0].optional
    given.append(wire.reply(wanted[0].request, page("conditional", 900, 3)))
    assert not [call for call in stop_calls(Replies(given)) if "conditional" in call.request]
    assert len(read_stops(Replies(given)).by_id) == STOPS_PER_PAGE + 3


@pytest.mark.parametrize(
    "body", [{"code": "0", "data": [{}]}, {"code": "50011", "msg": "Too Many Requests"}, "<html>"]
)
def test_a_list_that_cannot_be_read_takes_no_figure_away(body):
    told = examples.w7()
    told["GET /api/v5/trade/orders-algo-pending?ordType=oco"] = body

    positions = [p for pool in wire.snapshot(told).pools for p in pool.positions]

    assert len(positions) == 3
    assert all(position.has_stop_loss is None for position in positions)
