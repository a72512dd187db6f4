"""Seed after seed: played by workers, tallied, and kept in a file so that a hunt can go on."""

import argparse
import json
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hunt.all_invariants import fresh
from tests.hunt.play import Outcome, play
from tests.hunt.seeds import draw
from tests.hunt.wide import widened


@dataclass(slots=True)
class Tally:
    """What all seeds so far came to."""

    done: list[int] = field(default_factory=list)
    virtual_seconds: float = 0.0
    wall_seconds: float = 0.0
    pairs: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.done.append(outcome.seed)
        self.virtual_seconds += outcome.virtual_seconds
        self.wall_seconds += outcome.wall_seconds
        self.pairs |= {" + ".join(pair) for pair in outcome.pairs}
        for what, count in outcome.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
        if outcome.violations:
            self.violations[str(outcome.seed)] = list(outcome.violations)

    def fail(self, seed: int, error: BaseException) -> None:
        self.done.append(seed)
        self.violations[str(seed)] = [f"could not be played: {error!r}"]

    def as_text(self) -> str:
        crossing = sum("crossing" in pair for pair in self.pairs)
        return (
            f"{len(self.done)} seeds, {self.virtual_seconds / 3600:.1f} virtual hours in "
            f"{self.wall_seconds / 60:.1f} minutes of work; {self.counts.get('faults', 0)} faults, "
            f"{self.counts.get('crossings', 0)} crossings and "
            f"{self.counts.get('crossings of distance', 0)} of distance; "
            f"{len(self.pairs) - crossing} pairs (fault, fault) and {crossing} (fault, crossing) "
            f"met; {len(self.violations)} seeds with violations"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "done": sorted(self.done),
            "virtual_seconds": self.virtual_seconds,
            "wall_seconds": self.wall_seconds,
            "pairs": sorted(self.pairs),
            "counts": self.counts,
            "violations": self.violations,
        }


def restored(file: Path | None) -> Tally:
    """What a state file holds; nothing where there is none."""
    if file is None or not file.exists():
        return Tally()
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["pairs"] = set(kept["pairs"])
    return Tally(**kept)


def save(tally: Tally, file: Path | None) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(tally.as_json(), indent=1), encoding="utf-8")
        beside.replace(file)


def one(
    seed: int, minutes: float | None, workload: str | None = None, *, wide: bool = False
) -> Outcome:
    plan = draw(seed, minutes=minutes, workload=workload)
    # A crowd's first reading takes longer than a start may, by what its address is allowed.
    return play(widened(plan) if wide and "crowd" not in plan.notes else plan, fresh())


def hunt(given: argparse.Namespace) -> Tally:
    """Play what is asked for; each outcome is kept as soon as it is there."""
    tally = restored(given.state)
    first, last = (int(part) for part in given.seeds.split("-"))
    left = iter(sorted(set(range(first, last + 1)) - set(tally.done)))
    end = time.monotonic() + given.hours * 3600
    with ProcessPoolExecutor(given.workers, max_tasks_per_child=20) as pool:
        playing: dict[Future[Outcome], int] = {}
        while True:
            while len(playing) < given.workers and time.monotonic() < end:
                seed = next(left, None)
                if seed is None:
                    break
                future = pool.submit(one, seed, given.minutes, given.workload, wide=given.wide)
                playing[future] = seed
            if not playing:
                return tally
            done, _ = wait(playing, return_when=FIRST_COMPLETED)
            for each in done:
                seed = playing.pop(each)
                error = each.exception()
                if error is None:
                    tally.add(each.result())
                    show(each.result(), traced=given.trace)
                else:
                    # Not the end of a hunt of hours, and not a quiet seed either.
                    tally.fail(seed, error)
                    say(f"seed {seed} could not be played: {error!r}")
                save(tally, given.state)


def show(outcome: Outcome, *, traced: bool) -> None:
    words = "; ".join(outcome.violations) or "every promise kept"
    say(
        f"seed {outcome.seed}: {outcome.virtual_seconds / 60:.0f} virtual minutes in "
        f"{outcome.wall_seconds:.0f} s, {outcome.digest[:12]}: {words}"
    )
    if traced:
        say("\n".join((*outcome.trace, *outcome.log)))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
