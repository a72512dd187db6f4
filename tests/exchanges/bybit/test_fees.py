"""The fee to close, by rule and by what the wire's margin holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.fees import bankruptcy_share
from monitor.exchanges.bybit.rows import read_held
from monitor.exchanges.payload import Row
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import examples, unified
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    position,
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


@pytest.mark.parametrize(
    ("category", "side", "entry", "leverage", "bankrupt"),
    [
        # The help centre's: a long of 10,000 at 50x is bankrupt at 9,800.
        ("linear", "Buy", "10000", "50", 9800),
        ("linear", "Sell", "10000", "50", 10200),
        # Inverse: entry × leverage ÷ (leverage ± 1).
        ("inverse", "Buy", "50000", "10", 50000 * 10 / Decimal(11)),
        ("inverse", "Sell", "50000", "10", 50000 * 10 / Decimal(9)),
    ],
)
def test_the_fee_is_charged_on_the_value_at_the_bankruptcy_price(
    category: str, side: str, entry: str, leverage: str, bankrupt: Decimal
) -> None:
    row = Row(position("BTCUSDT", side, "10000", entry, entry, leverage=leverage), "")
    held = read_held(row, category, NOW)
    value = held.value_at(held.entry_price) * bankruptcy_share(held)
    assert abs(value - held.value_at(Decimal(bankrupt))) < Decimal("1e-18")


def test_a_margin_that_is_the_rules_own_but_for_what_was_cut_is_the_rules() -> None:
    """An inverse fee of 0.000121 exactly, where the wire's margin is cut at eight decimals."""
    (btc,) = only_pool(snapshot(unified.inverse_long())).positions
    assert btc.close_fee.fixed == Decimal(10000) / 50000 * Decimal("1.1") * Decimal("0.00055")
    assert btc.taker_fee_rate == Decimal("0.00055")
