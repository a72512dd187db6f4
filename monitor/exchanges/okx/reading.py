"""
The replies of one reading as a book, whoever asked for them and in however many parts.

Knows which reply holds what; must not know a margin rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.exchanges.okx import calls, rows
from monitor.exchanges.okx import envelope as answers
from monitor.exchanges.okx.book import Book
from monitor.exchanges.okx.held import held
from monitor.exchanges.okx.products import EVERY, SWAP
from monitor.exchanges.okx.rows import Mode
from monitor.exchanges.okx.stops import read_stops
from monitor.exchanges.okx.unread import apart, coin_row, position_row

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies, Reply, RestCall
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.unread import Unread


def read_book(replies: Replies) -> Book:
    """
    The account as the replies tell it, rows that can't be read kept apart.

    Raises:
        MissingReply, Malformed: If one of mode, balance and positions is not there, or bad.
    """
    config = read_config(replies)
    reply = read_balance(config, replies)
    with answers.reading(calls.BALANCE):
        row = answers.only_row(answers.rows(reply))
        totals = rows.totals(row)
        coins, no_coins = apart(row.rows("details"), rows.coin, coin_row)
    no_coins = tuple(each.placed(calls.BALANCE) for each in no_coins)
    positions, no_positions = _held(replies)
    return Book(
        config=config,
        totals=totals,
        coins={coin.ccy: coin for coin in coins},
        positions={row.pos_id: row for row in positions},
        stops=read_stops(replies),
        at=reply.at,
        unread={each.key: each for each in (*no_coins, *no_positions)},
    )


def read_config(replies: Replies) -> rows.Config:
    """The account's mode. Raises MissingReply, Malformed."""
    reply = replies.get(calls.CONFIG)
    with answers.reading(calls.CONFIG):
        return rows.config(answers.only_row(answers.rows(reply)))


def read_balance(config: rows.Config, replies: Replies) -> Reply:
    """
    The balance; in futures mode, where each coin stands alone, one of named coins serves too.

    A coin that positions settle in and that such a one leaves out is missed by `pools`.
    """
    if not replies.has(calls.BALANCE) and config.mode is Mode.FUTURES:
        of_coins = [r for r in replies if r.path == calls.BALANCE.path and {*r.query} == {"ccy"}]
        if of_coins:
            return max(of_coins, key=lambda reply: len(reply.query["ccy"]))
    return replies.get(calls.BALANCE)


def position_lists(replies: Replies) -> tuple[RestCall, ...]:
    """The list of all positions; elsewhere than here it may have been asked kind by kind."""
    if replies.has(calls.POSITIONS):
        return (calls.POSITIONS,)
    kinds = [replace(calls.POSITIONS, query=(("instType", kind),)) for kind in EVERY]
    found = tuple(call for call in kinds if replies.has(call))
    return found if any(("instType", SWAP) in call.query for call in found) else (calls.POSITIONS,)


def _held(replies: Replies) -> tuple[tuple[Held, ...], tuple[Unread, ...]]:
    found: list[Held] = []
    unread: list[Unread] = []
    for call in position_lists(replies):
        reply = replies.get(call)
        with answers.reading(call):
            told, not_told = apart(answers.rows(reply), held, position_row)
        found += [replace(row, told_at=reply.priced_at) for row in told]
        unread += (each.placed(call) for each in not_told)
    return tuple(found), tuple(unread)
