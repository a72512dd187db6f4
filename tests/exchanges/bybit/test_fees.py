"""The fee to close, by rule and by what the wire's margin holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    replies,
)

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot, MarginPool
    from tests.exchanges.bybit.wire import Json

WIRE = Decimal("0.00000001")
ID = PoolId(account="main", name="unified")


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def only_pool(read: AccountSnapshot) -> MarginPool:
    (pool,) = read.pools
    return pool


def risk_of(bodies: dict[str, Json]) -> PoolRisk:
    read = snapshot(bodies)
    return evaluate(only_pool(read), read.marks, NOW)


def verdict(bodies: dict[str, Json]) -> Verdict:
    read = snapshot(bodies)
    return reconcile(risk_of(bodies), read.reported[ID]).verdict


def test_the_fee_is_told_from_the_row_where_no_fee_rate_is_given() -> None:
    bodies = examples.two_positions()
    for request in [request for request in bodies if "fee-rate" in request]:
        del bodies[request]
    btc, _ = only_pool(snapshot(bodies)).positions
    assert (btc.close_fee.fixed, btc.taker_fee_rate) == (Decimal("24.75"), Decimal("0.00055"))


def test_a_margin_that_is_no_fee_is_not_taken_for_one() -> None:
    """At 0.5 % instead of 0.33 % the margin would hold a fee four times the published one."""
    bodies = examples.two_positions()
    row = bodies[POSITIONS.format("linear", "USDT")]["result"]["list"][0]
    row["positionMM"] = "262.25"
    btc, _ = only_pool(snapshot(bodies)).positions
    assert btc.close_fee.fixed == Decimal("24.75")
    assert btc.reported_maintenance_margin == Decimal("262.25")
    for request in [request for request in bodies if "fee-rate" in request]:
        del bodies[request]
    with pytest.raises(MissingReply, match="fee to close BTCUSDT") as caught:
        snapshot(bodies)
    assert "fee-rate" in caught.value.call


def test_local_tax_ends_up_in_the_fee_to_close() -> None:
    risk = risk_of(examples.taxed_long())
    (sol,) = risk.positions
    model = Decimal("46.6058") * Decimal("0.005") + Decimal("46.604") * Decimal("0.9") * Decimal(
        "0.000649"
    )
    assert abs(sol.maintenance_margin - model) < WIRE
    assert abs(sol.maintenance_margin - Decimal("0.26025039")) < WIRE
    assert sol.initial_margin is not None
    assert abs(sol.initial_margin - Decimal("4.68780139")) < WIRE
    assert round(sol.position.taker_fee_rate, 6) == Decimal("0.000649")
    assert abs(risk.requirement.margin_balance - Decimal("11.48691986")) < WIRE
    assert round(risk.requirement.ratio, 6) == Decimal("0.022672")
    assert risk.pool.basis is Basis.MODELLED
    assert verdict(examples.taxed_long()) is Verdict.AGREES
