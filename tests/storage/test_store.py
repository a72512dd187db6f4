"""Incidents and messages outlive the process, and a sick disk stops no message."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.alerts.incident import Step, Subject, Word
from monitor.alerts.ladder import Severity
from monitor.errors import ConfigError
from monitor.storage import open_store
from monitor.storage.columns import time_text
from monitor.storage.database import FILE_NAME, STEPS
from tests.alerting import NOON, a_notification, an_incident, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.storage import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, NOON)
    yield opened
    opened.close()


def reopened(store: Store, tmp_path: Path) -> Store:
    store.close()
    return open_store(tmp_path, at(60))


def waiting(store: Store, channel: str) -> list[str]:
    return [row.notification.id for row in store.unsettled(channel)]


def columns(tmp_path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_an_incident_comes_back_exactly_as_it_was(store: Store, tmp_path: Path) -> None:
    odd = NOON + timedelta(microseconds=1)
    full = an_incident(
        severity=Severity.CRITICAL,
        worst=Decimal("0.91234567890123456789012345678"),
        worst_at=odd,
        spoken_at=at(3),
        because="it's «near»; DROP TABLE incidents",
        openings=(at(-600), odd),
        nearest=Decimal("0.0123456789012345678901234567"),
        nearest_at=odd,
        told=("near", "very near"),
        alarms=("very near",),
        accepted=("near",),
        accepted_distance=Decimal("0.03"),
        words=(
            Word(at=odd, step=Step.OPENED, cost=0, rung="near"),
            Word(at=at(3), step=Step.REPEATED, cost=1),
        ),
    )
    bare = an_incident("i2", pool=None, subject=Subject.BLIND, rung=None, opened_at=at(1))
    beyond = an_incident("i3", worst=Decimal("Infinity"), opened_at=at(2))
    other = an_incident("i4", account="other")
    for incident in (replace(full, words=()), full, bare, beyond, other):
        assert store.record(incident, None)

    again = reopened(store, tmp_path)

    assert again.open_incidents("main") == (full, bare, beyond)
    assert again.open_incidents("other") == (other,)
    again.close()


def test_an_incident_that_ended_is_open_no_more(store: Store, tmp_path: Path) -> None:
    store.record(an_incident(), None)
    store.record(replace(an_incident(), resolved_at=at(9), changed_at=at(9)), None)

    assert store.open_incidents("main") == ()
    again = reopened(store, tmp_path)
    assert again.open_incidents("main") == ()
    again.close()


@pytest.mark.parametrize(
    ("subject", "days", "is_kept"),
    [
        (Subject.TAKEN, 7.9, True),
        (Subject.TAKEN, 8.1, False),
        (Subject.BLIND, 0.03, True),
        (Subject.BLIND, 0.05, False),
    ],
)
def test_what_an_exchange_took_is_kept_in_mind_for_as_long_as_it_lists_it(
    store: Store, tmp_path: Path, subject: Subject, days: float, is_kept: bool
) -> None:
    over = NOON - timedelta(days=days)
    ended = an_incident(subject=subject, rung=None, resolved_at=over, told=("order-1",))
    store.record(ended, None)

    again = reopened(store, tmp_path)
    assert again.kept_incidents("main") == ((ended,) if is_kept else ())
    again.close()


def test_a_message_waits_once_for_each_channel_and_comes_back_as_it_was(
    store: Store, tmp_path: Path
) -> None:
    notification = a_notification(step=None, severity=Severity.CRITICAL, body="a\nb «ü» 🚨")
    store.record(an_incident(), notification, ["phone", "team"])
    store.record(an_incident(), notification, ["phone"])

    again = reopened(store, tmp_path)

    for channel in ("phone", "team"):
        (row,) = again.unsettled(channel)
        assert row.notification == notification
        assert (row.attempts, row.not_before) == (0, None)
    assert again.backlog() == {"phone": 1, "team": 1}
    again.close()


def test_incident_and_messages_are_written_together_or_not_at_all(
    store: Store, tmp_path: Path
) -> None:
    # The second channel's row can't be written, so neither can the incident.
    broken = sqlite3.connect(tmp_path / FILE_NAME)
    broken.execute(
        "CREATE TRIGGER no_team BEFORE INSERT ON outbox WHEN NEW.channel = 'team'"
        " BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    broken.commit()
    broken.close()

    assert not store.record(an_incident(), a_notification(), ["phone", "team"])

    assert columns(tmp_path, "SELECT id FROM incidents") == []
    assert columns(tmp_path, "SELECT channel FROM outbox") == []


def test_what_was_delivered_waits_no_more_even_after_a_restart(
    store: Store, tmp_path: Path
) -> None:
    for name in ("i1-1", "i1-2"):
        store.record(an_incident(), a_notification(name), ["phone", "team"])
    store.delivered("phone", "i1-2", ["i1-1"], at(5))

    assert waiting(store, "phone") == []
    assert waiting(store, "team") == ["i1-1", "i1-2"]
    assert store.was_told("i1")
    assert columns(tmp_path, "SELECT notification_id, outcome, settled_at FROM outbox"
                   " WHERE channel = 'phone' ORDER BY id") == [
        ("i1-1", "superseded", "2026-11-22T12:00:05.000000+00:00"),
        ("i1-2", "delivered", "2026-11-22T12:00:05.000000+00:00"),
    ]  # fmt: skip
    again = reopened(store, tmp_path)
    assert waiting(again, "phone") == []
    assert waiting(again, "team") == ["i1-1", "i1-2"]
    assert again.was_told("i1")
    assert not again.was_told("i2")
    again.close()


def test_failures_and_the_receivers_wait_outlive_the_process(store: Store, tmp_path: Path) -> None:
    store.record(an_incident(), a_notification(), ["phone"])
    store.failed("phone", "i1-1", "HTTP 429", at(30))
    store.failed("phone", "i1-1", "HTTP 429", at(90))

    again = reopened(store, tmp_path)

    (row,) = again.unsettled("phone")
    assert (row.attempts, row.not_before) == (2, at(90))
    again.close()


def test_what_expired_is_settled_as_such(store: Store, tmp_path: Path) -> None:
    store.record(an_incident(), a_notification(), ["phone"])
    store.expired("phone", ["i1-1"], at(5))

    assert waiting(store, "phone") == []
    assert columns(tmp_path, "SELECT outcome FROM outbox") == [("expired",)]
    assert not store.was_told("i1")


def test_messages_for_a_channel_that_is_gone_are_told_and_settled(
    store: Store, tmp_path: Path
) -> None:
    store.record(an_incident(), a_notification(), ["phone", "old"])

    assert store.keep_channels(["phone"], at(5)) == ("old",)

    assert store.backlog() == {"phone": 1}
    assert columns(tmp_path, "SELECT outcome FROM outbox WHERE channel = 'old'") == [("abandoned",)]
    assert store.keep_channels(["phone"], at(6)) == ()


def test_messages_for_a_renamed_channel_go_out_by_its_new_name(
    store: Store, tmp_path: Path
) -> None:
    store.record(an_incident(), a_notification(severity=Severity.WARNING), ["old", "mail"])
    store.delivered("mail", "i1-1", (), at(1))
    store = reopened(store, tmp_path)

    store.pass_on(
        {"mail": Severity.INFO, "phone": Severity.INFO, "siren": Severity.CRITICAL},
    )
    assert store.keep_channels(["mail", "phone", "siren"], at(5)) == ("old",)

    # mail had it already, and the siren sounds for worse
    assert store.backlog() == {"phone": 1}
    assert waiting(store, "phone") == ["i1-1"]
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE incidents SET subject = 'of a later version'",
        "UPDATE incidents SET opened_at = 'yesterday'",
        "UPDATE incidents SET worst = 'plenty'",
        "UPDATE incidents SET told = '{'",
        "UPDATE outbox SET step = 'sideways'",
    ],
)
def test_a_row_that_makes_no_sense_does_not_stop_the_start(
    store: Store, tmp_path: Path, damage: str
) -> None:
    store.record(an_incident(worst=Decimal("0.9")), a_notification(), ["phone"])
    store.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(damage)

    again = open_store(tmp_path, at(60))
    assert "history lost, monitoring on" in again.notices[0]
    again.record(an_incident("i2"), a_notification("i2-1", "i2"), ["phone"])
    assert again.trouble is None
    again.close()


def test_a_locked_file_delays_nothing_and_is_made_up_for(store: Store, tmp_path: Path) -> None:
    assert store._writer.database is not None
    store._writer.database.wait_for_others(1)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert not store.record(an_incident(), a_notification("i1-1"), ["phone", "team"])
    assert not store.record(an_incident("i2"), a_notification("i2-1", "i2"), ["phone"])
    assert "locked" in str(store.trouble)
    assert waiting(store, "phone") == ["i1-1", "i2-1"]
    store.delivered("phone", "i1-1", [], at(1))
    assert waiting(store, "phone") == ["i2-1"]
    other.close()
    assert store.record(an_incident("i3"), None)

    assert store.trouble is None
    again = reopened(store, tmp_path)
    assert [incident.id for incident in again.open_incidents("main")] == ["i1", "i2", "i3"]
    assert (waiting(again, "phone"), waiting(again, "team")) == (["i2-1"], ["i1-1"])
    again.close()


def test_a_broken_file_is_put_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"rubbish" * 1000)

    store = open_store(tmp_path, NOON)

    (notice,) = store.notices
    assert "history lost, monitoring on" in notice
    assert "broken-20261122T120000Z" in notice
    assert store.record(an_incident(), a_notification(), ["phone"])
    store.close()


def test_a_newer_file_is_not_touched_and_alerts_go_on_from_memory(tmp_path: Path) -> None:
    open_store(tmp_path, NOON).close()
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    other.close()
    before = (tmp_path / FILE_NAME).read_bytes()

    store = open_store(tmp_path, NOON)

    assert "newer version" in store.notices[0]
    assert not store.record(an_incident(), a_notification(), ["phone"])
    assert waiting(store, "phone") == ["i1-1"]
    assert store.trouble is not None
    store.close()
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_directory_that_can_not_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    store = open_store(tmp_path / "file" / "state", NOON)

    assert "can't be written to" in store.notices[0]
    assert not store.record(an_incident(), a_notification(), ["phone"])
    assert waiting(store, "phone") == ["i1-1"]
    store.close()


def test_a_second_store_on_one_directory_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another margin-monitor"):
        open_store(tmp_path, NOON)


def test_settled_messages_are_forgotten_after_a_month(store: Store, tmp_path: Path) -> None:
    for name, days in (("old", 0), ("young", 2)):
        store.record(None, a_notification(name, "", step=Step.OPENED), ["phone"])
        store.delivered("phone", name, [], NOON + timedelta(days=days))
    store.record(None, a_notification("waiting", ""), ["phone"])
    store.close()

    open_store(tmp_path, NOON + timedelta(days=31)).close()

    assert columns(tmp_path, "SELECT notification_id FROM outbox ORDER BY id") == [
        ("young",),
        ("waiting",),
    ]


def test_a_time_without_its_zone_is_refused(store: Store) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without its zone"):
        time_text(naive)
    assert not store.record(an_incident(opened_at=naive), None)


def test_what_is_long_over_is_dropped_and_what_is_open_is_not(tmp_path: Path) -> None:
    days = timedelta(days=1)
    store = open_store(tmp_path, NOON)
    for name, ended in (("open", None), ("over", at(60)), ("late", NOON + 340 * days)):
        store.record(
            an_incident(name, resolved_at=ended), a_notification(f"{name}-1", name), ["phone"]
        )
        store.delivered("phone", f"{name}-1", [], at(60))
    store.close()

    again = open_store(tmp_path, NOON + 366 * days)

    assert again.was_told("open")
    again.close()
    assert columns(tmp_path, "SELECT id FROM incidents ORDER BY id") == [("late",), ("open",)]
    assert columns(tmp_path, "SELECT incident_id FROM outbox") == [("open",)]


def test_what_a_digest_told_of_was_told_also_after_a_restart(store: Store, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        store.record(an_incident(name), a_notification(f"{name}-1", name), ["phone"])
    store.delivered("phone", "a-1", ["b-1"], at(1))

    assert [store.was_told(name) for name in ("a", "b", "c")] == [True, True, False]
    again = reopened(store, tmp_path)
    assert [again.was_told(name) for name in ("a", "b", "c")] == [True, True, False]
    again.close()


def test_what_a_clock_that_was_ahead_has_written_holds_nothing_up_f56(
    store: Store, tmp_path: Path
) -> None:
    far = NOON + timedelta(days=365)
    store.record(
        an_incident(opened_at=far, changed_at=far, spoken_at=far, openings=(NOON, far, far)), None
    )
    store.record(an_incident("over", opened_at=far, changed_at=far, resolved_at=far), None)
    store.keep_quiet("binance", far, NOON)
    store.keep_quiet("okx", at(3600), NOON)
    store.tell(a_notification("n", "", created_at=far), ["phone"], "restarting")
    for seconds in range(3):
        store.begin(far + timedelta(seconds=seconds))

    again = reopened(store, tmp_path)

    now = at(60)
    (incident,) = again.open_incidents("main")
    assert (incident.opened_at, incident.changed_at, incident.spoken_at) == (now, now, now)
    assert incident.openings == (NOON, now, now)
    assert {each.id: each.resolved_at for each in again.kept_incidents("main")}["over"] == now
    assert again.quiet_until("binance") is None
    assert again.quiet_until("okx") == at(3600)
    assert again.said_at("restarting") == now
    assert again.starts_since(NOON) == 0
    again.close()
