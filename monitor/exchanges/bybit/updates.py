"""
Private frames → the account after them: wallet, position and order topics.

Frames change balances, legs and orders. Tables stay those of the REST reading, and so do the
remainders taken over from Bybit's totals; the totals themselves no longer hold. A frame older
than what is known changes nothing; so does one that comes twice. The position stream does not
follow the mark price: it speaks on orders and fills.

A wallet frame, shortened (docs «Wallet» stream, read 2026-07): ``{"id": "…", "topic": "wallet",
"creationTime": 1672364262482, "data": [{"accountType": "UNIFIED", "totalMarginBalance": "…",
"coin": [{"coin": "USDT", "walletBalance": "11728.54414904", …}]}]}``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import Malformed
from monitor.exchanges.bybit.account import of_another_mode
from monitor.exchanges.bybit.collateral import STABLECOINS
from monitor.exchanges.bybit.rows import (
    INVERSE,
    LINEAR,
    OPTION,
    Held,
    Option,
    is_held,
    read_coin,
    read_held,
    read_key,
    read_option,
    read_order,
    read_sequence,
)
from monitor.exchanges.payload import Row, parse_json
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Coin, Order
    from monitor.exchanges.port import Frame

T = TypeVar("T", Held, Option)

PRIVATE_PATH = "/v5/private"
# Fills come with the position and wallet frames that they cause; greeks are of options.
_WITHOUT_FIGURES = frozenset({"execution", "greeks", "dcp"})


def updated(account: Account, frame: Frame) -> Account:
    """
    The account after one private frame; itself where the frame changes nothing in it.

    Raises:
        Malformed: If the frame is none of the private stream's, or can't be read.
    """
    if frame.path is not None and not frame.path.split("?")[0].endswith(PRIVATE_PATH):
        raise Malformed("path", PRIVATE_PATH, frame.path)
    row = Row(parse_json(frame.text, "frame"), "")
    if not row.has("topic"):
        return _answered(account, row)
    topic = row.text("topic")
    kind, _, category = topic.partition(".")
    if kind in _WITHOUT_FIGURES:
        return account
    if kind not in _READERS:
        raise Malformed("topic", "one of the private stream's: " + ", ".join(_READERS), topic)
    return _READERS[kind](account, row, category, min(row.time("creationTime"), frame.at))


def _answered(account: Account, row: Row) -> Account:
    """Login, subscription and pong answers change nothing."""
    if not (row.has("op") or row.has("success") or row.has("pong")):
        raise Malformed("topic", "a topic, or an answer to op", "neither")
    return account


def _after_wallet(account: Account, row: Row, _category: str, at: datetime) -> Account:
    if at < account.wallet_at:
        return account
    coins = {coin.coin: coin for coin in account.coins}
    for wallet in row.rows("data"):
        if wallet.text("accountType") != "UNIFIED":
            continue
        for each in wallet.rows("coin"):
            coin = read_coin(each)
            coins[coin.coin] = _in_place_of(coins.get(coin.coin), coin)
    if tuple(coins.values()) == account.coins:
        return account
    return replace(account, coins=tuple(coins.values()), wallet_at=at, is_anchored=False)


def _in_place_of(before: Coin | None, after: Coin) -> Coin:
    """
    The coin's new row, with what only the old one knows.

    A floating coin keeps the price of the REST reading: from there it goes with the mark that
    was taken at the same moment. The stream gives no value to coins that don't count.
    """
    if before is None:
        return after
    if after.counts is None:
        after = replace(after, counts=before.counts)
    is_priced = after.coin in STABLECOINS and after.price > ZERO
    return after if is_priced or before.price == ZERO else replace(after, price=before.price)


def _after_positions(account: Account, row: Row, category: str, at: datetime) -> Account:
    if at < account.positions_at:
        return account
    held = {leg.key: leg for leg in account.held}
    options = {option.key: option for option in account.options}
    for each in row.rows("data"):
        kind = each.optional_text("category") or category
        if kind == OPTION:
            _put(options, each, read_option)
        elif kind in (LINEAR, INVERSE):
            _put(held, each, partial(read_held, category=kind, at=at))
        else:
            raise Malformed(each.at("category"), "linear, inverse or option", kind or "nothing")
    legs, others = tuple(held.values()), tuple(options.values())
    if legs == account.held and others == account.options:
        return account
    because = of_another_mode(account.mode, account.totals, account.coins, legs)
    if because is not None:
        raise because
    return replace(account, held=legs, options=others, positions_at=at, is_anchored=False)


def _put(legs: dict[tuple[str, int], T], row: Row, read: Callable[[Row], T]) -> None:
    """Puts the row in its leg's place, or takes the leg away where it is closed."""
    key = read_key(row)
    if _is_older(read_sequence(row), legs.get(key)):
        return
    if is_held(row):
        legs[key] = read(row)
    else:
        legs.pop(key, None)


def _is_older(sequence: int | None, known: Held | Option | None) -> bool:
    if sequence is None or known is None or known.seq is None:
        return False
    return sequence < known.seq


def _after_orders(account: Account, row: Row, category: str, _at: datetime) -> Account:
    orders = {order.order_id: order for order in account.orders.orders}
    for each in row.rows("data"):
        kind = each.optional_text("category") or category
        if kind in (LINEAR, INVERSE):
            _put_order(orders, read_order(each, kind))
    changed = tuple(orders.values())
    if changed == account.orders.orders:
        return account
    return replace(account, orders=replace(account.orders, orders=changed))


def _put_order(orders: dict[str, Order], order: Order) -> None:
    if order.is_open:
        orders[order.order_id] = order
    else:
        orders.pop(order.order_id, None)


_READERS: dict[str, Callable[[Account, Row, str, datetime], Account]] = {
    "wallet": _after_wallet,
    "position": _after_positions,
    "order": _after_orders,
}
