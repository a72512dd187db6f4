"""Which calls read an account, in each margin mode, and how much of the limits they take."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import ccxt.async_support as ccxt
import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE, calls
from monitor.exchanges.call import Replies
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    NOW,
    NOW_MS,
    POSITIONS,
    WALLET,
    coin,
    envelope,
    instrument,
    position,
    positions,
    replies,
    ticker,
    wallet,
)

if TYPE_CHECKING:
    from monitor.exchanges.call import RestCall
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
        "/v5/market/tickers?category=spot&symbol=BTCUSDT",
        "/v5/market/instruments-info?category=linear&symbol=BTCUSDT&limit=1000",
        "/v5/spot-margin-trade/collateral?currency=METH",
        "/v5/market/tickers?category=spot&symbol=METHUSDT",
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
    spot = "/v5/market/tickers?category=spot&symbol={}USDT"
    btc = "/v5/market/tickers?category=linear&symbol=BTCUSDT"
    wanted = [*rest, spot.format("BTC"), btc, spot.format("METH"), *CASH]
    assert asked(bodies) == wanted
    bodies["/v5/market/instruments-info?category=linear&symbol=METHUSDT"] = {
        "retCode": 10001,
        "retMsg": "params error: symbol invalid",
        "result": {"category": "", "list": []},
        "retExtInfo": {},
        "time": NOW_MS,
    }
    assert asked(bodies) == wanted
    # A coin whose index is told needs no perpetual.
    told = {"list": [ticker("BTCUSDT", "1", usdIndexPrice="100000")]}
    bodies[spot.format("BTC")] = envelope(told)
    assert asked(bodies) == [*rest, spot.format("METH"), *CASH]


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
