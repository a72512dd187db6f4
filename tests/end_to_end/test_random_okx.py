"""The random OKX accounts are what they are said to be; each is judged by the simulator's books."""

from decimal import Decimal

import pytest

from monitor.simulator.okx_accounts import opened
from monitor.simulator.okx_pools import pools
from monitor.simulator.scenario import parse
from tests.end_to_end.random_okx import KINDS, MARKS, account
from tests.end_to_end.random_okx_parts import PRICES

D = Decimal
SEEDS = range(6)


def books(kind: str, seed: int):
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = 'name = "r"\ndescription = ""\nseed = 1\nduration_seconds = 1\n'
    lines = f'[[accounts]]\nname = "a"\nexchange = "okx"\n{account(kind, seed)}'
    return opened(parse(head + market + lines, kind).accounts[0], 0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_seed_has_the_ratio_that_is_asked_of_it(kind):
    for seed in SEEDS:
        found = pools(books(kind, seed), PRICES)
        worst = max(pool.ratio for pool in found)
        if seed % 2:
            assert 0 < worst < D("0.5"), seed
        else:
            assert D("0.5") <= worst <= D("1.2"), seed


@pytest.mark.parametrize("kind", ["multi borrowing", "futures margin isolated"])
def test_the_same_seed_is_the_same_account(kind):
    assert account(kind, 3) == account(kind, 3)
    assert account(kind, 3) != account(kind, 5)


def test_there_is_variety():
    """Ends on both sides, debts, ratios above 1, long/short mode, every account mode."""
    held = [books(kind, seed) for kind in KINDS for seed in SEEDS]
    held += [books("multi hedged by its coins", seed) for seed in range(6, 30)]
    every = [pool for one in held for pool in pools(one, PRICES)]
    rows = [position.row() for pool in every for position in pool.positions]
    assert {one.level for one in held} == {"1", "2", "3", "4"}
    assert any(row["other_liquidation_price"] for row in rows)
    assert any(row["liquidation_price"] is None for row in rows)
    assert any(pool.ratio > 1 for pool in every)
    assert any(amount < 0 for one in held for amount in one.cash.values())
    assert any(one.hedge for one in held)
    assert {row["side"] for row in rows} == {"long", "short"}
