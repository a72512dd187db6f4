"""
What brings a pool back to safety: an amount to add, or how much of which position to close.

Every item is found by evaluating changed pools, and holds when its own is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from monitor.risk.collateral import price_of
from monitor.risk.evaluate import requirement
from monitor.risk.model import ONE, ZERO
from monitor.risk.payoff import notional
from monitor.risk.result import Advice, Reduction, TopUp
from monitor.risk.solve import adverse_move
from monitor.risk.what_if import exposures, reduced, shifted_adversely, topped_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.risk.model import MarginPool, Mark, Position
    from monitor.risk.result import PoolRisk, Target

    Spare = Callable[[int], Decimal]

TOP_UP_STEP = Decimal("1e-8")
_ALL = Decimal("0.999999999999")  # a fall that leaves as good as nothing, for targets above it
_ALMOST = ONE - Decimal("1e-15")  # what solving may leave of a distance that is exactly met
_MOST_DOUBLINGS = 128


def advise(risk: PoolRisk, target: Target) -> Advice:
    """
    What brings the pool back to `target`, each item by itself; nothing where it stands there.

    Both must hold of the changed pool: its ratio is at most the target's, and no adverse move
    below the target's distance liquidates it. The top-up, in the pool's own top-up asset and
    after its haircut, is rounded up to 8 decimals; a reduction to the position's lot, or is
    all of it, the taker fee counted; a step less would not do. Reductions come with the least
    notional first. An item that can't reach the target is left out.

    Raises:
        MissingMark, MissingCollateral: As `evaluate` does.
    """
    if _holds(_standing(risk.pool, risk.marks), target):
        return Advice(target=target, top_up=None, reductions=())
    found = [
        (size, reduction)
        for position in risk.pool.positions
        for size, reduction in _reduction(risk, position, target)
    ]
    return Advice(
        target=target,
        top_up=_top_up(risk, target),
        reductions=tuple(reduction for _, reduction in sorted(found, key=lambda item: item[0])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    margin_ratio: Decimal
    adverse_move: Decimal | None


def _standing(pool: MarginPool, marks: Mapping[str, Mark]) -> _Standing:
    return _Standing(
        margin_ratio=requirement(pool, marks).ratio, adverse_move=adverse_move(pool, marks)
    )


def _holds(standing: _Standing, target: Target) -> bool:
    move = standing.adverse_move
    return standing.margin_ratio <= target.ratio and (
        move is None or -move >= target.distance * _ALMOST
    )


def _spare(pool: MarginPool, marks: Mapping[str, Mark], target: Target) -> Decimal:
    """The lesser of what both targets leave, in the pool's unit; below 0 where one fails."""
    now = requirement(pool, marks)
    if now.maintenance_margin <= ZERO:
        return ZERO
    falls = ONE in exposures(pool, marks).values()
    distance = min(target.distance, _ALL) if falls else target.distance
    then = requirement(*shifted_adversely(pool, marks, distance))
    return min(target.ratio * now.margin_balance - now.maintenance_margin, then.headroom)


def _top_up(risk: PoolRisk, target: Target) -> TopUp | None:
    pool, marks, asset = risk.pool, risk.marks, risk.pool.top_up_asset
    price = next((price_of(c, marks) for c in pool.collateral if c.asset == asset), ZERO)
    if price <= ZERO:
        return None

    def spare(steps: int) -> Decimal:
        return _spare(topped_up(pool, asset, steps * TOP_UP_STEP), marks, target)

    first = _ceiling(-spare(0) / price / TOP_UP_STEP)
    enough = _doubled(spare, max(first, 1))
    if enough is None:
        return None
    amount = _least(spare, 0, enough) * TOP_UP_STEP
    standing = _standing(topped_up(pool, asset, amount), marks)
    if not _holds(standing, target):
        return None
    return TopUp(
        asset=asset,
        amount=amount,
        wallet=pool.wallet,
        margin_ratio=standing.margin_ratio,
        adverse_move=standing.adverse_move,
    )


def _reduction(
    risk: PoolRisk, position: Position, target: Target
) -> Iterator[tuple[Decimal, Reduction]]:
    """How much of the position to close, with its notional in the pool's unit; or nothing."""
    pool, marks = risk.pool, risk.marks
    instrument = position.instrument
    mark = marks[instrument.symbol]
    most = _ceiling(position.contracts / instrument.lot)

    def closed(lots: int) -> Decimal:
        return min(lots * instrument.lot, position.contracts)

    def spare(lots: int) -> Decimal:
        return _spare(reduced(pool, position, closed(lots), mark), marks, target)

    lots = _enough(spare, most)
    if lots is None:
        return
    standing = _standing(reduced(pool, position, closed(lots), mark), marks)
    if _holds(standing, target):
        price = next(price_of(c, marks) for c in pool.collateral if c.asset == instrument.settle)
        share = closed(lots) / position.contracts
        yield (
            share * notional(position, mark.price) * price,
            Reduction(
                position=position,
                contracts=closed(lots),
                margin_ratio=standing.margin_ratio,
                adverse_move=standing.adverse_move,
            ),
        )


def _enough(spare: Spare, most: int) -> int | None:
    """
    The least number of lots that leaves nothing wanting, None where no number does.

    Closing one leg of a hedge helps up to a point and then hurts, so where all of it falls
    short an amount in between may still do.
    """
    enough = most if spare(most) >= ZERO else _peak(spare, 0, most)
    return None if enough is None else _least(spare, 0, enough)


def _peak(spare: Spare, start: int, end: int) -> int | None:
    """A number between two that fall short at which spare suffices; it bends only downwards."""
    if spare(start + 1) <= spare(start) or spare(end - 1) <= spare(end):
        return None  # it only falls, or rises all the way to an end that falls short
    while end - start > 2:  # noqa: PLR2004 - two points inside are needed to see the slope
        middle = (start + end) // 2
        here, beyond = spare(middle), spare(middle + 1)
        if here >= ZERO or beyond >= ZERO:
            return middle if here >= ZERO else middle + 1
        start, end = (middle, end) if beyond > here else (start, middle + 1)
    return next((n for n in range(start + 1, end) if spare(n) >= ZERO), None)


def _doubled(spare: Spare, first: int) -> int | None:
    """A number of steps that suffices, None where more of them stops helping."""
    steps, before = first, spare(0)
    for _ in range(_MOST_DOUBLINGS):
        found = spare(steps)
        if found >= ZERO:
            return steps
        if found <= before:
            return None
        steps, before = steps * 2, found
    return None


def _least(spare: Spare, short: int, enough: int) -> int:
    """The least number above `short` that suffices: one less would not do."""
    low, high = spare(short), spare(enough)
    step = 0
    while enough - short > 1:
        step += 1
        guess = (short + enough) // 2
        if step % 3 and high > low:
            crossing = short + (enough - short) * low / (low - high)
            guess = min(max(_ceiling(crossing), short + 1), enough - 1)
        found = spare(guess)
        if found >= ZERO:
            enough, high = guess, found
        else:
            short, low = guess, found
    return enough


def _ceiling(number: Decimal) -> int:
    return int(number.to_integral_value(rounding=ROUND_CEILING))
