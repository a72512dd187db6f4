"""
OKX's margin rules: what is liquidated together, in each account mode.

- Spot mode: nothing; where borrowing is switched on (or something is owed), all borrowings
  together, backed by every coin at its discount.
- Futures mode: each coin is the cross pool of what is margined in it; its equity is cash +
  the unrealized PnL of its cross positions.
- Multi-currency margin: all cross positions and all borrowings are one pool in USD, backed by
  every coin at its discount.
- Portfolio margin: the same, but the maintenance margin is OKX's own stress test.
- An isolated position, in any mode, is a pool of its margin and itself.

Source: OKX help, «Spot mode», «Futures mode», «Multi-currency margin mode», «Portfolio margin
mode», «Maintenance margin ratio»; worked through on published rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.exchanges.okx.coin_pools import coin_pools
from monitor.exchanges.okx.isolated import isolated_pools
from monitor.exchanges.okx.rows import Mode
from monitor.exchanges.okx.unified import anchors_of, unified_pools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.collateral import Anchor
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.parts import Made
    from monitor.exchanges.okx.remainders import Remainder
    from monitor.risk.model import MarginPool, PoolId, Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What stays as the last coherent reading had it: remainders by pool, prices by coin."""

    remainders: Mapping[str, Remainder] = field(default_factory=dict)
    prices: Mapping[str, Anchor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """The pools of an account, what OKX says of them, and what they are anchored on."""

    pools: tuple[MarginPool, ...]
    reported: Mapping[PoolId, Reported]
    anchors: Anchors


def build(
    account: str, book: Book, legs: tuple[Leg, ...], replies: Replies, before: Anchors
) -> Pools:
    """
    Every pool of the account.

    Args:
        legs: Its open positions that are modelled, in the order told.
        before: What an earlier reading anchored; empty for a first one.

    Raises:
        Malformed, MissingReply: If a coin or a table that a pool needs is not there.
    """
    cross = tuple(leg for leg in legs if leg.row.is_cross)
    prices: Mapping[str, Anchor] = {}
    built: tuple[Made, ...] = ()
    if book.config.mode is Mode.FUTURES:
        built = coin_pools(account, book, cross, before.remainders)
    elif book.is_one_pool:
        prices = anchors_of(book, legs, replies, before.prices)
        kept = before.remainders
        built = unified_pools(account, book, cross, replies, prices, kept)
    isolated = tuple(leg for leg in legs if not leg.row.is_cross)
    every = (*built, *isolated_pools(account, book, isolated))
    return Pools(
        pools=tuple(made.pool for made in every),
        reported={made.pool.id: made.reported for made in every if made.reported is not None},
        anchors=Anchors(
            remainders={made.pool.id.name: made.remainder for made in built},
            prices=prices,
        ),
    )
