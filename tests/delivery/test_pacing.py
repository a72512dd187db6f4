"""Which messages of a minute go together, and when: few of them, the critical ones in time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.delivery.digest import combined, gravity
from monitor.delivery.pacing import BEYOND, GATHER, GATHER_CRITICAL, MINUTE, Pace
from tests.alerting import a_notification, at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.alerts.message import Notification

NEAR, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO


@dataclass(slots=True)
class Channel:
    """A channel that takes at once what `Pace` lets go, looked at every tenth of a second."""

    pace: Pace = field(default_factory=Pace)
    waiting: list[Notification] = field(default_factory=list)
    arrived: list[tuple[float, list[Notification]]] = field(default_factory=list)

    def play(self, rows: Iterable[tuple[float, Notification]], seconds: float) -> None:
        left = sorted(rows, key=lambda row: row[0])
        for tenth in range(int(seconds * 10)):
            now = tenth / 10
            while left and left[0][0] <= now:
                self.waiting.append(left.pop(0)[1])
            while self.waiting and self._send(now):
                pass

    def _send(self, now: float) -> bool:
        newest = sorted(combined(self.waiting).values(), key=gravity)
        batch, wait = self.pace.next(newest, at(now))
        if wait > 0:
            return False
        self.pace.sent(batch, at(now))
        self.arrived.append((now, batch))
        told = {message.about for message in batch}
        self.waiting = [message for message in self.waiting if message.about not in told]
        return True

    def times(self) -> list[float]:
        return [when for when, _ in self.arrived]


def row(
    second: float,
    pool: str,
    severity: Severity,
    step: Step = Step.ESCALATED,
    news: Severity | None = None,
) -> tuple[float, Notification]:
    message = a_notification(
        f"{pool}-{second}",
        pool,
        severity=severity,
        step=step,
        created_at=at(second),
        account=pool,
        news=news or (INFO if step is Step.RESOLVED else severity),
    )
    return second, message


def a_fall(pool: str, near: float, very_near: float, warning: float, critical: float):  # type: ignore[no-untyped-def]
    """The default ladder on the way down, a message each."""
    return [
        row(near, pool, NEAR, Step.OPENED),
        row(very_near, pool, CRITICAL),
        row(warning, pool, CRITICAL, news=NEAR),
        row(critical, pool, CRITICAL),
    ]


def test_of_one_pool_each_graver_word_goes_at_once_and_what_is_milder_waits_for_it() -> None:
    channel = Channel()
    channel.play(a_fall("a", 0, 15, 20, 40), 120)
    assert channel.times() == [0, 15, 40]


def test_what_is_milder_is_told_when_nothing_graver_comes() -> None:
    channel = Channel()
    channel.play(a_fall("a", 0, 15, 20, 400), 120)
    assert channel.times() == [0, 15, 60]


def test_two_pools_that_fall_together_are_told_together() -> None:
    channel = Channel()
    channel.play([*a_fall("a", 0, 4, 6, 9), *a_fall("b", 1, 5, 8, 11)], 120)
    # That one is critical is told at once, with it that the other is near; the rest as one.
    assert channel.times() == [0, 4, 14]
    assert [[m.about for m in batch] for _, batch in channel.arrived] == [
        ["a"],
        ["a", "b"],
        ["a", "b"],
    ]


def test_first_words_of_several_pools_do_not_wait_for_what_may_come() -> None:
    channel = Channel()
    rows = [row(0, "a", NEAR, Step.OPENED), row(10, "a", CRITICAL), row(20, "a", CRITICAL)]
    channel.play([*rows, *(row(40, name, NEAR, Step.OPENED) for name in "bcde")], 60)
    assert channel.times() == [0, 10, 20, 40]


def used_up():  # type: ignore[no-untyped-def]
    """Two pools have four messages within nine seconds, and one more waits: a minute's all."""
    return [
        row(0, "a", NEAR, Step.OPENED),
        row(2, "a", CRITICAL),
        row(4, "a", CRITICAL),
        row(8, "b", CRITICAL, Step.OPENED),
        row(9, "b", CRITICAL),
    ]


def test_a_first_word_for_whose_critical_one_there_is_no_room_waits_for_it_ten_seconds() -> None:
    rows = [*used_up(), row(34, "c", NEAR, Step.OPENED)]
    # Of three pools a minute may have five: the fifth would be c's, and its next one too many.
    channel = Channel()
    channel.play([*rows, row(39, "c", CRITICAL)], 60)
    assert channel.times() == [0, 2, 4, 8, 39]
    channel = Channel()
    channel.play(rows, 60)
    assert channel.times() == [0, 2, 4, 8, 44]


def test_newer_messages_of_a_pool_do_not_make_its_first_word_wait_anew() -> None:
    channel = Channel()
    news = [row(second, "c", NEAR) for second in (20, 28, 36, 44, 52)]
    channel.play([*used_up(), row(12, "c", NEAR, Step.OPENED), *news], 60)
    first = next(at for at, batch in channel.arrived if any(m.about == "c" for m in batch))
    assert first <= 22


def test_that_something_else_is_critical_is_told_at_once() -> None:
    channel = Channel()
    channel.play([row(0, "a", CRITICAL, Step.OPENED), row(1, "b", CRITICAL, Step.OPENED)], 30)
    assert channel.times() == [0, 1]


def test_a_pool_that_becomes_critical_waits_for_ten_seconds_at_most() -> None:
    channel = Channel()
    rows = [
        row(0, "a", NEAR, Step.OPENED),
        row(0, "b", NEAR, Step.OPENED),
        row(20, "a", CRITICAL),
        row(21, "b", CRITICAL),
    ]
    channel.play(rows, 60)
    # What comes at one instant is one message.
    assert channel.times() == [0, 20, 20 + GATHER.total_seconds()]


def test_an_end_is_not_grave_and_leads_no_message() -> None:
    end = row(1, "a", CRITICAL, Step.RESOLVED)[1]
    fall = row(2, "b", NEAR, Step.OPENED)[1]
    assert sorted([end, fall], key=gravity) == [fall, end]


@pytest.mark.parametrize("severity", [INFO, NEAR, CRITICAL])
def test_what_is_about_no_rungs_goes_at_once_whatever_waits(severity: Severity) -> None:
    channel = Channel()
    other = [
        (second, a_notification(f"o{second}", "o", severity=severity, created_at=at(second)))
        for second in (1.0, 2.0, 3.0)
    ]
    channel.play([row(0, "a", NEAR, Step.OPENED), row(0.5, "b", NEAR, Step.OPENED), *other], 30)
    assert channel.times() == [0, 1, 2, 3, 15]


def test_many_critical_ones_are_a_flood() -> None:
    channel = Channel()
    rows = [row(number / 10, f"p{number}", CRITICAL, Step.OPENED) for number in range(12)]
    channel.play(rows, 60)
    assert channel.times() == [0, 0.1, 0.2, 0.3, 0.4, 0.4 + GATHER_CRITICAL.total_seconds()]
    assert len(channel.arrived[-1][1]) == 7


def test_what_many_come_to_in_one_second_is_one_message() -> None:
    """Six in the same instant, a seventh 0.9 s later; what comes after that is gathered."""
    channel = Channel()
    fall = [row(0, f"p{number}", NEAR, Step.OPENED) for number in range(6)]
    channel.play([*fall, row(0.9, "p6", NEAR, Step.OPENED), row(1.2, "p7", CRITICAL)], 60)
    assert [(when, len(batch)) for when, batch in channel.arrived] == [(1, 7), (3, 1)]


def test_a_flood_that_does_not_get_through_does_not_wait_for_that_again() -> None:
    pace, fall = Pace(), [row(0, f"p{n}", CRITICAL, Step.OPENED)[1] for n in range(6)]
    assert pace.next(fall, at(0)) == (fall, 1)
    assert pace.next(fall, at(0.6)) == (fall, pytest.approx(0.4))
    assert pace.next(fall, at(8)) == (fall, pytest.approx(-7))
    pace.sent(fall, at(8))
    fall = [row(100, f"p{n}", CRITICAL, Step.OPENED)[1] for n in range(6)]
    assert pace.next(fall, at(100)) == (fall, 1)


def test_a_clock_that_is_set_back_prolongs_no_flood_by_more_than_its_second() -> None:
    pace, fall = Pace(), [row(0, f"p{n}", CRITICAL, Step.OPENED)[1] for n in range(6)]
    assert pace.next(fall, at(0)) == (fall, 1)
    assert pace.next(fall, at(-3600)) == (fall, 1)
    assert pace.next(fall, at(-3599)) == (fall, 0)


def test_a_flood_that_gets_graver_meanwhile_waits_no_longer_for_that() -> None:
    pace = Pace()
    for tenths in range(10):
        fall = [row(tenths / 10, f"p{n}", CRITICAL)[1] for n in range(6)]
        assert pace.next(fall, at(tenths / 10)) == (fall, pytest.approx(1 - tenths / 10))


def test_old_news_wait_for_nothing() -> None:
    """What an outage of the receiver left."""
    fall = [row(n, f"p{n}", CRITICAL, Step.OPENED)[1] for n in range(6)]
    assert Pace().next(fall, at(300))[1] <= 0


def test_six_pools_of_one_account_are_a_flood_as_well() -> None:
    channel = Channel()
    rows = [row(number / 10, f"p{number}", CRITICAL, Step.OPENED) for number in range(7)]
    channel.play([(second, replace(told, account="main")) for second, told in rows], 60)
    assert channel.times() == [0, 0.1, 0.2, 0.3, 0.4, 0.4 + GATHER_CRITICAL.total_seconds()]
    assert len(channel.arrived[-1][1]) == 2


def test_a_flood_of_anything_is_gathered() -> None:
    channel = Channel()
    rows = [
        (n / 10, a_notification(f"p{n}", f"p{n}", account=f"a{n}", created_at=at(n / 10)))
        for n in range(9)
    ]
    channel.play(rows, 60)
    assert channel.times() == [0, 0.1, 0.2, 0.3, 0.4, 0.4 + GATHER.total_seconds()]


def a_crash(dice: random.Random) -> list[tuple[float, Notification]]:
    """Pools that fall within so many seconds, as far as they do, each at its own pace."""
    lasts = dice.choice((3, 12, 30, 58))
    rows = []
    for number in range(dice.choice((1, 2, 2, 3, 3, 4, 6, 9))):
        fall = sorted(dice.uniform(0, lasts) for _ in range(4))
        depth = dice.choice((1, 2, 3, 4, 4))
        rows += a_fall(f"p{number}", *fall)[:depth]
        if dice.random() < 0.3:
            rows.append(row(lasts + dice.uniform(0, 60), f"p{number}", CRITICAL, Step.RESOLVED))
    return rows


@pytest.mark.parametrize("seed", range(400))
def test_a_crash_makes_few_messages_and_the_critical_ones_in_time(seed: int) -> None:
    rows = a_crash(random.Random(f"crash/{seed}"))  # noqa: S311 - repeatable on purpose
    channel = Channel()
    channel.play(rows, 240)
    check_few(channel)
    check_in_time(channel, rows)
    assert channel.waiting == []


def check_few(channel: Channel) -> None:
    """N + 2 in a minute; more only where a pool became critical, which waits for nothing."""
    sent = channel.arrived
    for first, (start, _) in enumerate(sent):
        minute = [s for s in sent[first:] if s[0] < start + MINUTE.total_seconds()]
        pools = {message.about for _, batch in minute for message in batch}
        if len(minute) > len(pools) + BEYOND:
            known = [m for _, batch in minute[:-1] for m in batch]
            assert any(_becomes_critical(m, known) for m in minute[-1][1])


def _becomes_critical(message: Notification, before: list[Notification]) -> bool:
    told = [m.urgency for m in before if m.about == message.about]
    return message.urgency is CRITICAL and CRITICAL not in told


def check_in_time(channel: Channel, rows: list[tuple[float, Notification]]) -> None:
    """A pool's first critical word within ten seconds, any other within a minute."""
    critical: set[str] = set()
    for when, message in sorted(rows, key=lambda each: each[0]):
        arrival = min(t for t, batch in channel.arrived if t >= when and _tells(batch, message))
        assert arrival - when <= MINUTE.total_seconds() + 0.1
        if message.urgency is CRITICAL and message.about not in critical:
            critical.add(message.about)
            is_over = any(m.step is Step.RESOLVED for m in _told_by(rows, arrival, message))
            assert arrival - when <= GATHER.total_seconds() + 0.1 or is_over


def _told_by(
    rows: list[tuple[float, Notification]], until: float, message: Notification
) -> list[Notification]:
    return [m for when, m in rows if m.about == message.about and when <= until]


def _tells(batch: list[Notification], message: Notification) -> bool:
    return any(
        each.about == message.about and each.created_at >= message.created_at for each in batch
    )


def test_after_a_minute_of_quiet_a_message_goes_at_once() -> None:
    channel = Channel()
    channel.play([row(0, "a", NEAR, Step.OPENED), row(61, "b", NEAR, Step.OPENED)], 70)
    assert channel.times() == [0, 61]
