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

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.okx.coin_pools import coin_pools
from monitor.exchanges.okx.isolated import ISOLATED, isolated_pools
from monitor.exchanges.okx.rows import Mode
from monitor.exchanges.okx.unified import UNIFIED, anchors_of, unified_pools
from monitor.exchanges.okx.unread import is_of_a_part
from monitor.risk.model import MarginMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.collateral import Anchor
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.parts import Made
    from monitor.exchanges.okx.remainders import Remainder
    from monitor.exchanges.okx.unread import Unread
    from monitor.risk.model import MarginPool, PoolId, Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What stays as the last coherent reading had it: remainders by pool, prices by coin."""

    remainders: Mapping[str, Remainder] = field(default_factory=dict)
    prices: Mapping[str, Anchor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """
    The pools of an account, what OKX says of them, and what they are anchored on.

    `unread` are pools of which no figure can be given, by name; they don't stand in `pools`.
    """

    pools: tuple[MarginPool, ...]
    reported: Mapping[PoolId, Reported]
    anchors: Anchors
    unread: Mapping[str, ExchangeError]


def build(  # noqa: PLR0913, PLR0917 - what an account is made of
    account: str,
    book: Book,
    legs: tuple[Leg, ...],
    unread: tuple[Unread, ...],
    replies: Replies,
    before: Anchors,
) -> Pools:
    """
    Every pool of the account.

    Args:
        legs: Its open positions that are modelled, in the order told.
        unread: What could not be read; it is missing in `legs` and in `book`.
        before: What an earlier reading anchored; empty for a first one.

    Raises:
        Malformed, MissingReply: If it can't be told which pool something belongs to.
    """
    failed = _unread_pools(book, unread)
    cross = tuple(leg for leg in legs if leg.row.is_cross)
    prices: Mapping[str, Anchor] = {}
    built: tuple[Made, ...] = ()
    if book.config.mode is Mode.FUTURES:
        built, without = coin_pools(account, book, cross, before.remainders)
        failed = without | failed
    elif book.is_one_pool and UNIFIED not in failed:
        try:
            prices = anchors_of(book, legs, replies, before.prices)
            built = unified_pools(account, book, cross, replies, prices, before.remainders)
        except ExchangeError as error:
            if not is_of_a_part(error):
                raise
            failed[UNIFIED] = error
    isolated = tuple(leg for leg in legs if not leg.row.is_cross)
    alone, without = isolated_pools(account, book, isolated)
    failed = without | failed
    every = [made for made in (*built, *alone) if made.pool.id.name not in failed]
    return Pools(
        pools=tuple(made.pool for made in every),
        reported={made.pool.id: made.reported for made in every if made.reported is not None},
        unread=failed,
        anchors=Anchors(
            remainders={made.pool.id.name: made.remainder for made in built},
            prices=prices,
        ),
    )


def _unread_pools(book: Book, unread: tuple[Unread, ...]) -> dict[str, ExchangeError]:
    """
    The pools that rows which can't be read belong to; both where it is open how one is margined.

    Raises:
        ExchangeError: Of a row that does not tell what it is margined in, where that decides.
    """
    found: dict[str, ExchangeError] = {}
    for row in unread:
        each = _as_known(book, row)
        error = each.error
        error.because = each.because
        if each.margin_mode is not MarginMode.ISOLATED and not _is_spot_coin(book, each):
            found.setdefault(_cross_pool(book, each), error)
        if each.isolated_name is not None and each.margin_mode is not MarginMode.CROSS:
            found.setdefault(ISOLATED + each.isolated_name, error)
    return found


def _as_known(book: Book, each: Unread) -> Unread:
    """The same, with what is known of the position where its row does not tell it."""
    known = book.positions.get(each.key)
    if known is None:
        return each
    mode = each.margin_mode or known.margin_mode
    return replace(each, ccy=each.ccy or known.ccy, margin_mode=mode)


def _is_spot_coin(book: Book, each: Unread) -> bool:
    """Whether it is a coin of an account that has no pool at all."""
    futures = book.config.mode is Mode.FUTURES
    return each.inst_id is None and not futures and not book.is_one_pool


def _cross_pool(book: Book, each: Unread) -> str:
    if book.config.mode is not Mode.FUTURES:
        return UNIFIED
    if not each.ccy:
        raise each.error
    return each.ccy
