"""
Pools that a reading could not make sense of: kept with their last known book, and named.

Pure; it knows readings, neither figures nor incidents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.risk.model import AccountSnapshot, PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """
    Why a pool could not be read by the latest reading.

    `since` is when that began, `read_at` when it was last read, None for never.
    """

    because: str
    since: datetime
    read_at: datetime | None


def completed(reading: AccountSnapshot, before: AccountSnapshot | None) -> AccountSnapshot:
    """A reading with the last known book of every pool that it could not read."""
    if not reading.unread:
        return reading
    known = () if before is None else before.pools
    kept = tuple(pool for pool in known if pool.id in reading.unread)
    return replace(reading, pools=(*reading.pools, *kept), unread={})


def noted(
    unread: Mapping[PoolId, Unread],
    before: AccountSnapshot | None,
    reading: AccountSnapshot,
    at: datetime,
) -> Mapping[PoolId, Unread]:
    """
    The pools that a reading could not read, after those of the reading before it.

    Args:
        unread: Those of the reading before.
        before: That reading, completed.
    """
    read_at: dict[PoolId, datetime | None] = {}
    if before is not None:
        read_at |= {pool.id: before.at for pool in before.pools}
    read_at |= {pool: old.read_at for pool, old in unread.items()}
    return {
        pool: Unread(
            because=because,
            since=unread[pool].since if pool in unread else at,
            read_at=read_at.get(pool),
        )
        for pool, because in reading.unread.items()
    }
