"""Many messages in one, and one that comes late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.alerts.incident import Step
from monitor.alerts.ladder import Severity
from monitor.delivery.digest import MOST_LISTED, as_of_now, combined, digest
from tests.alerting import NOON, a_notification, at

MINUTE = timedelta(seconds=60)


def test_one_message_stays_as_it_is() -> None:
    assert digest([a_notification("a")]) == a_notification("a")


def test_the_gravest_is_told_in_full_and_the_others_by_a_line_each() -> None:
    first = a_notification("a", "i1", created_at=at(1))
    grave = a_notification("b", "i2", severity=Severity.CRITICAL, useful_until=at(10))
    ended = a_notification("c", "i3", severity=Severity.INFO)
    found = digest([first, grave, ended])
    assert found.title == "3 messages in one. title of b"
    assert found.body == ("body of b\n\nBeside it, 2 more:\n• title of a\n• title of c")
    assert (found.id, found.incident_id, found.severity) == ("b", "i2", Severity.CRITICAL)
    assert found.useful_until == at(3600)


def test_what_is_not_listed_is_counted() -> None:
    many = [a_notification(f"m{n:03}", f"i{n}") for n in range(MOST_LISTED + 4)]
    found = digest(many)
    assert found.body.count("• title of") == MOST_LISTED
    assert found.body.endswith("• … and 3 more: see `margin-monitor status`")


def test_a_message_in_time_says_nothing_of_its_age() -> None:
    assert as_of_now(a_notification("a"), at(60), "main is fresh", MINUTE) == a_notification("a")


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        ("main is fresh, USDT 12.0 %", "Now: main is fresh, USDT 12.0 %."),
        (None, "How it stands now is not known."),
    ],
)
def test_a_late_message_carries_its_age_and_the_present_state(
    standing: str | None, said: str
) -> None:
    found = as_of_now(a_notification("a"), NOON + timedelta(minutes=12), standing, MINUTE)
    assert found.body == (f"LATE: written 12 min ago, 2026-11-22 12:00:00 UTC. {said}\n\nbody of a")
    assert found.title == "title of a (LATE, of 12:00:00 UTC)"


def test_of_several_that_come_late_each_says_of_when_it_is() -> None:
    late = [a_notification("a"), a_notification("b", created_at=at(600))]
    now = NOON + timedelta(days=1, minutes=5)
    found = digest([as_of_now(each, now, None, MINUTE) for each in late])
    assert found.title == "2 messages in one. title of a (LATE, of 2026-11-22 12:00:00 UTC)"
    assert found.body.endswith("• title of b (LATE, of 12:10:00 UTC)")


def test_what_waits_of_one_incident_is_its_newest_and_as_urgent_as_all_of_it() -> None:
    critical = a_notification(
        "a", "i1", severity=Severity.CRITICAL, news=Severity.CRITICAL, created_at=at(1)
    )
    milder = a_notification(
        "b", "i1", severity=Severity.CRITICAL, news=Severity.WARNING, created_at=at(2)
    )
    other = a_notification("c", "i2")
    found = combined([critical, milder, other])
    assert list(found) == ["b", "c"]
    assert [found[name].urgency for name in "bc"] == [Severity.CRITICAL, Severity.WARNING]
    over = a_notification("d", "i1", severity=Severity.CRITICAL, step=Step.RESOLVED)
    assert combined([critical, over])["d"].urgency is Severity.INFO
