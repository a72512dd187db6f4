"""
An OKX account's view: its book, the replies that hold its tables, and its pools.

Knows the order of the reading; the margin rules are those of `pools`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed, MissingReply
from monitor.exchanges.okx import calls, cash, news, updates
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.legs import leg
from monitor.exchanges.okx.pools import Anchors, Pools, build
from monitor.exchanges.okx.private import read_account_frame
from monitor.exchanges.okx.products import MARGIN
from monitor.exchanges.okx.reading import read_book
from monitor.exchanges.okx.rows import Mode
from monitor.exchanges.okx.trades import trade
from monitor.exchanges.okx.unread import held_row, is_of_a_part
from monitor.exchanges.port import Told
from monitor.risk.model import AccountSnapshot, MarginMode, PoolId

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.rows import Config
    from monitor.exchanges.port import Frame
    from monitor.risk.news import Taken

# Of frames between two readings; each is told once.
_MOST_TAKEN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    An OKX account as told: its book, and the replies that hold the tables it needs.

    `taken` is what frames since told that OKX took.
    """

    account: str
    book: Book
    replies: Replies
    anchors: Anchors = field(default_factory=Anchors)
    taken: tuple[Taken, ...] = ()

    def snapshot(self, at: datetime) -> AccountSnapshot:
        """
        The account's pools by OKX's rules; those that can't be read are named, with the reason.

        Raises:
            Unmodelled: If no pool with a position could be read: one is margined in a coin that
                the rules don't cover.
            MissingReply: So, for a table that a position or coin needs was not read; or frames
                tell of another account mode than the one that was.
            Malformed: So, for one can't be read; or it can't be told whose row it is.
        """
        because = _of_another_mode(self.book) if self.book.was_updated else None
        if because is not None:
            raise MissingReply(
                f"the account's mode was switched: OKX tells {because}",
                exchange=NAME,
                call=calls.CONFIG.request,
            )
        legs, built = self._built()
        marks = {leg.instrument.symbol: leg.mark for leg in legs if leg.mark is not None}
        if built.unread and not any(pool.positions for pool in built.pools):
            raise next(iter(built.unread.values()))
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
            funding=cash.read_funding(self.replies, (leg.instrument for leg in legs)),
            free=cash.read_free(self.replies),
            bookings=cash.read_bookings(self.replies),
            news=(*self.taken, *news.billed(self.replies)),
            unread={
                PoolId(account=self.account, name=name): _words(error)
                for name, error in built.unread.items()
            },
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
        told = read_account_frame(frame)
        taken = news.sized(told.news, self.book, book) if isinstance(told, Told) else ()
        kept = (*self.taken, *taken)[-_MOST_TAKEN:]
        return replace(self, book=book, anchors=self._anchored(), taken=kept)

    def _anchored(self) -> Anchors:
        try:
            return self._built()[1].anchors
        except ExchangeError:
            # This state has no figures; the next one may, on what the last good one had.
            return self.anchors

    def _built(self) -> tuple[tuple[Leg, ...], Pools]:
        legs: list[Leg] = []
        unread = list(self.book.unread.values())
        for row in self.book.modelled():
            if row.pos_id in self.book.unread:
                continue
            try:
                legs.append(self._leg(row))
            except ExchangeError as error:
                if not is_of_a_part(error):
                    raise
                unread.append(held_row(row, error))
        told = tuple(legs)
        return told, build(self.account, self.book, told, tuple(unread), self.replies, self.anchors)

    def _leg(self, row: Held) -> Leg:
        stop = self.book.stops.protect(row)
        if row.inst_type == MARGIN:
            return trade(row, self.replies, has_stop_loss=stop)
        stressed = row.is_cross and self.book.config.mode is Mode.PORTFOLIO
        return leg(row, self.replies, has_stop_loss=stop, stressed=stressed)


def _words(error: ExchangeError) -> str:
    """Why a pool has no figures, with the request that it is about."""
    return f"{error.because} ({error.call})" if error.call else error.because


def _mode(config: Config) -> str:
    """The account's mode in words; each switch that changes what a figure means is in it."""
    if config.mode is Mode.SPOT:
        return "spot mode, " + ("borrowing" if config.borrows else "no borrowing")
    return f"{config.mode.value.lower()}, {'long/short' if config.hedged else 'net'}"


def read_account(account: str, replies: Replies) -> View:
    """
    The account's view.

    Raises:
        MissingReply: If a reply that it needs is not there.
        Malformed: If one can't be read, or two contradict each other.
    """
    book = read_book(replies)
    because = vanished(book)
    if because is not None:
        raise Malformed(
            "data",
            f"the {because} that the balance tells of",
            "none",
            exchange=NAME,
            call=calls.POSITIONS.request,
        )
    return View(account=account, book=book, replies=replies)


def vanished(book: Book) -> str | None:
    """
    The positions that the balance tells of and the list of positions leaves out; None: none.

    An empty list is OKX's way to say «no positions»; it is believed only if no coin has PnL,
    or a margin ratio that no open order explains, of positions that are not listed.
    """
    listed = {(row.ccy, row.margin_mode) for row in book.open_positions()}
    for coin in book.coins.values():
        of_positions = book.config.mode is Mode.FUTURES and not coin.frozen
        cross = coin.pnl or (coin.margin_ratio if of_positions else None)
        for told, mode in ((cross, MarginMode.CROSS), (coin.isolated_pnl, MarginMode.ISOLATED)):
            is_there = (coin.ccy, mode) in listed or _may_be_unread(book, coin.ccy, mode)
            if told and not is_there:
                return f"{mode.value} positions in {coin.ccy}"
    return None


def _may_be_unread(book: Book, ccy: str, mode: MarginMode) -> bool:
    """Whether a position's row that can't be read may be of this coin and margined so."""
    return any(
        each.inst_id is not None and each.ccy in (None, ccy) and each.margin_mode in (None, mode)
        for each in book.unread.values()
    )


def torn(replies: Replies) -> str | None:
    """
    Why the replies can't be of one moment, None where they may be.

    The mode was switched, or a position closed, between one reply and the next.

    Raises:
        MissingReply, Malformed: As reading the account does.
    """
    book = read_book(replies)
    mode, gone = _of_another_mode(book), vanished(book)
    return mode or (None if gone is None else f"no {gone}, which the balance tells of")


def _of_another_mode(book: Book) -> str | None:
    """
    What the balance tells and the account's mode doesn't have; None where they fit.

    OKX tells of a switched mode by no event: the next push of the account shows it.
    """
    told = book.totals.adjusted_equity is not None or book.totals.margin_ratio is not None
    if told and book.config.mode is Mode.FUTURES:
        return "an adjusted equity, which futures mode does not have"
    if book.config.mode is not Mode.FUTURES and any(c.margin_ratio for c in book.coins.values()):
        return "a margin ratio of a coin's own, which only futures mode has"
    return None
