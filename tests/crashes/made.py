"""Crashes made by hand, and a book of 100 coins at 10×, for tests that need no file."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from tests.crashes.books import Book, Leg
from tests.crashes.candles import Candle, Crash

MINUTE = 60


def ten_times() -> Book:
    """
    100 coins from 100 with 1,000: ended where 1,000 + 100 (P − 100) = 0.5 P, P = 90.4523.

    5 % above that stands 95.2129, 6 % 96.2258, 2 % 92.2983; 80 % are 7,200 ÷ 79.5 = 90.5660
    and 90 % are 8,100 ÷ 89.5 = 90.5028.
    """
    return Book(
        name="BTC 10x",
        wallet=Decimal(1000),
        legs=(Leg(coin="BTC", amount=Decimal(100), entry=Decimal(100)),),
    )


def falling(*closes: float | str) -> Crash:
    """
    A minute from each price to the next: twenty ticks of 3 s.

    For 20 s it stays, in the next 20 s it goes over, then it stays again.
    """
    candles = {}
    for minute, (before, after) in enumerate(pairwise(Decimal(str(each)) for each in closes)):
        made = Candle(opened=before, highest=before, lowest=after, closed=after)
        candles[MINUTE * minute] = {"BTC": made}
    return Crash(name="made", step_seconds=MINUTE, candles=candles)


def slowly(*points: float, minutes: int = 10) -> list[float]:
    """Prices a minute apart, straight between the points, so many minutes from one to the next."""
    between = [
        round(a + (b - a) * k / minutes, 6) for a, b in pairwise(points) for k in range(minutes)
    ]
    return [*between, points[-1]]
