"""
OKX's margin rules: what is liquidated together, in futures and multi-currency mode.

- Futures mode: each coin is the cross pool of the contracts that settle in it; its equity is
  cash + the unrealized PnL of its cross positions.
- Multi-currency margin: all cross positions are one pool in USD, backed by every coin at its
  discount.
- An isolated position, in either mode, is a pool of its margin and itself.

Source: OKX help, «Futures mode», «Multi-currency margin mode», «Maintenance margin ratio»;
worked through on published rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.okx.calls import BALANCE, POSITIONS
from monitor.exchanges.okx.collateral import Anchor, anchor, collateral, haircuts
from monitor.exchanges.okx.envelope import reading
from monitor.exchanges.okx.errors import NAME
from monitor.exchanges.okx.reported import (
    NOTHING,
    Remainder,
    account_remainder,
    account_reported,
    coin_remainder,
    coin_reported,
    isolated_reported,
)
from monitor.exchanges.okx.rows import Mode
from monitor.risk.collateral import worth
from monitor.risk.model import (
    ONE,
    ZERO,
    Basis,
    Collateral,
    MarginMode,
    MarginPool,
    PoolId,
    Reported,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.rows import Coin
    from monitor.exchanges.port import Replies

UNIFIED = "unified"
WALLET = "Trading account"
# PnL told by a coin and by its rows is of one moment within this part of margin and PnL.
_ONE_MOMENT = ONE.scaleb(-6)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    pool: MarginPool
    reported: Reported | None
    remainder: Remainder = NOTHING


def build(
    account: str, book: Book, legs: tuple[Leg, ...], replies: Replies, before: Anchors
) -> Pools:
    """
    Every pool of the account.

    Args:
        legs: Its open positions, in the order told.
        before: What an earlier reading anchored; empty for a first one.

    Raises:
        Malformed, MissingReply: If a coin or a table that a pool needs is not there.
    """
    cross = tuple(leg for leg in legs if leg.row.margin_mode is MarginMode.CROSS)
    prices: Mapping[str, Anchor] = {}
    if book.config.mode is Mode.FUTURES:
        built = _coin_pools(account, book, cross, before)
    else:
        prices = anchors_of(book, legs, replies, before)
        kept = before.remainders.get(UNIFIED, NOTHING)
        backing = _backing(book, cross, replies, prices)
        built = (_unified(account, book, cross, backing, kept),) if backing else ()
    isolated = [leg for leg in legs if leg.row.margin_mode is MarginMode.ISOLATED]
    every = (*built, *(_isolated(account, leg, book) for leg in isolated))
    return Pools(
        pools=tuple(made.pool for made in every),
        reported={made.pool.id: made.reported for made in every if made.reported is not None},
        anchors=Anchors(
            remainders={made.pool.id.name: made.remainder for made in built}, prices=prices
        ),
    )


def _coin_pools(
    account: str, book: Book, cross: tuple[Leg, ...], before: Anchors
) -> tuple[_Pool, ...]:
    wanted = dict.fromkeys((*(leg.row.ccy for leg in cross), *book.coins))
    made = []
    for ccy in wanted:
        legs, coin = _settled_in(ccy, cross), _coin(book, ccy)
        if legs or coin.cash != ZERO:
            made.append(_coin_pool(account, book, coin, legs, before))
    return tuple(made)


def _coin_pool(
    account: str, book: Book, coin: Coin, legs: tuple[Leg, ...], before: Anchors
) -> _Pool:
    holds = coin.ccy not in book.outdated and _one_moment(book, coin, legs)
    remainder = coin_remainder(coin, legs) if holds else before.remainders.get(coin.ccy, NOTHING)
    pool = MarginPool(
        id=PoolId(account=account, name=coin.ccy),
        unit=coin.ccy,
        margin_mode=MarginMode.CROSS,
        collateral=(Collateral(asset=coin.ccy, balance=coin.cash),),
        positions=tuple(leg.position for leg in legs),
        top_up_asset=coin.ccy,
        wallet=WALLET,
        other_balance=remainder.balance,
        other_maintenance=remainder.maintenance,
        other_initial=remainder.initial,
        basis=_basis(remainder),
    )
    reported = coin_reported(coin, legs, remainder, book.at) if holds else None
    return _Pool(pool=pool, reported=reported, remainder=remainder)


def anchors_of(
    book: Book, legs: tuple[Leg, ...], replies: Replies, before: Anchors
) -> dict[str, Anchor]:
    """
    The price of every coin that the unified pool counts.

    A coin that follows a live mark keeps the price and the mark of the first reading: the two
    are of one moment, and a later price is not of that mark's.
    """
    found: dict[str, Anchor] = {}
    cross = tuple(leg for leg in legs if leg.row.margin_mode is MarginMode.CROSS)
    for coin in _counted(book, cross):
        known = before.prices.get(coin.ccy)
        if known is not None and known.is_live:
            found[coin.ccy] = known
        else:
            steps = haircuts(coin, replies)
            found[coin.ccy] = anchor(coin, steps, legs, replies, book.at)
    return found


def _counted(book: Book, cross: tuple[Leg, ...]) -> tuple[Coin, ...]:
    """Every coin with a balance, and those that cross positions settle in."""
    settled = dict.fromkeys(leg.row.ccy for leg in cross)
    coins = {ccy: _coin(book, ccy) for ccy in settled}
    coins |= {ccy: coin for ccy, coin in book.coins.items() if coin.cash != ZERO}
    return tuple(coins.values())


def _backing(
    book: Book, cross: tuple[Leg, ...], replies: Replies, anchors: Mapping[str, Anchor]
) -> tuple[Collateral, ...]:
    return tuple(
        collateral(coin, haircuts(coin, replies), anchors[coin.ccy])
        for coin in _counted(book, cross)
    )


def _unified(
    account: str,
    book: Book,
    cross: tuple[Leg, ...],
    backing: tuple[Collateral, ...],
    kept: Remainder,
) -> _Pool:
    holds = not book.totals_outdated and all(
        _one_moment(book, _coin(book, c.asset), _settled_in(c.asset, cross)) for c in backing
    )
    remainder = _account_remainder(book, cross, backing) if holds else kept
    pool = MarginPool(
        id=PoolId(account=account, name=UNIFIED),
        unit="USD",
        margin_mode=MarginMode.CROSS,
        collateral=backing,
        positions=tuple(leg.position for leg in cross),
        top_up_asset=_top_up(cross, backing),
        wallet=WALLET,
        other_balance=remainder.balance,
        other_maintenance=remainder.maintenance,
        other_initial=remainder.initial,
        basis=_basis(remainder),
    )
    prices = {c.asset: c.price for c in backing}
    reported = account_reported(book.totals, cross, prices, book.at) if holds else None
    return _Pool(pool=pool, reported=reported, remainder=remainder)


def _account_remainder(
    book: Book, cross: tuple[Leg, ...], backing: tuple[Collateral, ...]
) -> Remainder:
    coins = [_coin(book, c.asset) for c in backing]
    counted = [
        worth(c, coin.cash + (coin.pnl or ZERO), c.price)
        for c, coin in zip(backing, coins, strict=True)
    ]
    prices = {c.asset: c.price for c in backing}
    return account_remainder(book.totals, coins, cross, prices, sum(counted, ZERO))


def _settled_in(ccy: str, legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if leg.row.ccy == ccy)


def _top_up(cross: tuple[Leg, ...], backing: tuple[Collateral, ...]) -> str:
    """The coin that most cross positions settle in; without any, the first that there is."""
    settled = [leg.row.ccy for leg in cross]
    return max(settled, key=settled.count) if settled else backing[0].asset


def _isolated(account: str, leg: Leg, book: Book) -> _Pool:
    row = leg.row
    if row.margin is None:
        raise MissingReply(
            f"isolated {row.inst_id} changed, and what margin it has now is not told yet",
            exchange=NAME,
            call=POSITIONS.request,
        )
    side = f"/{row.named_side.value}" if row.named_side is not None else ""
    pool = MarginPool(
        id=PoolId(account=account, name=f"isolated/{row.inst_id}{side}"),
        unit=row.ccy,
        margin_mode=MarginMode.ISOLATED,
        collateral=(Collateral(asset=row.ccy, balance=row.margin),),
        positions=(leg.position,),
        top_up_asset=row.ccy,
        wallet=f"margin of the isolated position {row.inst_id}{side}",
    )
    return _Pool(pool=pool, reported=isolated_reported(leg, book.at))


def _coin(book: Book, ccy: str) -> Coin:
    coin = book.coins.get(ccy)
    if coin is None:
        with reading(BALANCE):
            raise Malformed(f"details[ccy={ccy}]", "the coin that positions settle in", "nothing")
    return coin


def _one_moment(book: Book, coin: Coin, legs: tuple[Leg, ...]) -> bool:
    """
    Whether a coin's words and its rows' are of one moment: they tell the same PnL.

    Replies of one reading count as that; after frames it must be seen.
    """
    if not book.was_updated:
        return True
    told, rows = coin.pnl, book.cross_pnl(coin.ccy)
    if told is None or rows is None:
        return False
    scale = sum((abs(leg.row.initial or ZERO) + abs(leg.row.pnl or ZERO) for leg in legs), ZERO)
    return abs(told - rows) <= _ONE_MOMENT * scale


def _basis(remainder: Remainder) -> Basis:
    return Basis.MODELLED if remainder.is_nothing else Basis.PARTLY
