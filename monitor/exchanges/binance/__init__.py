"""
Binance futures, put together from this folder's functions into one `Exchange` value.

Watched: USDⓈ-M in single-asset, Multi-Assets and Credits Trading Mode, COIN-M, portfolio
margin and portfolio margin Pro; cross and isolated, one-way and hedge. Which of these an
account has is found out; `watching` narrows the futures wallets to those that the
configuration names.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from monitor.exchanges.binance import calls, coin_calls, portfolio_calls
from monitor.exchanges.binance.calls import FUTURES_BUDGET
from monitor.exchanges.binance.cash import mark_call
from monitor.exchanges.binance.contracts import fee_call
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.binance.limits import read_use
from monitor.exchanges.binance.marks import mark_calls, mark_streams, read_frame, read_marks
from monitor.exchanges.binance.news import read_account_frame
from monitor.exchanges.binance.permissions import HINT, RESTRICTIONS, read_permissions
from monitor.exchanges.binance.reading import (
    COINM_CALLS,
    PORTFOLIO_CALLS,
    PRO_CALLS,
    USDM_CALLS,
    needed,
    read_account,
    torn,
)
from monitor.exchanges.binance.streams import account_streams
from monitor.exchanges.binance.tiers import bracket_call, portfolio_bracket_calls
from monitor.exchanges.call import RestCall
from monitor.exchanges.payload import Row
from monitor.exchanges.port import Exchange

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["EXCHANGE", "watching"]

_TIME = RestCall(
    implicit="fapiPublicGetTime", path="/fapi/v1/time", weight=1, budget=FUTURES_BUDGET
)


def _read_time(body: object) -> datetime:
    """``{"serverTime": 1499827319559}``"""
    return Row(body, "time").time("serverTime")


_SYMBOL = "<SYMBOL>"
_COIN = "<COIN>USD_PERP"
_KIND = (calls.ACCOUNT_KIND, calls.PRO_ACCOUNT)


def _named(call: RestCall) -> RestCall:
    return replace(call, query=(("symbol", _SYMBOL),))


_USDM = (
    *_KIND,
    calls.CONFIG,
    *USDM_CALLS,
    calls.CONTRACTS,
    bracket_call(_SYMBOL),
    calls.LEVERAGES,
    calls.STOP_ORDERS,
    calls.PLAIN_ORDERS,
    fee_call(_SYMBOL),
    mark_call(_SYMBOL),
    calls.INCOME,
    calls.SPOT,
)
_COINM = (
    *COINM_CALLS,
    coin_calls.CONTRACTS,
    _named(bracket_call(_COIN)),
    coin_calls.ADL,
    coin_calls.STOP_ORDERS,
    coin_calls.PLAIN_ORDERS,
    _named(fee_call(_COIN)),
    coin_calls.PREMIUM_INDEX,
    coin_calls.INCOME,
)
_BESIDE = (
    calls.CONTRACTS,
    coin_calls.CONTRACTS,
    portfolio_calls.USDM_STOPS,
    portfolio_calls.COINM_STOPS,
    portfolio_calls.USDM_INCOME,
    portfolio_calls.COINM_INCOME,
    mark_call(_SYMBOL),
    coin_calls.PREMIUM_INDEX,
    calls.SPOT,
)
_PAPI_BRACKETS = tuple(_named(portfolio_bracket_calls(each)[0]) for each in (_SYMBOL, _COIN))
_PRO_BRACKETS = tuple(_named(portfolio_bracket_calls(each)[1]) for each in (_SYMBOL, _COIN))


def watching(products: tuple[str, ...]) -> Exchange:
    """
    Binance with the futures wallets narrowed to these (``usdm``, ``coinm``).

    A wallet that is named must be readable. Portfolio margin is one pool and is read whole.
    """
    return replace(
        EXCHANGE,
        needed=partial(needed, products=products),
        read_account=partial(read_account, products=products),
        account_streams=partial(account_streams, products=products),
    )


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
        ("USDⓈ-M single-asset, one-way or hedge", _USDM),
        ("USDⓈ-M Multi-Assets Mode or Credits Trading Mode", (*_USDM, calls.ASSET_INDEX)),
        ("COIN-M beside it (where the key may read it)", _COINM),
        ("portfolio margin", (*_KIND, *PORTFOLIO_CALLS, *_PAPI_BRACKETS, *_BESIDE)),
        (
            "portfolio margin Pro, where the portfolio endpoints serve it not",
            (*_KIND, *PRO_CALLS, *_PRO_BRACKETS, *_BESIDE),
        ),
    ),
    permission_hint=HINT,
    account_streams=account_streams,
    read_account_frame=read_account_frame,
    torn=torn,
    read_use=read_use,
    narrowed=watching,
)
