"""The incidents of an account, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.alerts.facts import Facts, Gone
from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import DEFAULT_LADDER
from monitor.alerts.policy import Policy
from monitor.engine.casebook import Casebook
from tests.alerts.cases import POOL, on_rung, opened, taken
from tests.build import NOON

if TYPE_CHECKING:
    from monitor.engine.effects import IncidentChanged

KEY = (POOL, Subject.STANDING)


def facts() -> Facts:
    gone = Gone(unit="USD", balance_before=None, balance_now=None)
    return Facts(exchange="bybit", ladder=DEFAULT_LADDER, gone=gone)


def no_facts() -> Facts:
    raise AssertionError("nothing is to be told")


def consider(
    book: Casebook, rung: str | None, value: str = "0.81", *, seconds: float = 0, told: bool = True
) -> IncidentChanged | None:
    return book.consider(
        KEY,
        None if rung is None else on_rung(rung, value),
        NOON + timedelta(seconds=seconds),
        may_ease=True,
        facts=facts if told else no_facts,
    )


def test_what_is_told_is_marked_as_told() -> None:
    book = Casebook(Policy())
    change = consider(book, "warning")
    assert change is not None
    assert change.incident == change.transition.after == book.open(*KEY)
    assert change.incident.spoken_at == NOON
    assert change.notification is not None
    assert change.notification.incident_id == change.incident.id


def test_what_is_quiet_says_why_and_is_still_kept() -> None:
    book = Casebook(Policy(), [opened("critical", "0.95", spoken_at=NOON)])
    change = consider(book, "warning", told=False)
    assert change is not None
    assert (change.notification, change.quiet_because) == (
        None,
        "easing is not told, only the end is",
    )
    assert change.incident.spoken_at == NOON


def test_the_peak_is_remembered_without_a_step() -> None:
    book = Casebook(Policy())
    consider(book, "warning", "0.81")
    assert consider(book, "warning", "0.89", seconds=1, told=False) is None
    assert consider(book, "warning", "0.83", seconds=2, told=False) is None
    end = consider(book, None, seconds=3)
    assert end is not None
    assert (end.incident.worst, end.incident.worst_at) == (
        Decimal("0.89"),
        NOON + timedelta(seconds=1),
    )


def test_what_is_critical_is_said_again_after_half_an_hour() -> None:
    book = Casebook(Policy())
    consider(book, "critical", "0.95")
    steps = []
    for minute in range(1, 91):
        change = consider(book, "critical", "0.95", seconds=60 * minute)
        if change is not None:
            steps.append((minute, change.transition.step))
    assert steps == [(30, Step.REPEATED), (60, Step.REPEATED), (90, Step.REPEATED)]


def test_of_several_restored_the_open_one_counts() -> None:
    over = replace(taken(opened(), None, seconds=60).after, id="z")
    later = replace(taken(over, on_rung("warning", "0.81"), seconds=120).after, id="a")
    for incidents in ([over, later], [later, over]):
        assert Casebook(Policy(), incidents).open(*KEY) == later


def test_one_that_is_over_is_not_open_but_counts_for_an_hour() -> None:
    book = Casebook(Policy())
    consider(book, "warning")
    consider(book, None, seconds=60)
    assert (book.open(*KEY), book.open_incidents()) == (None, ())
    book.forget_old(NOON + timedelta(seconds=3660))
    again = consider(book, "warning", seconds=120)
    assert again is not None
    assert len(again.incident.openings) == 2


def test_one_that_is_long_over_is_forgotten() -> None:
    over = replace(opened(), resolved_at=NOON, openings=(NOON,))
    book = Casebook(Policy(), [over])
    book.forget_old(NOON + timedelta(seconds=3601))
    again = consider(book, "warning", seconds=10)
    assert again is not None
    assert len(again.incident.openings) == 1
