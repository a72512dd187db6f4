"""A leg that can't be read blinds its own pool; in a unified pool that is all (F-34)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.unread import isolated_name
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.test_isolated import isolated
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    WALLET,
    coin,
    frame,
    position,
    replies,
)

if TYPE_CHECKING:
    from monitor.exchanges.port import AccountView
    from monitor.risk import AccountSnapshot
    from tests.exchanges.bybit.wire import Json

USDT_LIST = POSITIONS.format("linear", "USDT")
CONTRACT = "/v5/market/instruments-info?category=linear&symbol={}&limit=1000"


def btc(**changes: object) -> Json:
    """0.1 at 50,000 and 10x: initial 500; maintenance 4,800 × 0.5 %; taker rate 0."""
    figures = {"positionIM": "500", "positionMM": "24", "liqPrice": "45226.13065327"}
    return position("BTCUSDT", "Buy", "0.1", "50000", "48000", leverage="10", **figures) | changes


def other(**changes: object) -> Json:
    return btc(symbol="XRPUSDT") | changes


def account(*rows: Json) -> dict[str, Json]:
    """Of XRPUSDT no table is there: what is needed of it can't be told."""
    return isolated(*rows)


def view(*rows: Json) -> AccountView:
    return EXCHANGE.read_account("main", replies(account(*rows)))


def snapshot(*rows: Json) -> AccountSnapshot:
    return view(*rows).snapshot(NOW)


def names(read: AccountSnapshot) -> tuple[list[str], list[str]]:
    return [str(p.id) for p in read.pools], [str(p) for p in read.unread]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "much"},
        {"size": "-1"},
        {"side": "Long"},
        {"avgPrice": "0"},
        {"leverage": "none"},
        {"leverage": ""},
        {"positionMM": ""},
        {"markPrice": "NaN"},
        {"unrealisedPnl": None},
    ],
    ids=str,
)
def test_a_row_that_can_not_be_read_blinds_its_own_pool_alone(changes: Json) -> None:
    read = snapshot(btc(), other(**changes))
    assert names(read) == (["main/isolated/BTCUSDT"], ["main/isolated/XRPUSDT"])
    (because,) = read.unread.values()
    assert "XRPUSDT" in because
    assert "/v5/position/list" in because
    assert [str(p) for p in read.reported] == ["main/isolated/BTCUSDT"]


def test_one_whose_tables_are_not_there_is_named_with_the_request() -> None:
    read = snapshot(btc(), other())
    assert names(read) == (["main/isolated/BTCUSDT"], ["main/isolated/XRPUSDT"])
    (because,) = read.unread.values()
    assert "instruments-info" in because


def test_in_hedge_mode_the_side_is_part_of_the_name() -> None:
    read = snapshot(btc(positionIdx=1), btc(positionIdx=2, side="Sell", size="?"))
    assert names(read) == (["main/isolated/BTCUSDT/long"], ["main/isolated/BTCUSDT/short"])
    assert isolated_name("BTCUSDT", 0) == "isolated/BTCUSDT"


def test_where_nothing_is_left_it_is_an_error_as_ever() -> None:
    with pytest.raises(Malformed, match="size") as caught:
        snapshot(btc(size="much"))
    assert "/v5/position/list" in caught.value.call
    with pytest.raises(MissingReply):
        snapshot(other())


def test_legs_that_all_lack_their_margins_are_of_another_mode() -> None:
    lacking = {"leverage": "", "positionIM": "", "positionMM": ""}
    with pytest.raises(Malformed, match=r"leverage of BTCUSDT"):
        view(btc(**lacking), other(**lacking))


def test_a_row_that_does_not_tell_whose_it_is_is_an_error() -> None:
    with pytest.raises(Malformed):
        view(btc(), other(size="?", symbol=""))
    with pytest.raises(Malformed):
        view(btc(), other(size="?", positionIdx="one"))


def test_what_may_be_bound_in_its_coin_is_not_called_free() -> None:
    """5,000 USDT and 2 BTC lie there; of the former an unknown part is posted."""
    whole = {each.asset: each.amount for each in snapshot(btc()).free}
    assert whole == {"USDT": Decimal(4500), "BTC": Decimal(2)}
    assert {each.asset for each in snapshot(btc(), other(size="?")).free} == {"BTC"}


def test_margin_in_the_wallet_is_that_of_the_row_that_can_not_be_read() -> None:
    """Otherwise an empty list would be an error: the wallet holds margin that no row explains."""
    bodies = account(btc(), other(size="?"))
    bodies[WALLET]["result"]["list"][0]["coin"][0] = coin(
        "USDT", "5000", "4800", "4800", totalPositionMM="48", unrealisedPnl="-200"
    )
    read = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    assert names(read)[1] == ["main/isolated/XRPUSDT"]


def test_a_frame_that_tells_the_leg_takes_its_place() -> None:
    read = view(btc(), btc(positionIdx=2, side="Sell", size="?"))
    row = btc(positionIdx=2, side="Sell", size="0.1", category="linear", liqPrice="54726.36815920")
    row |= {"entryPrice": row.pop("avgPrice")}
    after = read.updated(frame("position", row)).snapshot(NOW)
    assert names(after) == (["main/isolated/BTCUSDT", "main/isolated/BTCUSDT/short"], [])


def test_needed_goes_on_for_the_legs_that_can_be_read() -> None:
    bodies = account(btc(), other(size="?"))
    wanted = [call.request for call in EXCHANGE.needed(replies(bodies)) if not call.optional]
    assert not any("XRPUSDT" in request for request in wanted)


@pytest.mark.parametrize("mode", ["REGULAR_MARGIN", "PORTFOLIO_MARGIN"])
def test_in_one_pool_for_all_it_is_an_error_of_the_whole(mode: str) -> None:
    bodies = examples.two_positions()
    bodies["/v5/account/info"]["result"]["marginMode"] = mode
    bodies[USDT_LIST]["result"]["list"][0]["size"] = "much"
    with pytest.raises(ExchangeError, match="size"):
        EXCHANGE.read_account("main", replies(bodies))
