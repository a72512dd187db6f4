"""
Private frames → the account after them: wallet, position and order topics.

Frames change balances, legs and orders. Tables stay those of the REST reading, and so do the
remainders taken over from Bybit's totals; the totals themselves no longer hold. What is older
than what is known of its coin, leg or order changes nothing; so does a frame that comes twice.
The position stream does not follow the mark price: it speaks on orders and fills.

A wallet frame, shortened (docs «Wallet» stream, read 2026-07): ``{"id": "…", "topic": "wallet",
"creationTime": 1672364262482, "data": [{"accountType": "UNIFIED", "totalMarginBalance": "…",
"coin": [{"coin": "USDT", "walletBalance": "11728.54414904", …}]}]}``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import Malformed
from monitor.exchanges.bybit.account import of_another_mode
from monitor.exchanges.bybit.collateral import STABLECOINS
from monitor.exchanges.bybit.modes import Mode
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
    from collections.abc import Callable, Mapping

    from monitor.exchanges.bybit.account import Account
    from monitor.exchanges.bybit.rows import Coin, Order
    from monitor.exchanges.port import Frame

T = TypeVar("T", Held, Option)

PRIVATE_PATH = "/v5/private"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
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
    coins = {coin.coin: coin for coin in account.coins}
    heard = dict(account.heard.coins)
    for wallet in row.rows("data"):
        if wallet.text("accountType") != "UNIFIED":
            continue
        _check_mode(account, wallet)
        for each in wallet.rows("coin"):
            coin = read_coin(each)
            if at < heard.get(coin.coin, account.wallet_at):
                continue
            heard[coin.coin] = at
            coins[coin.coin] = _in_place_of(coins.get(coin.coin), coin)
    now = tuple(coins.values())
    return _if_changed(
        account,
        replace(
            account,
            coins=now,
            is_anchored=account.is_anchored and now == account.coins,
            heard=replace(account.heard, coins=heard),
        ),
    )


def _if_changed(before: Account, after: Account) -> Account:
    """The account itself where a frame has told nothing, and nothing newer."""
    return before if after == before else after


def _check_mode(account: Account, wallet: Row) -> None:
    """Raises Malformed where the account-wide figures went: only isolated margin has none."""
    key = "totalMarginBalance"
    told = wallet.data()
    if key in told and not wallet.has(key) and account.mode is not Mode.ISOLATED:
        raise Malformed(wallet.at(key), f"a number, as in the mode {account.words}", "nothing")


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
    held = {leg.key: leg for leg in account.held}
    options = {option.key: option for option in account.options}
    heard = dict(account.heard.legs)
    for each in row.rows("data"):
        kind = each.optional_text("category") or category
        known: Held | Option | None
        if kind == OPTION:
            known = options.get(read_key(each))
            if _is_news(account, each, known, at):
                _put(options, each, read_option)
                heard[read_key(each)] = (at, read_sequence(each))
        elif kind in (LINEAR, INVERSE):
            known = held.get(read_key(each))
            if _is_news(account, each, known, at):
                _put(held, each, partial(read_held, category=kind, at=at))
                heard[read_key(each)] = (at, read_sequence(each))
        else:
            raise Malformed(each.at("category"), "linear, inverse or option", kind or "nothing")
    legs, others = tuple(held.values()), tuple(options.values())
    because = of_another_mode(account.mode, account.totals, account.coins, legs)
    if because is not None:
        raise because
    same = legs == account.held and others == account.options
    return _if_changed(
        account,
        replace(
            account,
            held=legs,
            options=others,
            unread=tuple(each for each in account.unread if each.key not in heard),
            is_anchored=account.is_anchored and same,
            heard=replace(account.heard, legs=heard),
        ),
    )


def _is_news(account: Account, row: Row, known: Held | Option | None, at: datetime) -> bool:
    """
    Whether a row is not older than what is known of its leg.

    Its place among the rows of its symbol decides, where both name one: a REST answer may be
    of before a change that was streamed earlier. Rows of one place (settings) go by the time.
    """
    last_at, last = account.heard.legs.get(read_key(row), (account.positions_at, None))
    if last is None and known is not None:
        last = known.seq
    place = read_sequence(row)
    if place is not None and last is not None and place != last:
        return place > last
    return at >= last_at


def _put(legs: dict[tuple[str, int], T], row: Row, read: Callable[[Row], T]) -> None:
    """Puts the row in its leg's place, or takes the leg away where it is closed."""
    if is_held(row):
        legs[read_key(row)] = read(row)
    else:
        legs.pop(read_key(row), None)


def _after_orders(account: Account, row: Row, category: str, at: datetime) -> Account:
    orders = {order.order_id: order for order in account.orders.orders}
    heard = dict(account.heard.orders)
    for each in row.rows("data"):
        kind = each.optional_text("category") or category
        if kind not in (LINEAR, INVERSE):
            continue
        order = read_order(each, kind)
        changed_at = min(order.at or at, at)
        if changed_at < _last_of(account, order, heard):
            continue
        heard[order.order_id] = changed_at
        _put_order(orders, order)
    changed = replace(account.orders, orders=tuple(orders.values()))
    return _if_changed(
        account, replace(account, orders=changed, heard=replace(account.heard, orders=heard))
    )


def _last_of(account: Account, order: Order, heard: Mapping[str, datetime]) -> datetime:
    """Up to when the order is known: a list that names it tells when it was last changed."""
    if order.order_id in heard:
        return heard[order.order_id]
    listed = next((o for o in account.orders.orders if o.order_id == order.order_id), None)
    if listed is not None:
        return listed.at or _LONG_AGO
    return account.orders.at or _LONG_AGO


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
