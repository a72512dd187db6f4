"""How much of what OKX needs beyond its rows is taken over, and by which name."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.exchanges.okx.held import Held
from monitor.exchanges.okx.remainders import (
    ELSEWHERE,
    HELD_BACK,
    NOTHING,
    ORDERS,
    STRESS,
    Backing,
    Rows,
    account_remainder,
    requirement_told,
    stress_remainder,
    sum_rows,
)
from monitor.exchanges.okx.rows import Coin, Totals
from monitor.risk.model import Borrow, Collateral, TierMeasure
from tests.build import tiers

ZERO = Decimal(0)
USDT = Coin(
    ccy="USDT",
    equity=Decimal(10_000),
    cash=Decimal(10_000),
    pnl=ZERO,
    isolated_equity=ZERO,
    isolated_pnl=ZERO,
    frozen=ZERO,
    in_usd=Decimal(10_000),
    discounted=Decimal(10_000),
    usd_price=Decimal(1),
    counts_as_collateral=True,
    initial=None,
    maintenance=None,
    margin_ratio=None,
    owed=ZERO,
    interest=ZERO,
    apart={},
    updated_ms=0,
)
TOTALS = Totals(
    adjusted_equity=Decimal(10_000),
    initial=Decimal(10_000),
    maintenance=Decimal(1_000),
    margin_ratio=None,
    isolated_equity=ZERO,
    frozen=ZERO,
    borrow_frozen=ZERO,
    updated_ms=0,
)
ROWS = Rows(maintenance=Decimal(1_000), fees=ZERO, initial=Decimal(10_000))


def backing(**changes):
    """10,000 USDT at 1 USD each."""
    collateral = Collateral(asset="USDT", balance=Decimal(10_000), price=Decimal(1))
    return (Backing(coin=replace(USDT, **changes), collateral=collateral, pnl=ZERO),)


def remainder(totals=(), rows=(), **coin):
    return account_remainder(
        replace(TOTALS, **dict(totals)), backing(**coin), replace(ROWS, **dict(rows))
    )


def test_rows_without_options_need_their_margin_and_fees_alone():
    assert replace(ROWS, fees=Decimal(5)).needed == 1_005


def test_an_option_that_does_not_tell_its_margin_or_profit_counts_by_its_worth():
    """2 coins at 10: worth at most 20, its fee an eighth of that."""
    option = Held(
        inst_type="OPTION",
        inst_id="BTC-USD-261225-100000-C",
        pos_id="1",
        contracts=Decimal(-1),
        ccy="BTC",
        option_value=Decimal(-2),
    )

    rows = sum_rows((), (option,), {"BTC": Decimal(10)})

    assert rows is not None
    assert (rows.opaque, rows.worth, rows.opaque_fees) == (0, 20, Decimal("2.5"))


@pytest.mark.parametrize(
    ("maintenance", "initial", "found"),
    [
        ("999", "9990", 0),  # a thousandth of 1,000 and of 10,000 is a price that moved
        ("998.9", "9990", 0),
        ("999", "9989", 0),
        ("998.9", "9989", "1.1"),  # more of both are orders
    ],
)
def test_margin_beyond_the_rows_is_orders_where_it_is_more_than_a_thousandth(
    maintenance, initial, found
):
    rows = {"maintenance": Decimal(maintenance), "initial": Decimal(initial)}

    assert remainder(rows=rows).maintenance == Decimal(found)


def test_a_debt_whose_first_margin_is_not_told_needs_none_of_it():
    """100 owed at 4 %; its fee of 1 % is charged on 104."""
    borrow = Borrow(
        tiers=tiers((None, "0.04", 0), measured_in=TierMeasure.CONTRACTS), fee_rate=Decimal("0.01")
    )
    collateral = Collateral(asset="USDT", balance=Decimal(-100), price=Decimal(2), borrow=borrow)

    assert Backing(coin=USDT, collateral=collateral, pnl=ZERO).debts() == (8, Decimal("2.08"), 0)


@pytest.mark.parametrize(
    ("rows_need", "fees"), [("1049.5", "0.5"), ("1050", "0"), ("1051", "0"), ("1000", "3")]
)
def test_without_orders_only_options_fees_are_taken_over(rows_need, fees):
    """10,000 ÷ 8 are 1,250; beyond the rows and 200 of options it is fees, at most 3."""
    totals = {"margin_ratio": Decimal(8)}
    rows = {"maintenance": Decimal(rows_need), "opaque": Decimal(200), "opaque_fees": Decimal(3)}

    found = remainder(totals, rows)

    assert (found.maintenance, found.words) == (200 + Decimal(fees), ())


def test_with_orders_fees_reach_as_far_as_the_orders_and_the_options_do():
    """400 of orders' margin: 100 of fee at most, and 3 of the options'; 10,000 ÷ 5 shows more."""
    totals = {"margin_ratio": Decimal(5), "maintenance": Decimal(1_600), "frozen": Decimal(1)}
    rows = {"opaque": Decimal(200), "opaque_fees": Decimal(3)}

    assert remainder(totals, rows).maintenance == 200 + 400 + 103


def test_what_orders_hold_back_is_named_after_their_margin():
    totals = {"adjusted_equity": Decimal(9_990), "maintenance": Decimal(1_400)}

    found = remainder(totals | {"frozen": Decimal(50)})

    assert (found.balance, found.words) == (-10, (ORDERS, HELD_BACK))


def test_what_may_stand_elsewhere_is_not_said_to_be_held_back():
    totals = {"adjusted_equity": Decimal(9_990), "frozen": Decimal(50)}

    found = remainder(totals, isolated_equity=Decimal(100))

    assert (found.balance, found.words) == (-10, (ELSEWHERE,))


def test_an_options_worth_is_neither_held_back_nor_elsewhere():
    """Orders show by their margin alone, nothing is frozen: 10 less are the options'."""
    totals = {
        "adjusted_equity": Decimal(9_990),
        "maintenance": Decimal(1_400),
        "initial": Decimal(11_000),
    }

    found = remainder(totals, {"worth": Decimal(100)})

    assert (found.balance, found.words) == (-10, (ORDERS,))


def test_without_rows_nothing_is_taken_over():
    assert account_remainder(TOTALS, backing(), None) is NOTHING


@pytest.mark.parametrize(("told", "balance"), [(9_997, -3), (10_003, 3), (9_000, -10)])
def test_of_a_stress_test_the_equity_keeps_what_orders_can_explain(told, balance):
    totals = replace(TOTALS, adjusted_equity=Decimal(told), frozen=Decimal(10))

    found = stress_remainder(totals, backing(), ROWS)

    assert found is not None
    assert (found.balance, found.words) == (balance, (STRESS, HELD_BACK))


@pytest.mark.parametrize(("equity", "ratio"), [("0", "2"), ("10000", "0"), ("-5", "2")])
def test_where_a_ratio_tells_nothing_the_requirement_is_margin_and_fees(equity, ratio):
    totals = replace(TOTALS, adjusted_equity=Decimal(equity), margin_ratio=Decimal(ratio))

    assert requirement_told(totals, replace(ROWS, fees=Decimal(7))) == 1_007


def test_a_ratio_tells_the_requirement():
    totals = replace(TOTALS, margin_ratio=Decimal(4))

    assert requirement_told(totals, None) == 2_500
