"""OKX: the unified account in all four modes, perpetuals, expiry futures, margin trading."""

from __future__ import annotations

from monitor.exchanges.okx.account import read_account, torn
from monitor.exchanges.okx.calls import CATALOGUE, CONFIG, TIME
from monitor.exchanges.okx.errors import NAME, read_error
from monitor.exchanges.okx.marks import (
    UNCHANGED_SECONDS,
    mark_calls,
    mark_streams,
    read_frame,
    read_marks,
)
from monitor.exchanges.okx.permissions import HINT, read_permissions, read_time
from monitor.exchanges.okx.private import account_streams, read_account_frame
from monitor.exchanges.okx.wants import needed
from monitor.exchanges.port import Exchange

__all__ = ["EXCHANGE"]

EXCHANGE = Exchange(
    name=NAME,
    client="okx",
    needed=needed,
    read_account=read_account,
    permission_calls=(CONFIG,),
    read_permissions=read_permissions,
    time_call=TIME,
    read_time=read_time,
    mark_calls=mark_calls,
    read_marks=read_marks,
    mark_streams=mark_streams,
    read_frame=read_frame,
    read_error=read_error,
    catalogue=CATALOGUE,
    permission_hint=HINT,
    account_streams=account_streams,
    read_account_frame=read_account_frame,
    torn=torn,
    unchanged_seconds=UNCHANGED_SECONDS,
)
