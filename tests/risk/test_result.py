"""Requirements: adding up, the ratio at its ends, and thresholds without division."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.risk import INFINITE, Requirement


def need(balance: str, maintenance: str, initial: str = "0", unit: str = "USDT") -> Requirement:
    return Requirement(
        unit=unit,
        margin_balance=Decimal(balance),
        initial_margin=Decimal(initial),
        maintenance_margin=Decimal(maintenance),
    )


def test_requirements_add_up_part_by_part():
    assert need("10", "2", "5") + need("-3", "1", "4") == need("7", "3", "9")


def test_units_must_agree():
    with pytest.raises(ValueError, match="BTC to USDT"):
        need("1", "1") + need("1", "1", unit="BTC")


@pytest.mark.parametrize(
    ("balance", "maintenance", "ratio"),
    [
        ("100", "80", Decimal("0.8")),
        ("100", "0", Decimal(0)),
        ("0", "0", Decimal(0)),
        ("-5", "0", Decimal(0)),
        ("0", "1", INFINITE),
        ("-5", "1", INFINITE),
    ],
)
def test_the_ratio_is_maintenance_over_balance(balance: str, maintenance: str, ratio: Decimal):
    assert need(balance, maintenance).ratio == ratio


@pytest.mark.parametrize(
    ("balance", "maintenance", "threshold", "reached"),
    [
        ("100", "80", "0.80", True),
        ("100", "79.99", "0.80", False),
        ("0", "1", "0.80", True),
        ("-5", "1", "1", True),
        ("-5", "0", "1", False),
    ],
)
def test_a_threshold_is_reached_at_it_and_above(
    balance: str, maintenance: str, threshold: str, *, reached: bool
):
    assert need(balance, maintenance).reaches(Decimal(threshold)) is reached


def test_headroom_is_what_may_still_be_lost():
    assert need("100", "80").headroom == 20
    assert need("-5", "1").headroom == -6
