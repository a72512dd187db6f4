"""Whether somebody knows of an account's trouble: of the gravest of it, and of its newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Severity
from monitor.service.told import is_trouble_told
from monitor.settings import ChannelSettings
from monitor.storage.store import Store, open_store
from tests.alerting import NOON, a_notification, an_incident, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNELS = tuple(
    ChannelSettings(name=name, url=SecretStr("json://host"), min_severity=least)
    for name, least in (("phone", Severity.INFO), ("pager", Severity.CRITICAL))
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, NOON)
    yield opened
    opened.close()


def tell(
    store: Store, incident: str, subject: Subject, step: Step = Step.OPENED, *, number: int = 1
) -> str:
    """Record a step of late figures (a warning) or of none (critical); its message's id."""
    is_blind = subject is Subject.BLIND
    severity = Severity.CRITICAL if is_blind else Severity.WARNING
    message = a_notification(f"{incident}-{number}", incident, severity=severity, step=step)
    known = an_incident(incident, pool=None, subject=subject, severity=severity, rung=None)
    store.record(known, message, ("phone", "pager") if is_blind else ("phone",))
    return message.id


def is_told(store: Store) -> bool:
    return is_trouble_told(store, "main", CHANNELS)


def test_late_figures_are_told_once_a_channel_took_the_word(store: Store) -> None:
    assert not is_told(store)
    message = tell(store, "late", Subject.STALE)
    assert not is_told(store)
    store.delivered("phone", message, (), at(1))
    assert is_told(store)


def test_that_figures_were_late_tells_nobody_that_there_are_none(store: Store) -> None:
    store.delivered("phone", tell(store, "late", Subject.STALE), (), at(1))
    message = tell(store, "none", Subject.BLIND)
    assert not is_told(store)
    store.delivered("pager", message, (), at(2))
    assert is_told(store)


def test_trouble_that_spread_is_not_told_by_what_was_told_before(store: Store) -> None:
    store.delivered("phone", tell(store, "late", Subject.STALE), (), at(1))
    more = tell(store, "late", Subject.STALE, Step.ESCALATED, number=2)
    # The pager, which is not for warnings, has nothing to wait for.
    assert not is_told(store)
    store.delivered("phone", more, (), at(2))
    assert is_told(store)


def test_a_channel_that_has_the_newest_is_enough(store: Store) -> None:
    first = tell(store, "none", Subject.BLIND)
    more = tell(store, "none", Subject.BLIND, Step.ESCALATED, number=2)
    store.delivered("pager", first, (), at(1))
    assert not is_told(store)
    store.delivered("phone", more, (first,), at(2))
    assert is_told(store)


def test_a_reminder_that_waits_is_no_news(store: Store) -> None:
    store.delivered("phone", tell(store, "late", Subject.STALE), (), at(1))
    tell(store, "late", Subject.STALE, Step.REPEATED, number=2)
    assert is_told(store)


def test_a_rung_that_was_told_tells_nothing_of_late_figures(store: Store) -> None:
    store.delivered("phone", tell(store, "rung", Subject.STANDING), (), at(1))
    assert not is_told(store)
