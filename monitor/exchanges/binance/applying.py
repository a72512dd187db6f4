"""
How an event of the account's own stream changes what is known of the account.

Knows which rows an event replaces and which of Binance's own figures hold no longer; must not
know margin rules or how an event is worded (`updates.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from monitor.exchanges.binance import stops
from monitor.exchanges.binance.account import AssetRow, Product
from monitor.exchanges.binance.contracts import product_of
from monitor.exchanges.binance.portfolio import Coin
from monitor.exchanges.binance.updates import (
    BalancesMoved,
    LeverageSet,
    MultiAssetsSet,
    SaysNothing,
    StopsMoved,
)
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import Book, Config, PositionKey, PositionRow
    from monitor.exchanges.binance.portfolio import Portfolio
    from monitor.exchanges.binance.stops import StopOrders
    from monitor.exchanges.binance.updates import AccountEvent
    from monitor.exchanges.call import Replies
    from monitor.exchanges.port import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    An account's rows: its futures wallets in `books`, or all of it in `portfolio`.

    `leverages` and `moved_stops` are those that events have set, by symbol; `heard` is the
    newest event time per kind.
    """

    config: Config | None = None
    books: Mapping[Product, Book] = field(default_factory=dict)
    portfolio: Portfolio | None = None
    moved_stops: Mapping[str, StopOrders] = field(default_factory=dict)
    leverages: Mapping[str, Decimal] = field(default_factory=dict)
    heard: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def positions(self) -> Mapping[PositionKey, PositionRow]:
        """Every open position, by symbol and side; no symbol is of two wallets."""
        if self.portfolio is not None:
            return self.portfolio.positions
        return {key: row for book in self.books.values() for key, row in book.positions.items()}

    def stop_orders(self, symbol: str, replies: Replies) -> StopOrders | None:
        """A symbol's open stop orders, None where nothing is known of them."""
        return self.moved_stops.get(symbol) or stops.read_stop_orders(replies, symbol)


def changes(state: State, event: AccountEvent) -> bool:
    """Whether an event says anything that counts, and no later one of its kind was heard."""
    if isinstance(event.says, SaysNothing):
        return False
    before = state.heard.get(_kind(state, event))
    return before is None or event.at is None or event.at >= before


def apply(state: State, event: AccountEvent, frame: Frame, replies: Replies) -> State:
    """The account after one event. `replies` tell the stop orders that it may change."""
    heard = dict(state.heard)
    if event.at is not None:
        heard[_kind(state, event)] = event.at
    return replace(_applied(state, event, event.at or frame.at, replies), heard=heard)


def _kind(state: State, event: AccountEvent) -> str:
    """What events are in order with: those of one kind, and of one wallet's stream."""
    if isinstance(event.says, BalancesMoved):
        return f"{event.kind} {_product(state, event.says).value}"
    return event.kind


def _product(state: State, moved: BalancesMoved) -> Product:
    """The wallet that an event is of; where it does not say, the one that has its assets."""
    if moved.product is not None:
        return moved.product
    coin, usdm = state.books.get(Product.COINM), state.books.get(Product.USDM)
    if coin is None or usdm is None:
        return Product.COINM if usdm is None and coin is not None else Product.USDM
    named = set(moved.cross_wallets)
    alone = named and named <= coin.assets.keys() - usdm.assets.keys()
    return Product.COINM if alone else Product.USDM


def _applied(state: State, event: AccountEvent, at: datetime, replies: Replies) -> State:
    match event.says:
        case BalancesMoved() as moved:
            return _moved(state, moved)
        case LeverageSet(symbol=symbol, leverage=leverage):
            return replace(state, leverages={**state.leverages, symbol: leverage})
        case MultiAssetsSet(multi_assets=multi_assets):
            return _with_assets_mode(state, multi_assets=multi_assets)
        case StopsMoved(symbol=symbol, event=row):
            known = state.stop_orders(symbol, replies)
            after = None if known is None else stops.updated(known, row, at)
            moved_stops = {} if after is None else {symbol: after}
            return replace(state, moved_stops={**state.moved_stops, **moved_stops})
        case SaysNothing():
            return state
        case _:
            assert_never(event.says)


def _with_assets_mode(state: State, *, multi_assets: bool) -> State:
    if state.config is None:
        return state
    return replace(state, config=replace(state.config, multi_assets=multi_assets))


def _moved(state: State, moved: BalancesMoved) -> State:
    product = _product(state, moved)
    if state.portfolio is not None:
        return replace(state, portfolio=_moved_portfolio(state.portfolio, moved, product))
    book = state.books.get(product)
    if book is None:
        # A wallet that is not watched: its events come on no stream that was asked for.
        return state
    return replace(state, books={**state.books, product: _moved_book(book, moved)})


def _moved_book(book: Book, moved: BalancesMoved) -> Book:
    touched = _assets_of(book, moved)
    told = {*moved.closed, *(row.key for row in moved.positions)}
    return replace(
        book,
        unread=tuple(each for each in book.unread if (each.symbol, each.side) not in told),
        assets=_moved_assets(book.assets, moved, touched),
        positions=_moved_positions(book, moved, touched),
        totals=None,
    )


def _asset_of(book: Book, row: PositionRow) -> str | None:
    """What a position settles in: told by the row, or at COIN-M by the symbol's first part."""
    if row.asset is not None or book.product is Product.USDM:
        return row.asset
    return row.symbol.rpartition("_")[0].removesuffix("USD")


def _assets_of(book: Book, moved: BalancesMoved) -> set[str]:
    """Every asset whose pool an event changes: by its wallet, or by a position in it."""
    changed = (*moved.closed, *(row.key for row in moved.positions))
    before = [_asset_of(book, book.positions[key]) for key in changed if key in book.positions]
    after = [_asset_of(book, row) for row in moved.positions]
    return {asset for asset in (*moved.cross_wallets, *before, *after) if asset}


def _moved_assets(
    assets: Mapping[str, AssetRow], moved: BalancesMoved, touched: set[str]
) -> Mapping[str, AssetRow]:
    """
    The wallet after an event, where that is newer than the reply.

    Binance's own totals no longer hold for an asset that moved, nor where a position in it did.
    """
    after = dict(assets)
    for name in touched & set(assets):
        after[name] = replace(assets[name], cross_pnl=None, maintenance=None, initial=None)
    for name, wallet in moved.cross_wallets.items():
        row = assets.get(name)
        if row is None or row.updated_at is None or moved.at >= row.updated_at:
            after[name] = _after_event(name, row, wallet, moved.at)
    return after


def _moved_positions(
    book: Book, moved: BalancesMoved, touched: set[str]
) -> Mapping[PositionKey, PositionRow]:
    """The open positions after an event; in a pool that moved, every end has moved as well."""
    before = {
        key: _without_end(row) if _asset_of(book, row) in touched else row
        for key, row in book.positions.items()
    }
    return _changed_positions(before, moved)


def _changed_positions(
    before: Mapping[PositionKey, PositionRow], moved: BalancesMoved
) -> Mapping[PositionKey, PositionRow]:
    after = dict(before)
    for key in moved.closed:
        if key in after and _is_newer(moved.at, after[key]):
            del after[key]
    for changed in moved.positions:
        known = before.get(changed.key)
        if known is None:
            after[changed.key] = changed
        elif _is_newer(moved.at, known):
            after[changed.key] = _with_old_terms(changed, known)
    return after


def _without_end(row: PositionRow) -> PositionRow:
    if row.told is None or row.isolated_wallet is not None:
        return row
    return replace(row, told=replace(row.told, liquidation_price=None))


def _is_newer(at: datetime, row: PositionRow) -> bool:
    return row.updated_at is None or at >= row.updated_at


def _with_old_terms(changed: PositionRow, before: PositionRow) -> PositionRow:
    """An event tells neither mark nor rank nor, in older forms, the asset: these stay."""
    scale = abs(changed.amount / before.amount)
    return replace(
        changed,
        asset=changed.asset or before.asset,
        mark_price=before.mark_price,
        adl=before.adl,
        leverage=before.leverage,
        notional=None if before.notional is None else before.notional * scale,
    )


def _after_event(name: str, row: AssetRow | None, wallet: Decimal, at: datetime) -> AssetRow:
    return AssetRow(
        asset=name,
        cross_wallet=wallet,
        order_initial=row.order_initial if row is not None else ZERO,
        cross_pnl=None,
        maintenance=None,
        initial=None,
        updated_at=at,
    )


def _moved_portfolio(portfolio: Portfolio, moved: BalancesMoved, product: Product) -> Portfolio:
    """The coins and positions of a portfolio margin account after an event of one side."""
    coins = dict(portfolio.coins)
    for name, wallet in moved.cross_wallets.items():
        coin = coins.get(name) or Coin(asset=name, margin=ZERO, usdm=ZERO, coinm=ZERO)
        coins[name] = _moved_coin(coin, wallet, moved.at, product)
    before = {key: _without_end(row) for key, row in portfolio.positions.items()}
    changed = tuple(row for row in moved.positions if product_of(row.symbol) is product)
    positions = _changed_positions(before, replace(moved, positions=changed))
    return replace(portfolio, coins=coins, positions=positions)


def _moved_coin(coin: Coin, wallet: Decimal, at: datetime, product: Product) -> Coin:
    """A coin after an event of one futures wallet, where that is newer than what is known."""
    is_coinm = product is Product.COINM
    held_at = coin.coinm_at if is_coinm else coin.usdm_at
    if held_at is not None and at < held_at:
        return coin
    if is_coinm:
        return replace(coin, coinm=wallet, coinm_at=at)
    return replace(coin, usdm=wallet, usdm_at=at)
