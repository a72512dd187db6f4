"""
`python -m tests.hunt`: play seed after seed, and say which promises were broken.

With `--state FILE` what was done is kept there, and a run that was stopped goes on: seeds done,
virtual hours, the pairs that met, violations. `--workers 2` plays two seeds side by side;
`--hours` ends after so many hours by the wall clock. `--workload crowd` has every seed play that;
with `--wide` prices go through every rung on distance, there and back. `--seeds 17-17 --trace`
plays one alone and prints what happened.
"""

import argparse
from pathlib import Path

from tests.hunt.all_invariants import fresh
from tests.hunt.hunting import hunt, say
from tests.hunt.play import play
from tests.hunt.seeds import WORKLOADS, draw


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hunt", description=__doc__)
    parser.add_argument("--seeds", default="1-1000000", help="first and last, with a dash")
    parser.add_argument("--hours", type=float, default=1e6, help="by the wall clock")
    parser.add_argument("--minutes", type=float, help="virtual minutes of each seed")
    parser.add_argument("--workload", choices=("common", *WORKLOADS), help="instead of by chance")
    parser.add_argument("--wide", action="store_true", help="moves across every rung on distance")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--state", type=Path, help="a file in which what was done is kept")
    parser.add_argument("--trace", action="store_true", help="print what happened")
    parser.add_argument("--digest", type=int, help="print the hash of this seed's trace alone")
    given = parser.parse_args()
    if given.digest is not None:
        outcome = play(draw(given.digest, minutes=given.minutes, workload=given.workload), fresh())
        say(f"{outcome.digest} {len(outcome.trace)}")
        return 0
    tally = hunt(given)
    say(tally.as_text())
    return 1 if tally.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
