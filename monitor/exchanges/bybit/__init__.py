"""
Bybit: the unified trading account 2.0 in cross, isolated and portfolio margin.

Puts this folder's readers together into one `Exchange` value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.exchanges.bybit.account import Account, read_account
from monitor.exchanges.bybit.calls import CATALOGUE, PER_IP, TIME
from monitor.exchanges.bybit.errors import read_error
from monitor.exchanges.bybit.limits import read_use
from monitor.exchanges.bybit.marks import mark_calls, mark_streams, read_frame, read_marks
from monitor.exchanges.bybit.moment import torn
from monitor.exchanges.bybit.needs import needed
from monitor.exchanges.bybit.permissions import (
    PERMISSION_CALLS,
    PERMISSION_HINT,
    read_permissions,
)
from monitor.exchanges.bybit.pools import snapshot_of
from monitor.exchanges.bybit.private import account_streams, read_account_frame
from monitor.exchanges.bybit.updates import updated
from monitor.exchanges.payload import Row
from monitor.exchanges.port import Exchange

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Frame
    from monitor.risk.model import AccountSnapshot

__all__ = ["EXCHANGE", "View"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A Bybit account as it was told, ready for the margin rules."""

    account: Account

    def snapshot(self, at: datetime) -> AccountSnapshot:
        return snapshot_of(self.account, at)

    def updated(self, frame: Frame) -> View:
        changed = updated(self.account, frame)
        return self if changed is self.account else View(account=changed)


def _read_account(name: str, replies: Replies) -> View:
    return View(account=read_account(name, replies))


def _read_time(body: object) -> datetime:
    """Bybit's clock, to the millisecond."""
    nanoseconds = Row(body, "").row("result").integer("timeNano")
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


EXCHANGE = Exchange(
    name="bybit",
    client="bybit",
    needed=needed,
    read_account=_read_account,
    permission_calls=PERMISSION_CALLS,
    read_permissions=read_permissions,
    time_call=TIME,
    read_time=_read_time,
    mark_calls=mark_calls,
    read_marks=read_marks,
    mark_streams=mark_streams,
    read_frame=read_frame,
    read_error=read_error,
    catalogue=CATALOGUE,
    permission_hint=PERMISSION_HINT,
    account_streams=account_streams,
    read_account_frame=read_account_frame,
    torn=torn,
    read_use=read_use,
    address_budget=PER_IP,
)
