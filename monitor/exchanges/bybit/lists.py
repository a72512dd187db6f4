"""
The fixed lists of a Bybit account: its wallet, its linear and inverse legs, its options.

Knows which list tells of which settle coin, and where the wallet makes a list dispensable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import answered_at_named, answers, listing, naming, result_of
from monitor.exchanges.bybit.modes import Mode, mode_of
from monitor.exchanges.bybit.rows import (
    INVERSE,
    LINEAR,
    is_held,
    read_coin,
    read_held,
    read_option,
    read_totals,
)
from monitor.exchanges.bybit.unread import read_apart

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.bybit.rows import Coin, Held, Option, Totals
    from monitor.exchanges.bybit.unread import Unread
    from monitor.exchanges.call import Replies, RestCall

_INVERSE_LIST = "inverse"
_LISTS = {**calls.LINEAR, _INVERSE_LIST: calls.INVERSE}


def list_of(settle: str) -> RestCall:
    """The list that names the positions which settle in this coin."""
    return _LISTS.get(settle, calls.INVERSE)


def lists_of(replies: Replies) -> dict[str, RestCall]:
    """
    The lists of positions: USDT, USDC and inverse.

    Optional where the wallet says that nothing of the list is held: it names every coin.
    """
    lists = dict(_LISTS)
    if replies.has(calls.WALLET):
        coins = wallet_of(replies)[1]
        marked = {list_of(c.coin).request for c in coins if c.position_mm is None or c.position_mm}
        for name, call in lists.items():
            lists[name] = replace(call, optional=call.request not in marked)
    return lists


def wallet_of(replies: Replies) -> tuple[Totals | None, tuple[Coin, ...], datetime]:
    """The account's totals (None where left empty), its coins, and when Bybit gave them."""
    reply = replies.get(calls.WALLET)
    with naming(reply.request):
        rows = result_of(reply).rows("list")
        unified = [row for row in rows if row.text("accountType") == "UNIFIED"]
        if len(unified) != 1:
            raise Malformed("result.list", "one UNIFIED account", str(len(unified)))
        coins = tuple(read_coin(row) for row in unified[0].rows("coin"))
        totals = read_totals(unified[0])
        holds = totals is not None and (totals.margin_balance or totals.maintenance_margin)
        if not coins and holds:
            raise Malformed(unified[0].at("coin"), "the coins of the margin balance", "none")
        return totals, coins, answered_at_named(reply)


def by_list(replies: Replies) -> dict[str, tuple[Held, ...]]:
    """
    The legs held, by the list that names them, as far as they can be read.

    A reply to a query without a settle coin holds all linear legs: each list takes its own.
    """
    return {name: held for name, (held, _) in _found(replies).items()}


def unread_of(replies: Replies) -> tuple[Unread, ...]:
    """The legs whose rows can't be read; only in isolated margin can the others go on."""
    return tuple(each for _, unread in _found(replies).values() for each in unread)


def _found(replies: Replies) -> dict[str, tuple[tuple[Held, ...], tuple[Unread, ...]]]:
    found: dict[str, tuple[tuple[Held, ...], tuple[Unread, ...]]] = {}
    for name, call in lists_of(replies).items():
        category = INVERSE if name == _INVERSE_LIST else LINEAR
        is_there = replies.has(call) or not call.optional
        held, unread = _legs(replies, call, category) if is_there else ((), ())
        found[name] = (
            tuple(leg for leg in held if category == INVERSE or leg.settle == name),
            tuple(leg for leg in unread if category == INVERSE or leg.settle == name),
        )
    return found


def options_of(replies: Replies) -> tuple[Option, ...]:
    """The options held, as far as their list is there."""
    call = calls.OPTIONS
    if not answers(replies, call):
        return ()
    with naming(call.request):
        return tuple(read_option(row) for row in listing(replies, call).rows if is_held(row))


def _legs(
    replies: Replies, call: RestCall, category: str
) -> tuple[tuple[Held, ...], tuple[Unread, ...]]:
    with naming(call.request):
        found = listing(replies, call)
        if replies.has(calls.INFO) and mode_of(replies) is Mode.ISOLATED:
            return read_apart(found.rows, category, found.priced_at, call.request)
        held = [row for row in found.rows if is_held(row)]
        return tuple(read_held(row, category, found.priced_at) for row in held), ()
