"""Frames of Binance's private stream that move nothing, are broken, or were documented."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance.updates import BalancesMoved, read_event
from tests.exchanges.binance import wire
from tests.exchanges.binance.events import LATER, balance, event, leg, told

D = Decimal


@pytest.mark.parametrize(
    "body",
    [
        {
            "e": "MARGIN_CALL",
            "E": LATER,
            "cw": "3.16812045",
            "p": [{"s": "BTCUSDT", "ps": "LONG", "pa": "1", "mt": "CROSSED", "mm": "1.6"}],
        },
        {"e": "ORDER_TRADE_UPDATE", "E": LATER, "T": LATER, "o": {"s": "BTCUSDT", "X": "FILLED"}},
        {"e": "listenKeyExpired", "E": LATER, "listenKey": "made-up"},
        {"e": "TRADE_LITE", "E": LATER, "s": "BTCUSDT"},
        {"e": "SOMETHING_NEW", "E": LATER},
        {"e": "ACCOUNT_CONFIG_UPDATE", "E": LATER, "T": LATER},
        {"result": None, "id": 1},
    ],
)
def test_what_moves_no_balance_leaves_the_very_view(body):
    view = wire.read(told())

    assert view.updated(wire.frame(body)) is view


@pytest.mark.parametrize(
    "body",
    [
        "",
        "ping",
        "<html>",
        "null",
        "[]",
        {},
        {"hello": "world"},
        {"e": ""},
        {"e": "markPriceUpdate", "E": LATER, "s": "BTCUSDT", "p": "61000", "st": 1},
        {"stream": "btcusdt@markPrice", "data": [1]},
    ],
)
def test_what_is_no_account_event_is_refused(body):
    with pytest.raises(Malformed):
        wire.read(told()).updated(wire.frame(body))


def _required():
    whole = event(
        balances=[balance("USDT", "1")], legs=[leg("BTCUSDT", "1", "60000", isolated="5")]
    )
    for path, key in [
        (("T",), "frame.T"),
        (("a",), "frame.a"),
        (("a", "m"), "frame.a.m"),
        *[(("a", "B", 0, key), f"frame.a.B[0].{key}") for key in ("a", "cw")],
        *[
            (("a", "P", 0, key), f"frame.a.P[0].{key}")
            for key in ("s", "pa", "ep", "mt", "iw", "ps")
        ],
    ]:
        broken = copy.deepcopy(whole)
        row = broken
        for step in path[:-1]:
            row = row[step]
        del row[path[-1]]
        yield broken, key


@pytest.mark.parametrize(("broken", "path"), list(_required()))
def test_every_field_that_an_event_needs_is_named_when_missing(broken, path):
    with pytest.raises(Malformed) as caught:
        wire.read(told()).updated(wire.frame(broken))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("key", "value"),
    [("pa", "NaN"), ("ep", "0"), ("ep", "-1"), ("mt", "crossed"), ("ps", "UP"), ("iw", "")],
)
def test_nonsense_in_a_leg_is_refused(key, value):
    broken = event(legs=[leg("BTCUSDT", "1", "60000", isolated="5") | {key: value}])

    with pytest.raises(Malformed, match=rf"frame\.a\.P\[0\]\.{key}"):
        wire.read(told()).updated(wire.frame(broken))


def test_the_documented_event_is_read():
    body = wire.sample("handle_positions", "")

    said = read_event(wire.dumped(body)).says

    assert isinstance(said, BalancesMoved)
    assert said.cross_wallets == {"USDT": D("1040.82091149")}
    (row,) = said.positions
    # Its wallet is the cross wallet and the isolated one: 1,127.95750089.
    assert said.cross_wallets["USDT"] + (row.isolated_wallet or 0) == D("1127.95750089")
    assert (row.amount, row.entry_price) == (D("-0.089"), D("19700.03933"))


def test_an_older_documented_event_of_a_closed_position_is_read():
    said = read_event(wire.dumped(wire.sample("handle_balance", "linear/inverse"))).says

    assert isinstance(said, BalancesMoved)
    assert said.cross_wallets == {"BTC": D("100.12345678")}
    assert said.closed == (("BTCUSD_200925", "BOTH"),)
