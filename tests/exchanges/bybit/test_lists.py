"""The fixed lists of an account, and where the wallet makes one dispensable."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.lists import by_list, list_of, lists_of, options_of, wallet_of
from monitor.exchanges.bybit.rows import settle_of
from monitor.risk.model import Side
from tests.exchanges.bybit import examples, unified
from tests.exchanges.bybit.wire import (
    INVERSE_LIST,
    OPTION_LIST,
    POSITIONS,
    WALLET,
    Json,
    coin,
    envelope,
    position,
    positions,
    replies,
    wallet,
)


@pytest.mark.parametrize(
    ("symbol", "category", "settle"),
    [
        ("SOLUSDT", "linear", "USDT"),
        ("BTCUSDT-26DEC25", "linear", "USDT"),
        ("BTCPERP", "linear", "USDC"),
        ("BTC-26DEC25", "linear", "USDC"),
        ("BTCUSD", "inverse", "BTC"),
        ("BTCUSDZ26", "inverse", "BTC"),
        ("BTC-27DEC26-100000-C", "option", "USDC"),
        ("BTC-27DEC26-100000-C-USDT", "option", "USDT"),
    ],
)
def test_a_contract_settles_as_its_name_says(symbol: str, category: str, settle: str) -> None:
    assert settle_of(symbol, category) == settle


def test_every_settle_coin_has_its_list() -> None:
    assert list_of("USDT") == calls.LINEAR["USDT"]
    assert list_of("USDC") == calls.LINEAR["USDC"]
    assert list_of("BTC") == list_of("XRP") == calls.INVERSE


def optional(*coins: Json) -> list[str]:
    bodies = {WALLET: envelope({"list": [wallet(*coins)]})} if coins else {}
    return [name for name, call in lists_of(replies(bodies)).items() if call.optional]


def test_a_list_is_dispensable_where_the_wallet_says_that_nothing_is_held() -> None:
    assert optional() == []
    held = coin("USDT", "1", "1", "1", totalPositionMM="1")
    assert optional(held, coin("BTC", "1", "1", "1")) == ["USDC", "inverse"]
    assert optional(coin("BTC", "1", "1", "1", totalPositionMM="0.1")) == ["USDT", "USDC"]
    # Portfolio margin leaves a coin's margin empty: nothing is known from it.
    empty = {"totalPositionMM": ""}
    told = (coin("USDT", "1", "1", "1", **empty), coin("BTC", "1", "1", "1", **empty))
    assert optional(*told) == ["USDC"]


def test_legs_are_told_apart_by_their_list() -> None:
    bodies = unified.inverse_long()
    bodies[POSITIONS.format("linear", "USDT")] = envelope(
        positions(position("SOLUSDT", "Sell", "1", "100", "100"))
    )
    found = by_list(replies(bodies))
    assert {name: [leg.symbol for leg in legs] for name, legs in found.items()} == {
        "USDT": ["SOLUSDT"],
        "USDC": [],
        "inverse": ["BTCUSD"],
    }
    (btc,) = found["inverse"]
    assert (btc.category, btc.settle, btc.side) == ("inverse", "BTC", Side.LONG)
    assert btc.value_at(Decimal(50000)) == Decimal("0.2")


def test_a_list_that_must_be_there_is_named() -> None:
    bodies = unified.inverse_long()
    del bodies[INVERSE_LIST]
    with pytest.raises(MissingReply) as caught:
        by_list(replies(bodies))
    assert "category=inverse" in caught.value.call


def test_options_are_named_as_far_as_their_list_is_there() -> None:
    bodies = unified.portfolio()
    (option,) = options_of(replies(bodies))
    assert (option.symbol, option.side, option.size) == (
        "BTC-27DEC26-100000-C-USDT",
        Side.SHORT,
        Decimal("0.1"),
    )
    assert option.settle == "USDT"
    del bodies[OPTION_LIST]
    assert options_of(replies(bodies)) == ()
    bodies[OPTION_LIST] = envelope({"list": [{"symbol": "X"}]})
    with pytest.raises(Malformed, match="size") as caught:
        options_of(replies(bodies))
    assert "category=option" in caught.value.call


def test_totals_that_are_left_empty_are_none() -> None:
    bodies = examples.two_positions()
    assert wallet_of(replies(bodies))[0] is not None
    bodies[WALLET]["result"]["list"][0]["totalMarginBalance"] = ""
    assert wallet_of(replies(bodies))[0] is None
