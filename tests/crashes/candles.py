"""
Real crashes as paths of prices: candles from a folder beside the project, walked in fine steps.

The files are not part of the project (their sources state no licence); who has them puts them
in a folder ``shared/data/crashes`` beside it. Their prices are last trades, not marks: a harder
stress than the true marks were.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUND = Decimal("0.00000001")
# Within an hour the true way is rougher than any line between four prices.
_STEPS_OF_AN_HOUR, _STEPS_OF_A_MINUTE = 60, 20
_HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    opened: Decimal
    highest: Decimal
    lowest: Decimal
    closed: Decimal

    def way(self, *, for_longs: bool) -> tuple[Decimal, ...]:
        """The four prices in the order that hurts: the worse end comes last before the close."""
        ends = (self.highest, self.lowest) if for_longs else (self.lowest, self.highest)
        return (self.opened, *ends, self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """A file: `candles[second][coin]`, seconds since its beginning, each `step_seconds` long."""

    name: str
    step_seconds: int
    candles: dict[int, dict[str, Candle]]

    @property
    def coins(self) -> tuple[str, ...]:
        """Those of the first candle, BTC first."""
        first = self.candles[min(self.candles)]
        return tuple(sorted(first, key=lambda coin: (coin != "BTC", coin)))

    @property
    def is_squeeze(self) -> bool:
        return "squeeze" in self.name

    def first_prices(self) -> dict[str, Decimal]:
        return {coin: c.opened for coin, c in self.candles[min(self.candles)].items()}

    def prices(self) -> Iterator[tuple[float, dict[str, Decimal]]]:
        """Each step's second and every coin's price then; a missing candle keeps the last."""
        steps = _STEPS_OF_AN_HOUR if self.step_seconds == _HOUR_SECONDS else _STEPS_OF_A_MINUTE
        last = self.first_prices()
        for second in sorted(self.candles):
            ways = {
                coin: candle.way(for_longs=not self.is_squeeze)
                for coin, candle in self.candles[second].items()
            }
            for step in range(1, steps + 1):
                done = step / steps
                last |= {coin: _between(way, done) for coin, way in ways.items()}
                yield second + done * self.step_seconds, dict(last)


def _between(way: tuple[Decimal, ...], done: float) -> Decimal:
    """The price after this share of the way, straight in log price between its points."""
    stretches = len(way) - 1
    stretch = min(int(done * stretches), stretches - 1)
    share = done * stretches - stretch
    start, end = float(way[stretch]), float(way[stretch + 1])
    price = Decimal(math.exp(math.log(start) + share * (math.log(end) - math.log(start))))
    return price.quantize(_ROUND)


def folder() -> Path | None:
    """The folder of the files, None where it is absent."""
    for above in Path(__file__).resolve().parents:
        found = above / "shared" / "data" / "crashes"
        if found.is_dir():
            return found
    return None


def load(path: Path) -> Crash:
    """One file. Its columns: ``timestamp_ms,symbol,open,high,low,close``, sorted by time."""
    candles: dict[int, dict[str, Candle]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            second = int(row["timestamp_ms"]) // 1000
            candles[second][row["symbol"].partition("/")[0]] = Candle(
                opened=Decimal(row["open"]),
                highest=Decimal(row["high"]),
                lowest=Decimal(row["low"]),
                closed=Decimal(row["close"]),
            )
    seconds = sorted(candles)
    steps = [after - before for before, after in pairwise(seconds)]
    return Crash(
        name=path.stem,
        step_seconds=min(steps),
        candles={second - seconds[0]: candles[second] for second in seconds},
    )
