"""
What the pools of every account mode have in common: a pool with what OKX says of it.

Knows what stays outside of a pool's figures and must be named; must not know how they are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.okx.calls import BALANCE
from monitor.exchanges.okx.envelope import reading
from monitor.exchanges.okx.products import EVENTS, MARGIN, OPTION
from monitor.exchanges.okx.remainders import NOTHING
from monitor.risk.model import ONE, ZERO, Basis

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.legs import Leg
    from monitor.exchanges.okx.remainders import Remainder
    from monitor.exchanges.okx.rows import Coin
    from monitor.risk.model import MarginPool, Reported

WALLET = "Trading account"
# PnL told by a coin and by its rows is of one moment within this part of margin and PnL.
_ONE_MOMENT = ONE.scaleb(-6)
# Figures in USD come with fewer digits, and a breath of a price is no other moment.
_PRICED_ALIKE = ONE.scaleb(-4)
_APART = {
    "stgyEq": "in trading bots",
    "smtSyncEq": "in smart copy trading",
    "spotCopyTradingEq": "in spot copy trading",
    "spotIsoBal": "in isolated spot or copy trading",
    "rewardBal": "of trial funds",
}
_KINDS = {OPTION: "option", MARGIN: "margin trade that owes nothing", EVENTS: "event contract"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A pool, OKX's words on it, and what it took over."""

    pool: MarginPool
    reported: Reported | None
    remainder: Remainder = NOTHING


def coin_of(book: Book, ccy: str) -> Coin:
    """The coin of the balance. Raises Malformed where the balance leaves it out."""
    coin = book.coins.get(ccy)
    if coin is None:
        with reading(BALANCE):
            raise Malformed(f"details[ccy={ccy}]", "the coin that positions settle in", "nothing")
    return coin


def settled_in(ccy: str, legs: Iterable[Leg]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if leg.row.ccy == ccy)


def told_pnl(coin: Coin, legs: tuple[Leg, ...], opaque: tuple[Held, ...]) -> Decimal:
    """
    The unrealized PnL of a coin's modelled cross legs, as OKX told it.

    The coin's own sum may be left empty, or hold that of options too, whose worth is told
    apart: then the rows tell.
    """
    if not opaque and coin.pnl is not None:
        return coin.pnl
    return sum((leg.row.pnl or ZERO for leg in legs), ZERO)


def one_moment(book: Book, coin: Coin, legs: tuple[Leg, ...]) -> bool:
    """
    Whether a coin's words and its rows' are of one moment: they tell the same PnL.

    Replies of one reading count as that; after frames it must be seen. The coin's sum may
    leave options out.
    """
    if not book.was_updated:
        return True
    told, sums = coin.pnl, book.cross_pnl(coin.ccy)
    if told is None or sums is None:
        return False
    scale = sum((abs(leg.row.initial or ZERO) + abs(leg.row.pnl or ZERO) for leg in legs), ZERO)
    return any(abs(told - rows) <= _ONE_MOMENT * scale for rows in sums)


def priced_alike(book: Book) -> bool:
    """
    Whether the coins' rows are of the totals' moment: they add up to OKX's own sum.

    Replies of one reading count as that; of a frame that tells of some coins alone it must be
    seen that the others' prices are still those behind its totals.
    """
    worths = [coin.in_usd for coin in book.coins.values()]
    if not book.was_updated or book.totals.equity is None or None in worths:
        return True
    told = [worth for worth in worths if worth is not None]
    scale = sum(map(abs, told), ZERO)
    return abs(sum(told, ZERO) - book.totals.equity) <= _PRICED_ALIKE * scale


def basis_of(remainder: Remainder, opaque: tuple[Held, ...], legs: tuple[Leg, ...]) -> Basis:
    is_ours = remainder.is_nothing and not opaque and not assumed(legs)
    return Basis.MODELLED if is_ours else Basis.PARTLY


def assumed(legs: Iterable[Leg]) -> tuple[str, ...]:
    """What stands in for tables that OKX doesn't tell, in words."""
    return tuple(leg.assumed for leg in legs if leg.assumed)


def named(rows: Iterable[Held]) -> tuple[str, ...]:
    """Positions whose margin is not figured, in words, kind by kind."""
    by_kind: dict[str, list[str]] = {}
    for row in rows:
        kind = _KINDS.get(row.inst_type, f"position of type {row.inst_type}")
        by_kind.setdefault(kind, []).append(row.inst_id)
    return tuple(
        f"{len(ids)} {kind}{'s' if len(ids) > 1 else ''} ({', '.join(ids)})"
        for kind, ids in by_kind.items()
    )


def left_out(coins: Iterable[Coin], events: Iterable[Held]) -> tuple[str, ...]:
    """What an account has that neither backs nor burdens a pool, in words."""
    return (
        *(
            f"left out: {amount.normalize():f} {coin.ccy} {_APART[name]}"
            for coin in coins
            for name, amount in coin.apart.items()
        ),
        *(f"left out: {words}" for words in named(events)),
    )


def in_coins(trades: Iterable[Held]) -> tuple[str, ...]:
    """Margin trades that are no position of their own here, in words."""
    ids = [row.inst_id for row in trades]
    if not ids:
        return ()
    words = "1 margin trade" if len(ids) == 1 else f"{len(ids)} margin trades"
    return (f"counted as coins and debt: {words} ({', '.join(ids)})",)
