"""Lists of pools and of doubts; the whole messages stand in test_message."""

from __future__ import annotations

from decimal import Decimal

from monitor.alerts.facts import Facts, LastKnown
from monitor.alerts.figures_text import known_lines, standing_lines
from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.risk.model import PoolId


def known(name: str, ratio: str | None, positions: int = 2) -> LastKnown:
    return LastKnown(
        pool=PoolId(account="main", name=name),
        ratio=None if ratio is None else Decimal(ratio),
        rung=None,
        age_seconds=2.04,
        positions=positions,
    )


def facts(*pools: LastKnown, concerns: tuple[PoolId, ...] = ()) -> Facts:
    return Facts(exchange="okx", ladder=DEFAULT_LADDER, known=pools, concerns=concerns)


def test_pools_come_with_the_highest_ratio_first_and_those_without_last() -> None:
    lines = known_lines(facts(known("A", None), known("B", "0.1", 0), known("C", "Infinity")))
    assert lines == [
        "• main/C: margin ratio over 100 %, 2 positions; 2.0 s old",
        "• main/B: margin ratio 10.0 %, no position; 2.0 s old",
        "• main/A: no figure was ever known",
    ]


def test_only_five_pools_are_listed() -> None:
    lines = known_lines(facts(*(known(f"P{n}", f"0.{n}") for n in range(1, 8))))
    assert len(lines) == 6
    assert lines[0].startswith("• main/P7")
    assert lines[5] == "• and 2 more pools"


def test_only_the_pools_concerned_are_listed() -> None:
    one, other = known("A", "0.1"), known("B", "0.2")
    assert known_lines(facts(one, other, concerns=(one.pool,))) == [
        "• main/A: margin ratio 10.0 %, 2 positions; 2.0 s old"
    ]


def test_without_figures_nothing_is_said_of_where_a_pool_stands() -> None:
    assert standing_lines(None, facts()) == []
