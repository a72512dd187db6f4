"""The search for the prices at which nothing is left."""

from decimal import Decimal

import pytest

from monitor.simulator.bybit_search import ends

D = Decimal
MARK = D(100)


def near(found: Decimal | None, expected: str) -> bool:
    return found is not None and abs(found / D(expected) - 1) < D("1e-18")


def test_a_line_ends_where_it_crosses():
    price, other = ends(lambda p: p - D("87.654321"), MARK)
    assert near(price, "87.654321")
    assert other is None


def test_what_ends_both_ways_gives_the_nearer_first():
    below, above = ends(lambda p: min(p - 80, 110 - p), MARK)[::-1]
    assert near(below, "80")
    assert near(above, "110")


def test_of_a_jump_it_is_the_side_without_slack():
    price, _ = ends(lambda p: D(5) if p > D("93.7") else D(-1), MARK)
    assert price is not None
    assert price <= D("93.7")
    assert near(price, "93.7")


def test_what_is_over_already_is_at_the_mark():
    assert ends(lambda _: D(0), MARK) == (MARK, None)


@pytest.mark.parametrize("factor", ["1e-9", "1e15"])
def test_it_looks_far(factor):
    far = MARK * D(factor)
    price, _ = ends(lambda p: p - far if far < MARK else far - p, MARK)
    assert near(price, str(far))


def test_where_no_price_ends_it_there_is_none():
    assert ends(lambda _: D(1), MARK) == (None, None)
