"""
Advice, judged by the exchange's own books: what is advised is done there, and both targets read.

The amount is added, or the contracts are closed at the mark with their fee, in fresh books of the
simulated account; then its ratio is read, now and after the adverse move of the target's
distance. After the advice both targets hold; with 1 % less of it, and a lot at least, one fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
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

    from monitor.risk import AccountSnapshot, MarginPool, Position
    from tests.survey.stage import Fresh, Stage

TARGET = Target()
LESS = Decimal("0.99")
NEARLY = Decimal("0.00001")  # what the wire's cut digits may leave, in parts of a ratio
WITHIN = Decimal("0.9999")  # a published mark is rounded to its tick: a little less than the move


@dataclass(frozen=True, kw_only=True)
class _Deed:
    """
    Something advised: in words, done to the books in part or whole, and the pool after it.

    `less` is the part of it that would not do.
    """

    what: str
    act: Callable[[Fresh, Decimal], None]
    after: MarginPool
    before: MarginPool
    less: Decimal = LESS


def check_advice(stage: Stage, snapshot: AccountSnapshot, seed: int) -> Iterator[str]:
    """Whatever does not hold, in words; of cross pools whose requirement is modelled."""
    for pool in snapshot.pools:
        modelled = pool.positions and pool.basis is not Basis.REPORTED
        if modelled and pool.margin_mode is MarginMode.CROSS:
            for deed in _deeds(pool, snapshot):
                yield from _judged(deed, stage, snapshot, seed)


def _deeds(pool: MarginPool, snapshot: AccountSnapshot) -> Iterator[_Deed]:
    advice = advise(evaluate(pool, snapshot.marks, snapshot.at), TARGET)
    if advice.top_up is not None:
        asset, amount = advice.top_up.asset, advice.top_up.amount
        yield _Deed(
            what=f"add {amount} {asset} to {pool.id.name}",
            act=_adding(asset, amount),
            after=topped_up(pool, asset, amount),
            before=pool,
        )
    for reduction in advice.reductions:
        position, contracts = reduction.position, reduction.contracts
        mark = snapshot.marks[position.instrument.symbol]
        yield _Deed(
            what=f"close {contracts} of {position.contracts} {position.instrument.exchange_symbol}"
            f" {position.side.value} in {pool.id.name}",
            act=_closing(position, contracts, mark.price),
            after=reduced(pool, position, contracts, mark),
            before=pool,
            less=min(LESS, 1 - position.instrument.lot / contracts),
        )


def _adding(asset: str, amount: Decimal) -> Callable[[Fresh, Decimal], None]:
    return lambda fresh, part: fresh.change(Change(coin=asset, amount=amount * part))


def _closing(
    position: Position, contracts: Decimal, mark: Decimal
) -> Callable[[Fresh, Decimal], None]:
    instrument = position.instrument
    size = instrument.contract_size
    notional = size / mark if instrument.payoff is Payoff.INVERSE else size * mark

    def act(fresh: Fresh, part: Decimal) -> None:
        closed = contracts * part
        left = position.contracts - closed
        fresh.change(
            Change(symbol=instrument.exchange_symbol, side=position.side.value, contracts=left)
        )
        fee = position.taker_fee_rate * notional * closed
        fresh.change(Change(coin=instrument.settle, amount=-fee))

    return act


def _judged(deed: _Deed, stage: Stage, snapshot: AccountSnapshot, seed: int) -> Iterator[str]:
    for part in (Decimal(1), deed.less):
        pool = deed.after if part == 1 else deed.before
        move = TARGET.distance * (WITHIN if part == 1 else 2 - WITHIN)
        now, then = Decimal(0), Decimal(0)
        for counted in (False, True):
            signs = exposures(pool, snapshot.marks, with_collateral=counted)
            fresh = stage.fresh(seed)
            deed.act(fresh, part)
            now = fresh.ratio(pool.id.name)
            fresh.shift({base: -sign * move for base, sign in signs.items()})
            then = max(then, fresh.ratio(pool.id.name))
        words = f"{deed.what}: ratio {now:.6f}, and {then:.6f} after the adverse move"
        if part == 1 and (now > TARGET.ratio + NEARLY or then > 1 + NEARLY):
            yield words
        if part == deed.less and now <= TARGET.ratio and then < 1:
            yield f"less would have done: {words}"
