"""
Prices at one moment, and where a pool ends when one of them moves: Binance's liquidation prices.

Balance less maintenance margin is piecewise linear in the mark (of a pool counted in coins:
the mark times it is), with a kink at each bracket's cap and where an asset's balance turns
negative. Between two kinks the root is exact.

Source: Binance support, "How to Calculate Liquidation Price of USD-M Futures Contracts",
"... of COIN-M Futures Contracts". How Binance treats asset rates on the way is not published.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from monitor.simulator.binance_ledger import ZERO, Leg, Marks, Rates
from monitor.simulator.binance_tables import Symbol

Slack = Callable[[Decimal], Decimal]  # price -> balance less what is required
_HIGHEST = Decimal(10) ** 18  # times the mark: beyond lies no price


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Marks by symbol, and what a unit of each asset counts for in dollars."""

    marks: Marks
    rates: Mapping[str, Rates]

    def mark(self, leg: Leg) -> Decimal:
        return self.marks(leg.symbol.name)

    def moved(self, symbol: Symbol, price: Decimal, *, with_coin: bool) -> "Prices":
        """Give the prices with this symbol's mark moved, and perhaps its coin's rates with it."""
        before, rates = self.marks(symbol.name), self.rates

        def marks(name: str) -> Decimal:
            return price if name == symbol.name else self.marks(name)

        if with_coin and symbol.base in rates:
            rate = rates[symbol.base]
            share = price / before
            rates = {**rates, symbol.base: Rates(bid=rate.bid * share, ask=rate.ask * share)}
        return replace(self, marks=marks, rates=rates)


def caps(legs: Iterable[Leg]) -> Iterable[Decimal]:
    """Give the marks at which these legs come to the cap of a bracket."""
    for leg in legs:
        if not leg.amount:
            continue
        size = leg.symbol.contract_size
        for bracket in leg.symbol.brackets[:-1]:
            if size is None:
                yield bracket.cap / abs(leg.amount)
            else:
                yield abs(leg.amount) * size / bracket.cap


def turn(legs: Iterable[Leg], balance: Decimal, mark: Decimal) -> Decimal | None:
    """Give the mark at which profit of these legs of one symbol takes a balance to zero."""
    held = list(legs)
    net = sum((leg.amount for leg in held), ZERO)
    size = held[0].symbol.contract_size if held else None
    if not net:
        return None
    if size is None:
        return mark - balance / net
    inverse = balance + net * size / mark  # balance(p) = inverse - net * size / p
    return net * size / inverse if inverse else None


def roots(slack: Slack, mark: Decimal, kinks: Iterable[Decimal]) -> tuple[Decimal | None, ...]:
    """
    Give the nearest price below the mark, and the nearest above, at which slack changes sign.

    `slack` is linear between two kinks that follow each other.
    """
    sorted_kinks = sorted(set(kinks))
    below = [ZERO, *(kink for kink in sorted_kinks if 0 < kink < mark), mark]
    above = [mark, *(kink for kink in sorted_kinks if kink > mark)]
    down = _first(list(pairwise(below))[::-1], slack, mark)
    up = _first(list(pairwise(above)), slack, mark) or _beyond(above[-1], slack, mark)
    return down, up


def _first(intervals: list[tuple[Decimal, Decimal]], slack: Slack, mark: Decimal) -> Decimal | None:
    for left, right in intervals:
        low = left or right / _HIGHEST  # an inverse contract has no price of zero
        at_left, at_right = slack(low), slack(right)
        if (at_left <= 0) != (at_right <= 0):
            root = low + (right - low) * at_left / (at_left - at_right)
            if root > mark / _HIGHEST:
                return Decimal(root)
    return None


def _beyond(start: Decimal, slack: Slack, mark: Decimal) -> Decimal | None:
    """Give the root above `start`, where the function is linear for good."""
    here, there = slack(start), slack(start * 2)
    slope = (there - here) / start
    if here > 0 and slope < 0:
        root = start - here / slope
        return root if root < mark * _HIGHEST else None
    return None
