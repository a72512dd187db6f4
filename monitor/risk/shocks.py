"""
What standard moves would leave of a pool: each base coin by itself, and all of them together.

A pool that is liquidated on the way is told by where that was: what its figures would be
beyond is no longer its owner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.evaluate import requirement
from monitor.risk.model import ONE, ZERO
from monitor.risk.path import of_coins
from monitor.risk.solve import move_along
from monitor.risk.what_if import base_coins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitor.risk.model import MarginPool, Mark

STANDARD = tuple(Decimal(fraction) for fraction in ("-0.05", "-0.10", "-0.20", "0.10"))
"""The moves that are shown unless others are asked for, as fractions of the marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """
    What a move of `fraction` leaves: all symbols of `coin` and collateral in it, None: all coins.

    `margin_ratio` is that after it, None where the pool does not live to see it: it is then
    liquidated at the move `liquidated_at`, a fraction of the same sign (0: it stands there).
    """

    coin: str | None
    fraction: Decimal
    margin_ratio: Decimal | None
    liquidated_at: Decimal | None


def shocks(
    pool: MarginPool, marks: Mapping[str, Mark], fractions: Iterable[Decimal] = STANDARD
) -> tuple[Shock, ...]:
    """
    Every coin of the pool by each fraction, then all together where there are several.

    Raises:
        MissingMark, MissingCollateral: As `evaluate` does.
        ValueError: If a fraction is −1 or below: no price would be left.
    """
    wanted = tuple(fractions)
    coins = sorted(set(base_coins(pool).values()))
    alone = [shock for coin in coins for shock in _shocks(pool, marks, coin, (coin,), wanted)]
    together = _shocks(pool, marks, None, coins, wanted) if len(coins) > 1 else ()
    return (*alone, *together)


def _shocks(
    pool: MarginPool,
    marks: Mapping[str, Mark],
    name: str | None,
    coins: Iterable[str],
    fractions: Iterable[Decimal],
) -> Iterator[Shock]:
    ways = {sign: of_coins(pool, marks, dict.fromkeys(coins, sign)) for sign in (ONE, -ONE)}
    ends = {sign: move_along(path) for sign, path in ways.items()}
    for fraction in fractions:
        sign = ONE if fraction >= ZERO else -ONE
        after = requirement(*ways[sign].after(abs(fraction)))
        end = ends[sign]
        is_over = end is not None and end <= abs(fraction)
        yield Shock(
            coin=name,
            fraction=fraction,
            margin_ratio=None if is_over else after.ratio,
            liquidated_at=sign * end if is_over and end is not None else None,
        )
