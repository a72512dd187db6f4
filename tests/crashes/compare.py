"""
Whether a crash was the same at every speed, and which rule made it another where it was not.

`strays` holds one story against the truth; `explained` one against that of a slower market.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

from tests.crashes.replay import Replay, Rules
from tests.crashes.truth import in_order

if TYPE_CHECKING:
    from tests.crashes.books import Book
    from tests.crashes.candles import Crash
    from tests.crashes.replay import Story
    from tests.crashes.truth import Truth

RULES = ("looks", "openings", "readings")
"""The rules that act in the product's own time, those tried first to explain a difference."""


def strays(story: Story, truth: Truth) -> list[str]:
    """In words where a story is not what the truth asks of every speed; empty where it is."""
    found = []
    if in_order(story.reached) != in_order(truth.reached):
        found.append(f"reached {in_order(story.reached)}, in truth {in_order(truth.reached)}")
    found += [
        f"{rung} {story.reached[rung] - second:+.0f} s of the market beside its tick"
        for rung, second in truth.reached.items()
        if rung in story.reached and story.reached[rung] != second
    ]
    found += [f"{rung} untold" for rung in story.untold]
    found += [f"an incident of another kind: {other}" for other in story.others]
    if story.ended != truth.ended:
        found.append(f"ended at {story.ended}, in truth at {truth.ended}")
    return found


def explained(
    crash: Crash, book: Book, speeds: tuple[int, int], fast: Story
) -> tuple[str, ...] | None:
    """
    The fewest rules to which it is due that the faster of two speeds met other incidents.

    The slower replay is run again with some rules as many times longer as the other market was
    faster, so that they act at the same time of the market as in that. Where it then meets the
    very incidents of the fast one, these rules made the difference. None where no rules do.
    """
    slow, faster = speeds
    sets = chain.from_iterable(combinations(RULES, size) for size in (1, 2, 3))
    for names in sets:
        rules = Rules().stretched(faster / slow, *names)
        if Replay(crash, book, slow, rules=rules).run().ways == fast.ways:
            return names
    return None
