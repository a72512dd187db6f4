"""
A Binance account as Binance told it: its rows, kept up by account events.

Knows which rules its kind goes by and where a position's terms stand in the replies; must not
know the rules themselves (`pools.py`, `multi_assets.py`, `portfolio_pool.py`), how an event
changes rows (`applying.py`) or which calls to make (`reading.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import Malformed
from monitor.exchanges.binance import cash, stops
from monitor.exchanges.binance.account import Product, optional_answer
from monitor.exchanges.binance.applying import State, apply, changes
from monitor.exchanges.binance.contracts import (
    product_of,
    read_instrument,
    read_leverage,
    read_taker_fee,
)
from monitor.exchanges.binance.indexes import CREDIT_ASSET, Rates
from monitor.exchanges.binance.marks import read_marks
from monitor.exchanges.binance.modes import futures_words, is_credits, portfolio_words
from monitor.exchanges.binance.multi_assets import build_unified, read_unified_report
from monitor.exchanges.binance.pools import (
    Holding,
    Terms,
    build_isolated_pools,
    build_pools,
    pool_assets,
)
from monitor.exchanges.binance.portfolio_calls import CONFIG
from monitor.exchanges.binance.portfolio_pool import build_portfolio, read_portfolio_report
from monitor.exchanges.binance.reported import read_isolated, read_reported
from monitor.exchanges.binance.tiers import read_tier_tables
from monitor.exchanges.binance.updates import BalancesMoved, read_event
from monitor.exchanges.payload import Row
from monitor.risk.model import AccountSnapshot, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.exchanges.binance.account import Book, PositionRow
    from monitor.exchanges.binance.portfolio import Portfolio
    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Frame
    from monitor.risk.model import Instrument, MarginPool, PoolId, Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The pools of one wallet, what Binance says of them, and which prices they need."""

    pools: tuple[MarginPool, ...]
    reported: Mapping[PoolId, Reported]
    marks: Mapping[str, Mark]
    followed: tuple[Instrument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceAccount:
    """
    The account's rows in `state`. `replies` are those that it was read from, for the terms of
    a symbol that an event may yet bring; `unread` are parts that could not be looked at, in
    words.
    """

    account: str
    replies: Replies
    state: State
    unread: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """Every switch that matters, in words: a change of them is a change of the rules."""
        if self.state.portfolio is not None:
            return portfolio_words(self.state.portfolio, hedge=self._portfolio_hedge())
        return futures_words(
            self.state.config, tuple(self.state.books), self.unread, in_credits=self.is_in_credits
        )

    @property
    def is_in_credits(self) -> bool:
        book = self.state.books.get(Product.USDM)
        return book is not None and is_credits(book.assets)

    def _portfolio_hedge(self) -> bool | None:
        told = optional_answer(self.replies, CONFIG)
        try:
            return Row(told, "um.accountConfig").boolean("dualSidePosition")
        except Malformed:
            return None

    def snapshot(self, at: datetime) -> AccountSnapshot:
        """The pools by Binance's rules. Raises Malformed or MissingReply."""
        sides = self._sides()
        pools = tuple(pool for side in sides for pool in side.pools)
        held = tuple(p.instrument for pool in pools for p in pool.positions)
        assets = frozenset(c.asset for pool in pools for c in pool.collateral)
        return AccountSnapshot(
            account=self.account,
            exchange="binance",
            at=at,
            mode=self.mode,
            pools=pools,
            reported=_joined(side.reported for side in sides),
            marks=_joined(side.marks for side in sides),
            followed=tuple(i for side in sides for i in side.followed),
            funding=cash.read_funding(self.replies, held),
            free=cash.read_free(self.replies, assets),
            bookings=cash.read_bookings(self.replies),
        )

    def _sides(self) -> tuple[_Side, ...]:
        if self.state.portfolio is not None:
            return (self._portfolio_side(self.state.portfolio),)
        return tuple(self._side(book) for book in self.state.books.values())

    def _side(self, book: Book) -> _Side:
        holdings = tuple(self._holding(book.positions[key]) for key in sorted(book.positions))
        for holding in holdings:
            if product_of(holding.row.symbol) is not book.product:
                raise Malformed(
                    "positionRisk", f"positions of {book.product.value}", holding.row.symbol
                )
            if holding.asset not in book.assets:
                raise Malformed("account.assets", f"a row for {holding.asset}", "none")
        marks = self._marks(holdings, book.marked_at)
        many = self.state.config is not None and self.state.config.multi_assets
        if book.product is Product.USDM and (many or self.is_in_credits):
            return self._unified_side(book, holdings, marks)
        names = self._names(book, holdings)
        return _Side(
            pools=build_pools(self.account, book, holdings, names),
            reported=read_reported(self.account, book, holdings, names),
            marks=marks,
        )

    def _names(self, book: Book, holdings: tuple[Holding, ...]) -> Mapping[str, str]:
        """
        What cross pools are called where it is not by their asset alone.

        Both wallets can hold one coin (BTC backs USDⓈ-M's ETHBTC too): then COIN-M's pool,
        by far the commoner, has the plain name and USDⓈ-M's says where it belongs.
        """
        coin = self.state.books.get(Product.COINM)
        if book.product is Product.COINM or coin is None:
            return {}
        theirs = tuple(self._holding(row) for row in coin.positions.values())
        taken = pool_assets(coin, theirs)
        return {name: f"usdm/{name}" for name in pool_assets(book, holdings) if name in taken}

    def _unified_side(
        self, book: Book, holdings: tuple[Holding, ...], marks: Mapping[str, Mark]
    ) -> _Side:
        unified = build_unified(self.account, book, holdings, Rates(self.replies))
        alone = tuple(holding for holding in holdings if holding.is_isolated)
        return _Side(
            pools=(unified.pool, *build_isolated_pools(self.account, alone)),
            reported={
                **read_unified_report(book, unified, holdings),
                **read_isolated(self.account, alone, book.told_at),
            },
            marks={**unified.marks, **marks},
            followed=unified.followed,
        )

    def _portfolio_side(self, portfolio: Portfolio) -> _Side:
        rows = [portfolio.positions[key] for key in sorted(portfolio.positions)]
        holdings = tuple(self._holding(row, is_modelled=False) for row in rows)
        marks = self._marks(holdings, portfolio.marked_at)
        one = build_portfolio(self.account, portfolio, holdings, self.replies, marks)
        return _Side(
            pools=(one.pool,),
            reported=read_portfolio_report(one.pool.id, portfolio),
            marks=one.marks,
            followed=one.followed,
        )

    def _anchored(self) -> State:
        """The rows with what accountEquity held beyond our sum, before an event changes them."""
        portfolio = self.state.portfolio
        if portfolio is None or not portfolio.is_whole:
            return self.state
        (pool,) = self._portfolio_side(portfolio).pools
        anchored = replace(portfolio, anchor=pool.other_balance, is_whole=False)
        return replace(self.state, portfolio=anchored)

    def _holding(self, row: PositionRow, *, is_modelled: bool = True) -> Holding:
        leverage = (
            self.state.leverages.get(row.symbol)
            or row.leverage
            or read_leverage(self.replies, row.symbol)
        )
        instrument = self._instrument(row)
        orders = self.state.stop_orders(row.symbol, self.replies)
        terms = Terms(
            instrument=instrument,
            tables=read_tier_tables(self.replies, row.symbol) if is_modelled else (),
            leverage=leverage,
            fee=read_taker_fee(self.replies, instrument),
            has_stop_loss=stops.has_stop_loss(orders, row),
        )
        return Holding(row=row, terms=terms, mark=row.mark_price)

    def _instrument(self, row: PositionRow) -> Instrument:
        """The contract; in credits mode it settles in credits, whatever its name says."""
        in_credits = row.asset == CREDIT_ASSET
        asset = None if in_credits else row.asset
        instrument = read_instrument(self.replies, row.symbol, asset, row.worth)
        if in_credits:
            return replace(instrument, settle=CREDIT_ASSET)
        if asset not in (None, instrument.settle):
            raise Malformed(
                f"positionRisk.{row.symbol}.marginAsset", instrument.settle, str(row.asset)
            )
        return instrument

    def _marks(self, holdings: tuple[Holding, ...], at: datetime) -> Mapping[str, Mark]:
        """By unified symbol: of the position's own row, else of the premium index."""
        own = {
            holding.terms.instrument.symbol: Mark(price=holding.mark, at=at)
            for holding in holdings
            if holding.mark is not None
        }
        bare = {
            holding.row.symbol: holding.terms.instrument
            for holding in holdings
            if holding.terms.instrument.symbol not in own
        }
        asked = read_marks(self.replies, tuple(bare.values()))
        return own | {bare[symbol].symbol: mark for symbol, mark in asked.items()}

    def updated(self, frame: Frame) -> BinanceAccount:
        """The account after one event; itself where the event changes nothing that counts."""
        event = read_event(frame.text, frame.path)
        if not changes(self.state, event):
            return self
        state = self._anchored() if isinstance(event.says, BalancesMoved) else self.state
        return replace(self, state=apply(state, event, frame, self.replies))


Key = TypeVar("Key")
Value = TypeVar("Value")


def _joined(parts: Iterable[Mapping[Key, Value]]) -> Mapping[Key, Value]:
    return {key: value for part in parts for key, value in part.items()}
