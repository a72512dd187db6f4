"""What Bybit's answers must hold to be believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.call import Replies
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    INFO,
    NOW,
    NOW_MS,
    POSITIONS,
    WALLET,
    envelope,
    position,
    positions,
    replies,
    reply,
    ticker,
    wallet,
)

if TYPE_CHECKING:
    from tests.exchanges.bybit.wire import Json

USDT_LIST = POSITIONS.format("linear", "USDT")
USDC_LIST = POSITIONS.format("linear", "USDC")
CASH = [
    "/v5/account/transaction-log?accountType=UNIFIED&limit=50",
    "/v5/asset/transfer/query-account-coins-balance?accountType=FUND",
]
EVERY_CALL = {call.request: call for _, wanted in EXCHANGE.catalogue for call in wanted}


def symbols_held(bodies: dict[str, Json]) -> list[str]:
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    return [held.instrument.exchange_symbol for held in snapshot.pools[0].positions]


def asked(bodies: dict[str, Json]) -> list[str]:
    return [call.request.removeprefix("GET ") for call in EXCHANGE.needed(replies(bodies))]


def test_one_list_without_a_settle_coin_answers_for_both() -> None:
    bodies = examples.two_positions()
    rows = bodies.pop(USDT_LIST)["result"]["list"]
    del bodies[USDC_LIST]
    bodies["/v5/position/list?category=linear"] = envelope(positions(*rows))
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]


def test_flat_rows_and_empty_legs_are_left_out() -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST]["result"]["list"] += [
        position("XRPUSDT", "", "0", "0", "2.1", positionIM="", positionMM="", leverage="10"),
        position("ADAUSDT", "None", "0.00", "", "", liqPrice="0", positionIdx=2),
    ]
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]
    bodies[USDT_LIST]["result"]["list"].append(position("XRPUSDT", "Buy", "-1", "2", "2"))
    with pytest.raises(Malformed, match=r"list\[4\]\.size"):
        symbols_held(bodies)


def test_an_empty_list_is_believed_only_if_the_wallet_agrees() -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST] = envelope(positions())
    with pytest.raises(Malformed, match=r"320.5125 USDT.*an empty list") as caught:
        symbols_held(bodies)
    assert "settleCoin=USDT" in caught.value.call
    usdt = bodies[WALLET]["result"]["list"][0]["coin"][0]
    usdt |= {"totalPositionMM": "0", "unrealisedPnl": "0", "walletBalance": "8500"}
    assert symbols_held(bodies) == []


NOT_AN_ANSWER: list[object] = [
    "<html>maintenance</html>",
    "",
    None,
    [],
    {},
    {"retCode": 0, "retMsg": "OK", "result": {}, "time": NOW_MS},
    {"retCode": 0, "retMsg": "OK", "result": None, "time": NOW_MS},
    {"retCode": 0, "retMsg": "OK", "result": {"list": None}, "time": NOW_MS},
    {"retCode": 10016, "retMsg": "Server error.", "result": {}, "time": NOW_MS},
]


@pytest.mark.parametrize("body", NOT_AN_ANSWER, ids=str)
@pytest.mark.parametrize("request_line", [INFO, WALLET, USDT_LIST, USDC_LIST])
def test_what_is_no_answer_is_never_no_positions(request_line: str, body: object) -> None:
    sent = [reply(r, b) for r, b in examples.two_positions().items() if r != request_line]
    with pytest.raises(Malformed) as caught:
        EXCHANGE.read_account("main", Replies([*sent, reply(request_line, body)]))
    assert request_line in caught.value.call


@pytest.mark.parametrize(
    "result",
    [
        {"list": []},
        {"list": [wallet() | {"accountType": "CONTRACT"}]},
        {"list": [wallet(totalMarginBalance="5")]},
    ],
)
def test_a_wallet_without_its_account_is_an_error(result: Json) -> None:
    bodies = examples.two_positions() | {WALLET: envelope(result)}
    with pytest.raises(Malformed):
        symbols_held(bodies)


NEEDED = [
    request
    for request in constructed.coins_as_collateral()
    if not any(word in request for word in ("fee-rate", "inverse", "option", "settleCoin=USDC"))
]


@pytest.mark.parametrize("request_line", [r for r in NEEDED if "tickers" not in r])
def test_a_needed_reply_that_is_missing_is_named(request_line: str) -> None:
    bodies = constructed.coins_as_collateral()
    del bodies[request_line]
    with pytest.raises(MissingReply) as caught:
        symbols_held(bodies)
    assert request_line.split("?", maxsplit=1)[0] in caught.value.call


@pytest.mark.parametrize(
    "request_line", sorted(set(constructed.coins_as_collateral()) - set(NEEDED))
)
def test_an_optional_reply_may_be_missing(request_line: str) -> None:
    bodies = constructed.coins_as_collateral()
    del bodies[request_line]
    assert symbols_held(bodies) == ["SOLUSDT"]


def test_numbers_may_come_as_numbers_or_as_text() -> None:
    bodies = examples.two_positions()
    bodies[INFO]["retCode"] = "0"
    bodies[INFO]["time"] = str(NOW_MS)
    row = bodies[USDT_LIST]["result"]["list"][0]
    row |= {"size": Decimal("0.5"), "positionIdx": "0", "seq": "12", "adlRankIndicator": "2"}
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize("bad", ["NaN", "-1", "0", "abc", "1e999"])
def test_a_mark_that_is_none_is_never_taken_for_one(bad: str) -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST]["result"]["list"][0]["markPrice"] = bad
    with pytest.raises(Malformed, match="markPrice"):
        symbols_held(bodies)


def test_a_row_without_a_mark_takes_the_tickers() -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST]["result"]["list"][0]["markPrice"] = ""
    request = "/v5/market/tickers?category=linear&symbol=BTCUSDT"
    assert request in asked(bodies)
    with pytest.raises(MissingReply, match="tickers"):
        symbols_held(bodies)
    bodies[request] = envelope({"category": "linear", "list": [ticker("BTCUSDT", "95100")]})
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    assert snapshot.marks["BTC/USDT:USDT"].price == 95100


def test_marks_carry_bybits_time_but_never_a_later_one_than_they_came() -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST]["time"] = NOW_MS - 250
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    assert snapshot.marks["BTC/USDT:USDT"].at == NOW - timedelta(milliseconds=250)
    bodies[USDT_LIST]["time"] = NOW_MS + 900
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    assert snapshot.marks["BTC/USDT:USDT"].at == NOW
    assert (snapshot.at, snapshot.mode, snapshot.exchange) == (NOW, "unified, cross", "bybit")


def test_switches_are_asked_for_where_the_wallet_lacks_them() -> None:
    bodies = constructed.coins_as_collateral()
    rows = {row["coin"]: row for row in bodies[WALLET]["result"]["list"][0]["coin"]}
    for key in ("marginCollateral", "collateralSwitch"):
        del rows["BTC"][key]
    request = "/v5/account/collateral-info?currency=BTC"
    assert request in asked(bodies)
    with pytest.raises(MissingReply, match="collateral-info"):
        symbols_held(bodies)
    for switched, steps in ((True, 6), (False, 1)):
        row = {"currency": "BTC", "marginCollateral": True, "collateralSwitch": switched}
        bodies[request] = envelope({"list": [row]})
        pool = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW).pools[0]
        btc = next(c for c in pool.collateral if c.asset == "BTC")
        assert len(btc.haircuts) == steps
        assert (btc.follows is None) is not switched


def test_answers_of_one_moment_are_told_from_torn_ones() -> None:
    bodies = examples.two_positions()
    assert EXCHANGE.torn(replies(bodies)) is None
    row = bodies[USDT_LIST]["result"]["list"][0]
    # 0.2 % of the 83,500 held: 167 of unrealized PnL may be drift.
    row["unrealisedPnl"] = "-2600"
    assert EXCHANGE.torn(replies(bodies)) is None
    row["unrealisedPnl"] = "-2700"
    assert "unrealized PnL of -3500 and -3700 USDT" in (EXCHANGE.torn(replies(bodies)) or "")
    row["unrealisedPnl"] = "-2500"
    row["positionMM"] = "200"
    assert "margin of 320.5125 and 339.0125" in (EXCHANGE.torn(replies(bodies)) or "")
    assert EXCHANGE.torn(replies(constructed.both_legs())) is None
    assert EXCHANGE.torn(Replies()) is None


def test_the_time_is_bybits() -> None:
    body = envelope({"timeSecond": "1795348800", "timeNano": "1795348800123456789"})
    assert EXCHANGE.read_time(body) == NOW + timedelta(microseconds=123456)
    with pytest.raises(Malformed):
        EXCHANGE.read_time("<html>")


def test_a_reading_is_the_same_value_again() -> None:
    bodies = constructed.coins_as_collateral()
    first = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    again = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    assert first == again
    assert replace(first, account="other") != again
