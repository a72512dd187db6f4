"""
What brings a pool back to safety: an amount to add, or how much of which position to close.

Every item is found by evaluating changed pools, and holds when its own is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import ceil, floor
from typing import TYPE_CHECKING

from monitor.risk.collateral import price_of
from monitor.risk.evaluate import requirement
from monitor.risk.model import ONE, ZERO
from monitor.risk.path import of_coins, rough_amounts
from monitor.risk.payoff import notional, unrealized_pnl
from monitor.risk.result import Advice, Closing, Proportional, Reduction, TopUp
from monitor.risk.solve import adverse_move, adverse_paths, least_slack
from monitor.risk.tiers import rough_edges, size_of
from monitor.risk.what_if import nets, reduced, topped_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from monitor.risk.model import MarginPool, Mark, Position, TierTable
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
    notional first. Of all in proportion each is rounded up to its lot. An item that can't reach
    the target is left out.

    Where a position's requirement stands inside the exchange's own (one without tiers) nobody
    outside knows what closing would free: such positions are in no reduction, and the top-up
    holds against the requirement as the pool carries it on.

    Raises:
        MissingMark, MissingCollateral: As `evaluate` does.
    """
    pool, marks = risk.pool, risk.marks
    if _holds(_standing(pool, marks), target):
        return Advice(target=target, top_up=None, reductions=())
    closable = [p for p in pool.positions if p.tiers is not None]
    found = [
        (size, reduction)
        for position in closable
        for size, reduction in _reduction(risk, position, target)
    ]
    return Advice(
        target=target,
        top_up=_top_up(risk, target),
        reductions=tuple(reduction for _, reduction in sorted(found, key=lambda item: item[0])),
        all_in_proportion=_in_proportion(risk, target)
        if len(closable) == len(pool.positions) > 1
        else None,
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
    spare = target.ratio * now.margin_balance - now.maintenance_margin
    spare = spare if now.maintenance_margin > ZERO else abs(spare)
    if target.distance == ZERO:
        return spare
    for path in adverse_paths(pool, marks):
        distance = min(target.distance, _ALL) if path.speed < ZERO else target.distance
        spare = min(spare, least_slack(path, distance))
    return spare


def _top_up(risk: PoolRisk, target: Target) -> TopUp | None:
    pool, marks, asset = risk.pool, risk.marks, risk.pool.top_up_asset
    price = next((price_of(c, marks) for c in pool.collateral if c.asset == asset), ZERO)
    if price <= ZERO:
        return None

    def spare(steps: int) -> Decimal:
        return _spare(topped_up(pool, asset, steps * TOP_UP_STEP), marks, target)

    first = ceil(-spare(0) / price / TOP_UP_STEP)
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
    most = ceil(position.contracts / instrument.lot)

    def closed(lots: int) -> Decimal:
        return min(lots * instrument.lot, position.contracts)

    def after(lots: int) -> MarginPool:
        return reduced(pool, position, closed(lots), mark)

    turns = (contracts / instrument.lot for contracts in _turns(pool, marks, position, target))
    lots = _enough(lambda lots: _spare(after(lots), marks, target), most, turns)
    if lots is None:
        return
    standing = _standing(after(lots), marks)
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


def _turns(
    pool: MarginPool, marks: Mapping[str, Mark], position: Position, target: Target
) -> Iterator[Decimal]:
    """
    The contracts to close at which a hedge turns over, or what is spare may jump on the way.

    None for a position without a counterpart: the more of it is closed, the better.
    """
    coin = position.instrument.base
    legs = [p for p in pool.positions if p.instrument.base == coin]
    owned = any(c.follows is not None and c.follows.base == coin for c in pool.collateral)
    if len(legs) == 1 and not owned:
        return
    mark = marks[position.instrument.symbol]
    without = reduced(pool, position, position.contracts, mark)
    yield from (share * position.contracts for share in _flips(pool, without, marks))
    if position.tiers is not None:
        at = notional(position, mark.price) / position.contracts
        for far in (ONE, ONE - min(target.distance, _ALL), ONE + target.distance):
            for excess in _excesses(pool, marks, position, position.tiers, far):
                yield excess / size_of(ONE, at * far, position.tiers)
    for way in (ONE, -ONE):
        yield from _debt_turns(pool, marks, position, way * min(target.distance, _ALL))


def _debt_turns(
    pool: MarginPool, marks: Mapping[str, Mark], position: Position, move: Decimal
) -> Iterator[Decimal]:
    """
    The contracts to close at which the settle coin stands at a rough amount after a move.

    What is closed neither wins nor loses any more as the coin moves, so the sum after it,
    and the debt in it, changes with what is closed.
    """
    instrument = position.instrument
    collateral = next(c for c in pool.collateral if c.asset == instrument.settle)
    levels = tuple(rough_amounts(collateral))
    if not levels:
        return
    path = adverse_paths(pool, marks)[0]
    distance = abs(move)
    rates = {**path.coins, instrument.base: ONE.copy_sign(move)}
    there = of_coins(pool, marks, rates).after(distance)[1]
    now, then = marks[instrument.symbol].price, there[instrument.symbol].price
    amount = collateral.balance + sum(
        (
            unrealized_pnl(p, there[p.instrument.symbol].price)
            for p in pool.positions
            if p.instrument.settle == collateral.asset
        ),
        ZERO,
    )
    kept = unrealized_pnl(position, then) - unrealized_pnl(position, now)
    each = kept + position.taker_fee_rate * notional(position, now)
    if each != ZERO:
        yield from ((amount - level) * position.contracts / each for level in levels)


def _excesses(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    position: Position,
    table: TierTable,
    far: Decimal,
) -> Iterator[Decimal]:
    """By how much the size that is tiered lies above each edge, its marks `far` times today's."""
    together = [
        p
        for p in pool.positions
        if p is position
        or (
            p.tiers is not None
            and p.tiers.group == table.group is not None
            and p.side is position.side
        )
    ]
    size = sum(
        (
            size_of(p.contracts, notional(p, marks[p.instrument.symbol].price * far), table)
            for p in together
        ),
        ZERO,
    )
    yield from (size - edge for edge in rough_edges(table))


def _flips(pool: MarginPool, closed: MarginPool, marks: Mapping[str, Mark]) -> set[Decimal]:
    """
    The shares of the way from a pool to one with less at which a coin turns from long to short.

    By its positions, and by these and its collateral together: what closing realises too.
    """
    ends = nets(closed, marks)
    found: set[Decimal] = set()
    for coin, (held, owned) in nets(pool, marks).items():
        held_then, owned_then = ends.get(coin, (ZERO, ZERO))
        both, both_then = held + owned, held_then + owned_then
        ways = ((held, held_then), (both, both_then))
        found |= {now / (now - then) for now, then in ways if now * then < ZERO}
    return found


def _in_proportion(risk: PoolRisk, target: Target) -> Proportional | None:
    """The least share of every position to close, in as many steps as the finest has lots."""
    pool, marks = risk.pool, risk.marks
    steps = max(ceil(p.contracts / p.instrument.lot) for p in pool.positions)

    def closings(step: int) -> tuple[Closing, ...]:
        share = Decimal(step) / steps
        return tuple(
            Closing(position=p, contracts=_rounded_up(share * p.contracts, p))
            for p in pool.positions
        )

    def after(step: int) -> MarginPool:
        changed = pool
        for closing in closings(step):
            mark = marks[closing.position.instrument.symbol]
            changed = reduced(changed, closing.position, closing.contracts, mark)
        return changed

    def spare(step: int) -> Decimal:
        return _spare(after(step), marks, target)

    flips = (share * steps for share in _flips(pool, after(steps), marks))
    enough = _enough(spare, steps, flips)
    if enough is None:
        return None
    step = _between_teeth(spare, enough)
    standing = _standing(after(step), marks)
    if not _holds(standing, target):
        return None
    return Proportional(
        share=Decimal(step) / steps,
        closings=closings(step),
        margin_ratio=standing.margin_ratio,
        adverse_move=standing.adverse_move,
    )


def _rounded_up(contracts: Decimal, position: Position) -> Decimal:
    """To whole lots, or all of the position."""
    lot = position.instrument.lot
    return min(ceil(contracts / lot) * lot, position.contracts)


def _enough(spare: Spare, most: int, turns: Iterable[Decimal] = ()) -> int | None:
    """
    The least number of steps that leaves nothing wanting, None where no number does.

    Closing one leg of a hedge helps up to a point and then hurts; where a tier's rate applies
    to the whole size, or a hedge turns over, what is spare jumps; and it does where nothing is
    left that could be liquidated. So each stretch between two `turns` is looked at, from both
    of its ends and for a peak in between.
    """
    spare = cache(spare)
    beside = {n for turn in turns for n in (ceil(turn) - 1, ceil(turn), floor(turn) + 1)}
    beside.add(most - 1)
    short = 0
    for stop in sorted({*(n for n in beside if 0 < n < most), most}):
        enough = stop if spare(stop) >= ZERO else _peak(spare, short, stop)
        if enough is not None:
            return _least(spare, short, enough)
        short = stop
    return None


def _between_teeth(spare: Spare, enough: int) -> int:
    """
    A number of steps of which 1 % less falls short, as one step less does.

    Where several positions are closed together, each rounded to its own lot, what is spare goes
    up and down by a lot from one step to the next: the first crossing that was met may not be
    the lowest.
    """
    while (less := enough * 99 // 100) > 0 and spare(less) >= ZERO:
        enough = _least(spare, 0, less)
    return enough


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
            guess = min(max(ceil(crossing), short + 1), enough - 1)
        found = spare(guess)
        if found >= ZERO:
            enough, high = guess, found
        else:
            short, low = guess, found
    return enough
