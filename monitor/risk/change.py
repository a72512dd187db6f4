"""
Changes that a person supposes: money added, positions closed, prices moved, in that order.

Knows the pools of one account together; computes what changes, not what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.errors import MissingCollateral, MissingMark, WrongUsage
from monitor.risk.model import ONE, ZERO, MarginMode
from monitor.risk.path import Path
from monitor.risk.solve import move_along
from monitor.risk.what_if import base_coins, reduced, released, topped_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from monitor.risk.model import MarginPool, Mark, Position, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """`amount` coins put in (taken out if negative); `pool` by name, None: the only one."""

    asset: str
    amount: Decimal
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """
    A position closed at the mark: either a `share` of it (above 0, 1 is all) or `contracts`.

    `symbol` is the unified name or the exchange's own; `side` is needed where both are held.
    """

    symbol: str
    side: Side | None = None
    pool: str | None = None
    share: Decimal | None = None
    contracts: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    Prices changed by `fraction` (above −1) of themselves.

    A base coin moves every symbol of it and floating collateral in it. A symbol moves itself,
    and collateral in its coin where no move names the coin. None moves all that no other
    move names.
    """

    name: str | None
    fraction: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Applied in the order in which they stand here."""

    additions: tuple[Addition, ...] = ()
    closures: tuple[Closure, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    A pool and its marks. Of a changed one `liquidated_after` is the part of the price moves
    (0 to 1) after which the pool is liquidated; None where it lives to see them all.
    """

    pool: MarginPool
    marks: Mapping[str, Mark]
    liquidated_after: Decimal | None = None


def changed(books: Sequence[Book], changes: Changes) -> tuple[Book, ...]:
    """
    The books of an account after the changes: additions, then closures, then moves together.

    Raises:
        WrongUsage: If a change names what is not there, or does not say which of several.
        MissingMark: If a mark that it needs is unknown.
        MissingCollateral: If the only pool there is does not list the asset to add.
    """
    after = list(books)
    for addition in changes.additions:
        at = _pool_of(after, addition)
        pool = topped_up(after[at].pool, _asset(after[at].pool, addition.asset), addition.amount)
        after[at] = replace(after[at], pool=pool)
    for closure in changes.closures:
        at, position = _position_of(after, closure)
        after = _closed(after, at, position, closure)
    named = _named(after, changes.moves)
    return tuple(_moved(book, named) for book in after)


# --- additions


def _asset(pool: MarginPool, asset: str) -> str:
    """As the pool spells it."""
    known = (c.asset for c in pool.collateral)
    return next((name for name in known if name.casefold() == asset.casefold()), asset)


def _takes(pool: MarginPool, asset: str) -> bool:
    return any(c.asset.casefold() == asset.casefold() for c in pool.collateral)


def _is_called(pool: MarginPool, name: str | None) -> bool:
    return name is None or name.casefold() in (pool.id.name.casefold(), str(pool.id).casefold())


def _pool_of(books: Sequence[Book], addition: Addition) -> int:
    called = [n for n, book in enumerate(books) if _is_called(book.pool, addition.pool)]
    if not called:
        raise WrongUsage(f"there is no pool '{addition.pool}'; pools here: {_pools(books)}")
    found = [n for n in called if _takes(books[n].pool, addition.asset)]
    if not found and len(called) == 1:
        raise MissingCollateral(addition.asset, str(books[called[0]].pool.id))
    if len(found) > 1:
        crossed = [n for n in found if books[n].pool.margin_mode is MarginMode.CROSS]
        found = crossed or found
    if len(found) == 1:
        return found[0]
    asset = addition.asset
    if not found:
        takes = sorted({c.asset for book in books for c in book.pool.collateral})
        raise WrongUsage(f"no pool here takes {asset}; what is taken: {', '.join(takes)}")
    several = _pools([books[n] for n in found])
    raise WrongUsage(f"several pools take {asset}: say {asset}@POOL, of {several}")


def _pools(books: Sequence[Book]) -> str:
    return ", ".join(book.pool.id.name for book in books) or "none"


# --- closures


def _position_of(books: Sequence[Book], closure: Closure) -> tuple[int, Position]:
    held = [(n, p) for n, book in enumerate(books) for p in book.pool.positions]
    named = [(n, p) for n, p in held if _is_named(p, closure.symbol)]
    if not named:
        there = ", ".join(dict.fromkeys(p.instrument.exchange_symbol for _, p in held)) or "none"
        raise WrongUsage(f"'{closure.symbol}' is not held here; held are: {there}")
    found = [
        (n, p)
        for n, p in named
        if closure.side in (None, p.side) and _is_called(books[n].pool, closure.pool)
    ]
    if len(found) == 1:
        return found[0]
    ways = ", ".join(f"{closure.symbol}/{p.side.value}@{books[n].pool.id.name}" for n, p in named)
    if not found:
        raise WrongUsage(f"'{closure.symbol}' is not held so; held are: {ways}")
    raise WrongUsage(f"'{closure.symbol}' is held more than once: say which of {ways}")


def _is_named(position: Position, word: str) -> bool:
    instrument = position.instrument
    names = (instrument.symbol.casefold(), instrument.exchange_symbol.casefold())
    return word.casefold() in names


def _closed(books: Sequence[Book], at: int, position: Position, closure: Closure) -> list[Book]:
    """What an isolated pool gives back goes to the cross pool that takes it, if there is one."""
    book = books[at]
    contracts = closure.contracts
    if contracts is None:
        contracts = position.contracts * (ONE if closure.share is None else closure.share)
    if contracts > position.contracts:
        raise WrongUsage(
            f"'{closure.symbol}': {contracts} contracts can't be closed, "
            f"{position.contracts} are held"
        )
    mark = book.marks.get(position.instrument.symbol)
    if mark is None:
        raise MissingMark(position.instrument.symbol)
    after = list(books)
    after[at] = replace(book, pool=reduced(book.pool, position, contracts, mark))
    settle, back = position.instrument.settle, released(book.pool, position, contracts, mark)
    crossed = [
        n
        for n, other in enumerate(books)
        if other.pool.margin_mode is MarginMode.CROSS and _takes(other.pool, settle)
    ]
    if back != ZERO and len(crossed) == 1:
        pool = topped_up(after[crossed[0]].pool, settle, back)
        after[crossed[0]] = replace(after[crossed[0]], pool=pool)
    return after


# --- moves


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The moves by what they name: symbols in their unified spelling."""

    symbols: Mapping[str, Decimal]
    coins: Mapping[str, Decimal]
    rest: Decimal

    def of_symbol(self, symbol: str, base: str) -> Decimal:
        return self.symbols.get(symbol, self.coins.get(base, self.rest))

    def of_coin(self, base: str, follows: str, symbols_of_coin: Sequence[str]) -> Decimal:
        """Floating collateral goes with its coin, else with a symbol of it that moves."""
        if base in self.coins:
            return self.coins[base]
        candidates = (s for s in (follows, *symbols_of_coin) if s in self.symbols)
        return next((self.symbols[s] for s in candidates), self.rest)


def _named(books: Sequence[Book], moves: Sequence[Move]) -> _Named:
    bases: dict[str, str] = {}
    for book in books:
        bases |= base_coins(book.pool)
    spelt = {symbol.casefold(): symbol for symbol in bases}
    spelt |= {
        p.instrument.exchange_symbol.casefold(): p.instrument.symbol
        for book in books
        for p in book.pool.positions
    }
    coins = {base.casefold(): base for base in bases.values()}
    found_symbols: dict[str, Decimal] = {}
    found_coins: dict[str, Decimal] = {}
    rest = ZERO
    for move in moves:
        word = None if move.name is None else move.name.casefold()
        if word is None:
            rest = move.fraction
        elif word in coins:
            found_coins[coins[word]] = move.fraction
        elif word in spelt:
            found_symbols[spelt[word]] = move.fraction
        else:
            there = ", ".join(sorted({*coins.values(), *bases})) or "nothing"
            raise WrongUsage(f"'{move.name}' has no price here; what moves: {there}")
    return _Named(symbols=found_symbols, coins=found_coins, rest=rest)


def _moved(book: Book, named: _Named) -> Book:
    bases = base_coins(book.pool)
    symbols = {symbol: named.of_symbol(symbol, base) for symbol, base in bases.items()}
    coins = {
        c.follows.base: named.of_coin(
            c.follows.base,
            c.follows.symbol,
            [symbol for symbol, base in bases.items() if base == c.follows.base],
        )
        for c in book.pool.collateral
        if c.follows is not None
    }
    quotes = _quotes(book, named, bases)
    if not any((*symbols.values(), *coins.values(), *quotes.values())):
        return book
    path = Path(pool=book.pool, marks=book.marks, rates=symbols, coins=coins, quotes=quotes)
    end = move_along(path)
    pool, marks = path.after(ONE)
    is_over = end is not None and end <= ONE
    return Book(pool=pool, marks=marks, liquidated_after=end if is_over else None)


def _quotes(book: Book, named: _Named, bases: Mapping[str, str]) -> Mapping[str, Decimal]:
    """Contracts quoted in a coin that moves, unless they are moved by their own name."""
    moving = dict.fromkeys(bases.values(), named.rest) | dict(named.coins)
    quoted = {p.instrument.symbol: p.instrument.quote for p in book.pool.positions}
    return {
        symbol: moving[quote]
        for symbol, quote in quoted.items()
        if symbol not in named.symbols and moving.get(quote, ZERO) != ZERO
    }
