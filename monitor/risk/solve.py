"""
Where it ends: the prices and moves at which a pool stands at an asked margin ratio.

Every answer is a root of `evaluate` along a path of changed marks; there is no second
formula. Between the rough places that `path` names (edges at which a rate jumps, debts that
begin, haircuts that fall) slack, ratio × balance − maintenance, is concave: a stretch whose
both ends have some left has some everywhere, and one whose far end has none holds one root.
So looking at every rough place, from both sides and in their order, finds the nearest root of
however many there are. Where slack may curve upwards in between (`path.is_curved`, pools that
no exchange has) its least value in each stretch is searched for as well.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.errors import MissingMark
from monitor.risk.evaluate import evaluate, requirement
from monitor.risk.model import ONE, ZERO
from monitor.risk.path import Path, is_curved, of_coins, of_symbol, rough_moves
from monitor.risk.result import LiquidationPrices, Outlook
from monitor.risk.what_if import base_coins, exposures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from monitor.risk.model import MarginPool, Mark
    from monitor.risk.result import Requirement

    Slack = Callable[[Decimal], Decimal]

# Factors of the marks at which the outward search looks. Beyond the last ones lies no price.
_FALLS = tuple(Decimal(f) for f in ("0.875", "0.5", "0.125", "0.001", "1e-12"))
_RISES = tuple(Decimal(f) for f in ("1.125", "2", "64", "1e6", "1e18"))
_CLOSE = Decimal("1e-18")  # relative width at which a bracket counts as its root
_NOTHING = Decimal("1e-22")  # slack that counts as none, in parts of the slack that there was
_BESIDE = Decimal("1e-15")  # how far from a rough place, on either side, slack is looked at
_MOST_STEPS = 400  # every third step at least halves: twice what the widest bracket needs
_SAMPLES = 16  # looks into a stretch that may curve upwards
_NARROW = Decimal("1e-9")  # a stretch below this width can't curve
_CUT = Decimal("0.618")
_CUTS = 60  # each leaves 62 % of the stretch in which the least lies


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


def move_along(path: Path, at_ratio: Decimal = ONE) -> Decimal | None:
    """
    The least move along a path that brings its pool to `at_ratio`; 0 where it stands there now.

    None where none does. Raises as `liquidation_prices` does.
    """
    standing = requirement(path.pool, path.marks)
    return ZERO if standing.reaches(at_ratio) else _first_move(path, at_ratio, standing)


def least_slack(path: Path, until: Decimal) -> Decimal:
    """
    The least headroom on the way to a move of `until`, in the pool's unit; the start left out.

    Never below 0 where nothing is held against the pool.

    Raises:
        MissingMark, MissingCollateral: As `liquidation_prices` does.
        ValueError: If the move leaves no price.
    """
    slack = _slack_along(path, ONE)
    return min(slack(factor) for factor in _looks(path, slack, (ONE + path.speed * until,)))


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
    moves = _both_ways(lambda rate: of_symbol(pool, marks, symbol, rate), at_ratio, standing)
    nearest, other = (*moves, None, None)[:2]
    return LiquidationPrices(
        symbol=symbol,
        nearest=None if nearest is None else mark * (ONE + nearest),
        other=None if other is None else mark * (ONE + other),
        distance=nearest,
    )


def _uniform(pool: MarginPool, marks: Mapping[str, Mark], standing: Requirement) -> Decimal | None:
    coins = base_coins(pool).values()
    moves = _both_ways(
        lambda rate: of_coins(pool, marks, dict.fromkeys(coins, rate)), ONE, standing
    )
    return moves[0] if moves else None


def _adverse(pool: MarginPool, marks: Mapping[str, Mark], standing: Requirement) -> Decimal | None:
    if standing.reaches(ONE):
        return ZERO
    found = (_first_move(path, ONE, standing) for path in adverse_paths(pool, marks))
    move = min((each for each in found if each is not None), default=None)
    return None if move is None else -move


def adverse_paths(pool: MarginPool, marks: Mapping[str, Mark]) -> tuple[Path, ...]:
    """
    Net longs fall and net shorts rise, all by one fraction: one path, or two.

    By the positions, and, where that turns a coin round, by positions and collateral
    together: more Bitcoin lying in the pool than its contracts are short is hurt by a fall.
    Raises as `adverse_move` does.
    """
    ways = [
        {coin: -sign for coin, sign in exposures(pool, marks, with_collateral=counted).items()}
        for counted in (False, True)
    ]
    return tuple(of_coins(pool, marks, way) for way in ways[: 1 if ways[0] == ways[1] else 2])


def _both_ways(
    way: Callable[[Decimal], Path], at_ratio: Decimal, standing: Requirement
) -> tuple[Decimal, ...]:
    """The signed moves, nearest first, at which the ratio is reached; just 0 if it is now."""
    if standing.reaches(at_ratio):
        return (ZERO,)
    found = ((sign, _first_move(way(sign), at_ratio, standing)) for sign in (-ONE, ONE))
    return tuple(sorted((sign * move for sign, move in found if move is not None), key=abs))


def _first_move(path: Path, at_ratio: Decimal, standing: Requirement) -> Decimal | None:
    """The least move along the path that reaches the ratio, None where none does."""
    if not _holds_anything(path.pool):
        return None  # a debt that nothing is held against: nothing is liquidated
    slack = _slack_along(path, at_ratio)
    inner, slack_inner = ONE, _slack(standing, at_ratio)
    if slack_inner <= ZERO:
        return ZERO  # a requirement below 0 is never reached, and yet nothing is left
    for outer in _looks(path, slack, _FALLS if path.speed < ZERO else _RISES):
        slack_outer = slack(outer)
        if slack_outer <= ZERO:
            factor = _crossing(slack, inner, slack_inner, outer, slack_outer)
            return (factor - ONE) / path.speed
        inner, slack_inner = outer, slack_outer
    return None


def _holds_anything(pool: MarginPool) -> bool:
    """Whether the exchange holds a requirement against the pool, or may come to."""
    charged = any(c.borrow is not None for c in pool.collateral)
    carried = pool.other_maintenance or pool.carried_margins
    return charged or bool(pool.positions or carried)


def _slack_along(path: Path, at_ratio: Decimal) -> Slack:
    """Slack by the factor of the fastest fall (or rise) along the path."""

    def slack(factor: Decimal) -> Decimal:
        return _slack(requirement(*path.after((factor - ONE) / path.speed)), at_ratio)

    return slack


def _slack(after: Requirement, at_ratio: Decimal) -> Decimal:
    """Not above 0 where the ratio is reached: never where nothing is held against the pool."""
    slack = at_ratio * after.margin_balance - after.maintenance_margin
    return slack if after.maintenance_margin != ZERO else max(slack, ONE)


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


def _looks(path: Path, slack: Slack, steps: tuple[Decimal, ...]) -> list[Decimal]:
    """The factors at which to look on the way out, nearest first: both sides of rough places."""
    falls = path.speed < ZERO
    looks = sorted({*steps, *_rough_factors(path, steps[-1])}, reverse=falls)
    if not is_curved(path):
        return looks
    sampled = [f for inner, outer in pairwise((ONE, *looks)) for f in _between(inner, outer)]
    looks = sorted({*looks, *sampled}, reverse=falls)
    way = [ONE, *looks]
    found = [slack(factor) for factor in way]
    dips = {
        _lowest(slack, way[n - 1], way[n + 1])
        for n in range(1, len(way) - 1)
        if found[n] <= min(found[n - 1], found[n + 1])
    }
    # Beside either end there is no third look that would show a dip.
    dips |= {_lowest(slack, *way[:2]), _lowest(slack, *way[-2:])}
    return sorted({*looks, *dips}, reverse=falls)


def _between(inner: Decimal, outer: Decimal) -> Iterator[Decimal]:
    """Factors inside a stretch, evenly by ratio; none where it is too narrow to hide anything."""
    if abs(outer - inner) > _NARROW * inner:
        step = (outer / inner) ** (ONE / _SAMPLES)
        yield from (inner * step**n for n in range(1, _SAMPLES))


def _lowest(slack: Slack, inner: Decimal, outer: Decimal) -> Decimal:
    """About where slack is least in a stretch in which it falls and then rises."""
    for _ in range(_CUTS):
        one, other = (outer - (outer - inner) * _CUT, inner + (outer - inner) * _CUT)
        inner, outer = (inner, other) if slack(one) <= slack(other) else (one, outer)
    return (inner + outer) / 2


def _rough_factors(path: Path, last: Decimal) -> set[Decimal]:
    """The factors on both sides of each rough place between today and `last`."""
    found = {
        factor * (ONE + beside)
        for move in rough_moves(path)
        if (factor := ONE + path.speed * move) > ZERO
        for beside in (-_BESIDE, _BESIDE)
    }
    return {f for f in found if min(ONE, last) < f < max(ONE, last)}
