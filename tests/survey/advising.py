"""
Advice, judged by the exchange's own books: what is advised is done there, and both targets read.

The amount is added, or the contracts are closed at the mark with their fee, in fresh books of the
simulated account; then its ratio is read, now and on the way of the adverse move of the target's
distance, by both readings of «net long». After the advice both targets hold; with 1 % less of it,
and a lot at least, one fails. Both up to what the wire's digits leave open.

What a pool takes over from its exchange as constants until the next reading (open orders,
options, a portfolio's requirement) is the exchange's own affair, and moves there with what is
done. Where the whole books contradict advice of such a pool, they are asked again with that part
held still: then it is the part that moved, and is told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from math import ceil, floor
from typing import TYPE_CHECKING

from monitor.risk import (
    Basis,
    MarginMode,
    Payoff,
    Target,
    advise,
    evaluate,
    exposures,
    reduced,
    topped_up,
)
from monitor.simulator.changes import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.risk import AccountSnapshot, Advice, MarginPool, Mark, PoolId, Position
    from tests.survey.stage import Fresh, Stage

    Act = Callable[[Fresh], None]

ONE, ZERO = Decimal(1), Decimal(0)
TARGET = Target()
LESS = Decimal("0.99")
STEP = Decimal("1e-8")
NEARLY = Decimal("0.00001")  # what the wire's cut digits may leave, in parts of a ratio
WITHIN = Decimal("0.0001")  # a published mark is rounded to its tick: off by a part of the move
LOOKS, MANY_LOOKS = 5, 100  # places on the way out


class Outcome(Enum):
    """What the exchange's books say of one item of advice."""

    HOLDS = "holds"
    FAILS = "a target fails after it"
    LESS = "less would have done"
    CARRIED = "holds while what is taken over stands still"
    LESS_CARRIED = "is least while what is taken over stands still"

    @property
    def is_complaint(self) -> bool:
        return self in {Outcome.FAILS, Outcome.LESS}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One item: `item` is its kind, `words` what was advised and read."""

    item: str
    outcome: Outcome
    words: str


@dataclass(frozen=True, kw_only=True)
class _Deed:
    """Something done to the books, and the pool as the product has it afterwards."""

    act: Act
    after: MarginPool


@dataclass(frozen=True, kw_only=True)
class _Item:
    """Something advised, and less of it; None where there is nothing less to do."""

    item: str
    what: str
    whole: _Deed
    less: _Deed | None


@dataclass(frozen=True, kw_only=True)
class _Books:
    """
    Books of the account to do things to; `beside` is what is held still on top of them.

    `needed` stands for the whole requirement, where that is held still.
    """

    stage: Stage
    seed: int
    pool_id: PoolId
    bare: bool = False
    beside: tuple[Decimal, Decimal] = (ZERO, ZERO)
    needed: Decimal | None = None

    def ratio(self, deed: _Deed, moves: dict[str, Decimal], more: Decimal) -> Decimal:
        """After the deed and the moves, with so much `more` required."""
        fresh = self.stage.fresh(self.seed, bare=self.bare)
        deed.act(fresh)
        if moves:
            fresh.shift(moves)
        balance, needed = (
            a + b for a, b in zip(fresh.standing(self.pool_id.name), self.beside, strict=True)
        )
        needed = more + (needed if self.needed is None else self.needed)
        if needed <= ZERO:
            return ZERO
        return needed / balance if balance > ZERO else Decimal("Infinity")


def check_advice(stage: Stage, snapshot: AccountSnapshot, seed: int) -> Iterator[Judged]:
    """What the books say of each item that is advised for each pool of the account."""
    for pool in snapshot.pools:
        advice = advise(evaluate(pool, snapshot.marks, snapshot.at), TARGET)
        for item in _items(pool, advice, snapshot):
            yield _judged(item, pool, _Books(stage=stage, seed=seed, pool_id=pool.id), snapshot)


def complaints(stage: Stage, snapshot: AccountSnapshot, seed: int) -> Iterator[str]:
    """Whatever does not hold, in words."""
    for judged in check_advice(stage, snapshot, seed):
        if judged.outcome.is_complaint:
            yield f"{judged.outcome.value}: {judged.words}"


# --- what is advised


def _items(pool: MarginPool, advice: Advice, snapshot: AccountSnapshot) -> Iterator[_Item]:
    if advice.top_up is not None:
        asset, amount = advice.top_up.asset, advice.top_up.amount
        less = min(amount * LESS, amount - STEP)
        yield _Item(
            item="top-up",
            what=f"add {amount} {asset} to {pool.id.name}",
            whole=_adding(pool, asset, amount),
            less=_adding(pool, asset, less) if less > ZERO else None,
        )
    marks = snapshot.marks
    for reduction in advice.reductions:
        position, contracts = reduction.position, reduction.contracts
        instrument = position.instrument
        yield _Item(
            item="reduction",
            what=f"close {contracts} of {position.contracts} {instrument.exchange_symbol}"
            f" {position.side.value} in {pool.id.name}",
            whole=_closing(pool, ((position, contracts),), marks),
            less=_closing(pool, ((position, _fewer(contracts, instrument.lot)),), marks),
        )
    shared = advice.all_in_proportion
    if shared is not None:
        whole = tuple((c.position, c.contracts) for c in shared.closings)
        less_of_each = _less_in_proportion(pool, shared.share)
        yield _Item(
            item="in proportion",
            what=f"close {shared.share} of all in {pool.id.name}",
            whole=_closing(pool, whole, marks),
            less=None if less_of_each == whole else _closing(pool, less_of_each, marks),
        )


def _fewer(contracts: Decimal, lot: Decimal) -> Decimal:
    """1 % less in whole lots, and a lot at least."""
    least = max(ceil(contracts * (1 - LESS) / lot), 1) * lot
    return max(contracts - least, ZERO)


def _less_in_proportion(pool: MarginPool, share: Decimal) -> tuple[tuple[Position, Decimal], ...]:
    """1 % less of the share, and a step of the finest position at least."""
    steps = max(ceil(p.contracts / p.instrument.lot) for p in pool.positions)
    step = max(min(floor(share * LESS * steps), round(share * steps) - 1), 0)
    less = Decimal(step) / steps
    return tuple(
        (p, min(ceil(less * p.contracts / p.instrument.lot) * p.instrument.lot, p.contracts))
        for p in pool.positions
    )


def _adding(pool: MarginPool, asset: str, amount: Decimal) -> _Deed:
    change = Change(coin=asset, amount=amount)
    if pool.margin_mode is MarginMode.ISOLATED:
        (position,) = pool.positions
        symbol = position.instrument.exchange_symbol
        change = Change(symbol=symbol, side=position.side.value, margin=amount)
    return _Deed(act=lambda fresh: fresh.change(change), after=topped_up(pool, asset, amount))


def _closing(
    pool: MarginPool, closings: tuple[tuple[Position, Decimal], ...], marks: dict[str, Mark]
) -> _Deed:
    after = pool
    for position, contracts in closings:
        mark = marks[position.instrument.symbol]
        after = reduced(after, position, contracts, mark)

    isolated = pool.margin_mode is MarginMode.ISOLATED

    def act(fresh: Fresh) -> None:
        for position, contracts in closings:
            mark = marks[position.instrument.symbol].price
            _close(fresh, position, contracts, mark, isolated=isolated)

    return _Deed(act=act, after=after)


def _close(
    fresh: Fresh, position: Position, contracts: Decimal, mark: Decimal, *, isolated: bool
) -> None:
    """At the mark; the fee is paid out of the wallet."""
    instrument = position.instrument
    size = instrument.contract_size
    notional = size / mark if instrument.payoff is Payoff.INVERSE else size * mark
    left = position.contracts - contracts
    symbol, side = instrument.exchange_symbol, position.side.value
    fresh.change(Change(symbol=symbol, side=side, contracts=left, isolated=isolated))
    fee = position.taker_fee_rate * notional * contracts
    fresh.change(Change(coin=instrument.settle, amount=-fee))


# --- what the books say of it


def _judged(item: _Item, pool: MarginPool, books: _Books, snapshot: AccountSnapshot) -> Judged:
    outcome, read = _read(item, books, snapshot)
    if outcome.is_complaint and pool.basis is not Basis.MODELLED:
        still, read_still = _read(item, _held_still(books, pool), snapshot)
        read += f"; held still {read_still}"
        if not still.is_complaint:
            outcome = Outcome.CARRIED if outcome is Outcome.FAILS else Outcome.LESS_CARRIED
    return Judged(item=item.item, outcome=outcome, words=f"{item.what}: {read}")


def _read(item: _Item, books: _Books, snapshot: AccountSnapshot) -> tuple[Outcome, str]:
    told = snapshot.reported.get(books.pool_id)
    digits = ZERO if told is None else told.resolution
    now, then = _ratios(item.whole, books, snapshot, (1 - WITHIN, -digits), LOOKS)
    words = f"ratio {now:.6f}, and {then:.6f} on the adverse way"
    if now > TARGET.ratio + NEARLY or then > ONE + NEARLY:
        return Outcome.FAILS, words
    if item.less is not None:
        for looks in (LOOKS, MANY_LOOKS):
            now, then = _ratios(item.less, books, snapshot, (1 + WITHIN, digits), looks)
            if now > TARGET.ratio or then >= ONE:
                return Outcome.HOLDS, words
        return Outcome.LESS, f"with less: ratio {now:.6f}, and {then:.6f} on the adverse way"
    return Outcome.HOLDS, words


def _ratios(
    deed: _Deed,
    books: _Books,
    snapshot: AccountSnapshot,
    beyond: tuple[Decimal, Decimal],
    looks: int,
) -> tuple[Decimal, Decimal]:
    """
    Now, and the worst on the way out, by both readings.

    Args:
        beyond: What part of the target's distance to go, and what to require in addition.
    """
    part, more = beyond
    now, worst = books.ratio(deed, {}, more), ZERO
    seen: list[dict[str, Decimal]] = []
    for counted in (False, True):
        signs = dict(exposures(deed.after, snapshot.marks, with_collateral=counted))
        if signs not in seen:
            seen.append(signs)
            for look in range(looks, 0, -1):
                move = TARGET.distance * part * look / looks
                moves = {base: -sign * move for base, sign in signs.items()}
                worst = max(worst, books.ratio(deed, moves, more))
    return now, worst


def _held_still(books: _Books, pool: MarginPool) -> _Books:
    """Books without what is taken over from the exchange, and that, as it is now, beside them."""
    whole = books.stage.fresh(books.seed).standing(books.pool_id.name)
    if pool.basis is Basis.REPORTED:
        return replace(books, needed=whole[1])
    bare = books.stage.fresh(books.seed, bare=True).standing(books.pool_id.name)
    return replace(books, bare=True, beside=(whole[0] - bare[0], whole[1] - bare[1]))
