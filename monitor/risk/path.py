"""
The ways that marks can go, and the places along each where slack may jump or bend upwards.

Knows how prices, amounts and notionals run along a path; computes no ratio and no root.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import MissingMark
from monitor.risk.model import ONE, ZERO, Payoff, Side, TierMeasure
from monitor.risk.payoff import notional, unrealized_pnl
from monitor.risk.tiers import rough_edges
from monitor.risk.what_if import base_coins, shifted_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.risk.model import Collateral, MarginPool, Mark, Position

_FOUR = Decimal(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """
    One way for marks to go: after a move m ≥ 0 each stands at (1 + rate × m) of its present.

    `rates` by symbol, `coins` by base coin for floating collateral; what is not named stays.
    `quotes` names symbols that are quoted in a moving coin, with that coin's rate: their marks
    are divided by it.
    """

    pool: MarginPool
    marks: Mapping[str, Mark]
    rates: Mapping[str, Decimal]
    coins: Mapping[str, Decimal]
    quotes: Mapping[str, Decimal] = field(default_factory=dict)

    def after(self, move: Decimal) -> tuple[MarginPool, Mapping[str, Mark]]:
        """The pool and its marks so far along the path."""
        return shifted_each(
            self.pool,
            self.marks,
            {symbol: self._fraction(symbol, rate, move) for symbol, rate in self.rates.items()},
            {coin: rate * move for coin, rate in self.coins.items()},
        )

    def _fraction(self, symbol: str, rate: Decimal, move: Decimal) -> Decimal:
        """By how much a symbol's mark has changed after the move."""
        if symbol not in self.quotes:
            return rate * move
        return (ONE + rate * move) / (ONE + self.quotes[symbol] * move) - ONE

    @property
    def speed(self) -> Decimal:
        """
        The rate of the fastest fall; where nothing falls, of the fastest rise.

        A path on which a price falls ends at a move of −1 ÷ speed.
        """
        slowest = min(self.rates.values(), default=ONE)
        return slowest if slowest < ZERO else max(self.rates.values(), default=ONE) or ONE


def of_symbol(pool: MarginPool, marks: Mapping[str, Mark], symbol: str, rate: Decimal) -> Path:
    """One symbol's mark moves, and with it collateral in its base coin; all else stays."""
    base = base_coins(pool)[symbol]
    return Path(pool=pool, marks=marks, rates={symbol: rate}, coins={base: rate})


def of_coins(pool: MarginPool, marks: Mapping[str, Mark], rates: Mapping[str, Decimal]) -> Path:
    """
    Every symbol of the named base coins moves, and collateral in them; all else stays.

    A contract quoted in one of them (ETH in BTC) moves by its base coin against that one.
    """
    quoted = {p.instrument.symbol: p.instrument.quote for p in pool.positions}
    quotes = {symbol: rates[quote] for symbol, quote in quoted.items() if quote in rates}
    symbols = {
        symbol: rates.get(base, ZERO)
        for symbol, base in base_coins(pool).items()
        if base in rates or symbol in quotes
    }
    return Path(pool=pool, marks=marks, rates=symbols, coins=rates, quotes=quotes)


def rough_moves(path: Path) -> Iterator[Decimal]:
    """
    The moves ahead at which slack may jump, or bend upwards, in no order.

    Between two of them it is concave, in the move or in the reciprocal of the price, unless
    `is_curved` says otherwise: notionals and PnL run straight, haircuts, tiers that deduct and
    a debt that begins bend slack downwards only. Tiers by contracts don't change on the way.
    """
    for curve, levels in (*_amounts(path), *_notionals(path), *_group_notionals(path)):
        for level in levels:
            yield from (move for move in curve.meets(level) if move > ZERO)


def is_curved(path: Path) -> bool:
    """
    Whether slack may curve upwards between two rough places, so that both ends don't tell all.

    It does where straight and reciprocal terms meet (an inverse contract whose coin stands
    still), where a price multiplies another (PnL in a coin that floats) or divides it (a
    contract quoted in a coin that moves) and where legs of one tier group move apart.
    """
    if path.quotes:
        return True
    straight, reciprocal = False, set[Decimal]()
    prices = {c.asset: _price_rate(path, c) for c in path.pool.collateral}
    for position in path.pool.positions:
        rate, price = _rate(path, position), prices.get(position.instrument.settle, ZERO)
        if rate == ZERO:
            continue
        if position.instrument.payoff is Payoff.LINEAR:
            if price != ZERO:
                return True
            straight = True
        elif price == ZERO:
            reciprocal.add(rate)
        elif price != rate:
            return True
    straight = straight or any(prices.values()) or any(_carried_rates(path))
    return len(reciprocal) + straight > 1 or _groups_part(path)


def _carried_rates(path: Path) -> Iterator[Decimal]:
    """The rates of the marks that carried margin goes by; its assets' prices are others'."""
    for carried in path.pool.carried_margins:
        if carried.symbol is not None:
            yield path.rates.get(carried.symbol, ZERO)


def _groups_part(path: Path) -> bool:
    found: dict[str, Decimal] = {}
    for position in path.pool.positions:
        table = position.tiers
        if table is None or table.group is None or table.measured_in is TierMeasure.CONTRACTS:
            continue
        rate = _rate(path, position)
        if found.setdefault(table.group, rate) != rate:
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """constant + slope × m + Σ coefficient ÷ (1 + rate × m) over `reciprocal`."""

    constant: Decimal
    slope: Decimal
    reciprocal: Mapping[Decimal, Decimal]

    def __add__(self, other: _Curve) -> _Curve:
        both = dict(self.reciprocal)
        for rate, coefficient in other.reciprocal.items():
            both[rate] = both.get(rate, ZERO) + coefficient
        return _Curve(
            constant=self.constant + other.constant,
            slope=self.slope + other.slope,
            reciprocal=both,
        )

    def times(self, factor: Decimal) -> _Curve:
        return _Curve(
            constant=factor * self.constant,
            slope=factor * self.slope,
            reciprocal={rate: factor * c for rate, c in self.reciprocal.items()},
        )

    def meets(self, level: Decimal) -> tuple[Decimal, ...]:
        """
        The moves at which it takes this value.

        Inverse contracts settle in their own coin, so no amount or group has two reciprocal
        rates; one that had would be found curved (`is_curved`) and is not solved here.
        """
        gap = self.constant - level
        terms = [(rate, c) for rate, c in self.reciprocal.items() if c != ZERO]
        if not terms:
            return _roots(ZERO, self.slope, gap)
        if len(terms) > 1:
            return ()
        ((rate, coefficient),) = terms
        return _roots(self.slope * rate, self.slope + gap * rate, gap + coefficient)


def _roots(square: Decimal, line: Decimal, constant: Decimal) -> tuple[Decimal, ...]:
    """Where square × m² + line × m + constant is 0."""
    if square == ZERO:
        return () if line == ZERO else (-constant / line,)
    inside = line * line - _FOUR * square * constant
    if inside < ZERO:
        return ()
    q = -(line + inside.sqrt().copy_sign(line)) / 2
    return (q / square,) if q == ZERO else (q / square, constant / q)


_Levels = tuple[_Curve, tuple[Decimal, ...]]


def _amounts(path: Path) -> Iterator[_Levels]:
    """Per asset its coins along the path, and those amounts at which it turns rough."""
    for collateral in path.pool.collateral:
        levels = tuple(rough_amounts(collateral))
        settled = [
            p
            for p in path.pool.positions
            if p.instrument.settle == collateral.asset and _rate(path, p) != ZERO
        ]
        if levels and settled:
            yield _amount(path, collateral), levels


def rough_amounts(collateral: Collateral) -> Iterator[Decimal]:
    """The coins at which its worth bends upwards or its debt's margin begins, jumps or eases."""
    steps = collateral.haircuts
    counted = [(ONE - step.haircut) * collateral.rate_if_positive for step in steps]
    below, edges = collateral.rate_if_negative, [ZERO, *(s.up_to for s in steps)]
    rest = ZERO if steps else collateral.rate_if_positive
    for edge, above in zip(edges, [*counted, rest], strict=True):
        if edge is not None and above > below:
            yield edge
        below = above
    borrow = collateral.borrow
    if borrow is not None:
        edges_owed = (edge for edge in rough_edges(borrow.tiers) if edge > borrow.loan)
        yield from (-owed - borrow.beside for owed in (borrow.loan, *edges_owed))


def _amount(path: Path, collateral: Collateral) -> _Curve:
    total = _Curve(constant=collateral.balance, slope=ZERO, reciprocal={})
    for position in path.pool.positions:
        if position.instrument.settle == collateral.asset:
            total += _pnl(path, position)
    return total


def _notionals(path: Path) -> Iterator[_Levels]:
    """Legs that are tiered alone and by notional."""
    for position in path.pool.positions:
        table = position.tiers
        if table is None or table.group is not None or table.measured_in is TierMeasure.CONTRACTS:
            continue
        edges = tuple(rough_edges(table))
        if edges and _rate(path, position) != ZERO:
            yield _notional(path, position), edges


def _group_notionals(path: Path) -> Iterator[_Levels]:
    """Each side of each tier group that is measured by notional; the larger one is tiered."""
    sums: dict[tuple[str, Side], _Curve] = {}
    edges: dict[str, set[Decimal]] = {}
    for position in path.pool.positions:
        table = position.tiers
        if table is None or table.group is None or table.measured_in is TierMeasure.CONTRACTS:
            continue
        key, curve = (table.group, position.side), _notional(path, position)
        sums[key] = sums[key] + curve if key in sums else curve
        edges.setdefault(table.group, set()).update(rough_edges(table))
    for (group, _), curve in sums.items():
        yield curve, tuple(edges[group])


def _rate(path: Path, position: Position) -> Decimal:
    return path.rates.get(position.instrument.symbol, ZERO)


def _price_rate(path: Path, collateral: Collateral) -> Decimal:
    follows = collateral.follows
    return ZERO if follows is None else path.coins.get(follows.base, ZERO)


def _notional(path: Path, position: Position) -> _Curve:
    rate, now = _rate(path, position), notional(position, _mark(path, position))
    if position.instrument.payoff is Payoff.LINEAR or rate == ZERO:
        return _Curve(constant=now, slope=now * rate, reciprocal={})
    return _Curve(constant=ZERO, slope=ZERO, reciprocal={rate: now})


def _pnl(path: Path, position: Position) -> _Curve:
    """PnL runs along with the signed notional, or against it where the contract is inverse."""
    mark = _mark(path, position)
    sign = position.side.sign
    sign = sign if position.instrument.payoff is Payoff.LINEAR else -sign
    now = unrealized_pnl(position, mark) - sign * notional(position, mark)
    return _notional(path, position).times(sign) + _Curve(constant=now, slope=ZERO, reciprocal={})


def _mark(path: Path, position: Position) -> Decimal:
    mark = path.marks.get(position.instrument.symbol)
    if mark is None:
        raise MissingMark(position.instrument.symbol)
    return mark.price
