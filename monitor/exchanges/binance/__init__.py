"""
Binance USDⓈ-M futures, put together from this folder's functions into one `Exchange` value.

Watched: single-asset mode, cross and isolated, one-way and hedge. Named and refused:
multi-assets mode, portfolio margin, credits mode. A key's COIN-M account is another wallet
with its own margin; it is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.binance.calls import (
    CONTRACTS,
    FUTURES_BUDGET,
    LEVERAGES,
    PLAIN_ORDERS,
    STOP_ORDERS,
    bracket_call,
    fee_call,
)
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.binance.marks import (
    mark_call,
    mark_calls,
    mark_streams,
    read_frame,
    read_marks,
)
from monitor.exchanges.binance.permissions import HINT, RESTRICTIONS, read_permissions
from monitor.exchanges.binance.reading import FIRST_CALLS, needed, read_account
from monitor.exchanges.payload import Row
from monitor.exchanges.port import Exchange, RestCall

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["EXCHANGE"]

_TIME = RestCall(
    implicit="fapiPublicGetTime", path="/fapi/v1/time", weight=1, budget=FUTURES_BUDGET
)


def _read_time(body: object) -> datetime:
    """``{"serverTime": 1499827319559}``"""
    return Row(body, "time").time("serverTime")


_SYMBOL = "<SYMBOL>"

EXCHANGE = Exchange(
    name="binance",
    client="binanceusdm",
    needed=needed,
    read_account=read_account,
    permission_calls=(RESTRICTIONS,),
    read_permissions=read_permissions,
    time_call=_TIME,
    read_time=_read_time,
    mark_calls=mark_calls,
    read_marks=read_marks,
    mark_streams=mark_streams,
    read_frame=read_frame,
    read_error=read_error,
    catalogue=(
        (
            "USDⓈ-M single-asset, one-way or hedge (COIN-M is not read)",
            (
                *FIRST_CALLS,
                CONTRACTS,
                bracket_call(_SYMBOL),
                LEVERAGES,
                STOP_ORDERS,
                PLAIN_ORDERS,
                fee_call(_SYMBOL),
                mark_call(_SYMBOL),
            ),
        ),
        ("multi-assets, credits or portfolio margin (named, not watched)", FIRST_CALLS),
    ),
    permission_hint=HINT,
)
