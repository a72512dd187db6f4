"""
Changed copies of a pool and its marks: a price moved, all of them, collateral added, less held.

Knows how the inputs hang together (floating collateral follows its coin); computes no ratio.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import MissingCollateral, MissingMark
from monitor.risk.collateral import price_of
from monitor.risk.model import ONE, ZERO, MarginMode, Mark
from monitor.risk.payoff import notional, unrealized_pnl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from monitor.risk.model import Collateral, MarginPool, Position


def moved(
    pool: MarginPool, marks: Mapping[str, Mark], symbol: str, price: Decimal
) -> tuple[MarginPool, Mapping[str, Mark]]:
    """
    The same with one symbol's mark at `price`, and with it collateral in the symbol's base coin.

    All else stays, other symbols of the same coin included.

    Raises:
        MissingMark: If the symbol has no mark to move from.
        ValueError: If the pool neither holds the symbol nor follows it; if `price` is not above 0.
    """
    mark = marks.get(symbol)
    if mark is None:
        raise MissingMark(symbol)
    base = base_coins(pool).get(symbol)
    if base is None:
        raise ValueError(f"pool {pool.id} holds nothing in {symbol}")
    factor = price / mark.price
    floated = tuple(_floated(c, base, symbol, factor) for c in pool.collateral)
    new_marks = {**marks, symbol: Mark(price=price, at=mark.at)}
    return replace(pool, collateral=floated), new_marks


def shifted(
    pool: MarginPool, marks: Mapping[str, Mark], fraction: Decimal
) -> tuple[MarginPool, Mapping[str, Mark]]:
    """
    The same with every mark, and so all floating collateral, changed by one fraction.

    Raises:
        ValueError: If `fraction` is −1 or below: no price would be left.
    """
    factor = ONE + fraction
    return pool, {s: Mark(price=m.price * factor, at=m.at) for s, m in marks.items()}


def shifted_coins(
    pool: MarginPool, marks: Mapping[str, Mark], fractions: Mapping[str, Decimal]
) -> tuple[MarginPool, Mapping[str, Mark]]:
    """
    The same with every mark of the named base coins, and collateral in them, changed.

    A contract that is quoted in such a coin (ETH in BTC) moves against it.

    Args:
        fractions: Base coin → the fraction by which its price changes; others stay.

    Raises:
        ValueError: If a fraction is −1 or below: no price would be left.
    """
    new_marks = dict(marks)
    quotes = {p.instrument.symbol: p.instrument.quote for p in pool.positions}
    for symbol, base in base_coins(pool).items():
        mark, quote = marks.get(symbol), quotes.get(symbol, "")
        if mark is not None and (base in fractions or quote in fractions):
            factor = (ONE + fractions.get(base, ZERO)) / (ONE + fractions.get(quote, ZERO))
            new_marks[symbol] = Mark(price=mark.price * factor, at=mark.at)
    return pool, new_marks


def shifted_each(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    symbols: Mapping[str, Decimal],
    coins: Mapping[str, Decimal],
) -> tuple[MarginPool, Mapping[str, Mark]]:
    """
    The same with the marks of the named symbols, and collateral in the named coins, changed.

    Args:
        symbols: Symbol → the fraction by which its mark changes; others stay.
        coins: Base coin → the fraction by which floating collateral in it changes, whatever
            the mark that it follows does; others stay.

    Raises:
        MissingMark: If a named symbol has no mark.
        ValueError: If a fraction is −1 or below: no price would be left.
    """
    new_marks = dict(marks)
    for symbol, fraction in symbols.items():
        if symbol not in marks:
            raise MissingMark(symbol)
        mark = marks[symbol]
        new_marks[symbol] = Mark(price=mark.price * (ONE + fraction), at=mark.at)
    floated = tuple(_floated_by(c, symbols, coins) for c in pool.collateral)
    if floated == pool.collateral:
        return pool, new_marks
    return replace(pool, collateral=floated), new_marks


def shifted_adversely(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    fraction: Decimal,
    *,
    with_collateral: bool = False,
) -> tuple[MarginPool, Mapping[str, Mark]]:
    """
    The same with every coin moved by `fraction` (not negative) the way that hurts: see `exposures`.

    Raises:
        MissingMark: If a position or floating collateral has no mark.
        ValueError: If `fraction` is 1 or above and a coin would fall.
    """
    directions = exposures(pool, marks, with_collateral=with_collateral)
    return shifted_coins(pool, marks, {b: -sign * fraction for b, sign in directions.items()})


def exposures(
    pool: MarginPool, marks: Mapping[str, Mark], *, with_collateral: bool = False
) -> Mapping[str, Decimal]:
    """
    Each base coin of the pool → +1 where a fall hurts (net long), −1 where a rise does.

    The sign is that of the coin's net notional, as `nets` has it, of its positions; a coin
    without any, or whose legs cancel out, goes by its collateral (a borrowed coin is short);
    where that is nothing either, by −1: maintenance margin grows with the mark.

    Args:
        with_collateral: Floating collateral counts beside the positions: a coin whose short
            is covered by more of it is net long.

    Raises:
        MissingMark, MissingCollateral: As `nets` does.
    """
    return {
        base: ONE if ((with_collateral and held + owned) or held or owned) > ZERO else -ONE
        for base, (held, owned) in nets(pool, marks).items()
    }


def nets(pool: MarginPool, marks: Mapping[str, Mark]) -> Mapping[str, tuple[Decimal, Decimal]]:
    """
    Each base coin of the pool → what is held and what is owned of it, signed, in the pool's unit.

    Held is the net notional of its positions at these marks (a contract quoted in a coin of the
    pool is the opposite of that coin, too), owned is what floating collateral in it is worth.

    Raises:
        MissingMark: If a position or floating collateral has no mark.
        MissingCollateral: If a position settles in an asset that the pool does not list.
    """
    held: dict[str, Decimal] = {}
    owned: dict[str, Decimal] = {}
    prices = {c.asset: price_of(c, marks) for c in pool.collateral}
    coins = frozenset(base_coins(pool).values())
    for position in pool.positions:
        base, signed = position.instrument.base, _signed_notional(position, marks, prices, pool)
        held[base] = held.get(base, ZERO) + signed
        if position.instrument.quote in coins:
            quote = position.instrument.quote
            held[quote] = held.get(quote, ZERO) - signed
    for collateral in pool.collateral:
        if collateral.follows is not None:
            base, amount = collateral.follows.base, collateral.balance * prices[collateral.asset]
            owned[base] = owned.get(base, ZERO) + amount
    return {b: (held.get(b, ZERO), owned.get(b, ZERO)) for b in (*held, *owned)}


def topped_up(pool: MarginPool, asset: str, amount: Decimal) -> MarginPool:
    """
    The pool with `amount` coins of `asset` added to its balance (taken away if negative).

    Raises:
        MissingCollateral: If the pool does not list the asset: its price is unknown.
    """
    if all(c.asset != asset for c in pool.collateral):
        raise MissingCollateral(asset, str(pool.id))
    return replace(
        pool,
        collateral=tuple(
            replace(c, balance=c.balance + amount) if c.asset == asset else c
            for c in pool.collateral
        ),
    )


def reduced(pool: MarginPool, position: Position, contracts: Decimal, mark: Mark) -> MarginPool:
    """
    The pool after closing `contracts` of one of its positions at the mark.

    The closed part's PnL is realised into the settle collateral, less the taker fee on its
    notional; a fee to close that was fixed at the opening shrinks with the size. Of an isolated
    pool all that (`released`) leaves for the wallet, and the same part of its margin with it.

    Raises:
        ValueError: If the pool does not hold the position, or not so many contracts of it.
        MissingCollateral: If the pool does not list the settle asset.
    """
    if position not in pool.positions:
        raise ValueError(f"pool {pool.id} does not hold this {position.instrument.symbol}")
    if not ZERO <= contracts <= position.contracts:
        raise ValueError(f"can't close {contracts} of {position.contracts} contracts")
    at = pool.positions.index(position)
    kept = _kept(position, position.contracts - contracts)
    smaller = replace(pool, positions=(*pool.positions[:at], *kept, *pool.positions[at + 1 :]))
    if pool.margin_mode is MarginMode.ISOLATED:
        left = ONE - contracts / position.contracts
        stays = tuple(replace(c, balance=c.balance * left) for c in pool.collateral)
        return replace(smaller, collateral=stays)
    realised = _realised(position, contracts, mark)
    return topped_up(smaller, position.instrument.settle, realised)


def released(pool: MarginPool, position: Position, contracts: Decimal, mark: Mark) -> Decimal:
    """
    The settle coins that closing so much takes out of an isolated pool, its fee paid.

    The closed part's margin and PnL: negative where the loss is more than that. Nothing leaves
    a cross pool. Interest aside, the margin goes in proportion to the size.

    Source: OKX help «Manual transfers in isolated mode» (with automatic transfers margin is
    «removed for closing positions»), 2024-08; Binance's and Bybit's isolated margin likewise.
    """
    if pool.margin_mode is not MarginMode.ISOLATED:
        return ZERO
    settle = position.instrument.settle
    margin = sum((c.balance for c in pool.collateral if c.asset == settle), ZERO)
    return margin * contracts / position.contracts + _realised(position, contracts, mark)


def base_coins(pool: MarginPool) -> Mapping[str, str]:
    """Every symbol whose mark the pool needs → its base coin."""
    followed = {c.follows.symbol: c.follows.base for c in pool.collateral if c.follows is not None}
    return followed | {p.instrument.symbol: p.instrument.base for p in pool.positions}


def _realised(position: Position, contracts: Decimal, mark: Mark) -> Decimal:
    """PnL of the closed part, less the taker fee on its notional."""
    fee = position.taker_fee_rate * notional(position, mark.price)
    return contracts / position.contracts * (unrealized_pnl(position, mark.price) - fee)


def _kept(position: Position, contracts: Decimal) -> tuple[Position, ...]:
    """What is left of a position; nothing at 0. The exchange's own figures no longer hold."""
    if contracts == ZERO:
        return ()
    fee = position.close_fee
    share = contracts / position.contracts
    smaller = replace(fee, fixed=fee.fixed * share)
    return (
        replace(
            position,
            contracts=contracts,
            close_fee=smaller,
            fixed_maintenance=position.fixed_maintenance * share,
            reported_liquidation_price=None,
            reported_maintenance_margin=None,
        ),
    )


def _floated(collateral: Collateral, base: str, symbol: str, factor: Decimal) -> Collateral:
    """Collateral in `base` that follows another symbol is repriced; all else needs no change."""
    follows = collateral.follows
    if follows is None or follows.base != base or follows.symbol == symbol:
        return collateral
    return replace(collateral, price=collateral.price * factor)


def _floated_by(
    collateral: Collateral, symbols: Mapping[str, Decimal], coins: Mapping[str, Decimal]
) -> Collateral:
    """Collateral that is to move otherwise than the mark that it follows is repriced."""
    follows = collateral.follows
    if follows is None:
        return collateral
    wanted, brings = coins.get(follows.base, ZERO), symbols.get(follows.symbol, ZERO)
    if wanted == brings:
        return collateral
    return replace(collateral, price=collateral.price * (ONE + wanted) / (ONE + brings))


def _signed_notional(
    position: Position,
    marks: Mapping[str, Mark],
    prices: Mapping[str, Decimal],
    pool: MarginPool,
) -> Decimal:
    instrument = position.instrument
    if instrument.symbol not in marks:
        raise MissingMark(instrument.symbol)
    if instrument.settle not in prices:
        raise MissingCollateral(instrument.settle, str(pool.id))
    amount = notional(position, marks[instrument.symbol].price)
    return position.side.sign * amount * prices[instrument.settle]
