"""
What OKX itself says of an account beside its figures: that it warns, and what it took.

Knows the channels liquidation-warning and balance_and_position, and the bills. What a frame
leaves open (how much of a position went, at which price) stays open, as None, unless the book
before and after it tells.

Source: OKX API guide, «Position risk warning», «Balance and position channel», «Get bills
details (last 7 days)», «Get bill types», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from monitor.errors import ExchangeError, Malformed
from monitor.exchanges.okx import calls
from monitor.exchanges.okx.envelope import rows
from monitor.exchanges.okx.errors import cleaned
from monitor.exchanges.okx.products import CONTRACTS
from monitor.risk.model import ONE, ZERO
from monitor.risk.news import Cause, News, Taken, Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitor.exchanges.call import Replies
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.payload import Row

_CAUSES: Final = {
    "liquidation": Cause.LIQUIDATION,
    "adl": Cause.ADL,
    "claw_back": Cause.TAKEOVER,
    "delivered": Cause.SETTLEMENT,
    "exercised": Cause.SETTLEMENT,
    "settlement": Cause.SETTLEMENT,
}
_WORDS: Final = {
    "liquidation": "OKX liquidated a part of the account",
    "adl": "OKX closed a part of the account by auto-deleveraging",
    "claw_back": "OKX clawed back a part of the profit to cover losses of others",
}
_SIDES: Final = {"long": True, "short": False}
# OKX warns from equity = 3 × requirement on, which is far from the end; where no more than a
# tenth of the equity is left over, the end is near.
_NEAR: Final = Decimal("0.9")
_BILLED: Final = {"5": Cause.LIQUIDATION, "9": Cause.ADL}
# What a bill's kind says of the position that it is about: whether a long went, or a short.
# A purchase closes a short, a sale a long; others (a transfer in or out) are about none.
_OF_LONGS: Final = ("100", "103", "104", "107", "125", "128")
_OF_SHORTS: Final = ("101", "102", "105", "106", "126", "127")


def warned(row: Row, told_at: datetime) -> Warned:
    """
    One row of the warning's channel.

    ``{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "net",
    "pos": "20", "mgnRatio": "1.48…", "markPx": "96000", "ccy": "USDT", "pTime": "179…", …}``

    OKX's ratio is equity over requirement: it is turned round. A warning whose figures are
    empty, or no numbers, is one all the same, and then one of the end being near.
    """
    name = row.optional_text("instId")
    used = _used(row)
    figure = "" if used is None else f", margin ratio {used:.1%} by its own figures"
    return Warned(
        at=row.optional_time("pTime") or told_at,
        words=f"OKX warns that {_shown(name)} may be liquidated (liquidation-warning){figure}",
        exchange_symbol=name,
        is_critical=used is None or used >= _NEAR,
    )


def _used(row: Row) -> Decimal | None:
    """Requirement over equity, None where the row does not tell it."""
    try:
        told = row.optional_decimal("mgnRatio")
    except Malformed:
        return None
    return ONE / told if told is not None and told > ZERO else None


def _shown(name: str | None) -> str:
    return "a position" if name is None else cleaned(name)


def event(data: Row, told_at: datetime) -> tuple[tuple[News, ...], str | None]:
    """
    What one event of balance_and_position says that OKX took, and why to ask for the rest.

    ``{"pTime": "…", "eventType": "liquidation", "balData": [{"ccy": "USDT", "cashBal":
    "490", …}], "posData": [{"posId": "1", "tradeId": "2", "instId": "BTC-USDT-SWAP",
    "posSide": "net", "pos": "0", "ccy": "USDT", …}], "trades": [{"instId": …, "tradeId": …}]}``

    The rows tell what is left of each position, not what went, and of balances what they are
    now: size, price and amount are None, and REST's bills tell them. A daily settlement moves
    entry prices and takes nothing; of settlements only a position that is over is told.
    """
    kind = data.optional_text("eventType") or ""
    cause = _CAUSES.get(kind)
    if cause is None:
        return (), None
    at = data.optional_time("pTime") or told_at
    rows = data.rows("posData")
    news: list[News] = [_taken(row, cause, at) for row in rows if _took(row, cause)]
    if not news and kind in _WORDS:
        news.append(
            Warned(at=at, words=f"{_WORDS[kind]} ({kind})", is_critical=kind != "claw_back")
        )
    return tuple(news), f"what went by the event «{kind}» is in OKX's bills" if news else None


def _took(row: Row, cause: Cause) -> bool:
    return cause is not Cause.SETTLEMENT or row.decimal("pos") == ZERO


def _taken(row: Row, cause: Cause, at: datetime) -> Taken:
    name = row.text("instId")
    trade = row.optional_text("tradeId")
    of_it = trade or f"{row.optional_text('posId') or ''}/{int(at.timestamp() * 1000)}"
    return Taken(
        id=f"{name}/{of_it}",
        at=at,
        cause=cause,
        exchange_symbol=name,
        is_long=_is_long(row),
        contracts=None,
        asset=row.optional_text("ccy"),
    )


def _is_long(row: Row) -> bool | None:
    """The side in long/short mode, else that of what is left; None where nothing is."""
    left: Decimal = row.decimal("pos")
    named = _SIDES.get(row.optional_text("posSide") or "net")
    if named is None and left != ZERO and row.optional_text("instType") in CONTRACTS:
        return left > ZERO
    return named


def sized(news: Iterable[News], before: Book, after: Book) -> tuple[Taken, ...]:
    """
    What of the news was taken, as large as the books before and after its frame tell.

    The amount is what the coin's cash changed by, where nothing else of the frame may have.
    """
    taken = tuple(each for each in news if isinstance(each, Taken))
    alone = len(taken) == 1
    return tuple(_sized(each, before, after, alone=alone) for each in taken)


def _sized(taken: Taken, before: Book, after: Book, *, alone: bool) -> Taken:
    smaller = [
        (held, after.positions[pos_id])
        for pos_id, held in before.positions.items()
        if held.inst_id == taken.exchange_symbol and _shrank(held, after.positions.get(pos_id))
    ]
    if len(smaller) != 1:
        return taken
    ((held, left),) = smaller
    here, there = (book.coins.get(held.ccy) for book in (before, after))
    amount = there.cash - here.cash if here and there and alone else None
    return replace(
        taken,
        is_long=held.contracts > ZERO,
        contracts=abs(held.contracts) - abs(left.contracts),
        asset=held.ccy or taken.asset,
        amount=amount or None,
    )


def _shrank(held: Held, left: Held | None) -> bool:
    return left is not None and abs(left.contracts) < abs(held.contracts)


def billed(replies: Replies) -> tuple[Taken, ...]:
    """
    What the latest bills say was taken, oldest first.

    ``{"billId": "62…", "ts": "179…", "type": "5", "subType": "104", "instId":
    "BTC-USDT-SWAP", "sz": "5", "px": "95000", "ccy": "USDT", "balChg": "-204.5", "tradeId":
    "2695…", …}``. No figure depends on it: what is not there, or can't be read, is left out.
    """
    reply = replies.find(calls.BILLS)
    if reply is None:
        return ()
    try:
        listed = rows(reply)
    except ExchangeError:
        return ()
    return tuple(sorted(_billed(listed), key=lambda each: (each.at, each.id)))


def _billed(listed: Iterable[Row]) -> Iterator[Taken]:
    for row in listed:
        try:
            cause = _BILLED.get(row.text("type"))
            word = row.text("subType") if cause is not None else ""
            if cause is not None and word in (*_OF_LONGS, *_OF_SHORTS):
                yield _of_bill(row, cause, is_long=word in _OF_LONGS)
        except Malformed:
            continue


def _of_bill(row: Row, cause: Cause, *, is_long: bool) -> Taken:
    name = row.text("instId")
    return Taken(
        id=f"{name}/{row.optional_text('tradeId') or row.text('billId')}",
        at=row.time("ts"),
        cause=cause,
        exchange_symbol=name,
        is_long=is_long,
        contracts=row.positive("sz"),
        price=row.positive("px") if row.has("px") else None,
        asset=row.text("ccy"),
        amount=row.decimal("balChg"),
    )
