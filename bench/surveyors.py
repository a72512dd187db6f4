"""
Two surveyors: random accounts of every kind, by the simulator's books and by the product's rules.

The simulator keeps an account by its own arithmetic and tells of it in its exchange's wire; the
product reads the wire through its own readers and applies its own rules. Nothing is shared. Of
every kind so many accounts are made between ratio 0.5 and 1.2, and as many below; the largest
relative difference of each figure is printed, with the seed that gave it.

Usage: python bench/surveyors.py [--kinds TEXT] [--accounts 500] [--processes 2]
                                 [--advice 0] [--paths 0] [--ticks 1000] [--first-seed 0]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.errors import MonitorError
from tests.survey.advising import Outcome, check_advice
from tests.survey.figures import Gap, compare
from tests.survey.paths import walk
from tests.survey.sources import KINDS, exchange_of
from tests.survey.stage import Stage

BATCH = 50  # accounts of one running exchange


@dataclass
class Found:
    """What one batch of a kind gave."""

    kind: str
    accounts: int = 0
    between: int = 0  # ratio 0.5 to 1.2
    below: int = 0
    hedged: int = 0  # liquidated by a rise and by a fall
    debts: int = 0
    advised: int = 0
    ticks: int = 0
    worst: dict[str, Gap] = field(default_factory=dict)
    errors: Counter[float] = field(default_factory=Counter)  # by parts of gross notional, in 1e-6
    failures: list[str] = field(default_factory=list)
    advice: Counter[tuple[str, str]] = field(default_factory=Counter)  # by item and outcome
    notes: list[str] = field(default_factory=list)  # of advice whose carried part moved
    bases: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)


async def survey(kind: str, seeds: list[int], options: argparse.Namespace) -> Found:
    found = Found(kind=kind)
    async with Stage(kind, seeds) as stage:
        for seed in seeds:
            try:
                await _one(stage, seed, found, options)
            except (
                MonitorError,
                AssertionError,
                ArithmeticError,
                LookupError,
                ValueError,
            ) as error:
                found.failures.append(f"seed {seed}: {type(error).__name__}: {error}")
    return found


async def _one(stage: Stage, seed: int, found: Found, options: argparse.Namespace) -> None:
    truth = stage.truth(seed)
    snapshot = await stage.read(seed)
    result = compare(snapshot, truth, seed)
    found.accounts += 1
    found.between += result.worst_ratio >= Decimal("0.5")
    found.below += result.worst_ratio < Decimal("0.5")
    found.hedged += result.two_sided
    found.debts += result.owes
    found.bases.update(result.bases)
    found.verdicts.update(result.verdicts)
    for name, gap in result.gaps.items():
        if name not in found.worst or gap.relative > found.worst[name].relative:
            found.worst[name] = gap
    if options.advice and seed % options.advice == 0:
        for judged in check_advice(stage, snapshot, seed):
            found.advice[judged.item, judged.outcome.value] += 1
            if judged.outcome is not Outcome.HOLDS:
                told = f"seed {seed}: {judged.outcome.value}: {judged.words}"
                (found.failures if judged.outcome.is_complaint else found.notes).append(told)
        found.advised += 1
    if options.paths and seed % options.paths == 0:
        async for _, error in walk(stage, snapshot, seed, options.ticks):
            found.ticks += 1
            found.errors[round(float(error) * 1e6, 2)] += 1


def _work(task: tuple[str, list[int], argparse.Namespace]) -> Found:
    kind, seeds, options = task
    return asyncio.run(survey(kind, seeds, options))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--kinds", default="", help="only kinds that contain this text")
    parser.add_argument("--accounts", type=int, default=500, help="of each kind and range")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--advice", type=int, default=0, help="check advice of every n-th account")
    parser.add_argument("--paths", type=int, default=0, help="walk from every n-th account")
    parser.add_argument("--ticks", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    wanted = [kind for kind in KINDS if options.kinds in kind]
    last = options.first_seed + 2 * options.accounts
    batches = [
        list(range(at, min(at + BATCH, last))) for at in range(options.first_seed, last, BATCH)
    ]
    accounts = failures = 0
    with multiprocessing.Pool(options.processes, maxtasksperchild=20) as pool:
        for kind in wanted:
            whole = Found(kind=kind)
            for part in pool.imap_unordered(_work, [(kind, seeds, options) for seeds in batches]):
                _add(whole, part)
            _show(whole)
            accounts += whole.accounts
            failures += len(whole.failures)
    seconds = time.monotonic() - started
    print(f"{accounts} accounts, {failures} failures, {seconds:.0f} s")


def _add(whole: Found, part: Found) -> None:
    for name in ("accounts", "between", "below", "hedged", "debts", "advised", "ticks"):
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    for name, gap in part.worst.items():
        if name not in whole.worst or gap.relative > whole.worst[name].relative:
            whole.worst[name] = gap
    whole.errors.update(part.errors)
    whole.failures += part.failures
    whole.advice.update(part.advice)
    whole.notes += part.notes
    whole.bases.update(part.bases)
    whole.verdicts.update(part.verdicts)


def _show(found: Found) -> None:
    print(
        f"{exchange_of(found.kind)} · {found.kind}: {found.accounts} accounts "
        f"({found.between} at 0.5 to 1.2, {found.below} below; {found.hedged} end both ways, "
        f"{found.debts} owe), basis {dict(found.bases)}, {dict(found.verdicts)}"
    )
    for name, gap in found.worst.items():
        print(
            f"    {name:22} {gap.relative:8.1e}  seed {gap.seed}: ours {gap.ours}, its {gap.theirs}"
        )
    if found.advised:
        items = Counter[str]()
        for (item, _), count in found.advice.items():
            items[item] += count
        tried = ", ".join(f"{count} {item}" for item, count in sorted(items.items()))
        print(f"    advice of {found.advised} accounts checked: {tried or 'none'}")
        for (item, outcome), count in sorted(found.advice.items()):
            print(f"        {item}: {count} × {outcome}")
    if found.ticks:
        print(f"    prediction, bp of gross notional: {_spread(found)}")
    for word, told in (("FAILED", found.failures), ("noted", found.notes)):
        groups: dict[str, list[str]] = defaultdict(list)
        for line in told:
            groups[line.partition(": ")[2][:40]].append(line)
        for same in groups.values():
            print(f"    {word} {len(same)} ×, such as {same[0][:400]}")


def _spread(found: Found) -> str:
    values = sorted(found.errors)
    total, seen = sum(found.errors.values()), 0
    for value in values:
        seen += found.errors[value]
        if seen >= 0.99 * total:
            return f"p99 {value / 100:.4f}, largest {values[-1] / 100:.4f} ({total} ticks)"
    raise AssertionError("an empty spread")


if __name__ == "__main__":
    main()
