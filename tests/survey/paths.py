"""
How wrong the figures may grow between two snapshots: random price paths, judged by the exchange.

The pool that was read once is evaluated at each tick's marks, as the product gets them from the
wire; the simulator's books say what headroom was true.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk import Mark, evaluate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.risk import AccountSnapshot
    from tests.survey.stage import Stage

STEP = 0.0005  # standard deviation of a tick, as a fraction; half of it is common to all coins


async def walk(
    stage: Stage, snapshot: AccountSnapshot, seed: int, ticks: int
) -> AsyncIterator[tuple[str, Decimal]]:
    """Each tick's error of every pool: what it is of, and |headroom| in parts of gross notional."""
    draw = random.Random(seed)  # noqa: S311 - a price path, no secret
    prices = stage.prices()
    pools = [pool for pool in snapshot.pools if pool.symbols()]
    for _ in range(ticks):
        common = draw.gauss(0, STEP / 2)
        for base, price in prices.items():
            change = Decimal(str(round(1 + common + draw.gauss(0, STEP), 8)))
            prices[base] = round(price * change, 6)
        stage.move(prices)
        marks = await stage.marks(snapshot, seed)
        truth = {pool.pool: pool for pool in stage.truth(seed)}
        for pool in pools:
            risk = evaluate(pool, marks, snapshot.at)
            if risk.gross_notional > 0 and pool.id.name in truth:
                true = truth[pool.id.name]
                off = risk.requirement.headroom - (true.margin_balance - true.maintenance_margin)
                yield pool.id.name, abs(off) / risk.gross_notional
    stage.restore()


def with_prices(snapshot: AccountSnapshot, found: dict[str, Mark]) -> dict[str, Mark]:
    """The snapshot's marks, moved to what the wire says now."""
    named = {i.exchange_symbol: i.symbol for i in snapshot.instruments()}
    return {**snapshot.marks, **{named[s]: m for s, m in found.items() if s in named}}
