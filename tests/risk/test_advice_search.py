"""Where what is to be closed is looked for: turns, peaks, and how little is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.risk import Borrow, MarginPool, Target, TierMeasure
from monitor.risk.advice import _enough, _flips, _turns
from tests.build import a_pool, coins, flat, inverse, linear, long, mark, marks, short, tiers
from tests.risk.test_advice import BOTH, RATIO_ONLY, ask


def turns(pool: MarginPool, at: int, distance: str = "0.1") -> list[Decimal]:
    """The contracts of one position at which what is spare may jump, rounded."""
    target = Target(ratio=Decimal("0.5"), distance=Decimal(distance))
    found = _turns(pool, marks(BTC=100, ETH=10), pool.positions[at], target)
    return [round(contracts, 6) for contracts in found]


def test_a_hedge_turns_over_where_its_legs_meet_and_at_each_edge_now_below_and_above():
    table = tiers((500, "0.01", 0), (800, "0.02", 0), (None, "0.03", 0))
    pool = a_pool(long("BTC", 10, tiers=table), short("BTC", 4, tiers=table), long("ETH"))

    # 1,000 are 500 and 200 above the edges at 100, 900 at 90 and 1,100 at 110
    assert turns(pool, 0) == [6, 5, 2] + [
        round(Decimal(above) / price, 6)
        for above, price in ((400, 90), (100, 90), (600, 110), (300, 110))
    ]
    # the smaller leg turns nothing round; its 400 are 100 and 400 below the edges
    assert turns(pool, 1)[:2] == [-1, -4]
    assert turns(pool, 2) == []  # nothing stands against it


def test_legs_in_different_coins_meet_by_their_worth():
    """300 USD long in USDT, 500 short in coins at 100: 200 of the short stand alone."""
    pool = a_pool(
        long("BTC", 3),
        short(inverse("BTC", size=1), 500),
        collateral=(coins("USDT"), coins("BTC", 0, 100)),
    )
    known = {**marks(BTC=100), "BTC/USD:BTC": mark(100)}

    found = _turns(pool, known, pool.positions[1], RATIO_ONLY)
    assert list(found) == [200]


def test_the_best_of_two_pulls_is_found_however_small_the_sums():
    """As with 100 times as much: 10 % closed of either leg, and nothing less or more."""
    pool = a_pool(
        long("BTC", "0.1", tiers=flat("0.01")), short("BTC", "0.1", tiers=flat("0.01")), cash="0.4"
    )
    target = Target(ratio=Decimal("0.45"), distance=Decimal("0.05"))

    assert [r.contracts for r in ask(pool, marks(BTC=100), target).reductions] == [
        Decimal("0.02"),
        Decimal("0.02"),
    ]


def test_the_one_number_of_lots_between_two_edges_is_found_where_less_and_more_costs():
    """
    Down to 8 a long of 10 needs 1 %, above it 5 %; each contract closed costs 11 of fee.

    39 − 22 halved are 8.5 against 8. A tenth less: 39 − 20.9 against 40.5; from 0.2 more on:
    39 − 24.2 halved against 7.8. On either side it only falls, so the edge alone tells.
    """
    table = tiers((8, "0.01", 0), (None, "0.05", 0), measured_in=TierMeasure.CONTRACTS)
    dear = long(linear("BTC", lot="0.1"), 10, tiers=table, taker_fee_rate=Decimal("0.11"))
    pool = a_pool(dear, short("BTC", 1, tiers=None), cash=39)

    (reduction,) = ask(pool, marks(BTC=100), RATIO_ONLY).reductions

    assert reduction.contracts == 2
    assert reduction.margin_ratio == Decimal(8) / 17


def test_coins_owned_stand_against_a_position_too():
    """3 coins at 100 against 10 short of them: 7 closed, the rest is covered."""
    pool = a_pool(
        short("BTC", 10),
        collateral=(coins("USDT"), coins("BTC", 3, 100, follows=("BTC", "BTC/USDT:USDT", 100))),
    )

    assert turns(pool, 0) == [7]


def test_legs_of_one_side_and_group_are_tiered_on_their_sum():
    table = tiers((8, "0.01", 0), (None, "0.03", 0), measured_in=TierMeasure.CONTRACTS, group="B")
    other = replace(table, group="C")
    pool = a_pool(
        long("BTC", 10, tiers=table),
        short("BTC", 9, tiers=table),
        long("ETH", 5, 10, tiers=table),
        long("ETH", 3, 10, tiers=other),
        long("ETH", 2, 10, tiers=None),
    )

    assert turns(pool, 0) == [1, 7, 7, 7]  # 10 − 9, and 15 − 8 whatever the price


def test_a_debt_after_the_move_turns_it_where_closing_keeps_it_away():
    """
    −30 USDT and 50 won; at 90 the pair has lost 10, at 110 won 110; 8 may be owed before a jump.

    Every contract closed keeps 10 of the loss, or of the gain, and costs 0.1.
    """
    borrow = Borrow(tiers=tiers((8, "0.1", 0), (None, "0.2", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("BTC", 10, 95, taker_fee_rate=Decimal("0.001")),
        short("BTC", 4),
        collateral=(replace(coins("USDT", -30), borrow=borrow),),
    )

    rises = [Decimal(80) / Decimal("10.1"), Decimal(88) / Decimal("10.1")]
    falls = [Decimal(-40) / Decimal("-9.9"), Decimal(-32) / Decimal("-9.9")]
    assert turns(pool, 0) == [6, *(round(n, 6) for n in (*rises, *falls))]


def test_without_a_move_and_a_fee_closing_turns_no_debt():
    borrow = Borrow(tiers=tiers((8, "0.1", 0), (None, "0.2", 0), measured_in=TierMeasure.CONTRACTS))
    pool = a_pool(
        long("BTC", 10, 95),
        short("BTC", 4),
        collateral=(replace(coins("USDT", -30), borrow=borrow),),
    )

    assert turns(pool, 0, distance="0") == [6]


@pytest.mark.parametrize("peak", [1, 2, 20, 49, 50, 51, 63, 98, 99])
@pytest.mark.parametrize("wide", [0, 1, 7])
def test_a_peak_is_found_wherever_it_stands(peak: int, wide: int):
    """Rises to a half above 0 at the peak, and falls from there: only `wide` beside it will do."""

    def spare(steps: int) -> Decimal:
        return Decimal("0.5") + wide - abs(steps - peak)

    first = max(peak - wide, 0)
    assert _enough(spare, 100) == (first if first > 0 else 1)


def test_the_one_step_between_two_that_fall_short_is_found():
    assert _enough(lambda steps: Decimal((-1, 1, -1)[steps]), 2) == 1
    assert _enough(lambda steps: Decimal((-1, 0, -1)[steps]), 2) == 1


def test_where_no_step_does_it_there_is_none():
    assert _enough(lambda steps: Decimal(-1) - abs(steps - 40), 100) is None
    assert _enough(lambda steps: Decimal(steps - 101), 100) is None
    assert _enough(lambda steps: Decimal(-steps - 1), 100) is None
    assert _enough(lambda steps: Decimal(steps - 100), 100) == 100


@pytest.mark.parametrize(
    ("turn", "only"), [("5.5", 5), ("5.5", 6), ("5", 4), ("5", 6), ("1.5", 1), ("5", 9)]
)
def test_both_sides_of_a_turn_are_looked_at(turn: str, only: int):
    """Level ground everywhere, and one step beside the turn, or before the last, that does."""
    found = _enough(lambda steps: Decimal(steps == only) - Decimal("0.5"), 10, [Decimal(turn)])

    assert found == only


def test_something_is_closed_at_least():
    """Where solving left nothing wanting and the target is yet missed by a hair: a step."""
    assert _enough(lambda _: Decimal(0), 9, [Decimal(0)]) == 1


@pytest.mark.parametrize("best", [0, "0.5", 1])
def test_nothing_less_than_nothing_is_asked_of(best: int | str):
    known = {0: -3, 1: best, 2: -2, 3: -4}

    assert _enough(lambda steps: Decimal(known[steps]), 3) == 1


def test_few_are_asked_of():
    """Of a million steps only 101 in the middle do; each question is a pool evaluated anew."""
    asked: set[int] = set()

    def spare(steps: int) -> Decimal:
        asked.add(steps)
        return Decimal(50 - abs(steps - 432_100))

    assert _enough(spare, 1_000_000) == 432_050
    assert len(asked) < 100


def test_coins_that_are_gone_with_what_is_closed_turn_nothing():
    pool = a_pool(short("BTC", 2), short("ETH", 3))
    closed = a_pool()

    assert _flips(pool, closed, marks(BTC=100, ETH=10)) == set()


def test_coins_that_outlive_what_they_cover_are_not_laid_bare():
    """
    10 BTC short at 100 in two contracts, 3 coins owned, 290 owed: 10 of balance, 1 % held.

    Of n short, a rise by 5 % leaves 10 − 5 (n − 3) for 1.05 n, so n may be 25 ÷ 6.05 = 4.132; a
    fall leaves 10 − 5 (3 − n) for 0.95 n, so n may not be below 1.235. But 0 may: nothing is held
    against it. 3,521 of 6,000 lots close 3.521 and 2.348; a step before, 5.867, leaves 4.133.
    """
    rate = flat("0.01")
    pool = a_pool(
        short("BTC", 6, tiers=rate),
        short(linear("BTC", settle="USDC"), 4, tiers=rate),
        collateral=(
            coins("USDT", -290),
            coins("USDC"),
            coins("BTC", 3, 100, follows=("BTC", "BTC/USDT:USDT", 100)),
        ),
    )
    known = {**marks(BTC=100), "BTC/USDC:USDC": mark(100)}

    found = ask(pool, known, BOTH).all_in_proportion

    assert found is not None
    assert found.share == Decimal(3521) / 6000
    assert [c.contracts for c in found.closings] == [Decimal("3.521"), Decimal("2.348")]
