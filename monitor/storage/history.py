"""
Ratio samples of every pool, and their thinning: dense for the last day, sparse before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from monitor.storage.database import Database

SAMPLE_SECONDS = 10.0
DENSE = timedelta(days=1)
KEPT = timedelta(days=90)


class History:
    """Writes a sample of a pool at most every ten seconds; thins to one a minute after a day."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sampled_at: dict[tuple[str, str], datetime] = {}

    def sample(self, account: str, pools: Iterable[tuple[str, Decimal, str]], at: datetime) -> None:
        """Samples (pool, ratio, state) of one account that are due."""
        rows = []
        for pool, ratio, state in pools:
            last = self._sampled_at.get((account, pool))
            if last is None or (at - last).total_seconds() >= SAMPLE_SECONDS:
                self._sampled_at[account, pool] = at
                rows.append((at.isoformat(), account, pool, str(ratio), state))
        if not rows:
            return
        with self._database.transaction() as connection:
            connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?)", rows)

    def thin(self, now: datetime) -> None:
        """Of what is older than a day keep each minute's highest ratio; drop what is too old."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM history WHERE at < ?", ((now - KEPT).isoformat(),))
            connection.execute(
                "DELETE FROM history WHERE at < ? AND rowid NOT IN ("
                " SELECT rowid FROM (SELECT rowid, row_number() OVER ("
                "   PARTITION BY account, pool, substr(at, 1, 16)"
                "   ORDER BY ratio = 'Infinity' DESC, CAST(ratio AS REAL) DESC) AS place"
                "  FROM history WHERE at < ?) WHERE place = 1)",
                ((now - DENSE).isoformat(), (now - DENSE).isoformat()),
            )
