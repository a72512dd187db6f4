"""
The account as one pool in USD: multi-currency and portfolio margin, and borrowing in spot mode.

Every coin backs it at its discount, a liability in full; what is owed of a coin needs margin
and a fee of its own, also where unrealized losses begin the debt. In portfolio margin the
requirement is OKX's own word, and only the equity moves between readings.

Source: OKX help, «Multi-currency margin mode», «Portfolio margin mode», «Borrowing»; worked
through on W2, W3 and W6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.okx import tables
from monitor.exchanges.okx.calls import BALANCE
from monitor.exchanges.okx.collateral import (
    anchor,
    collateral,
    haircuts,
    switches_tell,
    told_price,
)
from monitor.exchanges.okx.envelope import reading
from monitor.exchanges.okx.parts import (
    WALLET,
    Made,
    assumed,
    basis_of,
    coin_of,
    in_coins,
    left_out,
    named,
    one_moment,
    priced_alike,
    settled_in,
    told_pnl,
)
from monitor.exchanges.okx.remainders import (
    NOTHING,
    Backing,
    account_remainder,
    stress_remainder,
    sum_rows,
    with_debts,
)
from monitor.exchanges.okx.reported import account_reported
from monitor.exchanges.okx.rows import Mode
from monitor.risk.model import ONE, ZERO, Basis, MarginMode, MarginPool, PoolId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.collateral import Anchor
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.remainders import Remainder, Rows
    from monitor.exchanges.okx.rows import Coin
    from monitor.risk.model import Borrow

UNIFIED = "unified"


def anchors_of(
    book: Book, legs: tuple[Leg, ...], replies: Replies, before: Mapping[str, Anchor]
) -> dict[str, Anchor]:
    """
    The price of every coin that the account's pool counts.

    A coin that follows a live mark keeps the price and the mark of the first reading: the two
    are of one moment, and a later price is not of that mark's.
    """
    found: dict[str, Anchor] = {}
    cross = tuple(leg for leg in legs if leg.row.is_cross)
    switches = switches_tell(book.coins.values())
    for coin in _counted(book, cross):
        known = before.get(coin.ccy)
        if known is not None and known.is_live:
            found[coin.ccy] = known
        else:
            steps = haircuts(coin, replies, switches=switches)
            found[coin.ccy] = anchor(coin, steps, legs, replies, book.at)
    return found


def _counted(book: Book, cross: tuple[Leg, ...]) -> tuple[Coin, ...]:
    """Every coin with a balance or a debt, and those that cross positions settle in."""
    used = (*(leg.row.ccy for leg in cross), *(row.ccy for row in book.opaque_cross()))
    coins = {ccy: coin_of(book, ccy) for ccy in dict.fromkeys(used) if ccy}
    coins |= {ccy: coin for ccy, coin in book.coins.items() if counts_at_all(coin)}
    return tuple(coins.values())


def counts_at_all(coin: Coin) -> bool:
    """Whether there is anything of the coin, or anything owed."""
    return bool(coin.cash or coin.owed or coin.backing())


def unified_pools(  # noqa: PLR0913, PLR0917 - the parts of one pool
    account: str,
    book: Book,
    cross: tuple[Leg, ...],
    replies: Replies,
    anchors: Mapping[str, Anchor],
    kept: Mapping[str, Remainder],
) -> tuple[Made, ...]:
    """
    The account's pool; none where it has no coin at all.

    Raises:
        Malformed, MissingReply: If a coin or a table that it needs is not there.
    """
    coins = _counted(book, cross)
    if not coins:
        return ()
    backing = tuple(_backing(book, coin, cross, replies, anchors[coin.ccy]) for coin in coins)
    holds = (
        not book.totals_outdated
        and priced_alike(book)
        and all(one_moment(book, held.coin, settled_in(held.coin.ccy, cross)) for held in backing)
    )
    opaque = book.opaque_cross()
    told = tuple(map(_as_told, backing)) if book.was_updated else backing
    prices = {held.coin.ccy: held.collateral.price for held in told}
    rows = with_debts(sum_rows(cross, opaque, prices), told)
    remainder = kept.get(UNIFIED, NOTHING)
    if holds:
        remainder = _remainder(book, told, rows)
    taken = remainder.within(prices)
    stressed = book.config.mode is Mode.PORTFOLIO
    pool = MarginPool(
        id=PoolId(account=account, name=UNIFIED),
        unit="USD",
        margin_mode=MarginMode.CROSS,
        collateral=tuple(held.collateral for held in backing),
        positions=tuple(leg.position for leg in cross),
        top_up_asset=_top_up(cross, backing),
        wallet=WALLET,
        other_balance=taken.balance,
        other_maintenance=taken.maintenance,
        other_initial=taken.initial,
        carried_margins=taken.margins,
        basis=Basis.REPORTED if stressed else basis_of(remainder, opaque, cross),
        carried=(
            *remainder.words,
            *named(opaque),
            *assumed(cross),
            *left_out(book.coins.values(), book.events()),
            *in_coins(book.in_coins()),
        ),
    )
    reported = account_reported(book.totals, rows, book.at) if holds else None
    return (Made(pool=pool, reported=reported, remainder=remainder),)


def _as_told(held: Backing) -> Backing:
    """
    At the price in the coin's own row, which is of the totals' moment.

    That of the collateral is of an earlier one, at which its mark was known. Held against
    totals of now, what the price did in between would count as a remainder, and twice.
    """
    price = told_price(held.coin)
    if price is None or price == held.collateral.price:
        return held
    return replace(held, collateral=replace(held.collateral, price=price))


def _remainder(book: Book, backing: tuple[Backing, ...], rows: Rows | None) -> Remainder:
    if book.config.mode is not Mode.PORTFOLIO:
        return account_remainder(book.totals, backing, rows)
    found = stress_remainder(book.totals, backing, rows)
    if found is not None:
        return found
    if rows is not None and not rows.is_something:
        return NOTHING
    with reading(BALANCE):
        raise Malformed("data[0].mmr", "portfolio margin's maintenance margin", "nothing")


def _backing(
    book: Book, coin: Coin, cross: tuple[Leg, ...], replies: Replies, at_price: Anchor
) -> Backing:
    legs = settled_in(coin.ccy, cross)
    opaque = tuple(row for row in book.opaque_cross() if row.ccy == coin.ccy)
    amount = coin.backing(sum((row.option_value for row in opaque), ZERO))
    pnl = told_pnl(coin, legs, opaque)
    borrow = None
    if book.config.mode is not Mode.PORTFOLIO:
        owed = max(coin.loan, -(amount + pnl), ZERO)
        if owed or legs:
            borrow = _with_loan(tables.borrowing(replies, coin.ccy, owed), coin)
    steps = haircuts(coin, replies, switches=switches_tell(book.coins.values()))
    return Backing(
        coin=coin,
        collateral=collateral(coin, amount, steps, at_price, borrow),
        pnl=pnl,
    )


def _with_loan(borrow: Borrow | None, coin: Coin) -> Borrow | None:
    return None if borrow is None else replace(borrow, loan=coin.loan)


def _top_up(cross: tuple[Leg, ...], backing: tuple[Backing, ...]) -> str:
    """
    The coin that most cross positions settle in; without any, the one that is owed most.

    Of coins that count something, where there are such: one that is switched off repays its
    debt, and beyond that helps nothing.
    """
    settled = [leg.row.ccy for leg in cross]
    counting = [held for held in backing if _counts_more(held)]
    owing = [held for held in backing if held.collateral.balance + held.pnl < ZERO]
    helps = counting or owing or backing
    return max(
        helps, key=lambda held: (settled.count(held.coin.ccy), sum(held.debts(), ZERO))
    ).coin.ccy


def _counts_more(held: Backing) -> bool:
    """Whether one coin more counts, also where no debt is left that it would repay."""
    steps = held.collateral.haircuts
    return not steps or steps[0].haircut < ONE
