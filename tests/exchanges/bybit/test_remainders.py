"""What is taken over from Bybit's totals: by name, and no more than its cause explains."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.account import read_account
from monitor.exchanges.bybit.remainders import _of_hedge
from monitor.risk import Basis, Verdict, evaluate, reconcile
from monitor.risk.model import PoolId
from tests.exchanges.bybit import constructed, examples, unified
from tests.exchanges.bybit.wire import (
    NOW,
    OPTION_LIST,
    WALLET,
    borrow_tiers,
    coin,
    envelope,
    limit_order,
    orders,
    positions,
    replies,
)

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot, MarginPool
    from tests.exchanges.bybit.wire import Json

D = Decimal
ID = PoolId(account="main", name="unified")
WIRE = D("0.00000001")


def snapshot(bodies: dict[str, Json]) -> AccountSnapshot:
    return EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)


def pool_of(bodies: dict[str, Json]) -> MarginPool:
    return snapshot(bodies).pools[0]


def verdict(bodies: dict[str, Json]) -> Verdict:
    read = snapshot(bodies)
    return reconcile(evaluate(read.pools[0], read.marks, NOW), read.reported[ID]).verdict


def totals(bodies: dict[str, Json]) -> Json:
    found: Json = bodies[WALLET]["result"]["list"][0]
    return found


def with_orders(bodies: dict[str, Json], *rows: Json) -> dict[str, Json]:
    lists = orders(*rows).items()
    return bodies | {request: envelope({"list": found}) for request, found in lists}


def test_the_margin_of_listed_orders_is_taken_over_by_their_number() -> None:
    """
    A testnet wallet of 2025-01: an XRP order of 25.293 needs 25.293 × (0.0075 + 0.001045) =
    0.21612869, at an index of 1.000086.
    """
    order = limit_order("XRPUSDT", "Buy", "2.5293", "10")
    pool = pool_of(with_orders(examples.position_and_order(), order))
    assert pool.carried[:-1] == ("margin of 1 open order", "margins of XRPUSDT beyond its tier")
    assert abs(pool.other_maintenance - D("0.21612869") * D("1.000086")) < 2 * WIRE
    assert verdict(with_orders(examples.position_and_order(), order)) is Verdict.AGREES


def test_orders_account_for_no_more_than_the_rule_gives() -> None:
    """An order of a tenth of that value explains a tenth of that margin, with 30 % of tax."""
    order = limit_order("XRPUSDT", "Buy", "2.5293", "1")
    bodies = with_orders(examples.position_and_order(), order)
    most = D("2.5293") * (D("0.0075") + D("0.00055") * D("1.3") * D("1.9")) * D("1.000086")
    assert abs(pool_of(bodies).other_maintenance - most) < WIRE
    assert verdict(bodies) is Verdict.DISAGREES


def test_orders_that_are_not_listed_are_bounded_by_their_initial_margin() -> None:
    bodies = with_orders(examples.position_and_order())
    totals(bodies)["totalMaintenanceMargin"] = "9"
    pool = pool_of(bodies)
    assert abs(pool.other_maintenance - D("2.55573119") * D("1.000086")) < WIRE
    assert pool.carried[0] == "margin of open orders"


def test_options_in_cross_margin_are_taken_over_by_their_number() -> None:
    """
    Beside 5.495 of SOL's the wallet holds 40 of maintenance and 90 of initial margin, and an
    option worth −50 that cross margin does not count.
    """
    bodies = unified.in_debt()
    bodies[OPTION_LIST] = envelope(positions(unified.option(), category="option"))
    usdt = totals(bodies)["coin"][0]
    usdt.update(equity="-4050", usdValue="-4050", borrowAmount="5000")
    usdt.update(totalPositionMM="45.495", totalPositionIM="190.495")
    totals(bodies).update(totalMaintenanceMargin="245.495", totalInitialMargin="1190.495")
    pool = pool_of(bodies)
    assert (pool.basis, pool.carried) == (Basis.PARTLY, ("margin of 1 option",))
    assert (pool.other_maintenance, pool.other_initial) == (40, 90)
    assert verdict(bodies) is Verdict.AGREES
    # Without their list the wallet tells of them still.
    del bodies[OPTION_LIST]
    assert pool_of(bodies).carried == ("margin of options in USDT",)
    assert verdict(bodies) is Verdict.AGREES


def test_margin_beyond_the_rows_without_a_cause_is_no_remainder() -> None:
    bodies = unified.in_debt()
    totals(bodies)["coin"][0]["totalPositionMM"] = "45.495"
    totals(bodies)["totalMaintenanceMargin"] = "245.495"
    assert pool_of(bodies).other_maintenance == 0
    assert verdict(bodies) is Verdict.DISAGREES
    assert "maintenance margin of 45.495 and 5.495" in (EXCHANGE.torn(replies(bodies)) or "")


def test_the_locked_part_of_a_hedge_is_taken_over_from_the_wallet() -> None:
    """
    Not verified: margins of hedged legs for the locked part. Rows of 20 and 5, wallet 21.

    What the legs' own rows hold beyond that is taken off, up to the legs' margins.
    """
    bodies = constructed.both_legs()
    usdt = totals(bodies)["coin"][0]
    usdt.update(totalPositionMM="21", totalPositionIM="215")
    totals(bodies).update(totalMaintenanceMargin="21", totalInitialMargin="215")
    totals(bodies)["totalAvailableBalance"] = "795"
    pool = pool_of(bodies)
    risk = evaluate(pool, snapshot(bodies).marks, NOW)
    assert (pool.other_maintenance, risk.requirement.maintenance_margin) == (-4, 21)
    assert risk.requirement.initial_margin == 215
    assert "margin of the locked part of SOLUSDT" in pool.carried
    assert verdict(bodies) is Verdict.AGREES
    usdt["totalPositionMM"] = "90"
    assert pool_of(bodies).other_maintenance == 25
    usdt["totalPositionIM"] = "999"
    assert pool_of(bodies).other_initial - pool.other_initial == 260 - (215 - 260)


def test_a_hedge_that_holds_within_a_percent_what_its_rows_say_has_no_locked_part() -> None:
    bodies = constructed.both_legs()
    totals(bodies)["coin"][0]["totalPositionMM"] = "25.25"
    assert pool_of(bodies).other_maintenance == 0
    totals(bodies)["coin"][0]["totalPositionMM"] = "25.25000001"
    assert pool_of(bodies).other_maintenance == 0
    totals(bodies)["coin"][0]["totalPositionMM"] = "25.25000002"
    assert pool_of(bodies).other_maintenance == D("0.25000002")


def test_with_nothing_available_the_rate_tells_of_a_haircut() -> None:
    """750 of margin balance, but 205.495 ÷ 0.2935 = 700.15…: 49.8 are lost to orders."""
    bodies = unified.in_debt()
    totals(bodies)["accountMMRate"] = "0.2935"
    pool = pool_of(bodies)
    assert pool.other_balance == D("205.495") / D("0.2935") - 750
    assert pool.carried == ("haircut loss of spot orders and loss of open orders",)
    assert verdict(bodies) is Verdict.AGREES
    # A rate is cut to four decimals: 205.495 ÷ 0.2739 = 750.26 says nothing against 750.
    totals(bodies)["accountMMRate"] = "0.2739"
    assert pool_of(bodies).other_balance == 0


def test_an_available_balance_that_the_rate_contradicts_is_no_haircut() -> None:
    """
    320.67275625 ÷ (0.0377 + 0.0001) = 8,483.4: so much carries the margin at the least, whatever
    is available. What lacks beyond stays a difference, and theirs is the worse.
    """
    bodies = examples.two_positions()
    totals(bodies)["totalAvailableBalance"] = "19.05990018"
    pool = pool_of(bodies)
    assert pool.other_balance == D("320.67275625") / D("0.0378") - D("8504.25")
    assert verdict(bodies) is Verdict.DISAGREES
    # Where the rate fits to it, it is a haircut: 320.67275625 ÷ 6,617.32 = 0.0484…
    totals(bodies)["accountMMRate"] = "0.0484"
    assert pool_of(bodies).other_balance == D("6617.31988143") - D("8504.25")
    assert verdict(bodies) is Verdict.AGREES


def test_a_debt_that_may_begin_without_known_rates_is_named() -> None:
    """It is charged nothing then; what is modelled today is so all the same."""
    words = "a debt in USDT would cost no margin here: Bybit's rates are not known"
    pool = pool_of(examples.two_positions())
    assert (pool.basis, pool.carried) == (Basis.MODELLED, (words,))
    told = examples.two_positions()
    request = "/v5/spot-margin-trade/position-tiers"
    listed = borrow_tiers("USDT", ("100000", "0.04", "0.2"))
    assert pool_of(told | {request: envelope({"list": [listed]})}).carried == ()
    assert pool_of(told | {request: envelope({"list": []})}).carried == (words,)


def test_what_a_cut_rate_may_hide_is_no_haircut() -> None:
    """205.45 ÷ 0.2740 = 749.82: a ten-thousandth of the rate is 0.27 of that."""
    bodies = unified.in_debt()
    totals(bodies).update(totalMaintenanceMargin="205.45", accountMMRate="0.2740")
    assert pool_of(bodies).other_balance == 0


def test_what_three_last_digits_may_hide_is_no_haircut() -> None:
    bodies = examples.position_and_order()
    totals(bodies)["totalAvailableBalance"] = "837.60764367"
    assert pool_of(bodies).other_balance == 0
    totals(bodies)["totalAvailableBalance"] = "837.60764366"
    assert pool_of(bodies).other_balance == -4 * WIRE


def test_a_debt_that_only_its_last_digits_tell_apart_changes_by_no_option() -> None:
    bodies = unified.in_debt()
    totals(bodies)["coin"][0].update(spotBorrow="5000", borrowAmount="5000.0000005")
    assert pool_of(bodies).carried == ()


def test_a_coin_without_positions_takes_nothing_of_the_orders_margin() -> None:
    order = limit_order("XRPUSDT", "Buy", "2.5293", "10")
    bodies = with_orders(examples.position_and_order(), order)
    switched_off = {"marginCollateral": False, "collateralSwitch": False}
    totals(bodies)["coin"].append(coin("XYZ", "1", "1", "5", **switched_off))
    pool = pool_of(bodies)
    assert abs(pool.other_maintenance - D("0.21612869") * D("1.000086")) < 2 * WIRE
    assert pool.carried[:-1] == ("margin of 1 open order", "margins of XRPUSDT beyond its tier")


def test_a_hedge_takes_off_no_more_than_its_legs_margins() -> None:
    """20 + 5 of maintenance and 210 of initial margin, the other leg's not told, at 2 USD."""
    both = read_account("main", replies(constructed.both_legs())).held
    legs = [both[0], replace(both[1], initial_margin=None)]
    found = _of_hedge(legs, D(-99), D(-999), D(2))
    assert (found.maintenance, found.initial) == (-25 * 2, -210 * 2)
    found = _of_hedge(legs, D(-3), D(-7), D(2))
    assert (found.maintenance, found.initial) == (-3 * 2, -7 * 2)
    found = _of_hedge(legs, D(99), D(999), D(2))
    assert (found.maintenance, found.initial) == (25 * 2, 210 * 2)


def test_a_balance_at_its_end_is_what_the_margin_balance_says() -> None:
    bodies = unified.in_debt()
    totals(bodies).update(totalMarginBalance="0", accountMMRate="9999")
    assert snapshot(bodies).reported[ID].margin_balance == 0
    totals(bodies)["accountMMRate"] = ""
    assert snapshot(bodies).reported[ID].ratio is None
