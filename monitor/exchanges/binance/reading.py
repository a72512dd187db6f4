"""
How an account is read: which calls are still wanted, and when the replies make a whole.

First what kind of account it is, then its switches, wallets and positions, then what the held
symbols ask for. Must not know margin rules (`pools.py` and its like) or events (`updates.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.binance import calls, coin, coin_calls, portfolio_calls
from monitor.exchanges.binance.account import (
    Book,
    Config,
    Product,
    has_config,
    read_assets,
    read_config,
    read_positions,
    read_sketches,
    read_totals,
)
from monitor.exchanges.binance.applying import State
from monitor.exchanges.binance.cash import mark_call
from monitor.exchanges.binance.contracts import contract_call, fee_call, has_contract, product_of
from monitor.exchanges.binance.indexes import Rates, has_indexes
from monitor.exchanges.binance.modes import (
    Kind,
    has_formula,
    is_credits,
    kind_calls,
    read_kind,
    unread_parts,
)
from monitor.exchanges.binance.multi_assets import ONE_MOMENT, is_aggregated
from monitor.exchanges.binance.portfolio import read_portfolio, serves
from monitor.exchanges.binance.tiers import bracket_call, has_brackets, portfolio_bracket_calls
from monitor.exchanges.binance.view import BinanceAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from monitor.exchanges.binance.account import PositionKey, PositionRow, Sketch
    from monitor.exchanges.call import Replies, RestCall

# The words of the configuration for the two futures wallets.
PRODUCTS = {"usdm": Product.USDM, "coinm": Product.COINM}
FUNDING_SECONDS = 60
CALM_FUNDING_SECONDS = 900
_SYMBOLS_BY_ONE = 10

USDM_CALLS = (calls.ACCOUNT, calls.POSITIONS)
COINM_CALLS = (coin_calls.ACCOUNT, coin_calls.POSITIONS)
# Portfolio margin's equity is held against these as they are at its own moment: none is kept.
_INDEX_NOW = replace(calls.ASSET_INDEX, optional=True, calm_seconds=0)
_USDM_NOW = replace(calls.POSITIONS, calm_seconds=0, heard_seconds=0)
_COINM_NOW = replace(coin_calls.POSITIONS, optional=False, sticky=False, heard_seconds=0)
PORTFOLIO_CALLS = (
    portfolio_calls.ACCOUNT,
    portfolio_calls.BALANCE,
    portfolio_calls.USDM_POSITIONS,
    portfolio_calls.COINM_POSITIONS,
    portfolio_calls.USDM_ACCOUNT,
    portfolio_calls.COINM_ACCOUNT,
    portfolio_calls.CONFIG,
    portfolio_calls.COLLATERAL_RATES,
    _INDEX_NOW,
)
PRO_CALLS = (
    portfolio_calls.PRO_BALANCE,
    _USDM_NOW,
    _COINM_NOW,
    portfolio_calls.COLLATERAL_RATES,
    _INDEX_NOW,
)
# What a portfolio's equity is taken apart by, and what tells it.
_OF_ONE_MOMENT = frozenset(
    call.path
    for call in (*PORTFOLIO_CALLS, *PRO_CALLS, calls.PRO_ACCOUNT)
    if not call.max_age_seconds
)


def needed(replies: Replies, products: tuple[str, ...] | None = None) -> tuple[RestCall, ...]:
    """
    The calls still wanted. Replies that can't be read want nothing more: `read_account` says
    what is wrong.

    Args:
        products: The wallets that are to be watched, in the configuration's words; None: all
            that the account has and the key may read. Portfolio margin is one whole always.
    """
    first = kind_calls(replies)
    if first:
        return first
    try:
        kind = read_kind(replies)
        if kind is Kind.FUTURES:
            return _futures_calls(replies, products)
        return _portfolio_calls(replies, is_pro=kind is Kind.PORTFOLIO_PRO)
    except ExchangeError:
        return ()


def wanted_products(products: tuple[str, ...] | None) -> tuple[Product, ...]:
    """The wallets to be watched, in a fixed order."""
    named = {PRODUCTS[word] for word in products or PRODUCTS}
    return tuple(product for product in Product if product in named)


def _futures_calls(replies: Replies, products: tuple[str, ...] | None) -> tuple[RestCall, ...]:
    wanted = wanted_products(products)
    first: list[RestCall] = []
    if not has_config(replies):
        first.append(replace(calls.CONFIG, optional=Product.USDM not in wanted))
    if Product.USDM in wanted:
        first += USDM_CALLS
    if Product.COINM in wanted:
        asked_for = products is not None or coin.is_told_in_part(replies)
        first += (replace(call, optional=not asked_for) for call in COINM_CALLS)
    missing = tuple(call for call in first if not replies.has(call))
    held: list[RestCall] = []
    if Product.USDM in wanted and all(replies.has(call) for call in (*USDM_CALLS,)):
        held += _usdm_calls(replies)
    if Product.COINM in wanted and coin.is_readable(replies):
        held += _coinm_calls(replies)
    return (*missing, *_missing(replies, held))


def _missing(replies: Replies, wanted: Iterable[RestCall]) -> tuple[RestCall, ...]:
    return tuple(call for call in wanted if _is_missing(replies, call))


def _is_missing(replies: Replies, call: RestCall) -> bool:
    """Whether no reply answers a call, or the one that does leaves its symbol out."""
    symbol = dict(call.query).get("symbol", "")
    if symbol and call in {bracket_call(symbol), *portfolio_bracket_calls(symbol)}:
        return not has_brackets(replies, symbol, call)
    if symbol and call == contract_call(symbol):
        return not has_contract(replies, symbol)
    return not replies.has(call)


def _usdm_calls(replies: Replies) -> list[RestCall]:
    """What the USDⓈ-M wallet and its held symbols ask for."""
    found: list[RestCall] = []
    if has_config(replies) and _is_unified(read_config(replies), replies):
        found += () if has_indexes(replies) else (calls.ASSET_INDEX,)
    rows = tuple(read_positions(replies)[0].values())
    if not rows or not has_config(replies):
        return found
    symbols = sorted({row.symbol for row in rows})
    return [
        *found,
        *_contract_calls(replies, symbols, calls.CONTRACTS),
        *(bracket_call(symbol) for symbol in symbols),
        calls.LEVERAGES,
        *_order_calls(symbols, calls.STOP_ORDERS, calls.stop_call),
        *_order_calls(symbols, calls.PLAIN_ORDERS, calls.plain_call),
        *(fee_call(symbol) for symbol in _one_per_asset(rows)),
        *_mark_calls(rows),
        calls.INCOME,
        calls.SPOT,
    ]


def _order_calls(
    symbols: list[str], whole: RestCall, of_symbol: Callable[[str], RestCall]
) -> tuple[RestCall, ...]:
    """Open orders: of few symbols each by itself, which weighs 1 and not 40 as the list of all."""
    if len(symbols) > _SYMBOLS_BY_ONE:
        return (whole,)
    return tuple(of_symbol(symbol) for symbol in symbols)


def _coinm_calls(replies: Replies) -> list[RestCall]:
    """What the held symbols of the COIN-M wallet ask for."""
    rows = tuple(coin.read_book(replies).positions.values())
    if not rows:
        return []
    symbols = sorted({row.symbol for row in rows})
    return [
        *_contract_calls(replies, symbols, coin_calls.CONTRACTS),
        *(bracket_call(symbol) for symbol in symbols),
        coin_calls.ADL,
        *_order_calls(symbols, coin_calls.STOP_ORDERS, coin_calls.stop_call),
        *_order_calls(symbols, coin_calls.PLAIN_ORDERS, coin_calls.plain_call),
        fee_call(symbols[0]),
        *_coin_mark_calls(rows),
        coin_calls.INCOME,
        calls.SPOT,
    ]


def _portfolio_calls(replies: Replies, *, is_pro: bool) -> tuple[RestCall, ...]:
    """What a portfolio margin account asks for; Pro's own endpoints where papi serves none."""
    account = portfolio_calls.ACCOUNT
    if is_pro and not replies.tried(account):
        return (replace(account, optional=True),)
    is_own = is_pro and not serves(replies, account)
    first = PRO_CALLS if is_own else PORTFOLIO_CALLS
    missing = tuple(call for call in first if not replies.has(call))
    if any(not call.optional for call in missing):
        return missing
    rows = tuple(read_portfolio(replies, is_pro=is_pro).positions.values())
    usdm = tuple(row for row in rows if product_of(row.symbol) is Product.USDM)
    coinm = tuple(row for row in rows if product_of(row.symbol) is Product.COINM)
    wanted = [
        *_contract_calls(replies, sorted({row.symbol for row in usdm}), calls.CONTRACTS),
        *_contract_calls(replies, sorted({row.symbol for row in coinm}), coin_calls.CONTRACTS),
        *(portfolio_bracket_calls(symbol)[is_own] for symbol in sorted({r.symbol for r in rows})),
        *((portfolio_calls.USDM_STOPS, portfolio_calls.USDM_INCOME) if usdm else ()),
        *((portfolio_calls.COINM_STOPS, portfolio_calls.COINM_INCOME) if coinm else ()),
        *_mark_calls(usdm),
        *_coin_mark_calls(coinm),
        *((calls.SPOT,) if rows else ()),
    ]
    return (*missing, *_missing(replies, wanted))


def _contract_calls(replies: Replies, symbols: list[str], whole: RestCall) -> tuple[RestCall, ...]:
    """The contract list; where a day-old one lacks a symbol, the list anew for its sake."""
    unknown = [symbol for symbol in symbols if not has_contract(replies, symbol)]
    if unknown and not replies.has(whole):
        return (whole,)
    return tuple(contract_call(symbol) for symbol in unknown)


def _one_per_asset(rows: Iterable[PositionRow]) -> tuple[str, ...]:
    """One symbol of every margin asset: its fee rate stands for the others'."""
    first: dict[str | None, str] = {}
    for row in sorted(rows, key=lambda row: row.symbol):
        first.setdefault(row.asset, row.symbol)
    return tuple(first.values())


def _mark_calls(rows: Iterable[PositionRow]) -> tuple[RestCall, ...]:
    """The premium index: the next funding, and the mark where a row has none."""
    unmarked = {row.symbol for row in rows if row.mark_price is None}
    symbols = sorted({row.symbol for row in rows})
    if len(symbols) > _SYMBOLS_BY_ONE:
        return (replace(calls.PREMIUM_INDEX, max_age_seconds=0 if unmarked else FUNDING_SECONDS),)
    return tuple(
        mark_call(symbol)
        if symbol in unmarked
        else replace(
            mark_call(symbol), max_age_seconds=FUNDING_SECONDS, calm_seconds=CALM_FUNDING_SECONDS
        )
        for symbol in symbols
    )


def _coin_mark_calls(rows: tuple[PositionRow, ...]) -> tuple[RestCall, ...]:
    """COIN-M's premium index weighs the same for one symbol and for all."""
    if not rows:
        return ()
    unmarked = any(row.mark_price is None for row in rows)
    return (replace(coin_calls.PREMIUM_INDEX, max_age_seconds=0 if unmarked else FUNDING_SECONDS),)


def read_account(
    account: str, replies: Replies, products: tuple[str, ...] | None = None
) -> BinanceAccount:
    """
    The account's view. `products` as for `needed`.

    Raises:
        MissingReply: If a reply that the figures need was not given.
        Malformed: If one can't be read, or two that belong together don't.
    """
    kind = read_kind(replies)
    if kind is not Kind.FUTURES:
        return BinanceAccount(
            account=account,
            replies=replies,
            state=State(
                portfolio=read_portfolio(
                    replies,
                    is_pro=kind is Kind.PORTFOLIO_PRO,
                    has_formula=has_formula(replies),
                )
            ),
        )
    wanted = wanted_products(products)
    config = None
    books: dict[Product, Book] = {}
    if Product.USDM in wanted:
        config = read_config(replies)
        books[Product.USDM] = _usdm_book(replies, config)
    elif has_config(replies):
        config = replace(read_config(replies), multi_assets=False)
    asked_for = products is not None or coin.is_told_in_part(replies)
    if Product.COINM in wanted and (asked_for or coin.is_readable(replies)):
        books[Product.COINM] = coin.read_book(replies)
    because = _why_torn(books)
    if because is not None:
        raise because
    return BinanceAccount(
        account=account,
        replies=replies,
        state=State(config=config, books=books),
        unread=unread_parts(replies, products),
    )


def _is_unified(config: Config, replies: Replies) -> bool:
    return config.multi_assets or is_credits(read_assets(replies)[0])


def _usdm_book(replies: Replies, config: Config) -> Book:
    unified = _is_unified(config, replies)
    assets, no_assets = read_assets(replies)
    positions, no_positions = read_positions(replies)
    sketches, no_sketches = read_sketches(replies)
    book = Book(
        product=Product.USDM,
        assets=assets,
        positions=positions,
        sketches=sketches,
        told_at=replies.get(calls.ACCOUNT).at,
        marked_at=replies.get(calls.POSITIONS).priced_at,
        totals=read_totals(replies) if unified else None,
        unread=(*no_assets, *no_positions, *no_sketches),
    )
    if not is_credits(book.assets):
        return book
    return replace(book, is_aggregated=is_aggregated(book, Rates(replies)))


def torn(replies: Replies) -> str | None:
    """
    Why wallet and position rows can't be of one moment; None where they may be.

    Of portfolio margin what its equity holds beside our sums stays until the next reading: beside
    moving prices it would be wrong by all that these moved between the replies.
    """
    try:
        if read_kind(replies) is not Kind.FUTURES:
            return _why_apart(replies)
        books = {}
        if all(replies.has(call) for call in USDM_CALLS):
            books[Product.USDM] = _usdm_book(replies, Config(hedge=False, multi_assets=False))
        if coin.is_readable(replies):
            books[Product.COINM] = coin.read_book(replies)
    except ExchangeError:
        return None
    because = _why_torn(books)
    return None if because is None else because.because


def _why_apart(replies: Replies) -> str | None:
    came = sorted(reply.at for reply in replies if reply.path in _OF_ONE_MOMENT)
    apart = came[-1] - came[0] if came else ONE_MOMENT
    if apart <= ONE_MOMENT:
        return None
    return f"the replies came {apart.total_seconds():.1f} s apart (prices move: read them again)"


def _why_torn(books: Mapping[Product, Book]) -> Malformed | None:
    """
    Wallet and position rows come by two calls; a trade between them makes a false pair.

    An account reply without any position is let pass: the rows then show the only position
    in full, at worst one that closed this very moment.
    """
    for book in books.values():
        unread = {each.symbol for each in book.unread}
        differing = [s for s in _differing(book.positions, book.sketches) if s not in unread]
        if differing:
            prefix = "dapi." if book.product is Product.COINM else ""
            return Malformed(
                f"{prefix}positionRisk",
                "the very positions of the account reply",
                f"others in {', '.join(differing)} (traded in between: read both again)",
            )
    return None


def _differing(
    positions: Mapping[PositionKey, PositionRow], sketches: Mapping[PositionKey, Sketch]
) -> list[str]:
    told = {key: row.amount for key, row in positions.items()}
    drawn = {key: sketch.amount for key, sketch in sketches.items()}
    if not drawn:
        return []
    return sorted({symbol for symbol, _ in dict(told.items() ^ drawn.items())})
