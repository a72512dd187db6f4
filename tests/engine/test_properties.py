"""What holds for every sequence of events."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.incident import OPENINGS_WITHIN, Incident, Step, Subject
from monitor.engine.effects import AccountAssessment, Effect, State
from monitor.engine.events import Source
from monitor.errors import Malformed, Refused, Unmodelled, Unreachable
from tests.build import NOON, long
from tests.engine.scene import LONG, Scene, changes, renamed, the_pool

if TYPE_CHECKING:
    from monitor.risk.model import PoolId

OTHER = renamed(the_pool(long("ETH", 10, 100, tiers=LONG.tiers)), "USDC")
BOOKS = (
    (the_pool(), OTHER),
    (the_pool(),),
    (the_pool(LONG, positions=()), OTHER),
    (the_pool(cash=450), OTHER),
    (),
)
ERRORS = (
    Refused("key expired"),
    Unmodelled("holds options"),
    Unreachable("timed out"),
    Malformed("data", "a list"),
)
PRICES = st.sampled_from((80, 88, 90, 95, 100, 104, 110, 120))
WAITS = st.sampled_from((0, 1, 1, 4, 16, 61, 700))

FEW = settings(max_examples=25, deadline=None)

Move = tuple[str, int, int, int]
MOVES = st.lists(
    st.tuples(
        st.sampled_from(("tick", "tick", "rest", "spike", "read", "read", "live", "fail", "lose")),
        PRICES,
        st.integers(0, 4),
        WAITS,
    ),
    max_size=40,
)


def take(scene: Scene, move: Move) -> tuple[Effect, ...]:
    """One fact, after a wait in which the clock ticked once."""
    kind, price, which, wait = move
    before = len(scene.effects)
    if wait:
        scene.later(wait - 1).second()
    match kind:
        case "tick":
            scene.tick(**({"SOL": price, "ETH": 120} if which else {"SOL": price}))
        case "rest":
            scene.tick(source=Source.REST, SOL=price, ETH=price)
        case "spike":
            scene.tick(SOL=120, worst={"SOL": (price,)})
        case "read" | "live":
            source = Source.REST if kind == "read" else Source.LIVE
            scene.read(*BOOKS[which], source=source, SOL=price, ETH=120)
        case "fail":
            scene.fail(ERRORS[which % len(ERRORS)])
        case _:
            scene.lose() if which else scene.restore()
    return tuple(scene.effects[before:])


def played(moves: list[Move]) -> Scene:
    scene = Scene()
    for move in moves:
        take(scene, move)
    return scene


LONGEST_UNTOLD = timedelta(seconds=65)  # the account's budget and its grace


@FEW
@given(MOVES, st.integers(0, 3))
def test_a_pool_is_fresh_or_somebody_was_told(moves: list[Move], quiet: int) -> None:
    scene = Scene()
    doubtful: dict[object, timedelta] = {}
    book: frozenset[str] = frozenset()
    silence = [("rest" if quiet == 1 else "lose", 120, 0, 16)] * 5 if quiet else []
    for move in [("read", 120, 0, 1), *moves, *silence]:
        take(scene, move)
        passed = scene.at - NOON
        pools = scene.now.pools
        needed = frozenset(s for pool in pools for s in pool.risk.pool.symbols())
        if needed - book:
            doubtful = {}  # a new symbol is waited for anew
        book = needed
        states = {pool.risk.pool.id: pool.state for pool in pools} | {None: scene.now.state}
        doubtful = {
            key: doubtful.get(key, passed)
            for key, state in states.items()
            if state is not State.FRESH
        }
        if _open(scene, Subject.BLIND) or _open(scene, Subject.STALE):
            doubtful = dict.fromkeys(doubtful, passed)
        assert all(passed - since <= LONGEST_UNTOLD for since in doubtful.values())
        if scene.now.state is State.FRESH:
            assert all(pool.state is State.FRESH for pool in pools)


@FEW
@given(MOVES)
def test_nothing_eases_or_ends_on_data_that_is_not_fresh(moves: list[Move]) -> None:
    scene = Scene()
    for move in moves:
        before = len(scene.effects)
        take(scene, move)
        now: dict[PoolId, State] = {}
        for effect in reversed(scene.effects[before:]):
            assessment = getattr(effect, "assessment", None)
            if isinstance(assessment, AccountAssessment):
                now = {pool.risk.pool.id: pool.state for pool in assessment.pools}
                whole = assessment.state
            change = getattr(effect, "transition", None)
            if change is None or change.step not in (Step.EASED, Step.RESOLVED):
                continue
            if change.after.subject is Subject.BLIND:
                assert whole is not State.BLIND
            elif change.after.subject is Subject.STALE:
                assert whole is State.FRESH
            else:
                assert now.get(change.after.pool, State.FRESH) is State.FRESH


@FEW
@given(MOVES)
def test_nobody_is_told_the_same_twice_within_half_an_hour(moves: list[Move]) -> None:
    scene = played(moves)
    told: dict[tuple[str, str, str], list[timedelta]] = {}
    for change in changes(scene.effects):
        incident, step = change.incident, change.transition.step
        if change.notification is None:
            assert change.quiet_because
            continue
        assert change.notification.incident_id == incident.id
        if step in (Step.OPENED, Step.RESOLVED):
            reason = step.value
        else:
            reason = " ".join(sorted(set(incident.told) - _told_before(change.transition.before)))
        key = (incident.id, step.value if step is Step.RESOLVED else "", reason)
        told.setdefault(key, []).append(change.transition.at - NOON)
    for times in told.values():
        pairs = itertools.pairwise(times)
        assert all(later - earlier >= timedelta(minutes=30) for earlier, later in pairs)


def _told_before(before: Incident | None) -> set[str]:
    return set() if before is None else set(before.told)


@FEW
@given(MOVES)
def test_incidents_open_once_at_a_time_and_every_step_follows_the_one_before(
    moves: list[Move],
) -> None:
    scene = played(moves)
    open_now: dict[tuple[PoolId | None, Subject], Incident] = {}
    openings: dict[tuple[PoolId | None, Subject], list[timedelta]] = {}
    for change in changes(scene.effects):
        transition = change.transition
        key = (change.incident.pool, change.incident.subject)
        assert transition.after == change.incident
        if transition.step is Step.OPENED:
            assert transition.before is None
            assert key not in open_now
            times = openings.setdefault(key, [])  # since its positions were last gone
            times.append(transition.at - NOON)
            at_most = 2 if change.incident.subject.has_rungs else 6
            assert len([t for t in times if times[-1] - t < OPENINGS_WITHIN]) <= at_most
        else:
            assert transition.before is not None
            assert transition.before.id == open_now[key].id
        if transition.step is Step.RESOLVED:
            del open_now[key]
            if change.notification and "POSITIONS GONE" in change.notification.title:
                openings.pop(key, None)
        else:
            open_now[key] = change.incident


@FEW
@given(MOVES)
def test_every_incident_can_end(moves: list[Move]) -> None:
    scene = played([*moves, ("lose", 120, 0, 1)])
    # two hours later all is well, read twice so that vanished positions are believed
    for _ in range(3):
        scene.later(3700)
        for _ in range(3):
            scene.second().read(*BOOKS[0], SOL=120, ETH=120).tick(SOL=120, ETH=120)
    assert scene.now.state is State.FRESH
    assert not any(_open(scene, subject) for subject in Subject)


@FEW
@given(MOVES)
def test_the_same_facts_give_the_same_effects(moves: list[Move]) -> None:
    assert played(moves).effects == played(moves).effects


@FEW
@given(MOVES)
def test_a_restart_in_the_midst_of_it_says_nothing_about_what_is_unchanged(
    moves: list[Move],
) -> None:
    scene = played([("read", 120, 0, 1), *moves])
    scene.second().read(*BOOKS[0], SOL=95, ETH=120).tick(SOL=95, ETH=120)
    scene.second().read(*BOOKS[0], SOL=95, ETH=120).tick(SOL=95, ETH=120).second()
    latest = {change.incident.id: change.incident for change in changes(scene.effects)}
    again = Scene(incidents=tuple(latest.values()))
    again.at = scene.at
    again.second().read(*BOOKS[0], SOL=95, ETH=120).tick(SOL=95, ETH=120).second()
    due = ("STILL",)  # reminders go on
    assert [title for title in again.all_told if not title.startswith(due)] == []


def _open(scene: Scene, subject: Subject) -> bool:
    latest = {change.incident.id: change.incident for change in changes(scene.effects)}
    return any(i.is_open and i.subject is subject for i in latest.values())
