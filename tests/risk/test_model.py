"""Inputs that can't be right are refused where they are made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.errors import BadTierTable
from monitor.risk import AccountSnapshot, LeverageTier, Mark, Reported, Side, TierMeasure, TierTable
from monitor.risk.news import Warned
from tests.build import NOON, a_pool, coins, inverse, linear, long, short, tiers


def tier(floor: int, cap: int | None, rate: str = "0.01") -> LeverageTier:
    return LeverageTier(
        floor=Decimal(floor),
        cap=None if cap is None else Decimal(cap),
        maintenance_rate=Decimal(rate),
        deduction=Decimal(0),
    )


@pytest.mark.parametrize(
    ("rows", "because"),
    [
        ((), "at least one tier"),
        ((tier(1, None),), "start at 0"),
        ((tier(0, 10), tier(20, None)), "start where the one before ends"),
        ((tier(0, 10), tier(5, None)), "start where the one before ends"),
        ((tier(0, None), tier(10, None)), "start where the one before ends"),
        ((tier(0, 10), tier(10, 10)), "end above it"),
        ((tier(0, None, "0"),), "no maintenance rate"),
        ((tier(0, None, "-0.01"),), "no maintenance rate"),
    ],
)
def test_a_tier_table_that_cannot_be_is_refused(rows: tuple[LeverageTier, ...], because: str):
    with pytest.raises(BadTierTable, match=because):
        TierTable(tiers=rows, measured_in=TierMeasure.NOTIONAL)


def test_tiers_that_follow_on_are_taken():
    assert tiers((10, "0.01", 0), (20, "0.02", "0.1"), (None, "0.03", "0.3")).group is None


@pytest.mark.parametrize("contracts", [0, -1])
def test_a_position_has_contracts(contracts: int):
    with pytest.raises(ValueError, match="contracts must be above 0"):
        long("BTC", contracts)


@pytest.mark.parametrize("entry", [0, -1])
def test_a_position_has_an_entry_price(entry: int):
    with pytest.raises(ValueError, match="entry price must be above 0"):
        short("BTC", 1, entry)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_a_mark_is_a_number_above_zero(price: str):
    with pytest.raises(ValueError, match="above 0"):
        Mark(price=Decimal(price), at=NOON)


def test_an_asset_stands_in_a_pool_once():
    with pytest.raises(ValueError, match="lists an asset twice"):
        a_pool(collateral=(coins("USDT", 1), coins("BTC", 1), coins("USDT", 2)))


@pytest.mark.parametrize(
    "steps", [((10, "0"), (10, "0.1")), ((10, "0"), (5, "0.1")), ((None, "0"), (5, "0.1"))]
)
def test_haircut_steps_ascend(steps: tuple[tuple[int | None, str], ...]):
    with pytest.raises(ValueError, match="must ascend"):
        coins("BTC", 1, haircuts=steps)


def test_a_long_and_a_short_have_signs():
    assert (Side.LONG.sign, Side.SHORT.sign) == (1, -1)


def test_a_pool_needs_the_marks_of_its_positions_and_of_what_floats():
    pool = a_pool(
        long("ETH"),
        short(inverse("BTC")),
        long(linear("ETH", settle="USDC")),
        collateral=(coins("USDT"), coins("SOL", 1, follows=("SOL", "SOL/USDT:USDT", 1))),
    )

    assert pool.symbols() == {"ETH/USDT:USDT", "BTC/USD:BTC", "ETH/USDC:USDC", "SOL/USDT:USDT"}


def test_a_report_is_exact_unless_it_says_otherwise():
    assert Reported(at=NOON).resolution == 0


def test_the_marks_of_what_is_held_and_followed_are_wanted_once_each():
    held, followed = linear("BTC"), linear("ETH")
    snapshot = AccountSnapshot(
        account="main",
        exchange="bybit",
        at=NOON,
        mode="unified, cross",
        pools=(a_pool(long(held), short(held)), a_pool(long("SOL"))),
        reported={},
        marks={},
        followed=(followed, held),
    )

    assert snapshot.instruments() == (held, linear("SOL"), followed)


def test_a_pool_is_either_read_or_unread():
    pool = a_pool(long("BTC"))
    with pytest.raises(ValueError, match="read and unread at once"):
        AccountSnapshot(
            account="main",
            exchange="bybit",
            at=NOON,
            mode="unified, cross",
            pools=(pool,),
            reported={},
            marks={},
            unread={pool.id: "a row of it can't be read"},
        )


def test_a_warning_is_critical_unless_it_is_said_to_be_none() -> None:
    said = Warned(at=NOON, words="margin call")

    assert said.is_critical
    assert said.exchange_symbol is None
