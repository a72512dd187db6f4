"""Every field of an account taken away in turn."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    position,
    replies,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.exchanges.bybit.wire import Json

USDT_LIST = POSITIONS.format("linear", "USDT")
USDC_LIST = POSITIONS.format("linear", "USDC")
EVERY_CALL = {call.request: call for _, wanted in EXCHANGE.catalogue for call in wanted}


def symbols_held(bodies: dict[str, Json]) -> list[str]:
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    return [held.instrument.exchange_symbol for held in snapshot.pools[0].positions]


# What a figure, or the decision that there is one, rests on: by the last part of its path.
READ = {
    "retCode", "result", "list", "coin",
    "marginMode", "unifiedMarginStatus",
    "accountType", "totalMarginBalance", "totalInitialMargin", "totalMaintenanceMargin",
    "totalAvailableBalance", "accountMMRate",
    "equity", "usdValue", "walletBalance", "unrealisedPnl", "borrowAmount", "totalPositionIM",
    "totalPositionMM", "totalOrderIM",
    "positionIdx", "symbol", "side", "size", "avgPrice", "leverage", "positionIM", "positionMM",
    "contractType", "baseCoin", "quoteCoin", "settleCoin", "lotSizeFilter", "qtyStep",
    "riskLimitValue", "maintenanceMargin", "initialMargin", "maxLeverage",
    "currency", "collateralRatioList", "minQty", "maxQty", "collateralRatio",
    "takerFeeRate",
    # Without them a second request is asked for, which is not there.
    "markPrice", "marginCollateral", "collateralSwitch",
}  # fmt: skip


# The same words elsewhere, where they are not looked at.
NOT_READ = {("position", "riskLimitValue"), ("instruments-info", "leverageFilter", "maxLeverage")}


def is_read(request: str, path: tuple[object, ...]) -> bool:
    elsewhere = any(
        words[0] in request and path[1 - len(words) :] == words[1:] for words in NOT_READ
    )
    return path[-1] in READ and not elsewhere


def every_field(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from every_field(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from every_field(inner, (*path, index))


def without(body: Json, path: tuple[object, ...]) -> Json:
    changed = deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


def fields() -> Iterator[tuple[str, tuple[object, ...]]]:
    for request, body in examples.taxed_long().items():
        for path in every_field(body):
            yield request, path


@pytest.mark.parametrize(
    ("request_line", "path"), [field for field in fields() if is_read(*field)], ids=str
)
def test_every_field_that_is_read_must_be_there(
    request_line: str, path: tuple[object, ...]
) -> None:
    bodies = examples.taxed_long()
    if "inverse" in request_line or "option" in request_line:
        bodies[request_line]["result"]["list"] = [position("BTCUSD", "Buy", "1", "2", "3")]
    bodies[request_line] = without(bodies[request_line], path)
    with pytest.raises(ExchangeError) as caught:
        symbols_held(bodies)
    assert isinstance(caught.value, (Malformed, MissingReply))
    if isinstance(caught.value, Malformed) and path[-1] not in ("symbol", "currency"):
        assert str(path[-1]) in caught.value.path
    assert caught.value.call


@pytest.mark.parametrize(
    ("request_line", "path"), [field for field in fields() if not is_read(*field)], ids=str
)
def test_a_field_that_no_figure_needs_may_be_gone(
    request_line: str, path: tuple[object, ...]
) -> None:
    bodies = examples.taxed_long()
    bodies[request_line] = without(bodies[request_line], path)
    assert symbols_held(bodies) == ["SOLUSDT"]
