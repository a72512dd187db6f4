"""
Where a pool's slack is used up along one price, below and above where the price stands.

The ledger states its rules once, forward; this walks outward until the slack is gone, in steps
that are small at first, and then narrows the place down.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

Slack = Callable[[Decimal], Decimal]

_FIRST_STEP = Decimal("0.0005")
_GROWTH = Decimal("1.3")
_FAR = Decimal(4)  # from this factor on, each step is as far again
_HIGHEST = Decimal("1e18")
_LOWEST = Decimal("1e-12")
_CLOSE = Decimal("1e-22")
_MOST_STEPS = 300


def both_roots(slack: Slack, start: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """
    The price nearest to `start` at which `slack` is used up, and the one on the other side.

    None where no price is. The nearest is `start` itself where nothing is left there. Of a
    jump across zero it is the edge from the far side, which is where the slack is gone.
    """
    if slack(start) <= 0:
        return start, None
    found = [_first(slack, start, walk) for walk in (_downward, _upward)]
    prices = sorted((p for p in found if p is not None), key=lambda price: abs(price - start))
    return (prices[0] if prices else None), (prices[1] if prices[1:] else None)


def _downward() -> Iterator[Decimal]:
    for factor in _upward():
        yield 1 / factor
        if 1 / factor < _LOWEST:
            return


def _upward() -> Iterator[Decimal]:
    step = _FIRST_STEP
    while 1 + step < _FAR:
        yield 1 + step
        step *= _GROWTH
    factor = _FAR
    while factor <= _HIGHEST:
        yield factor
        factor *= _FAR


def _first(slack: Slack, start: Decimal, walk: Callable[[], Iterator[Decimal]]) -> Decimal | None:
    inside = start
    for factor in walk():
        outside = start * factor
        if slack(outside) <= 0:
            return _narrowed(slack, inside, outside)
        inside = outside
    return None


def _narrowed(slack: Slack, inside: Decimal, outside: Decimal) -> Decimal:
    """By the chord, and by the middle each third time, so that the width surely falls."""
    left, right = slack(inside), slack(outside)
    for step in range(_MOST_STEPS):
        width = abs(outside - inside)
        if right == 0 or width <= _CLOSE * outside:
            break
        middle = (inside + outside) / 2
        if step % 3 != 2:  # noqa: PLR2004 - each third time
            middle = inside + (outside - inside) * left / (left - right)
            edge = (outside - inside) * Decimal("1e-12") * (1 if step % 3 else -1)
            middle = min(max(middle + edge, min(inside, outside)), max(inside, outside))
        found = slack(middle)
        if found > 0:
            inside, left = middle, found
        else:
            outside, right = middle, found
    return outside
