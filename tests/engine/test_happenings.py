"""What the exchange did or warned of: told at once, once, without a flood, over restarts too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity
from monitor.engine.events import NewsCame, SnapshotTaken
from monitor.engine.happenings import MOST_IDS
from monitor.engine.knowledge import Budgets
from monitor.risk.cash import Booking, BookingKind
from monitor.risk.news import Cause, News, Taken, Warned
from tests.build import NOON
from tests.engine.scene import Scene, calm, changes, snapshot, the_pool

PATIENT = Budgets(account_seconds=10_000, marks_seconds=10_000)
OPENED = (Subject.TAKEN, Step.OPENED)


def quiet() -> Scene:
    """A pool at 68.6 % of which no mark and no reading is ever late."""
    return calm(budgets=PATIENT)


def taken(
    id_: str = "order-1", seconds: float = 0, contracts: str | None = "2", **changes: Any
) -> Taken:
    piece = Taken(
        id=id_,
        at=NOON + timedelta(seconds=seconds),
        cause=Cause.LIQUIDATION,
        exchange_symbol="SOLUSDT",
        is_long=True,
        contracts=None if contracts is None else Decimal(contracts),
        price=Decimal(84),
        asset="USDT",
        amount=Decimal(-32),
    )
    return replace(piece, **changes)


def warned(words: str = "MARGIN_CALL", **changes: Any) -> Warned:
    return replace(Warned(at=NOON, words=words, exchange_symbol="SOLUSDT"), **changes)


def hear(scene: Scene, *news: News) -> Scene:
    return scene.feed(NewsCame(news=news, at=scene.at))


def booked(id_: str, seconds: float = 0, kind: BookingKind = BookingKind.LIQUIDATION) -> Booking:
    return Booking(
        id=id_,
        at=NOON + timedelta(seconds=seconds),
        kind=kind,
        asset="USDT",
        amount=Decimal(-32),
        symbol="SOLUSDT",
    )


def read(scene: Scene, *bookings: Booking, news: tuple[News, ...] = ()) -> Scene:
    book = replace(snapshot(the_pool(), at=scene.at, SOL=120), bookings=bookings, news=news)
    return scene.feed(SnapshotTaken(snapshot=book, at=scene.at))


def test_a_liquidation_is_told_at_once_whatever_the_ladder_says() -> None:
    scene = hear(quiet(), taken())
    assert scene.told == ["LIQUIDATION: main (bybit), SOL/USDT:USDT long 2 contracts"]
    (change,) = changes(scene.latest)
    assert change.incident.severity is Severity.CRITICAL
    assert change.incident.pool == the_pool().id


@pytest.mark.parametrize(
    ("cause", "head", "severity"),
    [
        (Cause.ADL, "AUTO-DELEVERAGING", Severity.CRITICAL),
        (Cause.TAKEOVER, "TAKEN OVER", Severity.CRITICAL),
        (Cause.SETTLEMENT, "SETTLED", Severity.WARNING),
    ],
)
def test_the_cause_heads_the_message(cause: Cause, head: str, severity: Severity) -> None:
    scene = hear(quiet(), taken(cause=cause))
    (told,) = scene.told
    assert told.startswith(f"{head}: main (bybit)")
    (change,) = changes(scene.latest)
    assert change.incident.severity is severity


def test_the_same_id_is_told_once_by_whichever_way_it_comes() -> None:
    scene = hear(quiet(), taken())
    assert hear(scene.later(1), taken()).told == []
    assert read(scene.later(20), news=(taken(),)).told == []
    assert len(scene.all_told) == 1


def test_what_follows_repeats_what_was_told_since_it_may_come_in_its_place() -> None:
    scene = hear(quiet(), taken())
    hear(scene.later(11), taken("order-2", seconds=11, cause=Cause.ADL))
    assert scene.told == ["MORE AUTO-DELEVERAGING: main (bybit), SOL/USDT:USDT long 2 contracts"]
    earlier = scene.body.partition("Told before, of the same episode:\n")[2]
    assert earlier.startswith("• SOL/USDT:USDT long: 2 contracts by liquidation at 84")


def test_several_at_once_are_one_message() -> None:
    short = taken("order-2", exchange_symbol="ETHUSDT", is_long=False, cause=Cause.ADL)
    scene = hear(quiet(), taken(), taken("order-3", price=Decimal(83)), short)
    # The contract that nobody held is no pool's: it has a message of its own.
    assert scene.told == [
        "LIQUIDATION: main (bybit), SOL/USDT:USDT long 4 contracts",
        "AUTO-DELEVERAGING: main (bybit), ETHUSDT short 2 contracts",
    ]


def test_what_follows_is_gathered_and_told_ever_more_rarely() -> None:
    scene = hear(quiet(), taken("order-0"))
    times = []
    for second in range(1, 3600):
        before = len(scene.all_told)
        hear(scene.later(1), taken(f"order-{second}", second))
        if len(scene.all_told) > before:
            times.append(second)
    # 10 s after the first message, then 60 s, 5 min, and every 15 min
    assert times == [10, 70, 370, 1270, 2170, 3070]
    assert scene.all_told[1] == "MORE LIQUIDATION: main (bybit), SOL/USDT:USDT long 20 contracts"
    assert "2 contracts" not in scene.all_told[2]


def test_it_is_over_without_a_word_ten_minutes_after_the_last_of_it() -> None:
    scene = hear(quiet(), taken())
    scene.steady(590, SOL=120)
    assert (Subject.TAKEN, Step.RESOLVED) not in scene.steps
    scene.steady(20, SOL=120)
    assert (Subject.TAKEN, Step.RESOLVED) in scene.steps
    assert scene.told == []
    # What comes after that is another episode.
    assert hear(scene, taken("order-9", 620)).steps == [OPENED]


def test_a_booking_alone_tells_that_something_was_taken_by_force() -> None:
    scene = read(quiet().later(15), booked("7", 14))
    assert scene.told == ["LIQUIDATION OR AUTO-DELEVERAGING: main (bybit), SOL/USDT:USDT"]
    assert read(scene.later(15), booked("7", 14)).told == []
    assert read(scene.later(15), booked("8", 40, BookingKind.REALISED)).told == []


def test_a_booking_of_what_was_told_is_no_news() -> None:
    scene = hear(quiet(), taken(seconds=1))
    assert read(scene.later(15), booked("7", 2)).told == []
    # One of another minute is.
    assert read(scene.later(100), booked("8", 100)).told != []


def restarted(scene: Scene, **settings: Any) -> Scene:
    """The same account watched by a new engine that knows the incidents of the one before."""
    kept = {change.incident.id: change.incident for change in changes(scene.effects)}
    new = Scene(incidents=kept.values(), **settings)
    new.at = scene.at
    return new


def test_after_a_restart_nothing_is_told_again_and_what_happened_meanwhile_is() -> None:
    before = hear(quiet(), taken(), warned())
    scene = restarted(before.later(60), was_watched=True)
    read(scene, booked("7", 1), news=(taken(), warned(), taken("order-2", 30)))
    assert scene.told == ["LIQUIDATION: main (bybit), SOL/USDT:USDT long 2 contracts"]


def test_what_comes_after_a_restart_takes_no_place_of_what_was_not_delivered_yet() -> None:
    scene = hear(quiet(), taken("order-1", contracts="2"))
    (told,) = changes(scene.latest)
    again = read(restarted(scene).later(1))
    hear(again, taken("order-2", seconds=1, contracts="3"))
    before, after = (c for c in changes(again.effects) if c.incident.subject is Subject.TAKEN)
    assert (before.incident.id, before.transition.step) == (told.incident.id, Step.RESOLVED)
    assert before.notification is None
    assert after.transition.step is Step.OPENED
    assert after.incident.pool == told.incident.pool
    assert after.incident.id != told.incident.id
    assert again.told == ["LIQUIDATION: main (bybit), SOL/USDT:USDT long 3 contracts"]


def test_only_so_much_is_remembered() -> None:
    scene = quiet()
    for number in range(MOST_IDS + 10):
        hear(scene, taken(f"order-{number}", seconds=number))
    happenings = scene.engine._happenings
    assert len(happenings._times) == len(happenings._known) == MOST_IDS


def test_what_happened_before_anybody_watched_is_no_news() -> None:
    scene = read(Scene(), booked("7", -120), news=(taken(seconds=-120),))
    assert scene.told == []
    old = timedelta(days=1, seconds=1).total_seconds()
    scene = read(Scene(was_watched=True), booked("7", -old), news=(taken(seconds=-old),))
    assert scene.told == []
    scene = read(Scene(was_watched=True), news=(taken(seconds=-7200),))
    assert len(scene.told) == 1


# -- the exchange's own warnings --------------------------------------------------------------


def test_a_warning_is_told_once_with_our_own_ratio() -> None:
    scene = hear(quiet(), warned())
    assert scene.told == ["WARNED BY THE EXCHANGE: main (bybit), at 68.6 % by our figures"]
    assert "Our own figures show no danger (margin ratio 68.6 %)" in scene.body
    assert hear(scene.later(5), warned("MARGIN_CALL, ratio 99 %")).told == []
    (change,) = (c for c in changes(scene.effects) if c.incident.subject is Subject.WARNED)
    assert change.incident.severity is Severity.CRITICAL


def test_a_warning_that_our_figures_bear_out_casts_no_doubt_on_them() -> None:
    scene = Scene().read(the_pool(), SOL=85).tick(SOL=85)
    hear(scene, warned())
    assert "Our own figures show no danger" not in scene.body


def test_a_graver_warning_is_told_and_another_contract_too() -> None:
    scene = hear(quiet(), warned("level 1", is_critical=False))
    (change,) = (c for c in changes(scene.latest) if c.incident.subject is Subject.WARNED)
    assert change.incident.severity is Severity.WARNING
    assert len(hear(scene.later(1), warned("level 2")).told) == 1
    assert len(hear(scene.later(1), warned("level 2", exchange_symbol=None)).told) == 1


def test_a_critical_warning_that_goes_on_is_told_again_after_half_an_hour() -> None:
    scene = hear(quiet(), warned())
    for _ in range(31):
        scene.steady(60, SOL=120)
        hear(scene, warned())
    said = [title for title in scene.all_told if "WARNED" in title]
    assert len(said) == 2
    assert said[1].startswith("STILL WARNED BY THE EXCHANGE")


def test_a_warning_ends_without_a_word_when_nothing_more_is_heard_of_it() -> None:
    scene = hear(quiet(), warned())
    scene.steady(610, SOL=120)
    assert (Subject.WARNED, Step.RESOLVED) in scene.steps
    assert scene.told == []


def test_a_warning_that_a_restart_finds_holding_still_is_not_told_again() -> None:
    before = hear(quiet(), warned())
    scene = restarted(before.later(700), was_watched=True)
    scene.second()
    assert read(scene, news=(warned(),)).told == []
