"""
Where it ends: the prices and moves at which a pool stands at an asked margin ratio.

Every answer is a root of `evaluate` along a path of changed marks; there is no second
formula. Slack (ratio × balance − maintenance) is concave along such a path, in the price for
linear contracts and in 1 ÷ price for inverse ones, so it has at most one root on each side
of today; except where a rate applies to a whole notional and maintenance jumps at a tier's
edge: those edges (of positions tiered alone) are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import MissingMark
from monitor.risk.evaluate import evaluate, requirement
from monitor.risk.model import ONE, ZERO, Payoff, TierMeasure
from monitor.risk.payoff import notional
from monitor.risk.result import LiquidationPrices, Outlook
from monitor.risk.what_if import base_coins, exposures, moved, shifted, shifted_coins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from monitor.risk.model import MarginPool, Mark, Position, TierTable
    from monitor.risk.result import Requirement

# Factors of the marks at which the outward search looks. Beyond the last ones lies no price.
_FALLS = tuple(Decimal(f) for f in ("0.875", "0.5", "0.125", "0.001", "1e-12"))
_RISES = tuple(Decimal(f) for f in ("1.125", "2", "64", "1e6", "1e18"))
_CLOSE = Decimal("1e-18")  # relative width at which a bracket counts as its root
_NOTHING = Decimal("1e-22")  # slack that counts as none, in parts of the slack that there was
_BESIDE = Decimal("1e-15")  # how far from a tier's edge, on either side, slack is looked at
_MOST_STEPS = 400  # every third step at least halves: twice what the widest bracket needs


def liquidation_prices(
    pool: MarginPool, marks: Mapping[str, Mark], symbol: str, at_ratio: Decimal = ONE
) -> LiquidationPrices:
    """
    Where this symbol's mark alone brings the pool to `at_ratio` (1 = liquidation).

    Collateral in the symbol's base coin moves along; all else stays. A pool that already
    stands there, or beyond, is told by nearest = the present mark, distance 0, other None.
    Prices hold to 15 digits; at a jump the answer is the edge. Prices above 10¹⁸ times the
    mark or below its 10⁻¹²th part count as none.

    Raises:
        MissingMark: If a position or floating collateral has no mark.
        MissingCollateral: If a position settles in an asset that the pool does not list.
        ValueError: If the pool neither holds the symbol nor follows it.
    """
    return _liquidation(pool, marks, symbol, at_ratio, requirement(pool, marks))


def uniform_move(pool: MarginPool, marks: Mapping[str, Mark]) -> Decimal | None:
    """
    The nearest common move of all marks and floating collateral that liquidates the pool.

    A fraction, negative for a fall; None where no common move does, 0 where the pool already
    stands there. Of a book that ends both ways it is the nearer way.

    Raises:
        MissingMark, MissingCollateral: As `liquidation_prices` does.
    """
    return _uniform(pool, marks, requirement(pool, marks))


def adverse_move(pool: MarginPool, marks: Mapping[str, Mark]) -> Decimal | None:
    """
    The one fraction by which net longs fall and net shorts rise until the pool is liquidated.

    Given as the fall, so never above 0; which coin goes which way is `what_if.exposures`'
    answer at the present marks. None where no such move does, 0 where the pool already
    stands there. Below −1 only in a pool in which every coin rises.

    Raises:
        MissingMark, MissingCollateral: As `liquidation_prices` does.
    """
    return _adverse(pool, marks, requirement(pool, marks))


def outlook(pool: MarginPool, marks: Mapping[str, Mark], at: datetime) -> Outlook:
    """
    How far the end is for every symbol held, for all marks together and for the adverse move.

    Raises:
        MissingMark, MissingCollateral: As `liquidation_prices` does.
    """
    standing = evaluate(pool, marks, at).requirement
    held = dict.fromkeys(p.instrument.symbol for p in pool.positions)
    return Outlook(
        liquidation={s: _liquidation(pool, marks, s, ONE, standing) for s in held},
        uniform_move=_uniform(pool, marks, standing),
        adverse_move=_adverse(pool, marks, standing),
    )


def _liquidation(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    symbol: str,
    at_ratio: Decimal,
    standing: Requirement,
) -> LiquidationPrices:
    mark = _mark_of(pool, marks, symbol).price

    def way(sign: Decimal) -> _Path:
        return _Path(
            signs={symbol: sign},
            after=lambda move: moved(pool, marks, symbol, mark * (ONE + sign * move)),
        )

    moves = (*_both_ways(pool, marks, at_ratio, standing, way), None, None)
    nearest, other = moves[0], moves[1]
    return LiquidationPrices(
        symbol=symbol,
        nearest=None if nearest is None else mark * (ONE + nearest),
        other=None if other is None else mark * (ONE + other),
        distance=nearest,
    )


def _uniform(pool: MarginPool, marks: Mapping[str, Mark], standing: Requirement) -> Decimal | None:
    def way(sign: Decimal) -> _Path:
        return _Path(
            signs=dict.fromkeys(pool.symbols(), sign),
            after=lambda move: shifted(pool, marks, sign * move),
        )

    moves = _both_ways(pool, marks, ONE, standing, way)
    return moves[0] if moves else None


def _adverse(pool: MarginPool, marks: Mapping[str, Mark], standing: Requirement) -> Decimal | None:
    if standing.reaches(ONE):
        return ZERO
    signs = {coin: -sign for coin, sign in exposures(pool, marks).items()}
    path = _Path(
        signs={symbol: signs[base] for symbol, base in base_coins(pool).items()},
        after=lambda move: shifted_coins(
            pool, marks, {coin: sign * move for coin, sign in signs.items()}
        ),
    )
    move = _first_move(pool, marks, ONE, standing, path)
    return None if move is None else -move


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """One way for marks to go: `after` a move of so much, each symbol up (+1) or down (−1)."""

    signs: Mapping[str, Decimal]
    after: Callable[[Decimal], tuple[MarginPool, Mapping[str, Mark]]]

    @property
    def sign(self) -> Decimal:
        """−1 where a price falls: such a path ends at a move of 1."""
        return min(self.signs.values(), default=ONE)


def _both_ways(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    at_ratio: Decimal,
    standing: Requirement,
    way: Callable[[Decimal], _Path],
) -> tuple[Decimal, ...]:
    """The signed moves, nearest first, at which the ratio is reached; just 0 if it is now."""
    if standing.reaches(at_ratio):
        return (ZERO,)
    found = (
        (sign, _first_move(pool, marks, at_ratio, standing, way(sign))) for sign in (-ONE, ONE)
    )
    return tuple(sorted((sign * move for sign, move in found if move is not None), key=abs))


def _first_move(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    at_ratio: Decimal,
    standing: Requirement,
    path: _Path,
) -> Decimal | None:
    """The least move along the path that reaches the ratio, None where none does."""
    sign = path.sign

    def slack(factor: Decimal) -> Decimal:
        return _slack(requirement(*path.after(sign * (factor - ONE))), at_ratio)

    inner, slack_inner = ONE, _slack(standing, at_ratio)
    if slack_inner <= ZERO or not _holds_anything(pool):
        return None  # a debt that nothing is held against: nothing is liquidated
    for outer in _stops(pool, marks, path):
        slack_outer = slack(outer)
        if slack_outer <= ZERO:
            return sign * (_crossing(slack, inner, slack_inner, outer, slack_outer) - ONE)
        inner, slack_inner = outer, slack_outer
    return None


def _holds_anything(pool: MarginPool) -> bool:
    """Whether the exchange holds a requirement against the pool, or may come to."""
    charged = any(c.borrow is not None for c in pool.collateral)
    return charged or bool(pool.positions or pool.other_maintenance)


def _slack(after: Requirement, at_ratio: Decimal) -> Decimal:
    return at_ratio * after.margin_balance - after.maintenance_margin


def _mark_of(pool: MarginPool, marks: Mapping[str, Mark], symbol: str) -> Mark:
    if symbol not in base_coins(pool):
        raise ValueError(f"pool {pool.id} holds nothing in {symbol}")
    if symbol not in marks:
        raise MissingMark(symbol)
    return marks[symbol]


def _crossing(
    slack: Callable[[Decimal], Decimal],
    inner: Decimal,
    slack_inner: Decimal,
    outer: Decimal,
    slack_outer: Decimal,
) -> Decimal:
    """
    The factor at which slack, above 0 at `inner` and not at `outer`, runs out.

    False position with the Illinois weights; a bracket that did not halve in three steps is
    halved outright, so a jump is found as well: the answer is then its safe side.
    """
    nothing = _NOTHING * slack_inner
    stayed, width = ZERO, abs(outer - inner)
    for step in range(1, _MOST_STEPS):
        if abs(outer - inner) <= _CLOSE * min(inner, outer):
            break
        guess = inner + (outer - inner) * slack_inner / (slack_inner - slack_outer)
        if step % 3 == 0:
            if abs(outer - inner) * 2 > width:
                guess = (inner + outer) / 2
            width = abs(outer - inner)
        found = slack(guess)
        if abs(found) <= nothing:
            return guess
        if found > ZERO:
            inner, slack_inner = guess, found
            slack_outer = slack_outer / 2 if stayed > ZERO else slack_outer
        else:
            outer, slack_outer = guess, found
            slack_inner = slack_inner / 2 if stayed < ZERO else slack_inner
        stayed = found
    return inner


def _stops(pool: MarginPool, marks: Mapping[str, Mark], path: _Path) -> list[Decimal]:
    """The factors at which to look on the way out, nearest first: both sides of each jump too."""
    sign = path.sign
    last = _FALLS[-1] if sign < ZERO else _RISES[-1]
    jumps = {
        factor * (ONE + beside)
        for position in pool.positions
        for move in _jumps(position, marks, path)
        if (factor := ONE + sign * move) > ZERO
        for beside in (-_BESIDE, _BESIDE)
    }
    within = {f for f in jumps if min(ONE, last) < f < max(ONE, last)}
    return sorted({*(_FALLS if sign < ZERO else _RISES), *within}, reverse=sign < ZERO)


def _jumps(position: Position, marks: Mapping[str, Mark], path: _Path) -> Iterator[Decimal]:
    """The moves ahead at which this position's notional crosses an edge where its rate jumps."""
    sign, table = path.signs.get(position.instrument.symbol), position.tiers
    if sign is None or table is None or table.measured_in is not TierMeasure.NOTIONAL:
        return
    now = notional(position, marks[position.instrument.symbol].price)
    for edge in jumping_edges(table):
        inverse = position.instrument.payoff is Payoff.INVERSE
        move = sign * ((now / edge if inverse else edge / now) - ONE)
        if move > ZERO:
            yield move


def jumping_edges(table: TierTable) -> Iterator[Decimal]:
    """The tier edges at which maintenance is not continuous, for want of a deduction."""
    for lower, upper in zip(table.tiers, table.tiers[1:], strict=False):
        step = (upper.maintenance_rate - lower.maintenance_rate) * upper.floor
        if step != upper.deduction - lower.deduction:
            yield upper.floor
