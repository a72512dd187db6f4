"""Each promise is broken in the product once, and the run that looks at it says so by name."""

import pytest

from tests.hunt.all_invariants import ALL, fresh
from tests.hunt.broken import BROKEN, Broken
from tests.hunt.broken_distance import BROKEN_DISTANCE
from tests.hunt.broken_watching import BROKEN_WATCHING
from tests.hunt.hunting import say
from tests.hunt.play import play

pytestmark = pytest.mark.long
EVERY = (*BROKEN, *BROKEN_WATCHING, *BROKEN_DISTANCE)


@pytest.mark.parametrize("broken", EVERY, ids=str)
def test_a_broken_promise_is_seen(broken: Broken, capsys: pytest.CaptureFixture[str]) -> None:
    with broken.applied():
        outcome = play(broken.plan, fresh())
    with capsys.disabled():
        virtual, wall = outcome.virtual_seconds, outcome.wall_seconds
        say(f"{broken}: {virtual:.0f} virtual seconds in {wall:.0f} s")
    seen = {violation.split(":")[0] for violation in outcome.violations}
    assert broken.promise in seen


@pytest.mark.parametrize("broken", [*BROKEN_WATCHING, *BROKEN_DISTANCE], ids=str)
def test_unbroken_it_keeps_every_promise_on_the_same_plan(broken: Broken) -> None:
    assert play(broken.plan, fresh()).violations == ()


def test_every_promise_is_broken_once() -> None:
    assert {broken.promise for broken in EVERY} == {kind.name for kind in ALL}
