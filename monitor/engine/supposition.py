"""
What would be known of an account after a change that a person supposes.

From words as they are typed to a changed assessment: the daemon and the command that works
from a file go the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from monitor.engine.assessment import assess_pool
from monitor.errors import WrongUsage
from monitor.risk.change import Addition, Book, Changes, Closure, Move, changed
from monitor.risk.model import ONE, ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.alerts.ladder import Ladder
    from monitor.engine.effects import AccountAssessment, PoolAssessment
    from monitor.risk.model import PoolId
    from monitor.risk.result import Target

MOVE = "move"
ALL = "all"
ADD = "add"
CLOSE = "close"
_HUNDRED = Decimal(100)
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """
    The account as it would be. `liquidated_after` holds the pools that don't live to see it:
    the part of the price moves (0 to 1) after which each is liquidated.
    """

    assessment: AccountAssessment
    liquidated_after: Mapping[PoolId, Decimal]


def suppose(
    known: AccountAssessment, changes: Changes, *, ladder: Ladder, target: Target
) -> Supposed:
    """
    The account after the changes, everything solved anew in the pools that they touch.

    The exchange's own figures are those of the real account: a changed pool has none.

    Raises:
        WrongUsage: If a change names what is not there, or does not say which of several.
        RiskError: If the changed figures can't be computed.
    """
    books = [Book(pool=p.risk.pool, marks=p.risk.marks) for p in known.pools]
    after = changed(books, changes)
    pools = tuple(
        before
        if (book.pool, book.marks) == (old.pool, old.marks)
        else _assessed(before, book, ladder, target)
        for before, old, book in zip(known.pools, books, after, strict=True)
    )
    return Supposed(
        assessment=replace(known, pools=pools),
        liquidated_after={
            book.pool.id: book.liquidated_after
            for book in after
            if book.liquidated_after is not None
        },
    )


def _assessed(before: PoolAssessment, book: Book, ladder: Ladder, target: Target) -> PoolAssessment:
    return assess_pool(
        book.pool,
        book.marks,
        before.risk.at,
        ladder=ladder,
        target=target,
        reconciliation=before.reconciliation,
        state=before.state,
        age_seconds=before.age_seconds,
    )


def read_changes(words: Mapping[str, Sequence[str]]) -> Changes:
    """
    Changes as they are typed: ``add`` «USDT=500», ``close`` «SOLUSDT/long=50%» or «SOLUSDT=12»
    (contracts), ``move`` «BTC=-10%», ``all`` «-10%»; «@POOL» behind a name says which pool.

    Raises:
        WrongUsage: If a word can't be read, or if one thing is moved twice.
    """
    unknown = sorted(words.keys() - {MOVE, ALL, ADD, CLOSE})
    if unknown:
        raise WrongUsage(f"'{unknown[0]}' is no change; known are move, all, add and close")
    moves = [*map(_move, words.get(MOVE, ())), *map(_move_of_all, words.get(ALL, ()))]
    names = [None if move.name is None else move.name.casefold() for move in moves]
    for move, name in zip(moves, names, strict=True):
        if names.count(name) > 1:
            raise WrongUsage(f"{'all' if move.name is None else move.name} is moved twice")
    return Changes(
        additions=tuple(map(_addition, words.get(ADD, ()))),
        closures=tuple(map(_closure, words.get(CLOSE, ()))),
        moves=tuple(moves),
    )


def _move(word: str) -> Move:
    name, text = _pair(word, MOVE, "BTC=-10%")
    return Move(name=name, fraction=_fall_or_rise(text, f"--{MOVE} {word}"))


def _move_of_all(word: str) -> Move:
    return Move(name=None, fraction=_fall_or_rise(word, f"--{ALL} {word}"))


def _fall_or_rise(text: str, said: str) -> Decimal:
    fraction = _percent(text)
    if fraction is None:
        raise WrongUsage(f"{said}: expected a percentage, such as -10%")
    if fraction <= -ONE:
        raise WrongUsage(f"{said}: a price can't fall by 100% or more")
    return fraction


def _addition(word: str) -> Addition:
    name, text = _pair(word, ADD, "USDT=500")
    asset, pool = _placed(name)
    amount = _number(text)
    if amount is None:
        raise WrongUsage(f"--{ADD} {word}: expected an amount, such as USDT=500")
    return Addition(asset=asset, amount=amount, pool=pool)


def _closure(word: str) -> Closure:
    name, text = _pair(word, CLOSE, "SOLUSDT=50%")
    name, pool = _placed(name)
    symbol, slash, last = name.rpartition("/")
    side = next((s for s in Side if slash and last.casefold() == s.value), None)
    share, contracts = _percent(text), _number(text)
    size = contracts if share is None else share
    if size is None or size <= ZERO or (share is not None and share > ONE):
        raise WrongUsage(f"--{CLOSE} {word}: expected up to 100% or contracts, such as SOLUSDT=50%")
    return Closure(
        symbol=name if side is None else symbol,
        side=side,
        pool=pool,
        share=share,
        contracts=None if share is not None else contracts,
    )


def _pair(word: str, option: str, example: str) -> tuple[str, str]:
    name, equals, text = word.rpartition("=")
    if not equals or not name.strip() or not text.strip():
        raise WrongUsage(f"--{option} {word}: expected something such as {example}")
    return name.strip(), text.strip()


def _placed(name: str) -> tuple[str, str | None]:
    """What stands before an @, and the pool that stands behind it."""
    what, at, pool = name.partition("@")
    return (what, pool) if at else (name, None)


def _percent(text: str) -> Decimal | None:
    """The fraction that a percentage means, None where the text is none."""
    number = _number(text[:-1]) if text.endswith("%") else None
    return None if number is None else number / _HUNDRED


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip().replace("−", "-"))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None
