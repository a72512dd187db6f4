"""
Every way to die, on real files and processes: a part of all points, spread over the whole script.

All of them, and what each kind is: bench/crash_points.py, which runs here in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import broken
from tests.crash.rounds import KINDS
from tests.crash.vfs import library

SCRIPT = Path(__file__).parents[2] / "bench" / "crash_points.py"
pytestmark = [
    pytest.mark.skipif(library() is None, reason="SQLite's functions can't be reached from here"),
    pytest.mark.processes,
    pytest.mark.timeout(400),  # seconds of work, on a machine that may have much else to do
]


def ran(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--processes", "1", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "most"),
    [("kill", 25), ("power loss", 9), ("torn write", 9), ("no space", 4), ("I/O error", 4)],
)
def test_nothing_is_lost_wherever_it_is_cut_f70_f71_f72_f58(kind: str, most: int) -> None:
    said = ran("--kinds", kind, "--most", str(most))

    points, trials = re.search(rf"{kind}: (\d+) points, (\d+) trials", said).groups()
    assert int(trials) >= int(points) > most / 2
    assert "\n0 violations" in said


# To find these, hundreds of points are gone through.
SLOWEST = ("kill", "power loss")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=pytest.mark.long) if k in SLOWEST else k for k in KINDS],
)
def test_a_product_that_breaks_a_promise_is_noticed(kind: str) -> None:
    meant = [each for each in broken.ALL if each[0] == kind]

    assert ran("--kinds", kind, "--broken").count("caught: ") == len(meant) > 0
