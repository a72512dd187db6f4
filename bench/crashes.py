"""
Real crashes through the engine at several speeds: the incidents, and the time that they left.

Every file of a folder ``shared/data/crashes`` beside the project (see tests/crashes) with pools
of 5×, 10× and 20× on one coin, a hedged pair and a book of all coins. Usage:
python bench/crashes.py [--files GLOB] [--speeds 1,60,600]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.crashes.books import books
from tests.crashes.candles import folder, load
from tests.crashes.replay import Replay

RUNGS = ("NEAR", "VERY NEAR", "WARNING", "CRITICAL")


def short(seconds: float | None) -> str:
    """A span for people; «-» where there was none."""
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", default="*.csv")
    parser.add_argument("--speeds", default="1,60,600")
    given = parser.parse_args()
    found, speeds = folder(), [int(each) for each in given.speeds.split(",")]
    if found is None:
        sys.exit("the folder shared/data/crashes is absent: nothing to replay")
    print(f"lead time from the first word of a rung to liquidation, at {speeds[0]}x (market time)")
    print("| file | book | " + " | ".join(RUNGS) + " | incidents | "
          + " | ".join(f"{speed}x" for speed in speeds[1:]) + " |")  # fmt: skip
    print("|" + "---|" * (len(RUNGS) + 3 + len(speeds) - 1))
    began, counts, others = time.monotonic(), Counter[str](), 0
    for path in sorted(found.glob(given.files)):
        crash = load(path)
        for book in books(crash):
            stories = [Replay(crash, book, speed).run() for speed in speeds]
            first = stories[0]
            others += sum(bool(story.others) for story in stories)
            same = ["same" if s.peaks == first.peaks else ", ".join(s.peaks) for s in stories[1:]]
            counts["books"] += 1
            for speed, word in zip(speeds[1:], same, strict=True):
                counts[f"same at {speed}x"] += word == "same"
            leads = [short(first.lead(rung)) for rung in RUNGS]
            if first.ended is None:
                leads = ["no end"] * len(RUNGS)
            cells = [crash.name, book.name, *leads, ", ".join(first.peaks) or "none", *same]
            print("| " + " | ".join(cells) + " |", flush=True)
    print(f"{dict(counts)}; replays with an incident of another kind: {others}; "
          f"took {time.monotonic() - began:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
