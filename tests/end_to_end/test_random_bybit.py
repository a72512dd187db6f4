"""The random accounts themselves: that they are what they are said to be."""

from decimal import Decimal

import pytest

from monitor.simulator.bybit_account import Account
from monitor.simulator.bybit_accounts import opened
from monitor.simulator.bybit_ledger import figures, tier_of
from monitor.simulator.bybit_pools import pools
from monitor.simulator.scenario import parse
from monitor.simulator.truth import PoolTruth
from tests.end_to_end.random_bybit import KINDS, MARKS, PRICES, account

D = Decimal
SEEDS = range(40)


def made(kind: str, seed: int) -> Account:
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = 'name = "random"\ndescription = "one"\nseed = 1\nduration_seconds = 1\n'
    words = '[[accounts]]\nname = "main"\nexchange = "bybit"\n'
    text = head + market + words + account(kind, seed)
    return opened(parse(text, "random").accounts[0], 0)


def truth(kind: str, seed: int) -> tuple[PoolTruth, ...]:
    return pools(made(kind, seed), PRICES)


@pytest.mark.parametrize("kind", KINDS)
def test_even_seeds_stand_near_the_end_and_odd_ones_below_the_half(kind: str) -> None:
    for seed in SEEDS:
        ratios = [pool.ratio for pool in truth(kind, seed)]
        low, high = (D("0.49"), D("1.21")) if seed % 2 == 0 else (D(0), D("0.51"))
        assert ratios
        assert all(low < ratio < high for ratio in ratios), (seed, ratios)


def test_the_same_seed_gives_the_same_account() -> None:
    assert account("cross mixed", 7) == account("cross mixed", 7)
    assert account("cross mixed", 7) != account("cross mixed", 9)


@pytest.mark.parametrize("kind", ["cross hedge", "cross inverse"])
def test_some_end_both_ways(kind: str) -> None:
    rows = [p.row() for seed in SEEDS for pool in truth(kind, seed) for p in pool.positions]
    assert sum(row["other_liquidation_price"] is not None for row in rows) >= 3


def test_borrowings_are_below_zero_or_taken_by_hand() -> None:
    ledgers = [made("cross borrowing", seed) for seed in SEEDS]
    owing = [any(c.borrowed > 0 for c in figures(it, PRICES).coins) for it in ledgers]
    assert sum(owing) >= len(SEEDS) / 2
    assert any(it.spot_borrow for it in ledgers)
    assert any(it.wallets.get("USDT", D(0)) < 0 for it in ledgers)


@pytest.mark.parametrize("kind", KINDS)
def test_some_stand_near_a_tier_s_edge(kind: str) -> None:
    near = 0
    for seed in SEEDS:
        for it in figures(made(kind, seed), PRICES).positions:
            edge = tier_of(it.position.symbol, it.risk_value).limit
            near += abs(it.risk_value / edge - 1) < D("0.015")
    assert near >= 3
