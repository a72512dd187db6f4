"""Portfolio margin's replies: what its equity is taken apart by must be of the same moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.binance.reading import PORTFOLIO_CALLS, PRO_CALLS
from monitor.exchanges.call import Depth, Replies
from tests.exchanges.binance import wire
from tests.exchanges.binance.test_portfolio import example
from tests.exchanges.binance.test_portfolio_pro import pro
from tests.exchanges.slow_answers import UNDER_WAY, slow

PLAIN = (
    "GET /papi/v1/account",
    "GET /papi/v1/balance",
    "GET /papi/v1/um/positionRisk",
    "GET /papi/v1/cm/positionRisk",
    "GET /fapi/v1/assetIndex",
)
PRO = (
    "GET /sapi/v1/portfolio/account",
    "GET /sapi/v1/portfolio/balance",
    "GET /fapi/v3/positionRisk",
    "GET /dapi/v1/positionRisk",
    "GET /fapi/v1/assetIndex",
)


def late(told, request: str, seconds: float) -> Replies:
    """The replies, one of them so many seconds after all others."""
    body = told[request]
    others = {each: told[each] for each in told if each != request}
    at = wire.NOON + timedelta(seconds=seconds)
    return wire.replies(others, wire.reply(request, body, at=at))


@pytest.mark.parametrize(
    ("kind", "request_line"), [*(("plain", r) for r in PLAIN), *(("pro", r) for r in PRO)]
)
def test_replies_that_came_seconds_apart_are_to_be_read_again(kind, request_line):
    told = example() if kind == "plain" else pro(example())
    assert EXCHANGE.torn(late(told, request_line, 1.9)) is None
    assert "came 2.1 s apart" in (EXCHANGE.torn(late(told, request_line, 2.1)) or "")
    assert "came 2.1 s apart" in (EXCHANGE.torn(late(told, request_line, -2.1)) or "")


@pytest.mark.parametrize(
    "request_line",
    ["GET /sapi/v1/portfolio/collateralRate", "GET /fapi/v1/exchangeInfo", "GET /api/v3/account"],
)
def test_a_table_may_be_as_old_as_it_likes(request_line):
    told = example()
    told.setdefault(request_line, {"balances": []})
    assert EXCHANGE.torn(late(told, request_line, -600)) is None


def test_a_futures_account_may_be_read_seconds_apart():
    told = wire.bodies([wire.position("BTCUSDT", "1", "60000", "60000", "240")], {"USDT": "9000"})
    assert EXCHANGE.torn(late(told, "GET /fapi/v3/account", 5)) is None


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("wanted", [PORTFOLIO_CALLS, PRO_CALLS], ids=["plain", "pro"])
def test_none_of_them_is_kept_however_lean_the_reading(wanted, depth):
    of_the_moment = {call for call in wanted if call.request in (*PLAIN, *PRO)}
    assert len(of_the_moment) >= 4
    assert [call.request for call in of_the_moment if call.age_seconds(depth)] == []


@pytest.mark.parametrize("kind", ["plain", "pro"])
def test_prices_of_a_slow_answer_are_of_when_they_were_asked_for(kind):
    told = example() if kind == "plain" else pro(example())
    view = EXCHANGE.read_account("main", slow(wire.replies(told)))
    marks = view.snapshot(wire.NOON).marks
    of_rows = {marks[symbol].at for symbol in ("BTC/USDT:USDT", "BTC/USD:BTC")}
    assert of_rows == {wire.NOON - UNDER_WAY}
