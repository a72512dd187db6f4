"""Multi-Assets Mode: totals and index come in answers of their own, perhaps seconds apart."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from monitor.risk import evaluate
from tests.exchanges.binance import wire
from tests.exchanges.binance.test_multi_assets import COINS, multi

D = Decimal


@pytest.mark.parametrize(
    ("coin", "later", "is_compared"),
    [("BTC", "1.9", True), ("BTC", "2.1", False), ("BTC", "-2.1", False), ("USDC", "60", True)],
)
def test_totals_are_held_against_a_coin_s_index_of_their_own_moment_alone(coin, later, is_compared):
    told = multi([], {coin: "0.5", "USDT": "9000"}, {}, COINS)
    index = told.pop("GET /fapi/v1/assetIndex")
    at = wire.NOON + timedelta(seconds=float(later))

    taken = wire.snapshot(told, wire.reply("GET /fapi/v1/assetIndex", index, at=at))

    # The figures are the same either way: it is only the comparison that is not made.
    (pool,) = taken.pools
    value = {"BTC": D("0.5") * 57000, "USDC": D("0.5")}[coin] + 9000 * D("0.9801")
    assert evaluate(pool, taken.marks, wire.NOON).requirement.margin_balance == value
    assert (pool.id in taken.reported) is is_compared
