"""Pools in which slack curves upwards between two rough places: a dip may hide there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.risk import MarginPool, Mark, TierMeasure, requirement, uniform_move
from monitor.risk.path import Path, _Curve, is_curved, of_coins, of_symbol
from monitor.risk.solve import _between, _looks
from tests.build import a_pool, coins, inverse, linear, long, mark, short, tiers
from tests.risk.test_path import BTC, BTC_USD, ETH, KNOWN, ONE, D, up


def curving(cash: str) -> tuple[MarginPool, dict[str, Mark]]:
    """
    20 long against 1,000 USD short in inverse contracts whose coin is priced at a fixed 100.

    Slack at P: cash + 20·(P − 100) − 0.1·P + 100·(1,000 ÷ P − 10) − 500 ÷ P, least at
    √(99,500 ÷ 19.9) = 70.71, where it is cash − 185.8.
    """
    pool = a_pool(
        long("BTC", 20),
        short(inverse("BTC"), 10),
        unit="USD",
        collateral=(coins("USDT", cash), coins("BTC", 0, 100)),
    )
    return pool, KNOWN


def test_a_dip_between_two_places_that_are_fine_is_found() -> None:
    pool, known = curving("185")
    assert not requirement(pool, {**known, BTC: mark(50), BTC_USD: mark(50)}).reaches(ONE)
    move = uniform_move(pool, known)

    # 19.9·P² − (3,000 − 185)·P + 99,500 = 0, from above
    inside = D(2815) ** 2 - 4 * D("19.9") * 99_500
    price = (2815 + inside.sqrt()) / D("39.8")
    assert move == pytest.approx(price / 100 - 1, rel=D("1e-12"))


def test_a_dip_that_is_shallow_enough_is_no_end() -> None:
    assert uniform_move(*curving("186")) is None


def test_a_dip_too_narrow_for_any_sample_is_found_to_its_bottom() -> None:
    """3,000 − 2·√(19.9 × 99,500) = 185.71501…: a hundred-thousandth less is a dip 0.01 wide."""
    move = uniform_move(*curving("185.71500"))

    assert move == pytest.approx((D(99_500) / D("19.9")).sqrt() / 100 - 1, abs=D("0.0005"))
    assert uniform_move(*curving("185.71502")) is None


def test_what_curves_is_known() -> None:
    pool, known = curving("185")
    follows = ("BTC", BTC_USD, 100)
    floating = replace(pool, collateral=(coins("USDT", 1), coins("BTC", 0, 100, follows=follows)))
    fixed = replace(pool, positions=pool.positions[1:])
    both = {"BTC": -ONE}
    exotic = long(replace(linear("BTC"), symbol="X", settle="BTC"), 3, 2)

    def curved(held: MarginPool) -> bool:
        return is_curved(of_coins(held, {**known, "X": mark(2)}, both))

    assert curved(pool)
    assert not curved(floating)
    assert not curved(fixed)
    assert not is_curved(of_symbol(pool, known, BTC, ONE))
    # PnL in a coin that itself moves, and a coin that moves otherwise than its contract
    assert curved(replace(floating, positions=(exotic,)))
    alone = Path(pool=floating, marks=known, rates={BTC_USD: ONE}, coins={"BTC": -ONE})
    assert is_curved(alone)


def test_a_coin_that_floats_beside_one_that_stands_curves() -> None:
    pool, known = curving("185")
    ether = coins("ETH", 1, 10, follows=("ETH", ETH, 10))
    alone = replace(pool, positions=pool.positions[1:], collateral=(*pool.collateral, ether))

    assert is_curved(of_coins(alone, known, {"BTC": ONE, "ETH": ONE}))
    assert not is_curved(of_coins(alone, known, {"BTC": ONE}))


def test_a_group_whose_legs_part_curves() -> None:
    table = tiers((1200, "0.01", 0), (None, "0.5", 588), group="all")
    pool = a_pool(long("BTC", 1, tiers=table), short("ETH", 5, 10, tiers=table))

    assert is_curved(up(pool))
    assert not is_curved(of_coins(pool, KNOWN, {"BTC": ONE, "ETH": ONE}))
    by_count = replace(table, measured_in=TierMeasure.CONTRACTS)
    legs = tuple(replace(p, tiers=by_count) for p in pool.positions)
    assert not is_curved(up(replace(pool, positions=legs)))


def test_a_stretch_is_sampled_at_fifteen_factors_evenly_by_ratio() -> None:
    """From 1 to 2¹⁶ and to its inverse: the powers of 2 in between."""
    found = [round(factor) for factor in _between(ONE, D(2) ** 16)]
    assert found == [2**n for n in range(1, 16)]
    found = [round(1 / factor) for factor in _between(ONE, D(2) ** -16)]
    assert found == [2**n for n in range(1, 16)]
    found = [round(factor) for factor in _between(D(8), D(2) ** 19)]
    assert found == [8 * 2**n for n in range(1, 16)]


def test_a_curve_with_two_reciprocal_terms_is_not_solved() -> None:
    curve = _Curve(constant=ONE, slope=ONE, reciprocal={ONE: ONE, -ONE: ONE})
    assert curve.meets(D(2)) == ()


@pytest.mark.parametrize(("outer", "samples"), [("1.0000000011", 15), ("1.0000000009", 0)])
def test_a_stretch_too_narrow_to_hide_anything_is_not_sampled(outer: str, samples: int) -> None:
    assert len([*_between(ONE, D(outer))]) == samples
    assert len([*_between(D(outer), ONE)]) == samples


@pytest.mark.parametrize("dip", ["0.99", "0.9", "0.6", "0.3", "0.13", "0.11", "0.1001"])
def test_a_dip_is_looked_at_wherever_it_lies(dip: str) -> None:
    path = of_coins(*curving("185"), {"BTC": -ONE})

    looks = _looks(path, lambda factor: abs(factor - D(dip)), (D("0.5"), D("0.1")))

    assert min(abs(factor - D(dip)) for factor in looks) < D("1e-9")
    assert looks == sorted(looks, reverse=True)


def test_a_contract_quoted_in_a_coin_that_moves_curves() -> None:
    path = of_coins(*curving("185"), {"ETH": ONE})
    assert not is_curved(path)
    assert is_curved(replace(path, quotes={BTC: ONE}))
