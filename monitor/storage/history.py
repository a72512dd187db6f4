"""Samples of each pool's ratio, fine for a day, coarser with age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.engine.effects import State
from monitor.risk.model import PoolId
from monitor.storage.columns import time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from monitor.engine.effects import AccountAssessment

EVERY = timedelta(seconds=5)
_FINE_FOR = timedelta(days=1)
_BY_THE_MINUTE_FOR = timedelta(days=30)
_BY_THE_HOUR_FOR = timedelta(days=365)
_OVERLAP = timedelta(hours=1)
_MINUTE, _HOUR = len("2026-11-22T12:00"), len("2026-11-22T12")

# Of each minute (or hour) the highest ratio stays: a peak is what history is asked for.
_THIN = """
DELETE FROM samples WHERE at >= :since AND at < :until AND id NOT IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (
      PARTITION BY account, pool, substr(at, 1, :digits)
      ORDER BY CASE margin_ratio WHEN 'Infinity' THEN 9e999 ELSE CAST(margin_ratio AS REAL) END
        DESC, id
    ) AS place FROM samples WHERE at >= :since AND at < :until
  ) WHERE place = 1
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What drove the ladder of a pool at one time; money in `unit`, the ratio a fraction."""

    pool: PoolId
    at: datetime
    unit: str
    state: State
    margin_balance: Decimal
    maintenance_margin: Decimal
    margin_ratio: Decimal


def samples_of(assessment: AccountAssessment) -> tuple[Sample, ...]:
    """One sample for each pool that has a figure now; none for a blind one."""
    return tuple(
        Sample(
            pool=pool.risk.pool.id,
            at=assessment.at,
            unit=pool.requirement.unit,
            state=pool.state,
            margin_balance=pool.requirement.margin_balance,
            maintenance_margin=pool.requirement.maintenance_margin,
            margin_ratio=pool.requirement.ratio,
        )
        for pool in assessment.pools
        if pool.state is not State.BLIND
    )


def add(connection: sqlite3.Connection, samples: Sequence[Sample]) -> None:
    connection.executemany(
        "INSERT INTO samples (account, pool, at, unit, state, margin_balance, maintenance_margin,"
        " margin_ratio) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                sample.pool.account,
                sample.pool.name,
                time_text(sample.at),
                sample.unit,
                sample.state.value,
                str(sample.margin_balance),
                str(sample.maintenance_margin),
                str(sample.margin_ratio),
            )
            for sample in samples
        ],
    )


def between(connection: sqlite3.Connection, since: datetime, until: datetime) -> tuple[Sample, ...]:
    """The samples of all pools with since ≤ at < until, the oldest first."""
    rows = connection.execute(
        "SELECT * FROM samples WHERE at >= ? AND at < ? ORDER BY at, id",
        (time_text(since), time_text(until)),
    )
    return tuple(_sample(row) for row in rows)


def thin(connection: sqlite3.Connection, at: datetime, last: datetime | None) -> None:
    """
    Keep every sample for a day, then the highest of each minute for 30 days, then the highest
    of each hour for a year.

    Args:
        last: When this was done last: only what has come of age since is looked at. None: by an
            earlier process, hourly for as long as it gave samples. All of a year takes seconds.
    """
    last = last or _lived_until(connection)
    year, month, day = at - _BY_THE_HOUR_FOR, at - _BY_THE_MINUTE_FOR, at - _FINE_FOR
    connection.execute("DELETE FROM samples WHERE at < ?", (time_text(year),))
    for start, until, digits in ((year, month, _HOUR), (month, day, _MINUTE)):
        # Further back than an hour, so that none is looked at in two halves only.
        since = start if last is None else max(start, until - (at - last) - 2 * _OVERLAP)
        connection.execute(
            _THIN, {"since": time_text(since), "until": time_text(until), "digits": digits}
        )


def _lived_until(connection: sqlite3.Connection) -> datetime | None:
    newest = connection.execute("SELECT max(at) FROM samples").fetchone()[0]
    return None if newest is None else datetime.fromisoformat(newest)


def _sample(row: sqlite3.Row) -> Sample:
    return Sample(
        pool=PoolId(account=row["account"], name=row["pool"]),
        at=datetime.fromisoformat(row["at"]),
        unit=row["unit"],
        state=State(row["state"]),
        margin_balance=Decimal(row["margin_balance"]),
        maintenance_margin=Decimal(row["maintenance_margin"]),
        margin_ratio=Decimal(row["margin_ratio"]),
    )
