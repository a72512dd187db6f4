"""
Where a function of one price changes its sign, looked for by walking outward and halving.

The ledgers state their rules once, forward, and find liquidation prices with this.
"""

from collections.abc import Callable
from decimal import Decimal

Slack = Callable[[Decimal], Decimal]

_FIRST_STEP = Decimal("0.0005")
_GROWTH = Decimal("1.25")
_LOWEST = Decimal("0.0001")  # of the starting price
_HIGHEST = Decimal(50)  # times the starting price
_HALVINGS = 64


def nearest_root(slack: Slack, start: Decimal) -> Decimal | None:
    """
    The price nearest to `start` at which `slack` is used up, or None where none is.

    It is `start` itself where nothing is left there. Of a jump across zero it gives the edge
    from the far side, which is where the slack is gone.
    """
    if slack(start) <= 0:
        return start
    found = [root for root in (_walk(slack, start, -1), _walk(slack, start, 1)) if root]
    return min(found, key=lambda root: abs(root - start), default=None)


def _walk(slack: Slack, start: Decimal, direction: int) -> Decimal | None:
    inside, step = start, _FIRST_STEP
    while True:
        outside = start * (1 + direction * step)
        outside = min(max(outside, start * _LOWEST), start * _HIGHEST)
        if slack(outside) <= 0:
            return _halve(slack, inside, outside)
        if outside in {start * _LOWEST, start * _HIGHEST}:
            return None
        inside, step = outside, step * _GROWTH


def _halve(slack: Slack, inside: Decimal, outside: Decimal) -> Decimal:
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if slack(middle) > 0:
            inside = middle
        else:
            outside = middle
    return outside
