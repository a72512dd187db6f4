"""The calls: ccxt knows them, they are as fresh as they must be, and within every limit."""

from __future__ import annotations

from collections import defaultdict

import ccxt.async_support as ccxt
import pytest

from monitor.exchanges.okx import EXCHANGE, calls
from tests.exchanges.okx import examples, loans, wire
from tests.exchanges.okx.test_account import asked_in_turn

BALANCE = "GET /api/v5/account/balance"
CONFIG = "GET /api/v5/account/config"
POSITIONS = "GET /api/v5/account/positions"
INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
TIERS = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily=BTC-USDT"
DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"


def every_call():
    return [call for _, calls_ in EXCHANGE.catalogue for call in calls_] + [
        EXCHANGE.time_call,
        *EXCHANGE.permission_calls,
        calls.all_instruments("SWAP"),
        calls.all_fees("SWAP"),
        calls.ALL_DISCOUNTS,
        calls.ALL_FUNDING,
        calls.stops("oco", after="1"),
    ]


@pytest.fixture(scope="module")
def client():
    return ccxt.okx()


@pytest.mark.parametrize("call", every_call(), ids=lambda call: call.request)
def test_every_call_is_one_that_ccxt_can_sign(client, call):
    assert callable(getattr(client, call.implicit))
    # «privateGetAccountTradeFee» is GET account/trade-fee, privately.
    words = call.path.removeprefix("/api/v5/").replace("/", "-").split("-")
    scope = "private" if words[0] in ("account", "asset", "trade") else "public"
    assert call.implicit == scope + "Get" + "".join(word.capitalize() for word in words)


@pytest.mark.parametrize("call", every_call(), ids=lambda call: call.request)
def test_what_must_be_new_is_asked_at_every_poll(call):
    ages = {
        "/api/v5/account/balance": 0,
        "/api/v5/account/positions": 0,
        "/api/v5/public/mark-price": 0,
        "/api/v5/public/time": 0,
        "/api/v5/account/config": 0,
        "/api/v5/trade/orders-algo-pending": 60,
        "/api/v5/public/instruments": 86_400,
        "/api/v5/public/position-tiers": 3600,
        "/api/v5/account/trade-fee": 3600,
        "/api/v5/public/discount-rate-interest-free-quota": 3600,
        "/api/v5/public/funding-rate": 60,
        "/api/v5/account/bills": 60,
        "/api/v5/asset/balances": 60,
    }
    assert call.max_age_seconds == ages[call.path]


def test_what_is_optional_is_what_no_figure_needs():
    optional = {call.path for call in every_call() if call.optional}

    assert optional == {
        "/api/v5/public/mark-price",
        "/api/v5/trade/orders-algo-pending",
        "/api/v5/public/funding-rate",
        "/api/v5/account/bills",
        "/api/v5/asset/balances",
    }


def every_kind():
    return [
        examples.w7,
        examples.w8,
        examples.multi,
        examples.w3,
        examples.w6,
        lambda: loans.trading(loans.w1_row()),
        lambda: examples.multi() | {CONFIG: wire.config("4")},
    ]


@pytest.mark.parametrize("told", every_kind())
def test_three_accounts_keep_to_a_fifth_of_every_published_limit(told):
    rounds, _ = asked_in_turn(told())
    per_minute = defaultdict(float)
    limits = {}
    for call in (call for calls_ in rounds for call in calls_):
        polls = 60 / max(call.max_age_seconds, 15)
        per_minute[call.budget.name] += 3 * polls * call.weight
        limits[call.budget.name] = call.budget.per_minute
    assert limits["okx account/balance"] == 300
    assert limits["okx account/config"] == 150
    for name, used in per_minute.items():
        assert used <= limits[name] / 5, name
