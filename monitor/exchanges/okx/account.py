"""
Reading an OKX account: which calls are still wanted, and its view once they are answered.

Knows the order of the reading; the margin rules are those of `pools`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.okx import calls, collateral, rows, tables, updates
from monitor.exchanges.okx import envelope as answers
from monitor.exchanges.okx.book import Book
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.legs import Leg, leg
from monitor.exchanges.okx.pools import Anchors, Pools, build
from monitor.exchanges.okx.rows import SWAP, Mode
from monitor.exchanges.okx.stops import read_stops, stop_calls
from monitor.exchanges.okx.unmodelled import WATCHED, refuse_contents, refuse_mode
from monitor.risk.model import ZERO, AccountSnapshot, MarginMode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.exchanges.okx.rows import Coin, Held
    from monitor.exchanges.port import Frame, Replies, Reply, RestCall

_KINDS = (SWAP, "FUTURES", "MARGIN", "OPTION", "EVENTS")
# More tables than this of one kind are asked for all at once.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An OKX account as told: its book, and the replies that hold the tables it needs."""

    account: str
    book: Book
    replies: Replies
    anchors: Anchors = field(default_factory=Anchors)

    def snapshot(self, at: datetime) -> AccountSnapshot:
        """
        The account's pools by OKX's rules.

        Raises:
            Unmodelled: If it holds what the rules don't cover; all of it is named.
            MissingReply: If a table that a position or coin needs was not read.
            Malformed: If one can't be read.
        """
        legs, built = self._built()
        marks = {leg.instrument.symbol: leg.mark for leg in legs if leg.mark is not None}
        anchored = built.anchors.prices.values()
        followed = {symbol: mark for a in anchored for symbol, mark in a.marks.items()}
        return AccountSnapshot(
            account=self.account,
            exchange=NAME,
            at=at,
            mode=_mode(self.book.config),
            pools=built.pools,
            reported=built.reported,
            marks=followed | marks,
            followed=tuple(a.instrument for a in anchored if a.instrument is not None),
        )

    def updated(self, frame: Frame) -> View:
        """
        The view after one private frame.

        Remainders and the prices of floating coins stay as the last coherent state had them.

        Raises:
            Malformed: If the frame can't be read or placed.
        """
        book = updates.apply(self.book, frame)
        if book is self.book:
            return self
        return replace(self, book=book, anchors=self._anchored())

    def _anchored(self) -> Anchors:
        try:
            return self._built()[1].anchors
        except ExchangeError:
            # This state has no figures; the next one may, on what the last good one had.
            return self.anchors

    def _built(self) -> tuple[tuple[Leg, ...], Pools]:
        refuse_contents(self.book)
        legs = tuple(
            leg(row, self.replies, has_stop_loss=self.book.stops.protect(row))
            for row in self.book.open_positions()
        )
        return legs, build(self.account, self.book, legs, self.replies, self.anchors)


def _mode(config: rows.Config) -> str:
    return f"{config.mode.value.lower()}, {'long/short' if config.hedged else 'net'}"


def read_account(account: str, replies: Replies) -> View:
    """
    The account's view.

    Raises:
        Unmodelled: If its mode is not watched, or it holds what is not modelled.
        MissingReply: If a reply that it needs is not there.
        Malformed: If one can't be read, or two contradict each other.
    """
    book = _book(replies)
    refuse_mode(book.config)
    refuse_contents(book)
    _check_nothing_vanished(book)
    return View(account=account, book=book, replies=replies)


def _book(replies: Replies) -> Book:
    config = _config(replies)
    refuse_mode(config)
    reply = _balance(config, replies)
    with answers.reading(calls.BALANCE):
        row = answers.only_row(answers.rows(reply))
        totals = rows.totals(row)
        coins = tuple(rows.coin(detail) for detail in row.rows("details"))
    return Book(
        config=config,
        totals=totals,
        coins={coin.ccy: coin for coin in coins},
        positions={held.pos_id: held for held in _held(replies)},
        stops=read_stops(replies),
        at=reply.at,
    )


def _config(replies: Replies) -> rows.Config:
    reply = replies.get(calls.CONFIG)
    with answers.reading(calls.CONFIG):
        return rows.config(answers.only_row(answers.rows(reply)))


def _balance(config: rows.Config, replies: Replies) -> Reply:
    """
    The balance; in futures mode, where each coin stands alone, one of named coins serves too.

    A coin that positions settle in and that such a one leaves out is missed by `pools`.
    """
    if not replies.has(calls.BALANCE) and config.mode is Mode.FUTURES:
        of_coins = [r for r in replies if r.path == calls.BALANCE.path and {*r.query} == {"ccy"}]
        if of_coins:
            return max(of_coins, key=lambda reply: len(reply.query["ccy"]))
    return replies.get(calls.BALANCE)


def _position_lists(replies: Replies) -> tuple[RestCall, ...]:
    """The list of all positions; elsewhere than here it may have been asked kind by kind."""
    if replies.has(calls.POSITIONS):
        return (calls.POSITIONS,)
    kinds = [replace(calls.POSITIONS, query=(("instType", kind),)) for kind in _KINDS]
    found = tuple(call for call in kinds if replies.has(call))
    return found if any(("instType", SWAP) in call.query for call in found) else (calls.POSITIONS,)


def _held(replies: Replies) -> tuple[Held, ...]:
    found: list[Held] = []
    for call in _position_lists(replies):
        reply = replies.get(call)
        with answers.reading(call):
            told = answers.rows(reply)
            found += [replace(rows.held(row), told_at=reply.at) for row in told]
    return tuple(found)


def _check_nothing_vanished(book: Book) -> None:
    """
    Nothing, where the list of positions holds what the balance tells of.

    An empty list is OKX's way to say «no positions»; it is believed only if the balance
    doesn't say otherwise.

    Raises:
        Malformed: If a coin has PnL, or a margin ratio, of positions that are not listed.
    """
    listed = {(row.ccy, row.margin_mode) for row in book.open_positions()}
    for coin in book.coins.values():
        cross = coin.pnl or (coin.margin_ratio if book.config.mode is Mode.FUTURES else None)
        for told, mode in ((cross, MarginMode.CROSS), (coin.isolated_pnl, MarginMode.ISOLATED)):
            if told and (coin.ccy, mode) not in listed:
                raise Malformed(
                    "data",
                    f"the {mode.value} positions in {coin.ccy} that the balance tells of",
                    "none",
                    exchange=NAME,
                    call=calls.POSITIONS.request,
                )


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: mode, balance and positions; then what is held decides.

    Raises:
        Malformed: If a reply that decides can't be read.
    """
    fixed = (calls.CONFIG, calls.BALANCE, *_position_lists(replies))
    missing = tuple(call for call in fixed if not replies.has(call))
    if missing and not _has_coins(missing, replies):
        return missing
    book = _book_for_needs(replies)
    if book is None:
        return ()
    return tuple(dict.fromkeys(_tables_wanted(book, replies)))


def _has_coins(missing: tuple[RestCall, ...], replies: Replies) -> bool:
    """Whether all that is missing is the balance, and one of named coins stands in for it."""
    if missing != (calls.BALANCE,):
        return False
    try:
        return bool(_balance(_config(replies), replies))
    except MissingReply:
        return False


def _book_for_needs(replies: Replies) -> Book | None:
    """The book, None for a mode that is not watched: nothing more is wanted then."""
    return _book(replies) if _config(replies).mode in WATCHED else None


def _tables_wanted(book: Book, replies: Replies) -> Iterator[RestCall]:
    held = [row for row in book.open_positions() if row.inst_type == SWAP]
    yield from _few_or_all(
        [
            calls.instrument(row.inst_id)
            for row in held
            if not _lists(replies, calls.instrument(row.inst_id), row.inst_id)
        ],
        calls.ALL_INSTRUMENTS,
        replies,
    )
    known = [
        (row, tables.listed(replies, row.inst_id))
        for row in held
        if _lists(replies, calls.instrument(row.inst_id), row.inst_id)
    ]
    fees = [call for _, of in known if not replies.has(call := calls.fees(of.family))]
    yield from _few_or_all(fees, calls.ALL_FEES, replies)
    for row, of in known:
        tiers = calls.tiers(of.family, row.margin_mode.value)
        if not replies.has(tiers):
            yield tiers
        if row.mark_price is None and not replies.has(calls.mark(row.inst_id)):
            yield calls.mark(row.inst_id)
    if held:
        yield from stop_calls(replies)
    if book.config.mode is Mode.MULTI_CURRENCY:
        yield from _collateral_wanted(book, held, replies)


def _few_or_all(wanted: list[RestCall], every: RestCall, replies: Replies) -> tuple[RestCall, ...]:
    """The calls themselves where they are few, else the one that brings all of them."""
    distinct = tuple(dict.fromkeys(wanted))
    return distinct if len(distinct) <= _FEW or replies.has(every) else (every,)


def _lists(replies: Replies, call: RestCall, inst_id: str) -> bool:
    """Whether a reply tells of the instrument: a list of this morning may not."""
    with answers.reading(call):
        return answers.row_with(replies, call, "instId", inst_id) is not None


def _collateral_wanted(book: Book, held: list[Held], replies: Replies) -> Iterator[RestCall]:
    settled = {row.ccy for row in held if row.margin_mode is MarginMode.CROSS}
    coins = [
        coin
        for coin in book.coins.values()
        if collateral.counts(coin) and (coin.cash != ZERO or coin.ccy in settled)
    ]
    untold = [call for c in coins if not replies.has(call := calls.discount(c.ccy))]
    yield from _few_or_all(untold, calls.ALL_DISCOUNTS, replies)
    bases = {row.inst_id.partition("-")[0] for row in held}
    for coin in coins:
        if coin.ccy not in bases and replies.has(calls.discount(coin.ccy)):
            yield from _mark_wanted(coin, replies)


def _mark_wanted(coin: Coin, replies: Replies) -> Iterator[RestCall]:
    """The mark that a floating coin follows, and its contract where there is such a mark."""
    if not collateral.floats(coin.ccy, collateral.haircuts(coin, replies)):
        return
    swap = collateral.swap_of(coin.ccy)
    if not replies.has(calls.mark(swap)):
        yield calls.ALL_MARKS
    elif tables.mark_of(replies, swap) is not None:
        call = calls.instrument(swap, optional=True)
        if not _lists(replies, call, swap):
            yield call
