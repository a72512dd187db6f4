"""The facts for a message, as they are known at one moment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.engine import freshness
from monitor.engine.briefing import Briefing
from monitor.engine.freshness import Trouble
from monitor.engine.knowledge import Budgets, Knowledge
from monitor.engine.moves import Touched
from monitor.engine.watch import Watch
from monitor.errors import Refused, Unmodelled, Unreachable
from monitor.risk.model import PoolId
from monitor.risk.result import Target
from tests.build import NOON, Number, mark
from tests.engine.scene import LONG, renamed, snapshot, the_pool

SOL = "SOL/USDT:USDT"
ID, OTHER = PoolId(account="main", name="USDT"), PoolId(account="main", name="USDC")


def briefing(
    price: Number = 120, *worst: Number, jumps: dict[str, Decimal] | None = None, **changes: Any
) -> Briefing:
    """Two pools, the second without positions; no live mark yet."""
    known = Knowledge(account="main", exchange="bybit", budgets=Budgets())
    pools = (the_pool(), renamed(the_pool(LONG, positions=(), **changes), "USDC"))
    book = snapshot(*pools, SOL=price)
    known.begin(NOON)
    known.take_reading(book, NOON, book.at)
    known.believe(book, NOON)
    watches = {pool.id: Watch(pool) for pool in pools}
    for watch in watches.values():
        watch.evaluate(known.marks(), {SOL: tuple(mark(w) for w in worst)} if worst else {}, NOON)
    return Briefing(
        known=known,
        watches=watches,
        fresh={p: freshness.of_pool(known, w.pool, NOON, near=False) for p, w in watches.items()},
        touched=Touched(worst={}, jumps=jumps or {}),
        ladder=DEFAULT_LADDER,
        target=Target(),
        at=NOON,
    )


def test_a_pool_is_laid_out_with_what_is_solved_for_these_very_figures() -> None:
    now = briefing(88)
    facts = now.of_pool(now.watches[ID], now.watches[ID].now)
    assert facts.pool is not None
    assert facts.pool.outlook is not None
    assert facts.pool.advice is not None
    assert facts.pool.advice.top_up is not None
    assert facts.pool.advice.top_up.amount == 324
    assert (facts.pool.ratio_now, facts.pool.is_live) == (None, False)
    assert (facts.exchange, facts.ladder) == ("bybit", DEFAULT_LADDER)


def test_a_spike_is_laid_out_at_its_own_marks_with_the_ratio_of_the_newest() -> None:
    now = briefing(120, 88)
    watch = now.watches[ID]
    facts = now.of_pool(watch, watch.adverse)
    assert facts.pool is not None
    assert facts.pool.risk.marks[SOL].price == 88
    assert facts.pool.ratio_now == Decimal(480) / 700
    assert facts.pool.advice is not None
    assert facts.pool.advice.top_up is not None
    assert facts.pool.advice.top_up.amount == 324


def test_what_was_last_known_is_listed_for_every_pool() -> None:
    now = briefing(88)
    now.watches[ID].climb(DEFAULT_LADDER, may_ease=True)
    one, other = now.of_account(None, ()).known
    assert (one.pool, one.ratio, one.rung, one.positions) == (
        ID,
        Decimal(352) / 380,
        "critical",
        1,
    )
    assert (other.pool, other.ratio, other.rung, other.positions) == (OTHER, 0, None, 0)


def test_only_some_pools_are_named_as_concerned() -> None:
    now = briefing()
    assert now.of_account(None, (ID,)).concerns == (ID,)
    assert now.of_account(None, (OTHER, ID)).concerns == ()


def test_what_the_owner_can_do_goes_by_the_failure() -> None:
    now = briefing()
    trouble = Trouble(because="x", is_due=True, since=NOON, owner_must_act=True)
    now.known.fail(Refused("key expired"), NOON)
    assert now.of_account(trouble, ()).to_do.startswith("put right what is said above:")
    now.known.fail(Unmodelled("holds options"), NOON)
    assert now.of_account(trouble, ()).to_do.startswith("the monitor has no rules for this.")
    now.known.fail(Unreachable("timed out"), NOON)
    assert now.of_account(Trouble(because="x", is_due=True, since=NOON), ()).to_do == ""
    assert now.of_account(trouble, ()).since == NOON


def test_positions_that_are_gone_compare_the_balance_of_before() -> None:
    now = briefing()
    gone = now.of_gone(OTHER, ("USDC", Decimal(312))).gone
    assert gone is not None
    # the pool without positions has its 500 of cash
    assert (gone.unit, gone.balance_before, gone.balance_now) == ("USDC", 312, 500)
    gone = now.of_gone(PoolId(account="main", name="isolated/X"), None).gone
    assert gone is not None
    assert (gone.unit, gone.balance_before, gone.balance_now) == ("", None, None)


def test_doubts_are_those_of_this_pool() -> None:
    now = briefing(jumps={SOL: Decimal("-0.2"), "ETH/USDT:USDT": Decimal("0.3")})
    facts = now.of_pool(now.watches[ID], None)
    assert facts.pool is not None
    assert facts.pool.doubts == (
        (
            "Unconfirmed: the mark of SOL/USDT:USDT moved by −20.0 % in one step. "
            "It is being read again."
        ),
    )
    now.known.doubted = snapshot(the_pool())
    facts = now.of_pool(now.watches[OTHER], None)
    assert facts.pool is not None
    assert facts.pool.doubts == (
        (
            "Unconfirmed: a reading shows fewer positions; it is being read again, these figures "
            "are those of before."
        ),
    )
