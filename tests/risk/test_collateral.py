"""Haircuts, liabilities and prices that float."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import MissingMark
from monitor.risk.collateral import counted, haircut, price_of, worth
from tests.build import coins, mark

STEPS = coins("BTC", haircuts=((10, "0.02"), (20, "0.05"), (None, "0.5"))).haircuts
ENDING = coins("BTC", haircuts=((10, "0.02"), (20, "0.05"))).haircuts


@pytest.mark.parametrize(
    ("amount", "coins_counted"),
    [
        ("0", Decimal(0)),
        ("5", 5 * Decimal("0.98")),
        ("10", 10 * Decimal("0.98")),
        ("15", 10 * Decimal("0.98") + 5 * Decimal("0.95")),
        ("30", 10 * Decimal("0.98") + 10 * Decimal("0.95") + 10 * Decimal("0.5")),
    ],
)
def test_a_haircut_goes_step_by_step(amount: str, coins_counted: Decimal):
    assert counted(Decimal(amount), STEPS) == coins_counted


def test_above_a_last_step_with_an_end_nothing_counts():
    assert counted(Decimal(50), ENDING) == counted(Decimal(20), ENDING)


def test_without_steps_all_of_it_counts():
    assert counted(Decimal(50), ()) == 50


def test_a_positive_amount_counts_at_its_rate_after_the_haircut():
    asset = coins("BTC", 0, rates=("0.9", "1.1"), haircuts=((10, "0.02"), (None, "1")))

    assert worth(asset, Decimal(5), Decimal(100)) == 5 * Decimal("0.98") * 100 * Decimal("0.9")
    assert haircut(asset, Decimal(5), Decimal(100)) == 1 - Decimal("0.98") * Decimal("0.9")
    # of 20 coins the second half counts nothing
    assert haircut(asset, Decimal(20), Decimal(100)) == 1 - Decimal("0.49") * Decimal("0.9")


def test_a_liability_counts_in_full_and_dearer():
    asset = coins("BTC", 0, rates=("0.9", "1.1"), haircuts=((10, "0.02"),))

    assert worth(asset, Decimal(-2), Decimal(100)) == -2 * 100 * Decimal("1.1")
    assert haircut(asset, Decimal(-2), Decimal(100)) == 0


def test_of_nothing_the_haircut_is_that_of_the_first_coin():
    asset = coins("BTC", 0, rates=("0.9", "1.1"), haircuts=((10, "0.02"),))

    assert haircut(asset, Decimal(0), Decimal(100)) == 1 - Decimal("0.98") * Decimal("0.9")
    assert haircut(coins("USDT", 0), Decimal(0), Decimal(1)) == 0


def test_a_price_floats_with_the_mark_that_it_follows():
    asset = coins("BTC", 1, 99, follows=("BTC", "BTC/USDT:USDT", 100))

    assert price_of(asset, {"BTC/USDT:USDT": mark(100)}) == 99
    assert price_of(asset, {"BTC/USDT:USDT": mark(50)}) == Decimal("49.5")


def test_what_follows_nothing_keeps_its_price():
    assert price_of(coins("USDT", 1, "0.999"), {}) == Decimal("0.999")


def test_a_followed_symbol_without_mark_is_an_error():
    with pytest.raises(MissingMark, match="BTC/USDT:USDT"):
        price_of(coins("BTC", 1, 99, follows=("BTC", "BTC/USDT:USDT", 100)), {})
