"""
Crash points: the alert's way, ended at every one of its points, on real files and processes.

Five kinds: SIGKILL at every statement, commit, write, sync, send and mark; a loss of power before
every operation on the disk, with many choices of what had arrived by then; torn writes; a disk
without space and one with I/O errors, once and for a while, from every operation on. After each
a second process takes up what is left, and every promise of tests/crash/verdict.py is held
against both. Printed: points, trials, duplicates (at most one a crash and channel is allowed) and
what was found wrong. Exit 1 if anything was.

Usage: python bench/crash_points.py [--kinds kill,torn write] [--most N] [--processes 2]
                                    [--folder /dev/shm] [--broken]
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.crash import broken
from tests.crash.rounds import FAILS_FOR, KINDS, Rounds, Tally, spread
from tests.crash.vfs import library

SHOWN = 40
BROKEN_POINTS = 440
MEMORY = Path("/dev/shm")  # syncs cost nothing there, and what they are for is modelled


@dataclass(frozen=True)
class Part:
    """Every `of`-th point of a kind from `first` on, of at most so many, spread evenly."""

    kind: str
    first: int
    of: int
    most: int | None
    folder: Path


def tried(kind: str, rounds: Rounds, points: list[int]) -> None:
    match kind:
        case "kill":
            rounds.kill(points)
        case "power loss":
            rounds.power(points)
        case "torn write":
            rounds.torn(points)
        case _:
            for seconds in FAILS_FOR.values():
                rounds.fail(kind, points, seconds)


def points_of(kind: str, rounds: Rounds, most: int | None) -> list[int]:
    count = len(rounds.ticks if kind == "kill" else rounds.ops)
    return list(spread(count, most or count))


def work(part: Part) -> Tally:
    folder = Path(tempfile.mkdtemp(dir=part.folder, prefix="crash-points-"))
    try:
        rounds = Rounds(folder)
        points = points_of(part.kind, rounds, part.most)
        tried(part.kind, rounds, points[part.first :: part.of])
        return rounds.tally
    finally:
        shutil.rmtree(folder)


def caught(number: int, folder: Path) -> bool:
    """Whether a product broken in this way is noticed, by the points nearest to where it shows."""
    kind, breaks, missed, near = broken.ALL[number]
    place = Path(tempfile.mkdtemp(dir=folder, prefix="crash-points-"))
    try:
        rounds = Rounds(place, breaks)
        points = points_of(kind, rounds, BROKEN_POINTS)
        for point in sorted(points, key=lambda each: abs(each - near * points[-1])):
            tried(kind, rounds, [point])
            if any(missed in wrong for wrong in rounds.tally.wrong):
                print(f"caught: {breaks.__name__} by {kind} at {point}", flush=True)
                return True
    finally:
        shutil.rmtree(place)
    print(f"NOT CAUGHT: {breaks.__name__} by {kind}", flush=True)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--most", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None)
    parser.add_argument("--broken", action="store_true", help="a broken product must be noticed")
    options = parser.parse_args()
    if library() is None:
        print("SQLite's functions can't be reached from this Python")
        return 2
    folder = options.folder or Path(tempfile.gettempdir())
    if options.broken:
        kinds = options.kinds.split(",")
        numbers = [n for n, each in enumerate(broken.ALL) if each[0] in kinds]
        unnoticed = [number for number in numbers if not caught(number, folder)]
        return 1 if unnoticed else 0
    began, total, count = time.monotonic(), Tally(), options.processes
    parts = [
        Part(kind, first, count, options.most, folder)
        for kind in options.kinds.split(",")
        for first in range(count)
    ]
    with multiprocessing.get_context("spawn").Pool(count, maxtasksperchild=1) as pool:
        for part, tally in zip(parts, pool.imap(work, parts), strict=True):
            total.add(tally)
            if part.first == count - 1:
                print(line(part.kind, total), flush=True)
    print("\n".join(total.wrong[:SHOWN]))
    print(f"{len(total.wrong)} violations, {time.monotonic() - began:.0f} s")
    return 1 if total.wrong else 0


def line(kind: str, total: Tally) -> str:
    return (
        f"{kind}: {total.points[kind]} points, {total.trials[kind]} trials, "
        f"{total.second_lives[kind]} second lives, {total.duplicates[kind]} duplicates, "
        f"{sum(each.startswith(kind) for each in total.wrong)} violations"
    )


if __name__ == "__main__":
    sys.exit(main())
