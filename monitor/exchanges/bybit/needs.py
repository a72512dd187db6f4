"""
Which calls read a Bybit account: fixed lists first, then what they ask for.

Every list, and the account's mode, is read anew with each poll: after a change of the mode
nothing of the old one is mixed in, for tables and prices are the same in every mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.collateral import asked_for_coin
from monitor.exchanges.bybit.envelope import answers, listing
from monitor.exchanges.bybit.lists import by_list, lists_of, wallet_of
from monitor.exchanges.bybit.modes import Mode, mode_of, refusal
from monitor.exchanges.bybit.stops import read_orders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.exchanges.bybit.rows import Coin, Held
    from monitor.exchanges.call import Replies, RestCall


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: fixed lists first, then pages, tables, marks, orders and cash.

    An account of a kind that is refused wants nothing more once that is known.

    Raises:
        Malformed: If a reply that says what else to ask for can't be read.
    """
    if replies.has(calls.INFO) and refusal(replies) is not None:
        return ()
    first = (calls.INFO, calls.WALLET, *lists_of(replies).values())
    lists = (*first, calls.OPTIONS)
    wanted = [call for call in lists if not replies.has(call)]
    if not any(call in first and not call.optional for call in wanted):
        wanted += _asked_by(replies, mode_of(replies))
    return tuple(dict.fromkeys([*wanted, *_further_pages(replies, lists)]))


def _further_pages(replies: Replies, lists: Iterable[RestCall]) -> list[RestCall]:
    paged = [call for call in lists if call.path == calls.INVERSE.path]
    there = (c for c in paged if (answers(replies, c) if c.optional else replies.has(c)))
    pages = (listing(replies, call).more for call in there)
    return [page for page in pages if page is not None]


def _asked_by(replies: Replies, mode: Mode) -> list[RestCall]:
    """What the held symbols and the coins of the wallet ask for, as far as it is not there."""
    legs = tuple(leg for mine in by_list(replies).values() for leg in mine)
    coins = wallet_of(replies)[1]
    asked = [call for leg in legs for call in _for_leg(leg, mode)]
    asked += _orders(legs, coins)
    asked += _for_orders(replies, legs, mode)
    if mode is not Mode.ISOLATED:
        for coin in coins:
            asked += asked_for_coin(replies, coin, legs, debts=mode is Mode.CROSS)
    asked += calls.CASH
    return [call for ask in asked if (call := _open(replies, ask)) is not None]


def _for_leg(leg: Held, mode: Mode) -> list[RestCall]:
    asked = [calls.instrument(leg.symbol, leg.category)]
    if mode is not Mode.PORTFOLIO:
        asked.append(calls.risk_limit(leg.symbol, leg.category))
    asked.append(calls.fee_rate(leg.symbol, leg.category))
    if leg.mark is None:
        asked.append(calls.ticker(leg.symbol, leg.category))
    else:
        asked.append(calls.funding(leg.symbol, leg.category))
    return asked


def _orders(legs: tuple[Held, ...], coins: tuple[Coin, ...]) -> list[RestCall]:
    """The orders of every coin in which something is held or ordered."""
    settles = [leg.settle for leg in legs] + [coin.coin for coin in coins if coin.order_im]
    return list(dict.fromkeys(calls.orders_of(settle) for settle in settles))


def _for_orders(replies: Replies, legs: tuple[Held, ...], mode: Mode) -> list[RestCall]:
    """Of the symbols that are only ordered: what says how much their margin may be."""
    if mode is not Mode.CROSS:
        return []
    held = {leg.symbol for leg in legs}
    ordered = {
        order.symbol: order.category
        for order in read_orders(replies).orders
        if order.needs_margin and order.symbol not in held
    }
    asked: list[RestCall] = []
    for symbol, category in ordered.items():
        asked.append(calls.risk_limit(symbol, category, optional=True))
        asked.append(calls.fee_rate(symbol, category))
    return asked


def _open(replies: Replies, call: RestCall) -> RestCall | None:
    """The call itself, its next page, or None where all of it is there."""
    return _more(replies, call) if replies.has(call) else call


def _more(replies: Replies, call: RestCall) -> RestCall | None:
    """The next page of a list that is there, None where it ends, or where nobody depends on it."""
    if call in calls.CASH:
        return None
    try:
        return listing(replies, call).more
    except ExchangeError:
        if call.optional:
            return None
        raise
