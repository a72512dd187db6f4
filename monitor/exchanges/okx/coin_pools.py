"""
Futures mode: each coin is the cross pool of what is margined in it.

Its equity is cash + the unrealized PnL of its cross positions (margin trades and options
included), its requirement their maintenance margin + the fees of liquidating them.

Source: OKX help, «Futures mode», «Maintenance margin ratio»; worked through on W4, W7 and W8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import ExchangeError
from monitor.exchanges.okx.parts import (
    WALLET,
    Made,
    assumed,
    basis_of,
    coin_of,
    left_out,
    named,
    one_moment,
    settled_in,
    told_pnl,
)
from monitor.exchanges.okx.remainders import NOTHING, coin_remainder, sum_rows
from monitor.exchanges.okx.reported import coin_reported
from monitor.risk.model import (
    ONE,
    ZERO,
    Collateral,
    MarginMode,
    MarginPool,
    PoolId,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.remainders import Remainder
    from monitor.exchanges.okx.rows import Coin


def coin_pools(
    account: str, book: Book, cross: tuple[Leg, ...], kept: Mapping[str, Remainder]
) -> tuple[tuple[Made, ...], dict[str, ExchangeError]]:
    """
    A pool for every coin that has cash, or that something is margined in.

    Those of which no figure can be given are told by name, with the reason: the balance leaves
    out a coin that positions settle in, say.
    """
    opaque = book.opaque_cross()
    events = book.events()
    used = (*(leg.row.ccy for leg in cross), *(row.ccy for row in (*opaque, *events)))
    wanted = dict.fromkeys((*(ccy for ccy in used if ccy), *book.coins))
    made: list[Made] = []
    failed: dict[str, ExchangeError] = {}
    for ccy in wanted:
        try:
            coin = coin_of(book, ccy)
            if ccy in used or coin.backing() != ZERO or coin.apart:
                mine = tuple(row for row in opaque if row.ccy == ccy)
                aside = left_out((coin,), (row for row in events if row.ccy == ccy))
                pool = _coin_pool(account, book, coin, settled_in(ccy, cross), mine, kept)
                made.append(replace(pool, pool=_naming(pool.pool, aside)))
        except ExchangeError as error:
            failed[ccy] = error
    return tuple(made), failed


def _naming(pool: MarginPool, aside: tuple[str, ...]) -> MarginPool:
    return replace(pool, carried=(*pool.carried, *aside))


def _coin_pool(  # noqa: PLR0913, PLR0917 - the parts of one pool
    account: str,
    book: Book,
    coin: Coin,
    legs: tuple[Leg, ...],
    opaque: tuple[Held, ...],
    kept: Mapping[str, Remainder],
) -> Made:
    holds = coin.ccy not in book.outdated and one_moment(book, coin, legs)
    options = sum((row.option_value for row in opaque), ZERO)
    cash = coin.backing(options)
    rows = sum_rows(legs, opaque, {coin.ccy: ONE})
    told = coin.cross_equity if opaque else cash + (coin.pnl or ZERO)
    ours = cash + told_pnl(coin, legs, opaque)
    remainder = kept.get(coin.ccy, NOTHING)
    if holds:
        remainder = coin_remainder(coin, rows, told, ours)
    assets = sum((leg.assets for leg in legs), ZERO)
    pool = MarginPool(
        id=PoolId(account=account, name=coin.ccy),
        unit=coin.ccy,
        margin_mode=MarginMode.CROSS,
        collateral=(Collateral(asset=coin.ccy, balance=cash + assets),),
        positions=tuple(leg.position for leg in legs),
        top_up_asset=coin.ccy,
        wallet=WALLET,
        other_balance=remainder.balance,
        other_maintenance=remainder.maintenance,
        other_initial=remainder.initial,
        basis=basis_of(remainder, opaque, legs),
        carried=(*remainder.words, *named(opaque), *assumed(legs)),
    )
    reported = coin_reported(coin, rows, told, remainder, book.at) if holds else None
    return Made(pool=pool, reported=reported, remainder=remainder)
