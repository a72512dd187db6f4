"""
Marks of one coin brought abreast of each other.

The legs of a hedge are marked one after the other, and one of them may fall silent while the
rest move on. At marks of different moments such a pool shows a gain or a loss that nobody has.
So a rung is reached, or left, only where it also is with the mark that lags moved along with
the newest of its coin. That one lags is told as any silence is.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.model import Mark
from monitor.risk.what_if import base_coins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.risk.model import MarginPool

_TICK = timedelta(microseconds=1)

KEPT_FOR = timedelta(minutes=1)
"""A mark that lags by more is told as silent, and as missing, long before."""

ON_ITS_WAY = timedelta(seconds=1)
"""
The slowest marks come so often. Between two of them, and for no longer before the later one, a
price was on its way: legs marked some ms apart would else seem to lag by a whole step.
"""


class Course:
    """What the marks were since the oldest of them, of a minute at most, by unified symbol."""

    def __init__(self) -> None:
        self._courses: dict[str, deque[Mark]] = {}

    def follow(self, marks: Mapping[str, Mark]) -> None:
        """
        These are the newest marks; what is not among them is forgotten.

        So is what was before the oldest of them: there is none that lags by more.
        """
        for symbol in self._courses.keys() - marks.keys():
            del self._courses[symbol]
        if not marks:
            return
        oldest = min(mark.at for mark in marks.values())
        for symbol, mark in marks.items():
            course = self._courses.setdefault(symbol, deque())
            if len(course) > 1 and course[-2].price == course[-1].price == mark.price:
                course[-1] = mark  # of a price that stands the first and the last time tell all
            elif not course or course[-1] != mark:
                course.append(mark)
            since = max(oldest, mark.at - KEPT_FOR)
            while len(course) > 1 and course[1].at <= since:
                course.popleft()

    def abreast(self, pool: MarginPool, marks: Mapping[str, Mark]) -> dict[str, Mark] | None:
        """
        The marks with each that lags moved along with the newest of its coin, since when it held.

        None where none does: no two of the pool's symbols are of one coin, or what is newer did
        not move.
        """
        moved: dict[str, Mark] = {}
        for symbols in together(pool):
            known = [symbol for symbol in symbols if symbol in marks]
            if len(known) < 2:  # noqa: PLR2004 - one has nothing to lag behind
                continue
            newest = max(known, key=lambda symbol: marks[symbol].at)
            lead = marks[newest]
            for symbol in known:
                mark = marks[symbol]
                if mark.at == lead.at:
                    continue
                then = self._price_at(newest, mark.at)
                if then is not None and then != lead.price:
                    moved[symbol] = Mark(price=mark.price * lead.price / then, at=lead.at)
        return {**marks, **moved} if moved else None

    def _price_at(self, symbol: str, at: datetime) -> Decimal | None:
        """What held then; the oldest that is known where that is younger; None for none."""
        later = None
        for mark in reversed(self._courses.get(symbol, ())):
            if mark.at <= at:
                return mark.price if later is None else _between(mark, later, at)
            later = mark
        return None if later is None else later.price


def _between(before: Mark, after: Mark, at: datetime) -> Decimal:
    """What a price was on its way from one mark to the next."""
    left = max(before.at, after.at - ON_ITS_WAY)
    if at <= left:
        return before.price
    part = Decimal((at - left) // _TICK) / Decimal((after.at - left) // _TICK)
    return before.price + part * (after.price - before.price)


def together(pool: MarginPool) -> Iterable[set[str]]:
    """The pool's symbols by coin; those quoted in a coin that itself is marked here by itself."""
    coins = base_coins(pool)
    crossed = {p.instrument.symbol for p in pool.positions if p.instrument.quote in coins.values()}
    found: dict[str, set[str]] = {}
    for symbol, coin in coins.items():
        found.setdefault(symbol if symbol in crossed else coin, set()).add(symbol)
    return found.values()
