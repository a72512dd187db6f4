"""What is asked for, in which order and how often."""

from __future__ import annotations

from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.risk import evaluate
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.held import asked_in_turn, told

D = Decimal


def test_it_asks_for_mode_wallet_and_positions_and_then_for_what_is_held():
    rounds, replies = asked_in_turn(told())

    assert rounds == [
        ["GET /sapi/v1/account/info", "GET /sapi/v1/portfolio/account"],
        [
            "GET /fapi/v1/accountConfig",
            "GET /fapi/v3/account",
            "GET /fapi/v3/positionRisk",
            "GET /dapi/v1/account",
            "GET /dapi/v1/positionRisk",
        ],
        [
            "GET /fapi/v1/exchangeInfo",
            "GET /fapi/v1/leverageBracket?symbol=BTCUSDT",
            "GET /fapi/v1/leverageBracket?symbol=ETHUSDT",
            "GET /fapi/v1/leverageBracket?symbol=SOLUSDC",
            "GET /fapi/v1/symbolConfig",
            "GET /fapi/v1/openAlgoOrders?symbol=BTCUSDT",
            "GET /fapi/v1/openAlgoOrders?symbol=ETHUSDT",
            "GET /fapi/v1/openAlgoOrders?symbol=SOLUSDC",
            "GET /fapi/v1/openOrders?symbol=BTCUSDT",
            "GET /fapi/v1/openOrders?symbol=ETHUSDT",
            "GET /fapi/v1/openOrders?symbol=SOLUSDC",
            "GET /fapi/v1/commissionRate?symbol=BTCUSDT",
            "GET /fapi/v1/commissionRate?symbol=SOLUSDC",
            "GET /fapi/v1/premiumIndex?symbol=BTCUSDT",
            "GET /fapi/v1/premiumIndex?symbol=ETHUSDT",
            "GET /fapi/v1/premiumIndex?symbol=SOLUSDC",
            "GET /fapi/v1/income?limit=1000",
            "GET /api/v3/account?omitZeroBalances=true",
        ],
    ]
    taken = EXCHANGE.read_account("main", replies).snapshot(wire.NOON)
    assert [pool.id.name for pool in taken.pools] == ["USDC", "USDT", "isolated/BTCUSDT"]


def test_nothing_more_is_asked_of_an_account_without_positions():
    rounds, replies = asked_in_turn(wire.bodies([], {"USDT": "31.02261200"}))

    assert len(rounds) == 2
    (pool,) = EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools
    assert (pool.id.name, pool.collateral[0].balance) == ("USDT", Decimal("31.02261200"))
    assert evaluate(pool, {}, wire.NOON).requirement.ratio == 0


def test_a_symbol_that_the_daily_list_lacks_is_asked_for():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].pop(0)
    answers["GET /fapi/v1/exchangeInfo?symbol=BTCUSDT"] = {"symbols": [wire.contract("BTCUSDT")]}

    rounds, replies = asked_in_turn(answers)

    assert rounds[3] == ["GET /fapi/v1/exchangeInfo?symbol=BTCUSDT"]
    assert len(EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools) == 3


def test_a_symbol_that_no_list_has_is_named():
    answers = told()
    answers["GET /fapi/v1/exchangeInfo"]["symbols"].pop(0)

    _, replies = asked_in_turn(answers)

    with pytest.raises(Malformed, match=r"exchangeInfo\.symbols: expected a row for BTCUSDT"):
        wire.whole(EXCHANGE.read_account("main", replies))


BROKEN = ["<html></html>", "", None, {}, [None], {"code": -1121, "msg": "Invalid symbol."}]


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("request_line", sorted(told()))
def test_what_cannot_be_read_asks_for_nothing_more_and_raises_nothing(request_line, body):
    answers = told() | {request_line: body}

    rounds, _ = asked_in_turn(answers)

    assert len(rounds) <= 4


def test_a_capture_with_whole_lists_needs_nothing_more():
    marked = told() | {"GET /fapi/v1/premiumIndex": []}

    assert EXCHANGE.needed(wire.replies(marked)) == ()
    assert len(wire.snapshot(told()).pools) == 3


def test_every_call_exists_in_the_client_that_signs_for_it():
    client = getattr(ccxt, EXCHANGE.client)
    calls = {call for _, listed in EXCHANGE.catalogue for call in listed}
    calls |= {*EXCHANGE.permission_calls, EXCHANGE.time_call, *EXCHANGE.mark_calls(())}

    assert calls
    assert [call.implicit for call in calls if not hasattr(client, call.implicit)] == []


def beside_coins():
    """The account with a COIN-M wallet that holds two coins' contracts."""
    rows = [
        coins.position("BTCUSD_PERP", "100", "26000", "25000"),
        coins.position("BTCUSD_261225", "-50", "26000", "25100"),
    ]
    margins = {"BTCUSD_PERP": "0.0016", "BTCUSD_261225": "0.00079681"}
    return coins.beside(told(), rows, {"BTC": "0.05"}, margins)


def in_multi_assets_mode():
    answers = beside_coins()
    answers["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True
    return answers | {"GET /fapi/v1/assetIndex": []}


def of_portfolio_margin():
    row = wire.position("BTCUSDT", "1", "60000", "61000", "244")
    coin = coins.position("BTCUSD_PERP", "100", "26000", "25000")
    return coins.portfolio([], [row], [coin]) | coins.lists("BTCUSD_PERP")


@pytest.mark.parametrize(
    ("answers", "polled", "slow"),
    [
        # Each poll: the switches 5, wallet 5, positions 5, COIN-M's 5 and 1. Then of 3 symbols
        # the conditional orders in five minutes and plain ones in ten, income 30 in five, funding
        # 3 a minute.
        (told, 21, D(3) / 5 + D(3) / 10 + D(30) / 5 + 3),
        # And COIN-M's: orders of 2 twice in ten minutes, income 20 in five, funding 10, ranks 5.
        (beside_coins, 21, D(3) / 5 + D(3) / 10 + D(30) / 5 + 3 + D(4) / 10 + 4 + 10 + 5),
        # And the rates of all assets, 10, with each poll.
        (in_multi_assets_mode, 31, D(3) / 5 + D(3) / 10 + D(30) / 5 + 3 + D(4) / 10 + 4 + 10 + 5),
        # Portfolio margin has a budget of its own; of this one the rates, and both fundings.
        (of_portfolio_margin, 10, D(1) + 10),
    ],
)
def test_three_accounts_stay_within_a_fifth_of_each_limit(answers, polled, slow):
    polls_per_minute, accounts = 4, 3
    spent: dict[str, Decimal] = {}
    limits: dict[str, int] = {}
    for call in _every_call(answers()):
        age = call.max_age_seconds
        reads = min(D(polls_per_minute), D(60) / D(age)) if age else D(polls_per_minute)
        spent[call.budget.name] = spent.get(call.budget.name, D(0)) + accounts * reads * call.weight
        limits[call.budget.name] = call.budget.per_minute

    # The rest is read hourly or daily: contracts, brackets, fees.
    rest = spent["binance futures"] - accounts * (polled * polls_per_minute + slow)
    assert 0 <= rest < 8
    assert {name: amount for name, amount in spent.items() if amount > limits[name] / 5} == {}


def _every_call(answers):
    given, calls = [], []
    while wanted := EXCHANGE.needed(Replies(given)):
        calls += wanted
        given += [
            wire.reply(call.request, answers.get(call.request, answers.get(f"GET {call.path}")))
            for call in wanted
        ]
    return calls
