"""What options make of a debt in their coin, and of its tier."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import evaluate
from tests.exchanges.bybit import unified
from tests.exchanges.bybit.test_collateral import risk_of, row_of, snapshot
from tests.exchanges.bybit.wire import NOW

D = Decimal


@pytest.mark.parametrize(
    ("own", "equity", "owed"),
    [("0", "-50", "50"), ("-80", "-50", "50"), ("-80", "10", "0"), ("-80", "-130", "130")],
)
def test_a_debt_is_what_options_make_of_it(own: str, equity: str, owed: str) -> None:
    """Their value is equity, though cross margin does not count it."""
    bodies = unified.in_debt()
    usdt = row_of(bodies, "USDT")
    usdt.update(walletBalance=own, equity=equity, usdValue=equity, spotBorrow="0")
    usdt.update(borrowAmount=owed)
    risk = risk_of(bodies)
    assert risk.requirement.maintenance_margin == D(owed) * D("0.04") + D("5.495")
    assert risk.pool.carried == ("margin of options in USDT",)
    assert risk.pool.other_maintenance == 0


def test_a_debt_that_options_make_changes_its_tier_with_the_rest() -> None:
    """5,900 without options, 50 of them owed beside; 100 of loss more, and 5 % hold for all."""
    bodies = unified.in_debt()
    usdt = row_of(bodies, "USDT")
    usdt.update(walletBalance="-5900", equity="-5950", usdValue="-5950", spotBorrow="0")
    usdt.update(borrowAmount="5950")
    read = snapshot(bodies)
    mark = read.marks["SOL/USDT:USDT"]
    for price, owed, rate in ((100, 5950, "0.04"), (90, 6050, "0.05")):
        marks = {**read.marks, "SOL/USDT:USDT": replace(mark, price=D(price))}
        value = next(v for v in evaluate(read.pools[0], marks, NOW).collateral if v.asset == "USDT")
        assert value.debt == owed
        assert value.maintenance_margin == owed * D(rate)


@pytest.mark.parametrize(("owed", "carried"), [("80", False), ("50", False), ("70", True)])
def test_a_debt_that_leaves_options_out_is_bybits_own(owed: str, carried: object) -> None:
    """80 are lacking without options worth 30. What neither explains, Bybit's amount alone says."""
    bodies = unified.in_debt()
    usdt = row_of(bodies, "USDT")
    usdt.update(walletBalance="-80", equity="-50", usdValue="-50", spotBorrow="0")
    usdt.update(borrowAmount=owed)
    risk = risk_of(bodies)
    assert risk.requirement.maintenance_margin == D(owed) * D("0.04") + D("5.495")
    assert ("what options change of the debt in USDT" in risk.pool.carried) is carried
