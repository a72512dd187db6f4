"""Which conditions count, and when things may be believed to be better."""

from __future__ import annotations

import pytest

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity
from monitor.engine.events import Source
from monitor.errors import Refused, Unreachable
from tests.build import coins, long
from tests.engine.scene import LONG, Scene, calm, changes, renamed, the_pool

FLOATING = the_pool(
    LONG,
    positions=(),
    collateral=(coins("BTC", 1, 100, follows=("BTC", "BTC/USDT:USDT", 100)),),
)


def severities(scene: Scene) -> list[Severity]:
    return [change.incident.severity for change in changes(scene.latest)]


def test_an_account_never_read_is_told_after_its_budget_and_grace() -> None:
    scene = Scene().second()
    assert scene.silence(65).told == []
    assert scene.second().told == ["BLIND: main (bybit), nothing known"]
    assert severities(scene) == [Severity.CRITICAL]


def test_an_account_never_read_gives_the_failure_s_words() -> None:
    scene = Scene().fail(Unreachable("the network is unreachable")).silence(66)
    assert "Why: the account was never read yet: the network is unreachable." in scene.body


@pytest.mark.parametrize(
    ("sentence", "pool", "severity"),
    [
        ("positions make it critical", the_pool(), Severity.CRITICAL),
        ("without any it is a warning", the_pool(LONG, positions=()), Severity.WARNING),
    ],
)
def test_blindness_is_as_bad_as_what_is_at_stake(
    sentence: str, pool: object, severity: Severity
) -> None:
    scene = Scene().read(pool, SOL=120).tick(SOL=120).fail(Refused("no"))  # type: ignore[arg-type]
    assert severities(scene) == [severity], sentence


def test_marks_of_one_pool_that_nobody_brings_blind_that_pool_alone() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    told = [title for _ in range(30) for title in scene.second().tick(ETH=100).told]
    told += [title for title in scene.all_told if title not in told]
    assert told == ["BLIND: main/USDT (bybit), last known 68.6 %"]
    assert "No figure can be given for main/USDT of main on bybit since" in scene.body
    assert scene.now.pools[1].state.value == "fresh"


def test_a_pool_that_goes_blind_after_another_is_told_too() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    for _ in range(30):
        scene.second().tick(ETH=100)
    scene.silence(22)
    assert scene.steps == [(Subject.BLIND, Step.ESCALATED)]
    assert "no mark of ETH/USDT:USDT" in scene.body


def test_when_the_account_follows_its_marks_into_the_dark_that_is_said_once() -> None:
    scene = calm().silence(70)
    assert scene.all_told == ["BLIND: main (bybit), last known 68.6 %"]


def test_blind_marks_are_not_told_as_stale_beside() -> None:
    scene = calm().silence(120)
    assert {subject for subject, _ in scene.steps} == {Subject.BLIND}


def test_a_mark_that_is_old_already_ends_no_blindness() -> None:
    scene = calm().silence(25)
    assert scene.tick(source=Source.REST, SOL=120, age=16).steps == []
    assert scene.tick(source=Source.REST, SOL=120, age=15).told == [
        "RESOLVED: main (bybit) is seen again, at 68.6 %",
        "STALE: live marks of main (bybit) are silent",
    ]


def test_a_live_mark_that_is_old_already_does_not_end_the_silence() -> None:
    scene = calm()
    for _ in range(25):
        scene.second().tick(source=Source.REST, SOL=120)
    assert scene.tick(SOL=120, age=16).steps == []
    assert scene.tick(SOL=120, age=15).told == ["RESOLVED: live marks of main (bybit) are back"]


def test_one_pool_s_blindness_does_not_hide_another_s_silence() -> None:
    other = renamed(the_pool(long("ETH", 1, 100)), "USDC")
    scene = Scene().read(the_pool(), other, SOL=120, ETH=100).tick(SOL=120, ETH=100)
    told: list[str] = []
    for _ in range(25):
        told += scene.second().told
        told += scene.tick(source=Source.REST, ETH=100).told
    assert told == [
        "BLIND: main/USDT (bybit), last known 68.6 %",
        "STALE: live marks of main/USDC (bybit) are silent",
    ]
    assert "no live mark of ETH/USDT:USDT for 21 s" in scene.body
    assert "SOL" not in scene.body


def test_a_stale_feed_that_was_told_stays_open_through_a_blindness() -> None:
    scene = calm()
    for _ in range(25):
        scene.second().tick(source=Source.REST, SOL=120)
    scene.silence(30)
    assert scene.steps == [(Subject.BLIND, Step.OPENED)]
    scene.read(the_pool(), SOL=120)
    assert scene.told == ["RESOLVED: main (bybit) is seen again, at 68.6 %"]
    assert scene.tick(SOL=120).told == ["RESOLVED: live marks of main (bybit) are back"]


def test_floating_collateral_needs_its_mark_as_well() -> None:
    scene = Scene().read(FLOATING)
    assert scene.told == ["BLIND: main (bybit), nothing known"]
    assert severities(scene) == [Severity.WARNING]


def test_a_key_never_read_ends_no_incident_about_it() -> None:
    kept = changes(calm().key("trade").latest)[0].incident
    scene = Scene(incidents=(kept,)).read(the_pool(), SOL=120).tick(SOL=120).second()
    assert scene.all_told == []
    assert scene.key().told == ["RESOLVED: the key of main (bybit) reads only"]


def test_a_live_update_does_not_confirm_the_first_reading() -> None:
    kept = changes(calm().later(1).tick(SOL=88).latest)[0].incident
    scene = Scene(incidents=(kept,)).read(the_pool(LONG, positions=()))
    scene.later(4).read(the_pool(LONG, positions=()), source=Source.LIVE)
    assert scene.all_told == []
    scene.later(1).read(the_pool(LONG, positions=()))
    assert scene.told == ["POSITIONS GONE: main (bybit); peak 92.6 %"]
