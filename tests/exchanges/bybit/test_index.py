"""The USD index of a coin of which there is next to none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.index import index_calls, priced
from monitor.exchanges.bybit.rows import Coin, read_coin
from monitor.exchanges.payload import Row
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    WALLET,
    coin,
    envelope,
    replies,
    ticker,
    wallet,
)

D = Decimal
SPOT = "/v5/market/tickers?category=spot&symbol=BTCUSDT"
BTC = "/v5/market/tickers?category=linear&symbol=BTCUSDT"
BTC_IN_USD = "/v5/market/tickers?category=inverse&symbol=BTCUSD"


def row(name: str, equity: str, usd: str) -> Coin:
    return read_coin(Row(coin(name, equity, equity, usd), ""))


def test_where_there_is_some_its_value_tells_the_index() -> None:
    some = row("BTC", "0.0001", "5")
    assert index_calls(some) == []
    body = envelope({"list": [ticker("BTCUSDT", "1", usdIndexPrice="60000")]})
    assert priced(replies({SPOT: body}), some).price == 50000


def test_where_there_is_none_a_spot_ticker_does() -> None:
    for none in (
        row("BTC", "0", "0"),
        row("BTC", "0.00000003", "0.0015"),
        row("BTC", "0.00009", "5"),
    ):
        (call,) = index_calls(none)
        assert (call.request, call.optional) == (f"GET {SPOT}", True)
        body = envelope({"list": [ticker("BTCUSDT", "1", usdIndexPrice="60000.5")]})
        assert priced(replies({SPOT: body}), none).price == D("60000.5")
        assert priced(replies({}), none) == none


@pytest.mark.parametrize(
    "rows",
    [[], [ticker("ETHUSDT", "1", usdIndexPrice="3")], [ticker("BTCUSDT", "1", usdIndexPrice="")]],
)
def test_a_ticker_that_does_not_tell_changes_nothing(rows: list[dict[str, object]]) -> None:
    none = row("BTC", "0", "0")
    assert priced(replies({SPOT: envelope({"list": rows})}), none) == none


def test_usdt_is_btc_in_usd_by_btc_in_usdt() -> None:
    none = row("USDT", "0", "0")
    assert [call.request for call in index_calls(none)] == [f"GET {BTC}", f"GET {BTC_IN_USD}"]
    bodies = {
        BTC: envelope({"list": [ticker("BTCUSDT", "1", indexPrice="95000")]}),
        BTC_IN_USD: envelope({"list": [ticker("BTCUSD", "1", indexPrice="95047.5")]}),
    }
    assert priced(replies(bodies), none).price == D("1.0005")
    del bodies[BTC_IN_USD]
    assert priced(replies(bodies), none) == none


def test_a_position_opened_on_an_empty_coin_has_its_margins_in_usd() -> None:
    """0.5 BTC just bought at the mark on other collateral: USDT holds no equity at all."""
    bodies = examples.two_positions()
    (held, _) = bodies[POSITIONS.format("linear", "USDT")]["result"]["list"]
    held |= {"avgPrice": held["markPrice"], "unrealisedPnl": "0", "positionMM": "180.2625"}
    bodies[POSITIONS.format("linear", "USDT")]["result"]["list"] = [held]
    empty = coin("USDT", "0", "0", "0", totalPositionMM="180.2625", totalPositionIM="4773.5125")
    bodies[WALLET]["result"]["list"] = [wallet(empty, totalMaintenanceMargin="180.35263125")]
    bodies[BTC] = envelope({"list": [ticker("BTCUSDT", "95000")]})
    bodies[BTC_IN_USD] = envelope({"list": [ticker("BTCUSD", "1", indexPrice="95047.5")]})
    pool = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW).pools[0]
    assert pool.collateral[0].price == D("1.0005")
