"""How grave the news of a message is: what channels gather by, whatever they were told before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.alerts.facts import Gone
from monitor.alerts.incident import Step, Subject, Transition
from monitor.alerts.ladder import Severity
from monitor.alerts.message import write
from tests.alerting import a_notification
from tests.alerts.cases import on_rung, taken
from tests.alerts.telling import LONG, about, critical, facts, pool_facts, resolved
from tests.build import a_pool

POOL = pool_facts(a_pool(LONG, cash=500))
ALL = ("near", "warning", "very near", "critical")


def reaching(before: str, *rungs: str) -> Transition:
    first = on_rung(before, "0.1").alarms
    opened = taken(None, on_rung(before, "0.1")).after
    now = tuple(name for name in ALL if name in (*first, *rungs))
    return taken(opened, replace(critical(), alarms=now, reasons=now, pool=opened.pool))


@pytest.mark.parametrize(
    ("transition", "news"),
    [
        (taken(None, critical()), Severity.CRITICAL),
        (taken(None, on_rung("warning", "0.81")), Severity.WARNING),
        (reaching("near", "very near"), Severity.CRITICAL),
        (reaching("very near", "warning"), Severity.WARNING),
        (reaching("very near", "warning", "critical"), Severity.CRITICAL),
        (resolved(critical("0.95")), Severity.INFO),
        (resolved(critical("1.02")), Severity.CRITICAL),
    ],
    ids=["opened", "opened milder", "graver", "milder", "both", "over", "over the end"],
)
def test_the_news_is_what_was_reached_and_not_what_was_stood_on(
    transition: Transition, news: Severity
) -> None:
    assert write(transition, facts(POOL)).urgency is news


def test_positions_that_are_gone_are_more_than_an_end() -> None:
    gone = Gone(unit="USDT", balance_before=Decimal(10), balance_now=Decimal(0), by_mode="")
    message = write(resolved(critical("0.95")), facts(None, gone=gone))
    assert message.urgency is Severity.WARNING


def test_of_what_has_no_rungs_the_news_is_as_grave_as_the_message() -> None:
    stale = about(Subject.STALE, reasons=("main/USDT",), pool=None)
    message = write(taken(None, stale), facts())
    assert (message.urgency, message.is_on_rungs) == (Severity.CRITICAL, False)


def test_an_end_of_which_nothing_more_is_known_is_no_grave_news() -> None:
    message = a_notification("a", severity=Severity.CRITICAL, step=Step.RESOLVED)
    assert message.urgency is Severity.INFO
