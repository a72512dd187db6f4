"""
Real crashes through the engine at several speeds: the same incidents, and the time they left.

Every file of a folder ``shared/data/crashes`` beside the project (see tests/crashes) with pools
of 5×, 10× and 20× on one coin, a hedged pair and a book of all coins. Compared is, per book:

1. The rungs, with the truth. At every speed each rung is an alarm, and told, first at the very
   tick of the file at which arithmetic on its prices has it reached (`truth`, which knows no
   monitor), up to the liquidation. So their order and the gravest of them are the same at all
   speeds. Rungs reached at one tick stand together in one message: between two ticks the market
   jumped over the milder ones.
2. The incidents, one speed with the next: how many, in which order, and the rungs of each in
   their order. Some rules of the product act in its own time, so in a faster market at another
   moment of it: a rung is left where the clock's look, once a second, finds it left; what opens
   twice in an hour stays open till that is over, so that what comes back is no new incident;
   the account is read every 15 s, and the price of a stablecoin with it. Where two speeds
   differ, the slower one is run again with these rules stretched by as much as the market was
   faster, one by one, then together: the first that give exactly the incidents of the faster
   one are named in its column as what made the difference. `compare.explained` does it.

What is neither the same nor explained is counted, and ends this program with 1. With `--state`
it goes on where it was stopped, as long as the code of the engine is the same. Usage:
python bench/crashes.py [--files GLOB] [--speeds 1,60,600] [--state FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.crashes.books import books  # noqa: E402 - once it can be found
from tests.crashes.candles import folder, load  # noqa: E402
from tests.crashes.compare import explained, strays  # noqa: E402
from tests.crashes.replay import Replay, Story  # noqa: E402
from tests.crashes.truth import RUNGS, truth_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crashes.books import Book
    from tests.crashes.candles import Crash

SOURCES = ("monitor/risk", "monitor/alerts", "monitor/engine", "tests/crashes")


class State:
    """What was found by earlier runs of the same code; one JSON line each."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._known, self.cpu_seconds = file, {}, 0.0
        digest = hashlib.sha256()
        for path in sorted(p for source in SOURCES for p in (ROOT / source).rglob("*.py")):
            if not path.name.startswith("test_"):
                digest.update(path.read_bytes())
        self._code = digest.hexdigest()[:12]
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._known[tuple(row["key"])] = row

    def found(self, *key: str | int, find: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON
        key = (self._code, *key)
        if key not in self._known:
            began = time.process_time()
            row = {"key": key, "found": find(), "cpu_seconds": time.process_time() - began}
            self._known[key] = row
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
        self.cpu_seconds += self._known[key]["cpu_seconds"]
        return self._known[key]["found"]


@dataclass(slots=True)
class Counts:
    """What the last lines say."""

    books: int = 0
    ended: int = 0
    same: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)


def short(seconds: float | None) -> str:
    """A span for people; «-» where there was none."""
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def way(rungs: list[list[str]]) -> str:
    """An incident's rungs in their order; those of one moment with a «+»."""
    return " > ".join(" + ".join(together) for together in rungs)


def told(story: Story) -> str:
    """A story's incidents, as often as the same came in a row."""
    words: list[tuple[str, int]] = []
    for each in map(way, story.ways):
        last = words.pop() if words else (each, 0)
        words += [(each, last[1] + 1)] if last[0] == each else [last, (each, 1)]
    return "; ".join(f"{n} × {word}" if n > 1 else word for word, n in words) or "none"


def row(crash: Crash, book: Book, speeds: list[int], state: State, counts: Counts) -> str:
    """One book's line of the table."""
    truth, stories = truth_of(crash, book), {}
    name = f"{crash.name}, {book.name}"
    for speed in speeds:
        data = state.found(
            crash.name, book.name, speed,
            find=lambda speed=speed: Replay(crash, book, speed).run().as_data(),
        )  # fmt: skip
        stories[speed] = Story.of_data(data)
        counts.strayed += [f"{name}, {speed}x: {each}" for each in strays(stories[speed], truth)]
    first = stories[speeds[0]]
    counts.books += 1
    counts.ended += truth.ended is not None
    leads = [short(first.lead(rung)) if rung in first.reached else "-" for rung in RUNGS]
    if truth.ended is None:
        leads = ["no end" if rung in first.reached else "-" for rung in RUNGS]
    others = []
    for pair in pairwise(speeds):
        slow, fast = stories[pair[0]], stories[pair[1]]
        if slow.ways == fast.ways:
            counts.same[f"{pair[0]}x and {pair[1]}x"] += 1
            others.append("same")
            continue
        causes = state.found(
            crash.name, book.name, *pair,
            find=lambda pair=pair, fast=fast: explained(crash, book, pair, fast),
        )  # fmt: skip
        if causes is None:
            counts.unexplained.append(f"{name}, {pair}")
        why = "unexplained" if causes is None else ", ".join(causes)
        counts.causes[f"{pair[1]}x: {why}"] += 1
        others.append(f"{told(fast)} ({why})")
    return "| " + " | ".join([crash.name, book.name, *leads, told(first), *others]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", default="*.csv")
    parser.add_argument("--speeds", default="1,60,600")
    parser.add_argument("--state", type=Path)
    given = parser.parse_args()
    found, speeds = folder(), sorted(int(each) for each in given.speeds.split(","))
    if found is None:
        sys.exit("the folder shared/data/crashes is absent: nothing to replay")
    print(f"from a rung, reached for the last time, to liquidation; incidents, at {speeds[0]}x")
    print("| file | book | " + " | ".join(RUNGS) + " | incidents | "
          + " | ".join(f"{speed}x" for speed in speeds[1:]) + " |")  # fmt: skip
    print("|" + "---|" * (len(RUNGS) + 3 + len(speeds) - 1))
    state, counts = State(given.state), Counts()
    for path in sorted(found.glob(given.files)):
        crash = load(path)
        for book in books(crash):
            print(row(crash, book, speeds, state, counts), flush=True)
    print(f"{counts.books} books, {counts.ended} liquidated, at {len(speeds)} speeds each; "
          f"{len(counts.strayed)} times beside the truth")  # fmt: skip
    print(f"the same incidents at {dict(counts.same)}; others by {dict(counts.causes)}")
    print(f"{state.cpu_seconds / 60:.0f} CPU minutes")
    for each in (*counts.strayed, *counts.unexplained):
        print(each)
    sys.exit(bool(counts.strayed or counts.unexplained))


if __name__ == "__main__":
    main()
