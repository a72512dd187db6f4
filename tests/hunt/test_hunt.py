"""The monitor on a virtual clock, hunted with faults: the same each time, and no promise broken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hunt.all_invariants import fresh
from tests.hunt.hunting import one
from tests.hunt.play import play
from tests.hunt.seeds import draw

ROOT = Path(__file__).parents[2]
MINUTES = 3.0
SEEDS = range(1, 9)
_TRACED = 7
_WIDE = 13


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken(seed: int, record_property: pytest.Function) -> None:
    outcome = play(draw(seed, minutes=MINUTES), fresh())
    record_property("virtual_hours", outcome.virtual_seconds / 3600)  # type: ignore[operator]
    alone = f"python -m tests.hunt --seeds {seed}-{seed} --minutes {MINUTES:g} --trace"
    assert not outcome.violations, "\n".join((*outcome.violations, f"alone: {alone}"))


def test_no_promise_is_broken_where_prices_wander_all_the_way() -> None:
    outcome = one(_WIDE, MINUTES, wide=True)

    alone = f"python -m tests.hunt --wide --seeds {_WIDE}-{_WIDE} --minutes {MINUTES:g} --trace"
    assert not outcome.violations, "\n".join((*outcome.violations, f"alone: {alone}"))
    assert outcome.counts["crossings of distance"] >= 4


def test_the_same_seed_leaves_the_same_trace() -> None:
    """In two processes that hash differently."""
    words = ["-m", "tests.hunt", "--digest", str(_TRACED), "--minutes", "3"]
    traces = [
        subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=110,
        ).stdout
        for seed in ("1", "2")
    ]
    assert traces[0].strip()
    assert traces[0] == traces[1]
