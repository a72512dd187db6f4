"""What must hold of every pool, whatever its exchange."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.risk import (
    MarginPool,
    Mark,
    Side,
    Target,
    TierMeasure,
    TierTable,
    adverse_move,
    advise,
    evaluate,
    liquidation_prices,
    maintenance_margin,
    moved,
    requirement,
    shifted,
    shifted_adversely,
    topped_up,
    uniform_move,
)
from tests.build import NOON
from tests.risk.strategies import carrying, decimals, plain_pools, pools, tables

ONE = Decimal(1)
BESIDE = Decimal("1e-12")
EITHER = st.one_of(pools(), carrying())
Case = tuple[MarginPool, dict[str, Mark]]


def slack(pool: MarginPool, known: dict[str, Mark], ratio: Decimal = ONE) -> Decimal:
    found = requirement(pool, known)
    return ratio * found.margin_balance - found.maintenance_margin


def symbol_of(pool: MarginPool, choice: int) -> str:
    return pool.positions[choice % len(pool.positions)].instrument.symbol


@given(case=pools(), amount=decimals("0", "1000"), asset=st.sampled_from(["USDT", "BTC", "SOL"]))
def test_more_in_the_wallet_never_leaves_less(case: Case, amount: Decimal, asset: str):
    pool, known = case
    assert slack(topped_up(pool, asset, amount), known) >= slack(pool, known)


@given(case=plain_pools(), choice=st.integers(0, 3), further=decimals("0.01", "0.9"))
def test_slack_falls_as_a_mark_goes_against_the_position(case: Case, choice: int, further: Decimal):
    pool, known = case
    held = pool.positions[choice % len(pool.positions)]
    symbol = held.instrument.symbol
    others = (p for p in pool.positions if p.instrument.symbol != symbol)
    alone = replace(pool, positions=(*others, held))
    against = known[symbol].price * (ONE - held.side.sign * further)

    assert slack(*moved(alone, known, symbol, against)) < slack(alone, known)


@given(case=EITHER, choice=st.integers(0, 3), ratio=decimals("0.3", "1"))
def test_a_solved_price_is_where_the_ratio_is_reached(case: Case, choice: int, ratio: Decimal):
    pool, known = case
    symbol = symbol_of(pool, choice)
    assume(not requirement(pool, known).reaches(ratio))
    now = known[symbol].price

    found = liquidation_prices(pool, known, symbol, ratio)

    for price in (found.nearest, found.other):
        if price is not None:
            outward = ONE if price > now else -ONE
            inside, outside = (price * (ONE + s * outward * BESIDE) for s in (-1, 1))
            assert requirement(*moved(pool, known, symbol, outside)).reaches(ratio)
            assert not requirement(*moved(pool, known, symbol, inside)).reaches(ratio)


@given(case=pools(smooth=True), choice=st.integers(0, 3), ratio=decimals("0.3", "1"))
def test_a_pool_evaluated_at_a_solved_price_stands_at_the_ratio(
    case: Case, choice: int, ratio: Decimal
):
    pool, known = case
    symbol = symbol_of(pool, choice)
    assume(not requirement(pool, known).reaches(ratio))

    found = liquidation_prices(pool, known, symbol, ratio)

    for price in (found.nearest, found.other):
        if price is not None:
            there = evaluate(*moved(pool, known, symbol, price), NOON)
            left = slack(pool=there.pool, known=dict(there.marks), ratio=ratio)
            assert abs(left) <= BESIDE * (there.gross_notional + abs(slack(pool, known)))


@given(
    case=EITHER,
    choice=st.integers(0, 3),
    where=st.lists(decimals("0.001", "0.999", 3), min_size=5, max_size=5),
)
def test_no_price_nearer_than_the_nearest_reaches_it(case: Case, choice: int, where: list[Decimal]):
    pool, known = case
    symbol = symbol_of(pool, choice)
    now = known[symbol].price

    found = liquidation_prices(pool, known, symbol)

    ends = {"down": now / 100, "up": now * 100}
    for price in (found.nearest, found.other):
        if price is not None:
            ends["up" if price > now else "down"] = price
    assume(found.distance != 0)
    for end in ends.values():
        for part in where:
            between = now + (end - now) * part
            assert not requirement(*moved(pool, known, symbol, between)).reaches(ONE)


@given(case=pools(), part=decimals("0.001", "0.999", 3))
def test_a_common_move_is_the_first_that_ends_it(case: Case, part: Decimal):
    pool, known = case
    assume(not requirement(pool, known).reaches(ONE))

    move = uniform_move(pool, known)

    assume(move is not None and move > -ONE + BESIDE)
    assert move is not None
    for within in (move * part, -move * part):
        if within > -ONE:
            assert not requirement(*shifted(pool, known, within)).reaches(ONE)
    outside = (ONE + move) * (ONE + (BESIDE if move > 0 else -BESIDE)) - ONE
    assert requirement(*shifted(pool, known, outside)).reaches(ONE)


@given(case=pools(), part=decimals("0.001", "0.999", 3))
def test_an_adverse_move_is_the_first_that_ends_it(case: Case, part: Decimal):
    pool, known = case
    assume(not requirement(pool, known).reaches(ONE))

    move = adverse_move(pool, known)

    assume(move is not None)
    assert move is not None
    assert move < 0
    # Where only shorts end it the move may be over 100 %; what falls can't fall by more than that.
    farthest = min(-move, ONE) * (ONE - BESIDE)
    assert not requirement(*shifted_adversely(pool, known, farthest * part)).reaches(ONE)
    assert not requirement(*shifted_adversely(pool, known, farthest)).reaches(ONE)


@given(case=pools(smooth=True))
def test_a_top_up_of_plain_money_can_always_be_named(case: Case):
    pool, known = case
    advice = advise(evaluate(pool, known, NOON), Target())
    standing = requirement(pool, known).ratio, adverse_move(pool, known)
    safe = standing[0] <= Decimal("0.5") and (
        standing[1] is None or standing[1] <= -Decimal("0.05")
    )

    assert safe == (advice.top_up is None)


@given(table=tables(deducted=True), beyond=decimals("0.00", "1.00"))
def test_maintenance_is_continuous_where_it_is_deducted(table: TierTable, beyond: Decimal):
    for lower, upper in pairwise(table.tiers):
        edge, past = upper.floor, upper.floor + beyond
        grown = maintenance_margin(past, past, table) - maintenance_margin(edge, edge, table)

        assert grown >= 0
        assert grown <= beyond * max(t.maintenance_rate for t in table.tiers)
        assert lower.maintenance_rate <= upper.maintenance_rate


@given(table=tables(), size=decimals("0", "20000"), more=decimals("0", "5000"))
def test_maintenance_never_falls_as_size_grows(table: TierTable, size: Decimal, more: Decimal):
    larger = size + more

    assert maintenance_margin(larger, larger, table) >= maintenance_margin(size, size, table)


@given(case=plain_pools(), at=st.integers(0, 4), part=decimals("0", "1"))
def test_an_ungrouped_pool_split_in_two_and_added_is_the_pool(case: Case, at: int, part: Decimal):
    pool, known = case
    alone = pool.positions
    whole = replace(pool, other_balance=Decimal(7), other_maintenance=Decimal(3))
    cash = whole.collateral[0].balance
    there = topped_up(replace(whole, positions=alone[:at]), "USDT", cash * part - cash)
    here = topped_up(
        replace(
            whole, positions=alone[at:], other_balance=Decimal(0), other_maintenance=Decimal(0)
        ),
        "USDT",
        -cash * part,
    )

    split = requirement(there, known) + requirement(here, known)

    assert abs(split.margin_balance - requirement(whole, known).margin_balance) < BESIDE
    assert abs(split.maintenance_margin - requirement(whole, known).maintenance_margin) < BESIDE
    assert abs(split.initial_margin - requirement(whole, known).initial_margin) < BESIDE


def scaled_table(table: TierTable, k: Decimal) -> TierTable:
    return replace(
        table,
        tiers=tuple(
            replace(
                tier,
                floor=tier.floor * k,
                cap=None if tier.cap is None else tier.cap * k,
                deduction=tier.deduction * k,
            )
            for tier in table.tiers
        ),
    )


def scaled(pool: MarginPool, k: Decimal) -> MarginPool:
    return replace(
        pool,
        other_balance=pool.other_balance * k,
        other_maintenance=pool.other_maintenance * k,
        collateral=tuple(
            replace(
                c,
                balance=c.balance * k,
                haircuts=tuple(
                    replace(step, up_to=None if step.up_to is None else step.up_to * k)
                    for step in c.haircuts
                ),
            )
            for c in pool.collateral
        ),
        positions=tuple(
            replace(
                p,
                contracts=p.contracts * k,
                tiers=scaled_table(p.tiers, k),
                close_fee=replace(p.close_fee, fixed=p.close_fee.fixed * k),
            )
            for p in pool.positions
        ),
    )


@given(case=pools(), k=st.sampled_from([Decimal("0.001"), Decimal(3), Decimal(10**6)]))
def test_scaling_all_money_leaves_the_ratio(case: Case, k: Decimal):
    pool, known = case
    before, after = requirement(pool, known), requirement(scaled(pool, k), known)

    for name in ("margin_balance", "maintenance_margin", "initial_margin"):
        difference = getattr(after, name) - k * getattr(before, name)
        assert abs(difference) <= BESIDE * k * (abs(getattr(before, name)) + 1)
    if before.margin_balance > BESIDE:
        assert abs(after.ratio - before.ratio) <= BESIDE * before.ratio * 1000


@given(
    case=pools(), choice=st.integers(0, 3), k=st.sampled_from([Decimal("0.001"), Decimal(10**6)])
)
def test_scaling_all_money_leaves_the_prices(case: Case, choice: int, k: Decimal):
    pool, known = case
    symbol = symbol_of(pool, choice)
    assume(abs(slack(pool, known)) > BESIDE)
    before = liquidation_prices(pool, known, symbol)
    after = liquidation_prices(scaled(pool, k), known, symbol)

    for one, other in ((before.nearest, after.nearest), (before.other, after.other)):
        assert (one is None) == (other is None)
        assert one is None or other is None or abs(other / one - 1) <= BESIDE


def test_the_tables_of_every_kind_are_drawn():
    """Guards the strategies: a property over pools that never jump would prove little."""
    kinds: set[tuple[TierMeasure, bool]] = set()

    @given(table=tables())
    def collect(table: TierTable) -> None:
        kinds.add((table.measured_in, any(t.deduction for t in table.tiers)))

    collect()
    assert kinds >= {
        (TierMeasure.NOTIONAL, True),
        (TierMeasure.NOTIONAL, False),
        (TierMeasure.CONTRACTS, False),
    }
    assert {side.sign for side in Side} == {ONE, -ONE}
