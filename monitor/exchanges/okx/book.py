"""
The account as OKX told it so far: totals, coins, positions, stops.

Knows what replaces what when a private frame tells more; must not know a margin rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.risk.model import ZERO, MarginMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.okx.rows import Coin, Config, Held, Totals
    from monitor.exchanges.okx.stops import Stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    `positions` are by position id, closed ones stay with 0 contracts so that an older frame
    can't open them again. `at` is when the coins' and the totals' words held.

    `outdated` names the coins whose own words on risk (PnL, margins, ratio) are older than a
    change of their cash or positions; `totals_outdated` says so of the totals. `was_updated`:
    frames came since the replies, so that coins and positions may be of different moments.
    The pages are those of a snapshot that is not complete yet.
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
    coin_pages: tuple[tuple[Coin, ...], ...] = ()
    position_pages: tuple[tuple[Held, ...], ...] = ()

    def open_positions(self) -> tuple[Held, ...]:
        return tuple(row for row in self.positions.values() if row.is_open)

    def cross_pnl(self, ccy: str) -> Decimal | None:
        """What the open cross rows of a coin say that they have won; None where one does not."""
        total = ZERO
        for row in self.open_positions():
            if row.ccy == ccy and row.margin_mode is MarginMode.CROSS:
                if row.pnl is None:
                    return None
                total += row.pnl
        return total

    def with_coins(self, told: Iterable[Coin], totals: Totals) -> Book:
        """After an account frame that tells of some coins, and of the totals."""
        coins, outdated = dict(self.coins), self.outdated
        for coin in told:
            known = coins.get(coin.ccy)
            if known is None or coin.updated_ms >= known.updated_ms:
                coins[coin.ccy] = coin
                outdated -= {coin.ccy}
        book = replace(self, coins=coins, outdated=outdated, was_updated=True)
        if totals.updated_ms < self.totals.updated_ms:
            return book
        return replace(book, totals=totals, totals_outdated=False)

    def with_all_coins(self, told: Iterable[Coin], totals: Totals) -> Book:
        """After an account frame that tells of every coin: what it leaves out is gone."""
        return replace(self, coins={}, outdated=frozenset()).with_coins(told, totals)

    def with_cash(self, ccy: str, cash: Decimal, updated_ms: int) -> Book:
        """After a frame that tells of a coin's cash alone; None is known of its words then."""
        known = self.coins.get(ccy)
        if known is None or updated_ms < known.updated_ms or cash == known.cash:
            return self
        changed = replace(
            known,
            cash=cash,
            equity=known.equity + cash - known.cash,
            updated_ms=updated_ms,
        )
        return replace(self, coins={**self.coins, ccy: changed}).outdating(ccy)

    def with_position(self, row: Held, merge: Callable[[Held, Held], Held]) -> Book:
        """After a frame that tells of one position; an older one than is known is not taken."""
        known = self.positions.get(row.pos_id)
        if known is not None and row.updated_ms < known.updated_ms:
            return self
        new = row if known is None else merge(known, row)
        book = replace(self, positions={**self.positions, row.pos_id: new}, was_updated=True)
        if known is None or _size(known) != _size(new):
            return book.outdating(row.ccy or (known.ccy if known else ""))
        return book

    def without(self, pos_ids: Iterable[str]) -> Book:
        """After a complete list of positions from which these are missing: they are closed."""
        book = self
        for pos_id in pos_ids:
            known = book.positions[pos_id]
            if known.is_open:
                closed = replace(known, contracts=ZERO)
                book = replace(book, positions={**book.positions, pos_id: closed})
                book = book.outdating(known.ccy)
        return book

    def outdating(self, ccy: str) -> Book:
        return replace(self, outdated=self.outdated | {ccy}, totals_outdated=True)


def _size(row: Held) -> tuple[object, ...]:
    return row.contracts, row.entry_price, row.margin
