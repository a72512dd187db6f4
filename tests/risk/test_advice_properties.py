"""After every item of advice both targets hold; a step less would not have done."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.risk import (
    Advice,
    MarginPool,
    Mark,
    Position,
    Target,
    adverse_move,
    advise,
    evaluate,
    reduced,
    requirement,
    topped_up,
)
from tests.build import NOON
from tests.risk.strategies import carrying, decimals, dented, indebted, pools

D = Decimal
ONE = D(1)
NEARLY = ONE - D("1e-12")
Case = tuple[MarginPool, dict[str, Mark]]
POOLS = st.one_of(pools(smooth=True), pools(), indebted(), dented(), carrying())
TARGETS = st.builds(Target, ratio=decimals("0.2", "0.95"), distance=decimals("0", "0.3"))


def holds(pool: MarginPool, known: dict[str, Mark], target: Target) -> bool:
    move = adverse_move(pool, known)
    return requirement(pool, known).ratio <= target.ratio and (
        move is None or -move >= target.distance * NEARLY
    )


def ask(case: Case, target: Target) -> Advice:
    return advise(evaluate(*case, NOON), target)


def share_closed(pool: MarginPool, known: dict[str, Mark], share: D) -> MarginPool:
    """The pool after closing this share of every position, each rounded up to its lot."""
    for leg in pool.positions:
        lot = leg.instrument.lot
        contracts = min(ceil(share * leg.contracts / lot) * lot, leg.contracts)
        pool = reduced(pool, leg, contracts, known[leg.instrument.symbol])
    return pool


@settings(max_examples=200)
@given(case=POOLS, target=TARGETS)
def test_a_top_up_does_it_and_a_little_less_would_not(case: Case, target: Target):
    pool, known = case
    advice = ask(case, target)

    if holds(pool, known, target):
        assert advice == Advice(target=target, top_up=None, reductions=())
    elif advice.top_up is not None:
        amount = advice.top_up.amount
        assert holds(topped_up(pool, "USDT", amount), known, target)
        assert not holds(topped_up(pool, "USDT", amount - D("1e-7")), known, target)


@settings(max_examples=200)
@given(case=POOLS, target=TARGETS)
def test_a_reduction_does_it_and_a_lot_less_would_not(case: Case, target: Target):
    pool, known = case

    for reduction in ask(case, target).reductions:
        held, lot = reduction.position, reduction.position.instrument.lot
        at = known[held.instrument.symbol]
        after = reduced(pool, held, reduction.contracts, at)
        assert holds(after, known, target)
        assert reduction.margin_ratio == requirement(after, known).ratio
        assert reduction.adverse_move == adverse_move(after, known)
        less = max(ceil(reduction.contracts / lot) * lot - lot, D(0))
        assert not holds(reduced(pool, held, less, at), known, target)


@settings(max_examples=200)
@given(case=POOLS, target=TARGETS)
def test_all_in_proportion_does_it_and_a_step_less_would_not(case: Case, target: Target):
    pool, known = case
    found = ask(case, target).all_in_proportion

    if found is not None:
        after = share_closed(pool, known, found.share)
        assert holds(after, known, target)
        assert found.margin_ratio == requirement(after, known).ratio
        assert [c.position for c in found.closings] == list(pool.positions)
        finest = max(ceil(p.contracts / p.instrument.lot) for p in pool.positions)
        less = D(round(found.share * finest) - 1) / finest
        assert not holds(share_closed(pool, known, less), known, target)


def lot_of(leg: Position) -> D:
    """Some thirtieth of it, in few digits."""
    return max((leg.contracts / 30).quantize(D("0.001")), D("0.001"))


@settings(max_examples=100)
@given(case=POOLS, target=TARGETS, choice=st.integers(0, 3))
def test_the_least_number_of_lots_is_found_wherever_there_is_one(
    case: Case, target: Target, choice: int
):
    """Looks at every one of some 30 lots: the first that does it is the one that is advised."""
    pool, known = case
    leg: Position = pool.positions[choice % len(pool.positions)]
    coarse = replace(leg, instrument=replace(leg.instrument, lot=lot_of(leg)))
    others = tuple(p for p in pool.positions if p is not leg)
    pool = replace(pool, positions=(coarse, *others))
    if holds(pool, known, target) or leg.tiers is None:
        return
    at, lot = known[leg.instrument.symbol], coarse.instrument.lot

    def does(lots: int) -> bool:
        closed = min(lots * lot, coarse.contracts)
        return holds(reduced(pool, coarse, closed, at), known, target)

    most = ceil(coarse.contracts / lot)
    first = next((n for n in range(1, most + 1) if does(n)), None)
    advice = ask((pool, known), target)
    found = [r.contracts for r in advice.reductions if r.position is coarse]
    assert found == ([] if first is None else [min(first * lot, coarse.contracts)])
