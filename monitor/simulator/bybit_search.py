"""
Prices on both sides of a mark at which a pool's slack is used up.

Looked for outward in growing steps, then between two of them by false position and halving in
turn. Beyond 10^18 times the mark, and below its 10^-12th part, there is no price.
"""

from collections.abc import Callable
from decimal import Decimal

Slack = Callable[[Decimal], Decimal]

_NEAR = tuple(Decimal("0.0005") * Decimal("1.6") ** n for n in range(15))  # up to 0.36
_FALLS = tuple(Decimal(f) for f in ("0.5", "0.3", "0.125", "0.03", "1e-3", "1e-6", "1e-12"))
_RISES = tuple(Decimal(f) for f in ("1.7", "2.5", "4", "8", "64", "1e3", "1e6", "1e18"))
_WIDTH = Decimal("1e-21")  # of the price: where a bracket counts as its end
_HAIR = Decimal("1e-9")  # of the bracket
_MOST_STEPS = 300


def ends(slack: Slack, mark: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """
    The nearest price at which nothing is left, and the one in the other direction.

    Of a pool in which nothing is left already it is the mark, and no other. Of a jump it is
    the far side, where the slack is gone.
    """
    if slack(mark) <= 0:
        return mark, None
    falls = (*(1 - step for step in _NEAR), *_FALLS)
    rises = (*(1 + step for step in _NEAR), *_RISES)
    found = [price for way in (falls, rises) if (price := _first(slack, mark, way)) is not None]
    found.sort(key=lambda price: abs(price - mark))
    return (*found, None, None)[0], (*found, None, None)[1]


def _first(slack: Slack, mark: Decimal, factors: tuple[Decimal, ...]) -> Decimal | None:
    inside, left = mark, slack(mark)
    for factor in factors:
        outside = mark * factor
        lacking = slack(outside)
        if lacking <= 0:
            return _between(slack, inside, left, outside, lacking)
        inside, left = outside, lacking
    return None


def _between(
    slack: Slack, inside: Decimal, left: Decimal, outside: Decimal, lacking: Decimal
) -> Decimal:
    for step in range(_MOST_STEPS):
        if lacking == 0 or abs(outside - inside) <= _WIDTH * abs(outside):
            break
        middle = (inside + outside) / 2
        if step % 3 != 2:  # noqa: PLR2004 - two guesses, then a halving
            guess = inside + (outside - inside) * left / (left - lacking)
            # A hair to this side of it and one to that: both ends of the bracket come near.
            guess += (outside - inside) * (_HAIR if step % 3 else -_HAIR)
            middle = guess if min(inside, outside) < guess < max(inside, outside) else middle
        found = slack(middle)
        if found > 0:
            inside, left = middle, found
        else:
            outside, lacking = middle, found
    return outside
