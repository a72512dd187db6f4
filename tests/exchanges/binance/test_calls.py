"""What is asked for, in which order and how often."""

from __future__ import annotations

from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.port import Replies
from monitor.risk import evaluate
from tests.exchanges.binance import wire
from tests.exchanges.binance.held import asked_in_turn, told


def test_it_asks_for_mode_wallet_and_positions_and_then_for_what_is_held():
    rounds, replies = asked_in_turn(told())

    assert rounds == [
        [
            "GET /fapi/v1/accountConfig",
            "GET /fapi/v3/account",
            "GET /fapi/v3/positionRisk",
            "GET /sapi/v1/account/info",
        ],
        [
            "GET /fapi/v1/exchangeInfo",
            "GET /fapi/v1/leverageBracket?symbol=BTCUSDT",
            "GET /fapi/v1/leverageBracket?symbol=ETHUSDT",
            "GET /fapi/v1/leverageBracket?symbol=SOLUSDC",
            "GET /fapi/v1/symbolConfig",
            "GET /fapi/v1/openAlgoOrders",
            "GET /fapi/v1/openOrders",
            "GET /fapi/v1/commissionRate?symbol=BTCUSDT",
            "GET /fapi/v1/commissionRate?symbol=SOLUSDC",
        ],
    ]
    taken = EXCHANGE.read_account("main", replies).snapshot(wire.NOON)
    assert [pool.id.name for pool in taken.pools] == ["USDC", "USDT", "isolated/BTCUSDT"]


def test_nothing_more_is_asked_of_an_account_without_positions():
    rounds, replies = asked_in_turn(wire.bodies([], {"USDT": "31.02261200"}))

    assert len(rounds) == 1
    (pool,) = EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools
    assert (pool.id.name, pool.collateral[0].balance) == ("USDT", Decimal("31.02261200"))
    assert evaluate(pool, {}, wire.NOON).requirement.ratio == 0


def test_a_symbol_that_the_daily_list_lacks_is_asked_for():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].pop(0)
    answers["GET /fapi/v1/exchangeInfo?symbol=BTCUSDT"] = {"symbols": [wire.contract("BTCUSDT")]}

    rounds, replies = asked_in_turn(answers)

    assert rounds[2] == ["GET /fapi/v1/exchangeInfo?symbol=BTCUSDT"]
    assert len(EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools) == 3


def test_a_symbol_that_no_list_has_is_named():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].pop(0)

    _, replies = asked_in_turn(answers)

    with pytest.raises(Malformed, match=r"exchangeInfo\.symbols: expected a row for BTCUSDT"):
        EXCHANGE.read_account("main", replies).snapshot(wire.NOON)


BROKEN = ["<html></html>", "", None, {}, [None], {"code": -1121, "msg": "Invalid symbol."}]


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("request_line", sorted(told()))
def test_what_cannot_be_read_asks_for_nothing_more_and_raises_nothing(request_line, body):
    answers = told() | {request_line: body}

    rounds, _ = asked_in_turn(answers)

    assert len(rounds) <= 3


def test_a_capture_with_whole_lists_needs_nothing_more():
    asked = EXCHANGE.needed(wire.replies(told()))

    assert asked == ()
    assert len(wire.snapshot(told()).pools) == 3


def test_every_call_exists_in_the_client_that_signs_for_it():
    client = getattr(ccxt, EXCHANGE.client)
    calls = {call for _, listed in EXCHANGE.catalogue for call in listed}
    calls |= {*EXCHANGE.permission_calls, EXCHANGE.time_call, *EXCHANGE.mark_calls(())}

    assert calls
    assert [call.implicit for call in calls if not hasattr(client, call.implicit)] == []


def test_three_accounts_stay_within_a_fifth_of_each_limit():
    polls_per_minute, accounts = 4, 3
    rounds, _ = asked_in_turn(told())
    requests = {request for asked in rounds for request in asked}
    spent: dict[str, float] = {}
    limits: dict[str, int] = {}
    for call in _every_call(told()):
        assert call.request in requests
        reads = min(polls_per_minute, 60 / call.max_age_seconds if call.max_age_seconds else 4)
        spent[call.budget.name] = spent.get(call.budget.name, 0) + accounts * reads * call.weight
        limits[call.budget.name] = call.budget.per_minute

    # 3·4·15 for the three lists of every poll, 3·85/5 for those of five minutes, the rest hourly.
    assert 180 + 51 < spent["binance futures"] < 180 + 51 + 3
    assert all(spent[name] <= limits[name] / 5 for name in limits)


def _every_call(answers):
    given, calls = [], []
    while wanted := EXCHANGE.needed(Replies(given)):
        calls += wanted
        given += [
            wire.reply(call.request, answers.get(call.request, answers.get(f"GET {call.path}")))
            for call in wanted
        ]
    return calls
