"""
Private frames in whatever order they come: nothing moves back, nothing new is left out.

F-10 (out of order), F-11 (twice), F-22 (a REST answer of before what was streamed).
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    NOW,
    NOW_MS,
    coin,
    envelope,
    frame,
    limit_order,
    position,
    replies,
    wallet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.exchanges.port import AccountView, Frame
    from tests.exchanges.bybit.wire import Json

ORDERS = "/v5/order/realtime?category=linear&settleCoin=USDT"
# Of every row in the REST answers.
SEQ = 15411084098


def view(**other: Json) -> AccountView:
    return EXCHANGE.read_account("main", replies(examples.two_positions() | other))


def leg(symbol: str, size: str, place: int, **changes: object) -> Json:
    """A row of the stream, `place` changes after those of the REST answers."""
    row = position(symbol, "Buy", size, "100000", "96000", positionMM="90", seq=SEQ + place)
    row |= {"entryPrice": row.pop("avgPrice"), "category": "linear"}
    if not Decimal(size):
        row |= {"side": "", "entryPrice": "0", "positionMM": "", "positionIM": ""}
    return row | changes


def sizes(read: AccountView) -> dict[str, Decimal]:
    held = read.snapshot(NOW).pools[0].positions
    return {each.instrument.exchange_symbol: each.contracts for each in held}


def balances(read: AccountView) -> dict[str, Decimal]:
    return {each.asset: each.balance for each in read.snapshot(NOW).pools[0].collateral}


def applied(read: AccountView, frames: Iterable[Frame]) -> AccountView:
    for each in frames:
        read = read.updated(each)
    return read


FRAMES = (
    frame("position", leg("BTCUSDT", "0.4", 1), seconds=1),
    frame("position", leg("ETHUSDT", "7", 1, side="Sell", avgPrice="3500"), seconds=2),
    frame("position", leg("BTCUSDT", "0", 2), seconds=3),
    frame("wallet", wallet(coin("USDT", "10900", "8900", "8900")), seconds=4),
    frame("wallet", wallet(coin("USDT", "10800", "8800", "8800")), seconds=5),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_any_order_of_the_same_frames_ends_in_the_same_account(order: tuple[int, ...]) -> None:
    after = applied(view(), (FRAMES[number] for number in order))

    assert sizes(after) == {"ETHUSDT": 7}
    assert balances(after) == {"USDT": 10800}


def test_frames_that_come_twice_change_nothing_the_second_time() -> None:
    once = applied(view(), FRAMES)

    assert applied(once, FRAMES) is once
    assert applied(once, reversed(FRAMES)) is once


def test_a_frame_about_one_leg_does_not_shut_out_an_earlier_one_about_another() -> None:
    after = applied(view(), (FRAMES[1], FRAMES[0]))

    assert sizes(after) == {"BTCUSDT": Decimal("0.4"), "ETHUSDT": 7}


def test_a_coin_told_late_is_not_shut_out_by_another_coin() -> None:
    before = EXCHANGE.read_account("main", replies(constructed.coins_as_collateral()))
    late = frame("wallet", wallet(coin("BTC", "44", "44", "4400000")), seconds=1)
    first = frame("wallet", wallet(coin("USDT", "10900", "8900", "8900")), seconds=2)

    after = balances(applied(before, (first, late)))

    assert (after["USDT"], after["BTC"]) == (10900, 44)


def test_a_balance_that_went_and_came_back_is_not_taken_back_by_a_late_frame() -> None:
    usdt = examples.two_positions()["/v5/account/wallet-balance?accountType=UNIFIED"]
    same = usdt["result"]["list"][0]["coin"][0]
    back = frame("wallet", wallet(same), seconds=3)
    late = frame("wallet", wallet(coin("USDT", "1", "1", "1")), seconds=2)

    before = view()

    assert balances(applied(before, (back, late))) == balances(before)


def test_a_later_place_is_news_even_where_the_answer_by_rest_came_after_it() -> None:
    """The list was answered by a copy that had not yet heard of the change."""
    early = frame("position", leg("BTCUSDT", "0.25", 1), seconds=-1)
    gone = frame("position", leg("BTCUSDT", "0", 1), seconds=-1)

    assert sizes(view().updated(early))["BTCUSDT"] == Decimal("0.25")
    assert sizes(view().updated(gone)) == {"ETHUSDT": 10}


def test_a_leg_that_no_list_names_is_not_brought_back_by_an_earlier_frame() -> None:
    opened = leg("BTCUSDT", "0.4", 5)
    bodies = examples.two_positions()
    listed = bodies["/v5/position/list?category=linear&settleCoin=USDT"]["result"]["list"]
    listed[:] = [row for row in listed if row["symbol"] != "BTCUSDT"]
    for row in listed:
        row |= {"positionMM": "320"}
    before = EXCHANGE.read_account("main", replies(bodies))

    assert before.updated(frame("position", opened, seconds=-1)) is before


def order(status: str, changed: float, **other: object) -> Json:
    row = limit_order("BTCUSDT", "Buy", "90000", "0.1", category="linear", orderId="one")
    changed_ms = NOW_MS + int(changed * 1000)
    return row | {"orderStatus": status, "updatedTime": str(changed_ms)} | other


def with_margin(read: AccountView) -> int:
    return len(read.account.orders.with_margin())  # type: ignore[attr-defined] # Bybit's own


def test_a_cancelled_order_is_not_brought_back_by_a_late_frame() -> None:
    new, cancelled = order("New", 1), order("Cancelled", 2, leavesQty="0")
    before = view(**{ORDERS: envelope({"list": []})})

    in_order = applied(before, (frame("order", new), frame("order", cancelled, seconds=2)))
    swapped = applied(before, (frame("order", cancelled, seconds=2), frame("order", new)))

    assert with_margin(before.updated(frame("order", new))) == 1
    assert with_margin(in_order) == with_margin(swapped) == 0


def test_an_order_that_the_list_no_longer_names_stays_gone() -> None:
    before = view(**{ORDERS: envelope({"list": []})})

    assert before.updated(frame("order", order("New", -1), seconds=-1)) is before


def test_a_listed_order_goes_by_its_own_last_change() -> None:
    before = view(**{ORDERS: envelope({"list": [order("PartiallyFilled", -5, leavesQty="0.05")]})})
    older = frame("order", order("New", -9), seconds=-9)
    newer = frame("order", order("Filled", -4, leavesQty="0"), seconds=-4)

    assert before.updated(older) is before
    assert with_margin(before) == 1
    assert with_margin(before.updated(newer)) == 0


def test_a_wallet_without_account_wide_figures_is_of_another_mode() -> None:
    row = wallet(coin("USDT", "10900", "8900", "8900"), totalMarginBalance="")

    with pytest.raises(Malformed, match="totalMarginBalance"):
        view().updated(frame("wallet", row))
