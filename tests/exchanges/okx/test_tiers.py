"""OKX's position tiers: by contracts, the rate of one tier for the whole size."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx.tiers import read_tiers
from monitor.exchanges.payload import Row
from monitor.risk.model import TierMeasure
from monitor.risk.tiers import maintenance_margin, rises_above, tier_of
from tests.exchanges.okx import wire

# ETH-USDT-SWAP of 2021-06-11, from OKX's announcement: maxSz, mmr, imr.
ETH_2021 = ("3000 0.004 0.008", "6000 0.005 0.01", "12000 0.01 0.015")


def table(*rows, family="ETH-USDT", group="ETH-USDT"):
    data = wire.tiers("ETH-USDT", *rows)["data"]
    return read_tiers(tuple(Row(row, "data") for row in data), family, group)


def test_tiers_count_contracts_and_deduct_nothing():
    read = table(*ETH_2021)

    assert read.measured_in is TierMeasure.CONTRACTS
    assert read.group == "ETH-USDT"
    assert [(t.floor, t.cap, t.maintenance_rate, t.deduction) for t in read.tiers] == [
        (0, 3000, Decimal("0.004"), 0),
        (3000, 6000, Decimal("0.005"), 0),
        (6000, 12000, Decimal("0.01"), 0),
    ]


@pytest.mark.parametrize(
    ("size", "rate"),
    [
        ("0.01", "0.004"),
        ("3000", "0.004"),
        ("3000.01", "0.005"),  # between maxSz 3000 and the next minSz 3001
        ("6000", "0.005"),
        ("12000", "0.01"),
        ("99999", "0.01"),  # above the last: its rate holds on
    ],
)
def test_the_first_tier_that_holds_the_size_charges_all_of_it(size, rate):
    read = table(*ETH_2021)
    notional = Decimal(size) * 360

    assert tier_of(Decimal(size), read).maintenance_rate == Decimal(rate)
    assert maintenance_margin(Decimal(size), notional, read) == notional * Decimal(rate)
    assert rises_above(Decimal(size), read) == (Decimal(size) > 12000)


def test_rows_may_come_in_any_order_and_tell_of_other_families():
    data = wire.tiers("ETH-USDT", *ETH_2021)["data"][::-1]
    data += wire.tiers("BTC-USDT", "1000 0.004 0.01")["data"]
    read = read_tiers(tuple(Row(row, "data") for row in data), "ETH-USDT", None)

    assert [tier.cap for tier in read.tiers] == [3000, 6000, 12000]
    assert read.group is None


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        (("3000 0.004 1", "3000 0.005 1"), "maxSz"),
        (("0 0.004 1",), "maxSz"),
        (("3000 0 1",), "mmr"),
        (("3000 -0.004 1",), "mmr"),
    ],
)
def test_tiers_that_cannot_be_are_named(rows, path):
    with pytest.raises(Malformed, match=path):
        table(*rows)


def test_a_family_without_tiers_is_named():
    with pytest.raises(Malformed, match="the position tiers of SOL-USDT"):
        table(*ETH_2021, family="SOL-USDT")
