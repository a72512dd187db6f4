"""
Private frames: what an account's book says after one of them.

Knows the channels account, positions, balance_and_position, liquidation-warning and
orders-algo; must not know a margin rule. An update carries only what it touches and is
merged; a snapshot may span pages and replaces only once its last page is there. What is
older than what is known is not taken, and the same frame twice changes nothing.

Source: OKX API guide, «Account channel», «Positions channel», «Balance and position channel»,
«Position risk warning», «Algo orders channel», copies of July 2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from monitor.exchanges.okx import rows
from monitor.exchanges.okx.envelope import only_row
from monitor.exchanges.okx.held import held as read_held
from monitor.exchanges.okx.held import traded
from monitor.exchanges.okx.products import MODELLED, family_in
from monitor.exchanges.okx.unread import COIN, Unread, apart, coin_row, position_row
from monitor.exchanges.payload import Row, parse_json
from monitor.risk.model import MarginMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.port import Frame

T = TypeVar("T")

_PONG = "pong"


def apply(book: Book, frame: Frame) -> Book:
    """
    The book after one private frame; the book itself where the frame says nothing of it.

    Raises:
        Malformed: If the frame can't be read, or is of no private channel that is known.
    """
    if frame.text.strip() == _PONG:
        return book
    row = Row(parse_json(frame.text, "frame"), "")
    if row.has("event"):  # of the connection: a login, an acknowledgement, a notice
        return book
    channel = row.row("arg").one_of("channel", _CHANNELS)
    return channel(book, row, frame)


def _account(book: Book, row: Row, frame: Frame) -> Book:
    """
    ``{"arg": {"channel": "account", "uid": "…"}, "eventType": "snapshot", "curPage": 1,
    "lastPage": true, "data": [{"adjEq": "", …, "details": [{"ccy": "USDT", …}]}]}``
    """
    data = only_row(row.rows("data"))
    totals = rows.totals(data)
    told, unread = apart(data.rows("details"), rows.coin, coin_row)
    if not _is_snapshot(row) or row.row("arg").has("ccy"):
        book = book.keeping(unread, (COIN + coin.ccy for coin in told))
        return replace(book.with_coins(told, totals), at=frame.at)
    pages, whole = book.coin_pages.with_page(row, (*told, *unread))
    if pages is book.coin_pages:
        return book
    book = replace(book, coin_pages=pages)
    if whole is None:
        return book
    told, unread = _parted(whole)
    book = book.keeping(unread, [key for key in book.unread if key.startswith(COIN)])
    return replace(book.with_all_coins(told, totals), at=frame.at)


def _parted(whole: tuple[T | Unread, ...]) -> tuple[tuple[T, ...], tuple[Unread, ...]]:
    """What could be read of a snapshot, and what not."""
    told = tuple(each for each in whole if not isinstance(each, Unread))
    return told, tuple(each for each in whole if isinstance(each, Unread))


def _positions(book: Book, row: Row, frame: Frame) -> Book:
    """
    ``{"arg": {"channel": "positions", "uid": "…", "instType": "ANY"}, "eventType":
    "event_update", "data": [{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "pos": "0", …}]}``
    """
    read, unread = apart(row.rows("data"), read_held, position_row)
    told = tuple(replace(held, told_at=frame.at) for held in read)
    if not _is_snapshot(row):
        return _with_rows(book, told, _newer, unread)
    pages, whole = book.position_pages.with_page(row, (*told, *unread))
    if pages is book.position_pages:
        return book
    book = replace(book, position_pages=pages)
    if whole is None:
        return book
    told, unread = _parted(whole)
    named = {*(held.pos_id for held in told), *(each.key for each in unread)}
    within = _scope(row.row("arg"))
    missing = [p for p, held in book.positions.items() if p not in named and within(held)]
    gone = [key for key in book.unread if not key.startswith(COIN) and key not in named]
    book = _with_rows(book, told, _newer, unread).keeping((), gone)
    return book.without(missing, _sent_ms(told, frame))


def _sent_ms(told: tuple[Held, ...], frame: Frame) -> int:
    """When a list of positions was sent; by the clock here where it has no row that tells."""
    sent = max((held.pushed_ms for held in told), default=0)
    return sent or int(frame.at.timestamp() * 1000)


def _balance_and_position(book: Book, row: Row, frame: Frame) -> Book:
    """
    ``{"arg": {"channel": "balance_and_position"}, "data": [{"pTime": "…", "eventType":
    "filled", "balData": [{"ccy": "USDT", "cashBal": "490", "uTime": "…"}], "posData": [{…}],
    "trades": […]}]}``
    """
    for data in row.rows("data"):
        balances, unread = apart(data.rows("balData"), _cash, coin_row)
        book = book.keeping(unread)
        for ccy, cash, updated_ms in balances:
            book = book.with_cash(ccy, cash, updated_ms)
        read, unread = apart(data.rows("posData"), traded, position_row)
        told = tuple(replace(held, told_at=frame.at) for held in read)
        book = _with_rows(book, told, _resized, unread)
    return book


def _cash(row: Row) -> tuple[str, Decimal, int]:
    return row.text("ccy"), row.decimal("cashBal"), row.integer("uTime")


def _algo_orders(book: Book, row: Row, _: Frame) -> Book:
    stops = book.stops
    for order in row.rows("data"):
        if order.text("instType") in MODELLED:
            stops = stops.after(order)
    return replace(book, stops=stops)


def _nothing(book: Book, _: Row, __: Frame) -> Book:
    """A warning of OKX's own, or a channel that tells nothing of balances or positions."""
    return book


_CHANNELS: Mapping[str, Callable[[Book, Row, Frame], Book]] = {
    "account": _account,
    "positions": _positions,
    "balance_and_position": _balance_and_position,
    "orders-algo": _algo_orders,
    "algo-advance": _nothing,
    "liquidation-warning": _nothing,
    "account-greeks": _nothing,
    "orders": _nothing,
    "fills": _nothing,
}


def _is_snapshot(row: Row) -> bool:
    # Frames without the word are of an older API: they are merged, which loses nothing.
    return row.has("eventType") and row.text("eventType") == "snapshot"


def _scope(arg: Row) -> Callable[[Held], bool]:
    """Which positions a subscription tells of, by its own arguments."""
    inst_type, inst_id = arg.optional_text("instType"), arg.optional_text("instId")
    family = arg.optional_text("instFamily")

    def within(held: Held) -> bool:
        return (
            inst_type in (None, "ANY", held.inst_type)
            and inst_id in (None, held.inst_id)
            and family in (None, family_in(held.inst_id))
        )

    return within


def _with_rows(
    book: Book,
    told: tuple[Held, ...],
    merge: Callable[[Held, Held], Held],
    unread: tuple[Unread, ...],
) -> Book:
    book = book.keeping(unread, (held.pos_id for held in told))
    for held in told:
        book = book.with_position(held, merge)
    return book


def _newer(_: Held, new: Held) -> Held:
    return new


def _resized(known: Held, new: Held) -> Held:
    """A position after a trade: its figures of risk are no longer those that were told."""
    if not known.is_open:
        return new
    if (new.contracts, new.entry_price) == (known.contracts, known.entry_price):
        return replace(known, updated_ms=new.updated_ms)
    return replace(
        known,
        contracts=new.contracts,
        entry_price=new.entry_price,
        named_side=new.named_side if new.is_open else known.named_side,
        margin=None if new.margin_mode is MarginMode.ISOLATED else known.margin,
        owed=None,
        pnl=None,
        initial=None,
        maintenance=None,
        margin_ratio=None,
        liquidation_price=None,
        notional_usd=None,
        updated_ms=new.updated_ms,
    )
