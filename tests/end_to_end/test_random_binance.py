"""The random accounts themselves: that they are what they are said to be."""

from decimal import Decimal
from functools import cache

import pytest

from monitor.simulator.binance_accounts import BinanceAccount, open_account, prices_for
from monitor.simulator.scenario import parse
from monitor.simulator.truth import PoolTruth
from tests.end_to_end.random_binance import KINDS, MARKS, account
from tests.end_to_end.random_binance_parts import QUOTES

D = Decimal
SEEDS = range(30)


@cache
def made(kind: str, seed: int) -> BinanceAccount:
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = 'name = "random"\ndescription = "one"\nseed = 1\nduration_seconds = 1\n'
    words = '[[accounts]]\nname = "main"\nexchange = "binance"\n'
    text = head + market + words + account(kind, seed)
    return open_account(parse(text, "random").accounts[0], 0)


def truth(kind: str, seed: int) -> tuple[PoolTruth, ...]:
    owner = made(kind, seed)
    prices = prices_for(owner, QUOTES)
    return tuple(pool.truth(prices) for pool in owner.pools())


@pytest.mark.parametrize("kind", KINDS)
def test_even_seeds_stand_near_the_end_and_odd_ones_below_the_half(kind: str) -> None:
    for seed in SEEDS:
        worst = max(pool.ratio for pool in truth(kind, seed))
        assert D("0.5") <= worst <= D("1.2") if seed % 2 == 0 else 0 < worst < D("0.5"), seed


def test_the_same_seed_gives_the_same_account() -> None:
    assert account("multi-assets", 7) == account("multi-assets", 7)
    assert account("multi-assets", 7) != account("multi-assets", 9)


@pytest.mark.parametrize("kind", ["single hedge", "multi-assets covered", "coin-m hedge"])
def test_some_end_both_ways(kind: str) -> None:
    rows = [p.row() for seed in SEEDS for pool in truth(kind, seed) for p in pool.positions]
    assert sum(row["other_liquidation_price"] is not None for row in rows) >= 2


@pytest.mark.parametrize("kind", ["multi-assets", "credits", "portfolio margin"])
def test_some_owe_an_asset(kind: str) -> None:
    owing = 0
    for seed in SEEDS:
        owner = made(kind, seed)
        prices = prices_for(owner, QUOTES)
        book = owner.portfolio
        owing += any(book.net(asset, prices) < 0 for asset in book.assets())
    assert owing >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_some_stand_beside_a_bracket_s_edge(kind: str) -> None:
    if kind == "multi-assets covered":
        return  # one position, as large as the coins that stand for it
    near = 0
    for seed in SEEDS:
        owner = made(kind, seed)
        for leg in (*owner.ledger.legs, *owner.coin.legs):
            notional = abs(leg.notional(QUOTES.mark(leg.symbol.name)))
            caps = (bracket.cap for bracket in leg.symbol.brackets[:-1])
            near += any(abs(notional / cap - 1) < D("0.03") for cap in caps)
    assert near >= 3
