"""What Bybit says of its pool, how exactly, and what is taken over."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import EXCHANGE
from monitor.risk import Basis, PoolRisk, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import constructed, examples, unified
from tests.exchanges.bybit.wire import (
    NOW,
    WALLET,
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


def test_without_anything_available_the_balance_is_bounded() -> None:
    """Available is cut off at 0: then only margin balance and initial margin bound it."""
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalAvailableBalance"] = "0"
    assert snapshot(bodies).reported[ID].margin_balance == Decimal("6598.25998125")
    totals["totalInitialMargin"] = "9000"
    assert snapshot(bodies).reported[ID].margin_balance == Decimal("8504.25")


def test_what_bybit_says_is_given_as_it_says_it() -> None:
    reported = snapshot(examples.two_positions()).reported[ID]
    assert reported.margin_balance == Decimal("8504.25")
    assert reported.maintenance_margin == Decimal("320.67275625")
    assert reported.initial_margin == Decimal("6598.25998125")
    assert reported.ratio == Decimal("0.0377")
    assert Decimal("0.00000004") < reported.resolution < Decimal("0.000001")


def test_the_drift_between_two_answers_is_no_disagreement() -> None:
    """The wallet is of a moment at which BTC stood 0.1 % (95) higher: 47.50 more of PnL."""
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["coin"][0] |= {"unrealisedPnl": "-3452.5", "equity": "8547.5", "usdValue": "8551.77375"}
    totals["totalMarginBalance"] = "8551.77375"
    totals["totalAvailableBalance"] = "1953.51376875"
    reported = snapshot(bodies).reported[ID]
    assert Decimal("47.5") * Decimal("1.0005") < reported.resolution < Decimal("47.53")
    assert verdict(bodies) is Verdict.AGREES
    assert risk_of(bodies).requirement.margin_balance == Decimal("8504.25")


def test_figures_that_are_wrong_by_more_disagree() -> None:
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalAvailableBalance"] = "500"
    totals["totalMarginBalance"] = "7098.25998125"
    assert verdict(bodies) is Verdict.DISAGREES


def test_a_haircut_of_spot_orders_lowers_the_balance() -> None:
    read = snapshot(constructed.haircut_of_spot_orders())
    pool = only_pool(read)
    assert pool.other_balance == -Decimal("127.85731614")
    assert pool.basis is Basis.PARTLY
    assert evaluate(pool, {}, NOW).requirement.margin_balance == Decimal("9556.6056555")
    assert read.reported[ID].margin_balance == Decimal("9556.6056555")


def test_without_any_order_no_margin_is_taken_over() -> None:
    """Totals that are off stay off: reconciling is there to show them."""
    bodies = examples.two_positions()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalMaintenanceMargin"] = "641.3455125"
    pool = only_pool(snapshot(bodies))
    assert (pool.other_maintenance, pool.basis) == (0, Basis.MODELLED)
    assert verdict(bodies) is Verdict.DISAGREES


def test_orders_account_for_no_more_than_their_initial_margin() -> None:
    bodies = examples.position_and_order()
    totals = bodies[WALLET]["result"]["list"][0]
    totals["totalMaintenanceMargin"] = "5.30525761"
    pool = only_pool(snapshot(bodies))
    ordered = Decimal("2.55573119") * Decimal("1.000086")
    assert abs(pool.other_maintenance - ordered) < WIRE
    totals["totalMaintenanceMargin"] = "0.05"
    assert only_pool(snapshot(bodies)).other_maintenance == 0


def test_a_balance_above_the_margin_balance_is_no_haircut() -> None:
    bodies = constructed.haircut_of_spot_orders()
    bodies[WALLET]["result"]["list"][0]["totalAvailableBalance"] = "9700"
    assert only_pool(snapshot(bodies)).other_balance == 0
    # Nothing that is available can be more than the balance: the lower of the two is believed.
    assert snapshot(bodies).reported[ID].margin_balance == Decimal("9684.46297164")


def test_the_digits_of_an_inverse_contract_count_at_its_coins_price() -> None:
    """
    BTC at 48,000 with eight decimals: 2 of its equity, 2 of its index and 1 of the entry.

    Those are 5 × 0.00048; what is 2 of the index' own digits, and 6 of the totals, comes on top.
    """
    reported = snapshot(unified.inverse_long()).reported[ID]
    assert reported.resolution == 5 * Decimal("0.00048") + 8 * WIRE
