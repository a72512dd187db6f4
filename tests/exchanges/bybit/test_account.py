"""What Bybit must be asked, and what its answers must hold to be believed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import ccxt.async_support as ccxt
import pytest

from monitor.errors import Malformed, MissingReply, Unmodelled
from monitor.exchanges.bybit import EXCHANGE, calls
from monitor.exchanges.port import Replies
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    INFO,
    NOW,
    NOW_MS,
    POSITIONS,
    WALLET,
    coin,
    envelope,
    info,
    instrument,
    position,
    positions,
    replies,
    reply,
    samples,
    ticker,
    wallet,
)

if TYPE_CHECKING:
    from monitor.exchanges.port import RestCall
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


@pytest.mark.parametrize(
    "call",
    [*EVERY_CALL.values(), *EXCHANGE.permission_calls, EXCHANGE.time_call],
    ids=lambda c: c.path,
)
def test_every_call_is_one_that_ccxt_signs(call: RestCall) -> None:
    assert hasattr(getattr(ccxt, EXCHANGE.client)(), call.implicit)
    words = "".join(part.capitalize() for part in call.path.replace("-", "/").split("/"))
    assert call.implicit.endswith(f"Get{words}")
    assert call.implicit.startswith(("private", "public"))


def test_the_fixed_lists_come_first() -> None:
    assert asked({}) == [
        "/v5/account/info",
        "/v5/account/wallet-balance?accountType=UNIFIED",
        "/v5/position/list?category=linear&settleCoin=USDT&limit=200",
        "/v5/position/list?category=linear&settleCoin=USDC&limit=200",
        "/v5/position/list?category=inverse&limit=200",
        "/v5/position/list?category=option&limit=200",
    ]


def test_symbols_and_coins_ask_for_their_tables() -> None:
    bodies = constructed.coins_as_collateral()
    for request in list(bodies):
        if not request.startswith(("/v5/account/", "/v5/position/")):
            del bodies[request]
    del bodies["/v5/account/fee-rate?category=linear&symbol=SOLUSDT"]
    assert asked(bodies) == [
        "/v5/market/instruments-info?category=linear&symbol=SOLUSDT&limit=1000",
        "/v5/market/risk-limit?category=linear&symbol=SOLUSDT",
        "/v5/account/fee-rate?category=linear&symbol=SOLUSDT",
        "/v5/market/tickers?category=linear&symbol=SOLUSDT",
        "/v5/order/realtime?category=linear&settleCoin=USDT&openOnly=0&limit=50",
        # Positions settle in it, so that a debt may begin.
        "/v5/spot-margin-trade/position-tiers?currency=USDT",
        "/v5/spot-margin-trade/collateral?currency=USDT",
        "/v5/spot-margin-trade/collateral?currency=BTC",
        "/v5/market/instruments-info?category=linear&symbol=BTCUSDT&limit=1000",
        "/v5/spot-margin-trade/collateral?currency=METH",
        "/v5/market/instruments-info?category=linear&symbol=METHUSDT&limit=1000",
        *CASH,
    ]


def test_a_listed_perpetual_asks_for_its_mark_and_an_unlisted_one_for_nothing() -> None:
    bodies = constructed.coins_as_collateral()
    del bodies["/v5/market/tickers?category=linear&symbol=BTCUSDT"]
    rest = [
        "/v5/market/tickers?category=linear&symbol=SOLUSDT",
        "/v5/order/realtime?category=linear&settleCoin=USDT&openOnly=0&limit=50",
        "/v5/spot-margin-trade/position-tiers?currency=USDT",
    ]
    btc = "/v5/market/tickers?category=linear&symbol=BTCUSDT"
    assert asked(bodies) == [*rest, btc, *CASH]
    bodies["/v5/market/instruments-info?category=linear&symbol=METHUSDT"] = {
        "retCode": 10001,
        "retMsg": "params error: symbol invalid",
        "result": {"category": "", "list": []},
        "retExtInfo": {},
        "time": NOW_MS,
    }
    assert asked(bodies) == [*rest, btc, *CASH]


def test_a_whole_account_wants_nothing_more() -> None:
    bodies = examples.two_positions()
    lists = [
        "/v5/order/realtime?category=linear&settleCoin=USDT",
        "/v5/market/tickers?category=linear",
        "/v5/spot-margin-trade/position-tiers",
    ]
    bodies |= {request: envelope({"list": []}) for request in lists}
    assert asked(bodies) == CASH
    # A log is as long as the account is old: its first page is all that is asked for.
    log = {"list": [], "nextPageCursor": "1%3A2"}
    bodies |= {CASH[0]: envelope(log), CASH[1]: envelope({"balance": []})}
    assert asked(bodies) == []


def test_only_what_no_figure_needs_is_optional() -> None:
    optional = {call.path for call in EVERY_CALL.values() if call.optional}
    assert optional == {
        # Of options, whose margin the wallet tells.
        "/v5/position/list",
        # Of a coin that is not owed, and need never be.
        "/v5/spot-margin-trade/position-tiers",
        "/v5/account/transaction-log",
        "/v5/asset/transfer/query-account-coins-balance",
        "/v5/account/fee-rate",
        "/v5/order/realtime",
        # Of a coin's own perpetual; those of held symbols are needed.
        "/v5/market/instruments-info",
        "/v5/market/tickers",
    }
    held = [call for call in EVERY_CALL.values() if " SYMBOL>" in str(call.query)]
    assert {call.path for call in held if not call.optional} == {
        "/v5/market/instruments-info",
        "/v5/market/risk-limit",
    }
    assert not any(call.optional for call in (*calls.LINEAR.values(), calls.INVERSE))


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (info("SOMETHING_NEW"), "SOMETHING_NEW.*switch it to"),
        (info(status=1), "classic account .unifiedMarginStatus 1.*upgrade"),
        (info(status="3"), "account 1.0 .unifiedMarginStatus 3.*upgrade"),
        (samples("is_unified_enabled")[1]["result"], "1.0 pro .unifiedMarginStatus 4.*upgrade"),
        (info(status=7), "no unified trading account 2.0 .unifiedMarginStatus 7.*upgrade"),
    ],
)
def test_other_kinds_of_account_are_refused_by_name(result: Json, named: str) -> None:
    bodies = examples.two_positions() | {INFO: envelope(result)}
    with pytest.raises(Unmodelled, match=named) as caught:
        EXCHANGE.read_account("main", replies(bodies))
    assert caught.value.whole_account
    assert asked({INFO: envelope(result)}) == []
    assert EXCHANGE.torn(replies(bodies)) is None


def test_the_sample_of_a_unified_account_is_read() -> None:
    bodies = examples.two_positions() | {INFO: samples("fetch_margin_mode")[0]}
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]


def test_all_pages_of_a_list_are_read() -> None:
    bodies = examples.two_positions()
    rows = bodies[USDT_LIST]["result"]["list"]
    bodies[USDT_LIST] = envelope(positions(rows[0], cursor="BTCUSDT%2C17%2C0"))
    second = "/v5/position/list?category=linear&settleCoin=USDT&limit=200&cursor=BTCUSDT%2C17%2C0"
    assert asked(bodies)[-1] == second
    (more,) = [call for call in EXCHANGE.needed(replies(bodies)) if call.continues]
    assert more.query[-1] == ("cursor", "BTCUSDT,17,0")
    bodies[second] = envelope(positions(rows[1], cursor="ETHUSDT%2C18%2C0"))
    # The last page names a cursor too, which brings an empty one.
    third = second.replace("BTCUSDT%2C17", "ETHUSDT%2C18")
    assert asked(bodies)[-1] == third
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]
    # Nor does an empty page that names one go on.
    bodies[third] = envelope(positions(cursor="ETHUSDT%2C19%2C0"))
    assert not any("cursor" in request for request in asked(bodies))
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]


def test_pages_that_go_in_circles_are_an_error() -> None:
    bodies = examples.two_positions()
    bodies[USDT_LIST]["result"]["nextPageCursor"] = "A"
    again = deepcopy(bodies[USDT_LIST])
    bodies["/v5/position/list?category=linear&settleCoin=USDT&limit=200&cursor=A"] = again
    with pytest.raises(Malformed, match="pages"):
        asked(bodies)


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


def test_three_accounts_stay_within_a_fifth_of_every_limit() -> None:
    """Each with 30 symbols and 10 floating coins, polled every 15 s; pages counted twice."""
    symbols = [f"C{number}USDT" for number in range(30)]
    coins = [f"D{number}" for number in range(10)]
    bodies = constructed.coins_as_collateral()
    rows = [position(symbol, "Buy", "1", "1", "1", positionMM="1") for symbol in symbols]
    bodies[USDT_LIST] = envelope(positions(*rows))
    bodies[WALLET]["result"]["list"] = [wallet(*(coin(name, "1", "1", "1") for name in coins))]
    listed = [instrument(f"{name}USDT", name) for name in coins]
    bodies["/v5/market/instruments-info?category=linear"]["result"]["list"] = listed
    fixed = EXCHANGE.needed(Replies())
    tables = [call for call in EXCHANGE.needed(replies(bodies)) if call not in fixed]
    tables += [calls.instrument(symbol) for symbol in (*symbols, *(f"{c}USDT" for c in coins))]
    per_minute: dict[object, float] = {}
    for call in dict.fromkeys([*fixed, *fixed, *tables]):
        pages = 2 if call.path == "/v5/position/list" else 1
        polls = 4 if call.max_age_seconds < 15 else 60 / call.max_age_seconds
        for budget in {call.budget, calls.PER_IP}:
            spent = 3 * pages * polls * call.weight
            per_minute[budget] = per_minute.get(budget, 0) + spent
    assert len(per_minute) >= 5
    for budget, spent in per_minute.items():
        assert spent <= 0.2 * budget.per_minute, budget  # type: ignore[attr-defined]
    assert per_minute[calls.PER_IP] > 3 * 4 * (6 + 10)


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
