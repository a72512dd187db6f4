"""
The account as OKX told it so far: totals, coins, positions, stops.

Knows what replaces what when a private frame tells more; must not know a margin rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.exchanges.okx.pages import Pages
from monitor.exchanges.okx.products import EVENTS, MARGIN
from monitor.exchanges.okx.rows import Mode
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.rows import Coin, Config, Totals
    from monitor.exchanges.okx.stops import Stops
    from monitor.exchanges.okx.unread import Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    `positions` are by position id, closed ones stay with 0 contracts so that an older frame
    can't open them again. `at` is when the coins' and the totals' words held.

    `outdated` names the coins whose own words on risk (PnL, margins, ratio) are older than a
    change of their cash or positions; `totals_outdated` says so of the totals. `was_updated`:
    frames came since the replies, so that coins and positions may be of different moments.
    The pages are those of a snapshot that is not complete yet. `unread` are rows that could not
    be read, by their key: what stands here of the same position or coin is no longer so.
    """

    config: Config
    totals: Totals
    coins: Mapping[str, Coin]
    positions: Mapping[str, Held]
    stops: Stops
    at: datetime
    outdated: frozenset[str] = frozenset()
    totals_outdated: bool = False
    was_updated: bool = False
    coin_pages: Pages[Coin | Unread] = field(default_factory=Pages)
    position_pages: Pages[Held | Unread] = field(default_factory=Pages)
    unread: Mapping[str, Unread] = field(default_factory=dict)

    def keeping(self, unread: Iterable[Unread], read: Iterable[str] = ()) -> Book:
        """With these rows unread, and those of these keys read (again)."""
        kept = {key: each for key, each in self.unread.items() if key not in frozenset(read)}
        found = kept | {each.key: each for each in unread}
        return self if found == self.unread else replace(self, unread=found)

    def open_positions(self) -> tuple[Held, ...]:
        return tuple(row for row in self.positions.values() if row.is_open)

    @property
    def is_one_pool(self) -> bool:
        """
        Whether all coins and cross positions together are liquidated as one.

        In spot mode they are where something may be, or is, borrowed (or held: it does not
        come to that, unless the mode was only just switched).
        """
        if self.config.mode is not Mode.SPOT:
            return self.config.mode is not Mode.FUTURES
        owes = any(coin.owed for coin in self.coins.values())
        return self.config.borrows or owes or any(row.is_cross for row in self.open_positions())

    def modelled(self) -> tuple[Held, ...]:
        """
        The open positions whose margin is figured.

        A cross margin trade is one of its own in futures mode alone: elsewhere its coins and
        its debt are the account's.
        """
        return tuple(
            row for row in self.open_positions() if row.is_modelled and not self._is_in_coins(row)
        )

    def opaque_cross(self) -> tuple[Held, ...]:
        """The open cross positions whose margin is OKX's word: options."""
        return tuple(row for row in self._opaque() if row.is_cross)

    def opaque_isolated(self) -> tuple[Held, ...]:
        return tuple(row for row in self._opaque() if not row.is_cross and row.ccy)

    def events(self) -> tuple[Held, ...]:
        """Event contracts: paid for in full, they burden nothing."""
        return tuple(row for row in self.open_positions() if row.inst_type == EVENTS)

    def in_coins(self) -> tuple[Held, ...]:
        """Margin trades of the account's own pool: their coins and their debt are its coins."""
        return tuple(row for row in self.open_positions() if self._is_in_coins(row))

    def _opaque(self) -> tuple[Held, ...]:
        return tuple(
            row
            for row in self.open_positions()
            if not row.is_modelled and row.inst_type != EVENTS and not self._is_in_coins(row)
        )

    def _is_in_coins(self, row: Held) -> bool:
        return row.inst_type == MARGIN and row.is_cross and self.config.mode is not Mode.FUTURES

    def cross_pnl(self, ccy: str) -> tuple[Decimal, Decimal] | None:
        """
        What the open cross rows of a coin say that they have won: all, and without options.

        None where a row does not say.
        """
        rows = (*self.modelled(), *self.opaque_cross())
        found = [row for row in rows if row.ccy == ccy and row.is_cross]
        every = modelled = ZERO
        for row in found:
            if row.pnl is None:
                return None
            every += row.pnl
            modelled += row.pnl if row.is_modelled else ZERO
        return every, modelled

    def with_coins(self, told: Iterable[Coin], totals: Totals) -> Book:
        """
        After an account frame that tells of some coins, and of the totals.

        What is older than what is known is not taken. A coin's own time is that of its last
        change: of two rows with the same, the one of the later frame holds, and of two frames
        with the same the one that came last.
        """
        coins, outdated = dict(self.coins), self.outdated
        is_late = totals.updated_ms < self.totals.updated_ms
        for coin in told:
            known = coins.get(coin.ccy)
            if known is None or coin.updated_ms >= known.updated_ms + is_late:
                coins[coin.ccy] = coin
                outdated -= {coin.ccy}
        book = replace(self, coins=coins, outdated=outdated, was_updated=True)
        if is_late:
            return book
        return replace(book, totals=totals, totals_outdated=False)

    def with_all_coins(self, told: Iterable[Coin], totals: Totals) -> Book:
        """
        After an account frame that tells of every coin: what it leaves out is gone.

        But not what changed later than it, nor anything if it is older than what is known.
        """
        if totals.updated_ms < self.totals.updated_ms:
            return self.with_coins(told, totals)
        later = {c: coin for c, coin in self.coins.items() if coin.updated_ms > totals.updated_ms}
        outdated = self.outdated & later.keys()
        return replace(self, coins=later, outdated=outdated).with_coins(told, totals)

    def with_cash(self, ccy: str, cash: Decimal, updated_ms: int) -> Book:
        """After a frame that tells of a coin's cash alone; None is known of its words then."""
        known = self.coins.get(ccy)
        if known is None or updated_ms < known.updated_ms or cash == known.cash:
            return self
        changed = replace(
            known,
            cash=cash,
            equity=known.equity + cash - known.cash,
            # What the coin costs does not change with how much of it there is.
            usd_price=known.price,
            # A loan taken outright stays one; what the coin lacked by itself, it lacks anew.
            owed=known.owed if known.loan else max(known.cash - cash - known.cross_equity, ZERO),
            updated_ms=updated_ms,
        )
        return replace(self, coins={**self.coins, ccy: changed}).outdating(ccy)

    def with_position(self, row: Held, merge: Callable[[Held, Held], Held]) -> Book:
        """After a frame that tells of one position; an older one than is known is not taken."""
        known = self.positions.get(row.pos_id)
        if known is not None and row.is_older_than(known):
            return self
        new = row if known is None else merge(known, row)
        book = replace(self, positions={**self.positions, row.pos_id: new}, was_updated=True)
        if known is None or _size(known) != _size(new):
            return book.outdating(row.ccy or (known.ccy if known else ""))
        return book

    def without(self, pos_ids: Iterable[str], told_ms: int) -> Book:
        """
        After a complete list of positions from which these are missing: they are closed.

        One that was opened, or changed, after the list was made is not.
        """
        book = self
        for pos_id in pos_ids:
            known = book.positions[pos_id]
            if known.is_open and known.updated_ms <= told_ms:
                closed = replace(known, contracts=ZERO)
                book = replace(book, positions={**book.positions, pos_id: closed})
                book = book.outdating(known.ccy)
        return book

    def outdating(self, ccy: str) -> Book:
        return replace(self, outdated=self.outdated | {ccy}, totals_outdated=True)


def _size(row: Held) -> tuple[object, ...]:
    return row.contracts, row.entry_price, row.margin, row.owed
