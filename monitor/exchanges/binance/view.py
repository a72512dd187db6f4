"""
A Binance account as Binance told it: its rows, kept up by account events.

Knows which rules its kind goes by and where a position's terms stand in the replies; must not
know the rules themselves (`pools.py`, `multi_assets.py`, `portfolio_pool.py`), how an event
changes rows (`applying.py`) or which calls to make (`reading.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.binance import cash, stops
from monitor.exchanges.binance.account import Product, optional_answer
from monitor.exchanges.binance.applying import State, apply, changes
from monitor.exchanges.binance.contracts import (
    product_of,
    read_instrument,
    read_leverage,
    read_taker_fee,
    settle_asset,
)
from monitor.exchanges.binance.indexes import CREDIT_ASSET, Rates
from monitor.exchanges.binance.marks import read_marks
from monitor.exchanges.binance.modes import futures_words, is_credits, portfolio_words
from monitor.exchanges.binance.multi_assets import UNIFIED, build_unified, read_unified_report
from monitor.exchanges.binance.news import standing
from monitor.exchanges.binance.pools import (
    Holding,
    Terms,
    build_isolated_pools,
    build_pools,
    isolated_name,
    pool_assets,
)
from monitor.exchanges.binance.portfolio_calls import CONFIG
from monitor.exchanges.binance.portfolio_pool import One, build_portfolio, read_portfolio_report
from monitor.exchanges.binance.reported import carried, read_isolated, read_reported
from monitor.exchanges.binance.tiers import (
    has_no_tiers,
    read_portfolio_tables,
    read_tier_tables,
    worst_table,
)
from monitor.exchanges.binance.unread import Unread
from monitor.exchanges.binance.updates import BalancesMoved, read_event
from monitor.exchanges.payload import Row
from monitor.risk.model import AccountSnapshot, Mark, PoolId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import Book, PositionRow
    from monitor.exchanges.binance.portfolio import Portfolio
    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Frame
    from monitor.risk.model import Instrument, MarginPool, Reported, TierTable
    from monitor.risk.news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """
    The pools of one wallet, what Binance says of them, and which prices they need.

    Of `unread` ones no figure can be given, whatever of them stands in the rest.
    """

    pools: tuple[MarginPool, ...]
    reported: Mapping[PoolId, Reported]
    marks: Mapping[str, Mark]
    followed: tuple[Instrument, ...] = ()
    unread: Mapping[PoolId, Unread] = field(default_factory=dict)


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
        """
        The pools by Binance's rules; those that can't be read are named, with the reason.

        Raises:
            Malformed, MissingReply: If no pool with a position could be read.
        """
        sides = self._sides()
        unread = _joined(side.unread for side in sides)
        pools = tuple(p for side in sides for p in side.pools if p.id not in unread)
        if unread and not any(pool.positions for pool in pools):
            raise next(iter(unread.values())).error
        held = tuple(p.instrument for pool in pools for p in pool.positions)
        assets = frozenset(c.asset for pool in pools for c in pool.collateral)
        reported = _joined(side.reported for side in sides)
        return AccountSnapshot(
            account=self.account,
            exchange="binance",
            at=at,
            mode=self.mode,
            pools=pools,
            reported={pool: said for pool, said in reported.items() if pool not in unread},
            marks=_joined(side.marks for side in sides),
            followed=tuple(i for side in sides for i in side.followed),
            funding=cash.read_funding(self.replies, held),
            free=cash.read_free(self.replies, assets),
            bookings=cash.read_bookings(self.replies),
            unread={pool: each.because for pool, each in unread.items()},
            news=self._news(),
        )

    def _news(self) -> tuple[News, ...]:
        """What Binance itself says of a portfolio; of other accounts it says it in events alone."""
        portfolio = self.state.portfolio
        if portfolio is None or not portfolio.is_whole:
            return ()
        whole = portfolio.whole
        return standing(whole.status, whole.uni_mmr, whole.told_at)

    def _sides(self) -> tuple[_Side, ...]:
        if self.state.portfolio is not None:
            return (self._portfolio_side(self.state.portfolio),)
        return tuple(self._side(book) for book in self.state.books.values())

    def _side(self, book: Book) -> _Side:
        holdings, unheld = self._holdings(book)
        unread = (*book.unread, *unheld)
        marks = self._marks(holdings, book.marked_at)
        many = self.state.config is not None and self.state.config.multi_assets
        if book.product is Product.USDM and (many or self.is_in_credits):
            return self._unified_side(book, holdings, marks, unread)
        names = self._names(book, holdings)
        return _Side(
            pools=build_pools(self.account, book, holdings, names),
            reported=read_reported(self.account, book, holdings, names),
            marks=marks,
            unread=self._unread_pools(unread, names),
            followed=_instruments(holdings) if unread else (),
        )

    def _holdings(self, book: Book) -> tuple[tuple[Holding, ...], tuple[Unread, ...]]:
        """The open positions with their terms, and those whose terms can't be read."""
        found: list[Holding] = []
        unread: list[Unread] = []
        for key in sorted(book.positions):
            row = book.positions[key]
            if product_of(row.symbol) is not book.product:
                raise Malformed("positionRisk", f"positions of {book.product.value}", row.symbol)
            try:
                found.append(self._checked(self._holding(row), book))
            except (Malformed, MissingReply) as error:
                isolated = row.isolated_wallet is not None
                unread.append(
                    Unread(
                        error=error,
                        asset=row.asset,
                        symbol=row.symbol,
                        side=row.side,
                        isolated=isolated,
                    )
                )
        return tuple(found), tuple(unread)

    @staticmethod
    def _checked(holding: Holding, book: Book) -> Holding:
        """The holding itself. Raises Malformed where the account reply contradicts it."""
        if holding.asset not in book.assets:
            raise Malformed("account.assets", f"a row for {holding.asset}", "none")
        carried((holding,), book.sketches)
        return holding

    def _unread_pools(
        self, unread: Iterable[Unread], names: Mapping[str, str], unified: str | None = None
    ) -> Mapping[PoolId, Unread]:
        """
        The pools that rows which can't be read belong to; more than one where that is open.

        Args:
            names: How cross pools are called where it is not by their asset alone.
            unified: How the one cross pool is called; None where each asset has its own.
        """
        found: dict[PoolId, Unread] = {}
        for each in unread:
            asset = each.asset or settle_asset(each.symbol or "")
            if each.isolated is not True and unified is None and asset is None:
                raise each.error
            cross = unified or names.get(asset or "", asset or "")
            alone = "" if each.symbol is None else isolated_name(each)
            for name, applies in (
                (cross, each.isolated is not True),
                (alone, each.isolated is not False and each.symbol is not None),
            ):
                if applies:
                    found.setdefault(PoolId(account=self.account, name=name), each)
        return found

    def _names(self, book: Book, holdings: tuple[Holding, ...]) -> Mapping[str, str]:
        """
        What cross pools are called where it is not by their asset alone.

        Both wallets can hold one coin (BTC backs USDⓈ-M's ETHBTC too): then COIN-M's pool,
        by far the commoner, has the plain name and USDⓈ-M's says where it belongs.
        """
        coin = self.state.books.get(Product.COINM)
        if book.product is Product.COINM or coin is None:
            return {}
        theirs, unread = self._holdings(coin)
        taken = {*pool_assets(coin, theirs), *(settle_asset(u.symbol or "") for u in unread)}
        return {name: f"usdm/{name}" for name in pool_assets(book, holdings) if name in taken}

    def _unified_side(
        self,
        book: Book,
        holdings: tuple[Holding, ...],
        marks: Mapping[str, Mark],
        unread: tuple[Unread, ...],
    ) -> _Side:
        alone = tuple(holding for holding in holdings if holding.is_isolated)
        pools = build_isolated_pools(self.account, alone)
        reported = read_isolated(self.account, alone, book.told_at)
        doomed = self._unread_pools(unread, {}, UNIFIED)
        if PoolId(account=self.account, name=UNIFIED) in doomed:
            return _Side(
                pools=pools,
                reported=reported,
                marks=marks,
                unread=doomed,
                followed=_instruments(holdings),
            )
        unified = build_unified(self.account, book, holdings, Rates(self.replies))
        return _Side(
            pools=(unified.pool, *pools),
            reported={**read_unified_report(book, unified, holdings), **reported},
            marks={**unified.marks, **marks},
            unread=doomed,
            followed=(*unified.followed, *(_instruments(holdings) if unread else ())),
        )

    def _portfolio_side(self, portfolio: Portfolio) -> _Side:
        one = self._one(portfolio)
        return _Side(
            pools=(one.pool,),
            reported=read_portfolio_report(one.pool.id, portfolio),
            marks=one.marks,
            followed=one.followed,
        )

    def _one(self, portfolio: Portfolio) -> One:
        rows = [portfolio.positions[key] for key in sorted(portfolio.positions)]
        holdings = tuple(self._holding(row, in_portfolio=True) for row in rows)
        marks = self._marks(holdings, portfolio.marked_at)
        return build_portfolio(self.account, portfolio, holdings, self.replies, marks)

    def _anchored(self) -> State:
        """The rows with what Binance's figures held beyond ours, before an event changes them."""
        portfolio = self.state.portfolio
        if portfolio is None or not portfolio.is_whole:
            return self.state
        anchored = replace(portfolio, anchor=self._one(portfolio).anchor)
        return replace(self.state, portfolio=anchored)

    def _holding(self, row: PositionRow, *, in_portfolio: bool = False) -> Holding:
        leverage = (
            self.state.leverages.get(row.symbol)
            or row.leverage
            or read_leverage(self.replies, row.symbol)
        )
        instrument = self._instrument(row)
        orders = self.state.stop_orders(row.symbol, self.replies)
        if in_portfolio:
            tables, assumed = read_portfolio_tables(self.replies, row.symbol), ""
        else:
            tables, assumed = self._tables(row, leverage)
        terms = Terms(
            instrument=instrument,
            tables=tables,
            leverage=leverage,
            fee=read_taker_fee(self.replies, instrument),
            has_stop_loss=stops.has_stop_loss(orders, row),
            assumed=assumed,
        )
        return Holding(row=row, terms=terms, mark=row.mark_price)

    def _tables(
        self, row: PositionRow, leverage: Decimal | None
    ) -> tuple[tuple[TierTable, ...], str]:
        """The tier tables that may hold, and in words what stands in where there are none."""
        if not has_no_tiers(self.replies, row.symbol):
            return read_tier_tables(self.replies, row.symbol), ""
        table = worst_table(leverage)
        rate = table.tiers[0].maintenance_rate
        at = "any leverage" if leverage is None else f"{leverage:f}x"
        words = f"no leverage tiers of {row.symbol} are told: the worst rate at {at} ({rate:f})"
        return (table,), words

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


def _instruments(holdings: Iterable[Holding]) -> tuple[Instrument, ...]:
    """What is held, once each: its marks are worth having even where its pool can't be read."""
    return tuple({h.terms.instrument.symbol: h.terms.instrument for h in holdings}.values())
