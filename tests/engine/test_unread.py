"""A pool that can't be read is blind by itself; the others go on (F-34)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from monitor.alerts.incident import Step, Subject
from monitor.engine.effects import SnapshotWanted, State, TablesWanted
from monitor.engine.events import SnapshotTaken, Source
from monitor.engine.unread import completed, noted
from monitor.risk.model import PoolId, Reported
from monitor.risk.result import Verdict
from tests.build import NOON, flat, long
from tests.engine.scene import Scene, changes, renamed, snapshot, the_pool

OTHER = renamed(the_pool(long("ETH", contracts=10, entry=100, tiers=flat("0.4"))), "other")
ID = OTHER.id
WHY = "exchangeInfo.symbols: expected a row for ETHUSDT, found none"
BOTH = (the_pool(), OTHER)
PRICES = {"SOL": 120, "ETH": 120}


def broken(scene, *pools, source=Source.REST, **prices):
    """A reading of these pools in which the other one could not be read."""
    taken = replace(snapshot(*pools, at=scene.at, **prices), unread={ID: WHY})
    return scene.feed(SnapshotTaken(snapshot=taken, at=scene.at, source=source))


def both():
    return Scene().read(*BOTH, **PRICES).tick(**PRICES)


def unread(seconds=0):
    """The second pool unread for so many seconds, the first read and live all along."""
    scene = broken(both().second(), the_pool(), SOL=120)
    for _ in range(seconds):
        scene.second().tick(**PRICES)
    return scene


def states(scene):
    return {pool.risk.pool.id.name: pool.state for pool in scene.now.pools}


def test_its_pool_is_blind_at_once_and_no_other():
    scene = unread()

    assert states(scene) == {"USDT": State.FRESH, "other": State.BLIND}
    assert scene.now.state is State.BLIND
    assert scene.now.because == f"other can't be read: {WHY}"
    assert scene.all_told == []


def test_it_is_told_when_asking_again_did_not_help():
    scene = unread(5)
    assert scene.all_told == []
    scene.second().tick(**PRICES)

    assert scene.all_told == ["BLIND: main/other (bybit), last known 68.6 %"]
    (change,) = changes(scene.effects)
    assert change.transition.step is Step.OPENED
    assert WHY in scene.body
    assert scene.body.startswith("No figure can be given for main/other of main on bybit since ")


def test_the_other_pool_alarms_as_ever():
    scene = unread(7)
    scene.later(1).tick(SOL=88, ETH=120)  # 92.6 %

    assert scene.steps == [(Subject.STANDING, Step.OPENED)]


def test_its_last_known_book_still_alarms_by_live_marks():
    scene = unread(7)
    scene.later(1).tick(SOL=120, ETH=88)

    assert scene.steps == [(Subject.STANDING, Step.OPENED)]


def test_it_is_over_with_the_next_good_reading_and_nothing_was_gone():
    scene = unread(7).later(1).read(*BOTH, **PRICES).tick(**PRICES)

    assert states(scene) == {"USDT": State.FRESH, "other": State.FRESH}
    assert scene.all_told[-1].startswith("RESOLVED: main (bybit) is seen again")
    assert not [each for each in scene.effects if isinstance(each, SnapshotWanted)]


def test_its_age_is_that_of_its_own_last_reading():
    scene = unread(30)
    scene.later(1)
    broken(scene, the_pool(), SOL=120)

    ages = {pool.risk.pool.id.name: pool.age_seconds for pool in scene.now.pools}
    assert ages["USDT"] == 0
    assert ages["other"] == 32


def test_an_open_incident_of_it_is_not_resolved_by_its_being_unread():
    scene = Scene().read(*BOTH, **PRICES).tick(SOL=120, ETH=88).second()
    assert [c.incident.pool for c in changes(scene.effects)] == [ID]
    before = len(changes(scene.effects))
    for _ in range(4):
        scene.later(15)
        broken(scene, the_pool(), SOL=120)
        scene.tick(SOL=120, ETH=120)

    steps = [c.transition.step for c in changes(scene.effects)[before:] if c.incident.pool == ID]
    assert Step.RESOLVED not in steps


def test_a_pool_that_never_was_read_is_blind_with_nothing_known():
    scene = broken(Scene(), the_pool(), SOL=120)
    for _ in range(6):
        scene.second().tick(SOL=120)

    assert states(scene) == {"USDT": State.FRESH}
    assert scene.now.state is State.BLIND
    (title,) = scene.all_told
    assert title.startswith("BLIND: main/other (bybit), nothing known")
    assert "main/other of main" in scene.body
    assert WHY in scene.body


def test_what_a_reading_could_not_make_sense_of_is_asked_with_new_tables_once_a_minute():
    scene, asked = both(), []
    for second in range(0, 130, 10):
        broken(scene, the_pool(), SOL=120)
        if any(isinstance(each, TablesWanted) for each in scene.latest):
            asked.append(second)
        scene.later(10)

    assert asked == [0, 60, 120]


def test_what_an_event_leaves_open_is_asked_for_at_once_and_once():
    scene = broken(both(), the_pool(), source=Source.LIVE, SOL=120)
    assert [w.after_seconds for w in scene.latest if isinstance(w, SnapshotWanted)] == [0]

    broken(scene.later(1), the_pool(), source=Source.LIVE, SOL=120)
    assert scene.snapshots_wanted == []


def test_the_book_of_a_completed_reading_is_the_last_known_one():
    before = snapshot(*BOTH, **PRICES)
    reading = replace(snapshot(the_pool(cash=600), SOL=120), unread={ID: WHY})

    whole = completed(reading, before)

    assert whole.pools == (the_pool(cash=600), OTHER)
    assert whole.unread == {}
    assert completed(reading, None).pools == (the_pool(cash=600),)
    assert completed(before, None) is before


def test_since_when_a_pool_is_unread_and_when_it_was_read():
    later = NOON + timedelta(seconds=30)
    reading = replace(snapshot(the_pool(), at=later, SOL=120), unread={ID: WHY})

    first = noted({}, snapshot(*BOTH, **PRICES), reading, later)
    again = noted(
        first, completed(reading, snapshot(*BOTH, **PRICES)), reading, later + timedelta(seconds=15)
    )

    assert (first[ID].since, first[ID].read_at) == (later, NOON)
    assert again == first
    never = PoolId(account="main", name="new")
    (unknown,) = noted({}, None, replace(reading, unread={never: WHY}), later).values()
    assert unknown.read_at is None


def test_what_the_exchange_said_of_it_last_stays_beside_its_figures():
    theirs = Reported(at=NOON, margin_balance=Decimal(700), maintenance_margin=Decimal(480))
    said = {"other": theirs}
    scene = Scene().read(*BOTH, reported=said, **PRICES).tick(**PRICES).second()
    broken(scene, the_pool(), SOL=120)

    (other,) = [pool for pool in scene.now.pools if pool.risk.pool.id == ID]
    assert other.reported == theirs
    assert other.reconciliation.verdict is Verdict.AGREES


def test_over_a_restart_its_incident_stays_open_until_it_is_read_again():
    first = Scene().read(*BOTH, **PRICES).tick(**PRICES).second().tick(SOL=120, ETH=88)
    incidents = [c.incident for c in changes(first.effects) if c.incident.pool == ID][-1:]
    assert incidents
    scene = Scene(incidents=incidents, was_watched=True)
    for _ in range(4):
        broken(scene, the_pool(), SOL=120)
        scene.tick(SOL=120, ETH=88).later(5)

    assert [c for c in changes(scene.effects) if c.incident.pool == ID] == []

    scene.read(*BOTH, SOL=120, ETH=120).tick(SOL=120, ETH=120)
    steps = [c.transition.step for c in changes(scene.effects) if c.incident.pool == ID]
    assert steps == [Step.RESOLVED]
