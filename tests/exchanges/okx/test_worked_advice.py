"""W7 and W8: what brings a pool back to 50 %, by the reference's own amounts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk.evaluate import evaluate
from monitor.risk.what_if import reduced, topped_up
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import close, pool_of


def after_closing(read, pool, fraction):
    """The pool with this fraction of every position closed at its mark."""
    for position in list(pool.positions):
        (left,) = [p for p in pool.positions if p.instrument == position.instrument]
        mark = read.marks[position.instrument.symbol]
        pool = reduced(pool, left, left.contracts * fraction, mark)
    return evaluate(pool, read.marks, read.at).requirement


@pytest.mark.parametrize(
    ("told", "name", "amount"), [(examples.w7, "USDT", "70"), (examples.w8, "BTC", "0.0005852273")]
)
def test_the_worked_top_up_brings_the_pool_to_half(told, name, amount):
    read = wire.snapshot(told())
    pool = topped_up(pool_of(read, name), name, Decimal(amount))

    assert close(evaluate(pool, read.marks, read.at).requirement.ratio, "0.5", 7)


@pytest.mark.parametrize(
    ("told", "name", "percent"), [(examples.w7, "USDT", "27.451"), (examples.w8, "BTC", "22.0321")]
)
def test_the_worked_reduction_brings_the_pool_to_half_fees_counted(told, name, percent):
    read = wire.snapshot(told())
    after = after_closing(read, pool_of(read, name), Decimal(percent) / 100)

    assert close(after.ratio, "0.5", 4)


@pytest.mark.parametrize(
    ("told", "name", "percent"), [(examples.w7, "USDT", "25.926"), (examples.w8, "BTC", "20.8081")]
)
def test_without_the_fees_of_closing_the_reduction_is_the_optimistic_one(told, name, percent):
    read = wire.snapshot(told())
    pool = pool_of(read, name)
    free = tuple(replace(p, taker_fee_rate=Decimal(0)) for p in pool.positions)
    after = after_closing(read, replace(pool, positions=free), Decimal(percent) / 100)

    assert close(after.ratio, "0.5", 4)
