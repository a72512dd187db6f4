"""Where a function of one price changes its sign."""

from decimal import Decimal

import pytest

from monitor.simulator.roots import nearest_root

D = Decimal


@pytest.mark.parametrize(
    ("slack", "start", "root"),
    [
        (lambda price: price - 90, "100", "90"),
        (lambda price: 110 - price, "100", "110"),
        (lambda price: 1 - 40 / price, "100", "40"),
        (lambda price: min(price - 95, 120 - price), "100", "95"),
        (lambda price: min(price - 70, 101 - price), "100", "101"),
        (lambda price: D(1) if price > 80 else D(-1), "100", "80"),
    ],
    ids=["below", "above", "inverse", "nearer below", "nearer above", "a jump"],
)
def test_the_nearest_root(slack, start, root):
    found = nearest_root(slack, D(start))
    assert found is not None
    assert abs(found - D(root)) < D("1e-12")
    assert slack(found) <= 0, "the slack is gone there"


def test_no_root_and_no_slack():
    assert nearest_root(lambda _: D(1), D(100)) is None
    assert nearest_root(lambda price: 90 - price, D(100)) == 100
