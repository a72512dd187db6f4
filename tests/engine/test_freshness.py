"""Fresh, stale or blind: by the age of every input, and by what the account says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.engine import freshness
from monitor.engine.effects import State
from monitor.engine.events import MarksMoved, Source
from monitor.engine.knowledge import Budgets, Feed, Knowledge
from monitor.errors import Malformed, Refused, Unreachable
from tests.build import NOON, coins, mark
from tests.engine.scene import LONG, snapshot, the_pool

SOL = "SOL/USDT:USDT"


def known(*, view: float = 0, live: float | None = 0, asked: float = 0) -> Knowledge:
    """An account at noon whose inputs are so many seconds old."""
    knowledge = Knowledge(account="main", exchange="bybit", budgets=Budgets())
    start = NOON - timedelta(minutes=10)
    knowledge.begin(start)
    book = snapshot(the_pool(), at=NOON - timedelta(seconds=view))
    knowledge.believe(book, start)
    for age, source in ((live, Source.LIVE), (asked, Source.REST)):
        if age is not None:
            held = mark(120, NOON - timedelta(seconds=age))
            knowledge.take_marks(MarksMoved(marks={"SOLUSDT": held}, at=NOON, source=source))
    return knowledge


@pytest.mark.parametrize(
    ("sentence", "ages", "near", "state", "blind_due", "stale_due"),
    [
        ("all within budget is fresh", {"view": 60, "live": 15}, False, State.FRESH, None, None),
        ("a late live mark is stale", {"live": 15.1}, False, State.STALE, None, False),
        ("it is due after the grace", {"live": 20.1}, False, State.STALE, None, True),
        ("a live mark that never came is stale", {"live": None}, False, State.STALE, None, True),
        ("near the end six seconds are due", {"live": 6.1}, True, State.STALE, None, True),
        ("and no less", {"live": 6}, True, State.FRESH, None, None),
        (
            "without a mark by any way it is blind",
            {"live": 16, "asked": 17},
            False,
            State.BLIND,
            False,
            False,
        ),
        (
            "which is due after the grace",
            {"live": 20.1, "asked": 22},
            False,
            State.BLIND,
            True,
            True,
        ),
    ],
)
def test_a_pool(
    sentence: str,
    ages: dict[str, float],
    state: State,
    *,
    near: bool,
    blind_due: bool | None,
    stale_due: bool | None,
) -> None:
    found = freshness.of_pool(known(**ages), the_pool(), NOON, near=near)
    assert found.state is state, sentence
    assert (found.blind and found.blind.is_due) is blind_due, sentence
    assert (found.stale and found.stale.is_due) is stale_due, sentence


def test_the_age_of_a_pool_is_that_of_its_oldest_input() -> None:
    assert freshness.of_pool(known(view=40, live=3), the_pool(), NOON, near=False).age_seconds == 40
    assert (
        freshness.of_pool(known(view=1, live=9, asked=12), the_pool(), NOON, near=False).age_seconds
        == 9
    )


def test_an_old_account_view_is_blind_and_due_after_the_grace() -> None:
    assert freshness.account_trouble(known(view=60), NOON) is None
    late = freshness.account_trouble(known(view=60.1), NOON)
    assert late is not None
    assert not late.is_due
    due = freshness.account_trouble(known(view=65.1), NOON)
    assert due is not None
    assert due.is_due
    assert due.because == "the account was last read 1 min 5 s ago"
    assert due.since == NOON - timedelta(seconds=65.1)
    assert freshness.of_pool(known(view=60.1), the_pool(), NOON, near=False).state is State.BLIND


def test_a_failure_gives_its_words_to_the_age() -> None:
    knowledge = known(view=70)
    knowledge.fail(Malformed("data[0].mmr", "a number"), NOON)
    trouble = freshness.account_trouble(knowledge, NOON)
    assert trouble is not None
    assert trouble.because == (
        "the account was last read 1 min 10 s ago: data[0].mmr: expected a number"
    )


def test_a_failure_within_the_budget_is_no_trouble_yet() -> None:
    knowledge = known()
    knowledge.fail(Unreachable("timed out"), NOON)
    assert freshness.account_trouble(knowledge, NOON) is None


def test_a_refusal_is_due_at_once() -> None:
    knowledge = known()
    knowledge.fail(Refused("key expired"), NOON)
    trouble = freshness.account_trouble(knowledge, NOON)
    assert trouble == freshness.Trouble(
        because="key expired", is_due=True, since=NOON, owner_must_act=True
    )


def test_an_account_never_read_is_due_after_budget_and_grace_from_the_start() -> None:
    knowledge = Knowledge(account="main", exchange="bybit", budgets=Budgets())
    knowledge.begin(NOON)
    for seconds, due in ((0, False), (65, False), (65.1, True)):
        trouble = freshness.account_trouble(knowledge, NOON + timedelta(seconds=seconds))
        assert trouble is not None
        assert (trouble.is_due, trouble.since) == (due, None)


def test_a_mark_that_only_a_reading_could_bring_is_due_at_once() -> None:
    floating = coins("BTC", 1, 100, follows=("BTC", "BTC index", 100))
    pool = the_pool(LONG, collateral=(coins("USDT", 500), floating))
    blind = freshness.of_pool(known(), pool, NOON, near=False).blind
    assert blind is not None
    assert blind.is_due
    assert blind.because.startswith("no mark of BTC index")


def test_figures_that_cannot_be_computed_are_blind_at_once() -> None:
    found = freshness.of_pool(known(), the_pool(), NOON, near=False, error="no collateral")
    assert found.state is State.BLIND
    assert found.blind is not None
    assert found.blind.is_due
    assert found.blind.because == "the figures can't be computed: no collateral"


def test_a_lost_feed_gives_its_words() -> None:
    knowledge = known(live=21)
    knowledge.feeds["marks"] = Feed(name="marks", lost_at=NOON, because="no pong for 35 s")
    stale = freshness.of_pool(knowledge, the_pool(), NOON, near=False).stale
    assert stale is not None
    assert stale.because == (
        f"no live mark of {SOL} for 21 s (the marks feed is lost: no pong for 35 s)"
    )


def test_an_account_is_as_bad_as_its_worst_pool() -> None:
    knowledge = known()
    pool = the_pool()
    fresh = freshness.of_pool(knowledge, pool, NOON, near=False)
    stale = freshness.of_pool(known(live=16), pool, NOON, near=False)
    blind = freshness.of_pool(known(live=16, asked=16), pool, NOON, near=False)
    one, two = the_pool().id, the_pool(unit="USDC").id
    assert freshness.of_account(knowledge, {one: fresh}, NOON) == (State.FRESH, "")
    state, because = freshness.of_account(knowledge, {one: fresh, two: stale}, NOON)
    assert (state, because) == (State.STALE, f"no live mark of {SOL} for 16 s")
    state, because = freshness.of_account(knowledge, {one: blind, two: stale}, NOON)
    assert (state, because) == (State.BLIND, f"no mark of {SOL} for 16 s")


@pytest.mark.parametrize(
    ("sentence", "ages", "lost", "state", "age"),
    [
        ("live marks within budget are fresh", {"live": 4}, False, State.FRESH, 4),
        ("a lost feed is stale from the first moment", {"live": 4}, True, State.STALE, 4),
        ("REST keeps it going", {"live": 16, "asked": 1}, False, State.STALE, 16),
        ("nothing within budget is blind", {"live": 16, "asked": 16}, False, State.BLIND, 16),
        ("a feed never heard has no age", {"live": None, "asked": 1}, False, State.STALE, None),
    ],
)
def test_the_marks_feed(
    sentence: str, ages: dict[str, float], state: State, age: float | None, *, lost: bool
) -> None:
    knowledge = known(**ages)
    if lost:
        knowledge.feeds["marks"] = Feed(name="marks", lost_at=NOON, because="no pong")
    found = freshness.feeds(knowledge, NOON)[0]
    assert (found.name, found.state, found.age_seconds) == ("marks", state, age), sentence


def test_the_account_feed_and_others_that_are_lost() -> None:
    knowledge = known(view=61)
    knowledge.feeds["news"] = Feed(name="news", lost_at=NOON, because="closed")
    knowledge.feeds["well"] = Feed(name="well")
    _, account, news, well = freshness.feeds(knowledge, NOON)
    assert (well.state, well.because, well.age_seconds) == (State.FRESH, "", None)
    assert (account.name, account.state, account.age_seconds) == ("account", State.BLIND, 61)
    assert (news.name, news.state, news.because) == ("news", State.STALE, "closed")
