"""Samples: some seconds apart, fine for a day, and of each coarser step the peak."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.engine.effects import State
from monitor.errors import StorageError
from monitor.risk.model import PoolId
from monitor.storage import Reader, open_store
from monitor.storage.database import FILE_NAME, open_database
from monitor.storage.history import Sample, add, between, thin
from tests.alerting import NOON, an_incident, at
from tests.assessing import NEEDED, a_pool, an_account

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.storage.database import Database

DAY = timedelta(days=1)


def a_sample(when: datetime, ratio: str, pool: str = "unified") -> Sample:
    return Sample(
        pool=PoolId(account="main", name=pool),
        at=when,
        unit="USD",
        state=State.FRESH,
        margin_balance=Decimal(100),
        maintenance_margin=Decimal(1),
        margin_ratio=Decimal(ratio),
    )


def thinned(
    tmp_path: Path, samples: list[Sample], when: datetime, last: datetime | None = None
) -> list[tuple[datetime, str]]:
    held: Database = open_database(tmp_path / "m.db")
    with held.transaction() as connection:
        add(connection, samples)
        thin(connection, when, last)
        kept = between(connection, NOON - 1000 * DAY, NOON + 1000 * DAY)
    held.close()
    return [(sample.at, str(sample.margin_ratio)) for sample in kept]


def test_a_sample_is_kept_every_five_seconds_and_read_by_another_process(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    for seconds in (0, 1, 4.9, 5, 6, 10.5):
        store.sample(an_account(at=at(seconds)))

    reader = Reader(tmp_path)
    samples = reader.samples(NOON, at(100))

    assert [sample.at for sample in samples] == [at(0), at(5), at(10.5)]
    assert samples[0] == Sample(
        pool=PoolId(account="main", name="unified"),
        at=NOON,
        unit="USD",
        state=State.FRESH,
        margin_balance=Decimal("258.30"),
        maintenance_margin=Decimal("235.79"),
        margin_ratio=Decimal("235.79") / Decimal("258.30"),
    )
    reader.close()
    store.close()


def test_a_blind_pool_leaves_no_sample_that_could_pass_for_a_figure(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    stale = a_pool(state=State.STALE, requirement=replace(NEEDED, margin_balance=Decimal(-1)))
    store.sample(an_account(pools=(a_pool(state=State.BLIND), stale)))

    reader = Reader(tmp_path)
    (sample,) = reader.samples(NOON, at(1))

    assert (sample.state, sample.margin_ratio) == (State.STALE, Decimal("Infinity"))
    reader.close()
    store.close()


def test_of_each_minute_before_a_day_ago_the_peak_stays(tmp_path: Path) -> None:
    samples = [
        a_sample(NOON, "0.1"),
        a_sample(at(5), "0.9"),
        a_sample(at(10), "0.10"),
        a_sample(at(15), "0.85", pool="isolated/SOLUSDT"),
        a_sample(at(60), "0.2"),
        a_sample(at(65), "Infinity"),
        a_sample(at(70), "10.5"),
    ]

    assert thinned(tmp_path, samples, at(120) + DAY) == [
        (at(5), "0.9"),
        (at(15), "0.85"),
        (at(65), "Infinity"),
    ]


def test_within_a_day_every_sample_stays(tmp_path: Path) -> None:
    samples = [a_sample(at(seconds), "0.1") for seconds in range(0, 60, 5)]

    assert len(thinned(tmp_path, samples, NOON + DAY)) == 12


def test_after_a_month_hours_stay_and_after_a_year_nothing(tmp_path: Path) -> None:
    samples = [
        a_sample(NOON - 400 * DAY, "0.5"),
        a_sample(NOON - 40 * DAY, "0.3"),
        a_sample(NOON - 40 * DAY + timedelta(minutes=59), "0.4"),
        a_sample(NOON - 40 * DAY + timedelta(minutes=61), "0.2"),
    ]

    assert [ratio for _, ratio in thinned(tmp_path, samples, NOON)] == ["0.4", "0.2"]


def test_later_rounds_look_only_at_what_came_of_age(tmp_path: Path) -> None:
    now = NOON + DAY
    samples = [
        a_sample(NOON - timedelta(hours=9), "0.1"),  # as an earlier round would not have left it
        a_sample(NOON - timedelta(hours=9) + timedelta(seconds=5), "0.2"),
        a_sample(at(-65), "0.3"),
        a_sample(at(-70), "0.4"),
    ]

    kept = thinned(tmp_path, samples, now, last=now - timedelta(hours=1))

    assert [ratio for _, ratio in kept] == ["0.1", "0.2", "0.4"]


def test_after_a_pause_what_came_of_age_meanwhile_is_looked_at_and_no_more() -> None:
    """The process before lived until three days ago, and did this an hour before last."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute(
        "CREATE TABLE samples (id INTEGER PRIMARY KEY, account, pool, at, unit, state,"
        " margin_balance, maintenance_margin, margin_ratio)"
    )
    end = NOON - 3 * DAY
    long_ago, young, old = end - 5 * DAY, end - timedelta(hours=1), end - timedelta(hours=25)
    pairs = [each + timedelta(seconds=s) for each in (long_ago, old, young) for s in (0, 5)]
    add(connection, [a_sample(when, "0.1") for when in (*pairs, end)])

    thin(connection, NOON, None)

    kept = [sample.at for sample in between(connection, NOON - 99 * DAY, NOON)]
    assert kept == [*pairs[:2], old, young, end]
    connection.close()


def test_the_reader_sees_incidents_that_reach_into_the_time_asked_for(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    ended = an_incident("early", resolved_at=at(10))
    late = an_incident("late", opened_at=at(1), resolved_at=at(30))
    still = an_incident("open", opened_at=at(2))
    for incident in (ended, late, still):
        store.record(incident, None)

    reader = Reader(tmp_path)

    assert reader.incidents(at(20)) == (late, still)
    reader.close()
    store.close()


def test_where_nothing_is_kept_the_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        Reader(tmp_path)
    assert not (tmp_path / FILE_NAME).exists()
