"""
Which reply tells a table, where whoever asked for it asked otherwise than is done here.

OKX lets a family's tables be asked for by one of its contracts, and what it tells of a pair
and of its fees is the same for spot and for margin trading. Knows calls alone; must not know
what the replies say. Where none of them was answered it is the usual call that is missed.

Source: OKX API guide, «Get position tiers», «Get fee rates», «Get instruments», copies of July
2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.exchanges.okx import calls
from monitor.exchanges.okx.products import MARGIN, SPOT

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies, RestCall


def _first(replies: Replies, *asked: RestCall) -> RestCall:
    """The first of the calls that was answered; where none was, the first."""
    return next((call for call in asked if replies.has(call)), asked[0])


def _by_id(call: RestCall, inst_id: str) -> RestCall:
    """The same asked of one contract, with its family or without."""
    return replace(call, query=(*call.query, ("instId", inst_id)))


def _of_spot(call: RestCall) -> RestCall:
    """The same asked of spot rather than of margin trading."""
    query = tuple((key, SPOT if value == MARGIN else value) for key, value in call.query)
    return replace(call, query=query)


def tiers(replies: Replies, product: str, family: str, margin_mode: str, inst_id: str) -> RestCall:
    """What tells the position tiers of a contract's family."""
    call = calls.tiers(product, family, margin_mode)
    return _first(replies, call, _by_id(call, inst_id))


def fees(replies: Replies, product: str, family: str, inst_id: str) -> RestCall:
    """What tells the fee rates of a contract's family."""
    call = calls.fees(product, family)
    return _first(replies, call, _by_id(call, inst_id))


def pair(replies: Replies, inst_id: str) -> RestCall:
    """What lists a pair of margin trading."""
    call = calls.instrument(MARGIN, inst_id)
    return _first(replies, call, _of_spot(call))


def pair_fees(replies: Replies, inst_id: str) -> RestCall:
    """What tells the fee rates of margin trading on a pair."""
    call = calls.pair_fees(inst_id)
    return _first(replies, call, _of_spot(call))


def loan_fees(replies: Replies, *, optional: bool = False) -> RestCall:
    """What tells the fee rates of margin trading."""
    call = calls.loan_fees(optional=optional)
    return _first(replies, call, _of_spot(call))
