"""Private frames that come late, twice, in another order, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Malformed, MissingReply
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import pool_of
from tests.exchanges.okx.frames import (
    BTC,
    LATER,
    after,
    closed,
    row,
    traded,
    usdt,
    usdt_risk,
)

EARLIER_BY_REST = str(wire.NOON_MS - 60_000)
LATEST = str(wire.NOON_MS + 900)


def pushed(number, at, *, event="event_update", **changes):
    """A row as the positions channel sends it at a time, unchanged since."""
    told = row(number, uTime=EARLIER_BY_REST, pTime=at, **changes)
    return wire.push("positions", told, event=event, instType="ANY")


def mark(view):
    return view.snapshot(wire.NOON).marks["BTC/USDT:USDT"].price


def bases(view):
    return [p.instrument.base for p in usdt_risk(view).pool.positions]


def xrp(**changes):
    told = wire.position("XRP-USDT-SWAP", "10", "2", "2", mmr="10", mgnRatio="1.4", **changes)
    return {"pTime": told["uTime"], **told}


def balance_at(ms, *coins):
    """An account frame's data, sent at a time, with these coins."""
    told = examples.w7()["GET /api/v5/account/balance"]["data"][0]
    return {**told, "uTime": str(ms), "details": list(coins)}


def coin(**changes):
    return usdt(**changes)["details"][0]


# --- positions


def test_of_one_position_s_pushes_an_earlier_one_moves_no_mark_back():
    late, early = pushed(0, LATEST, markPx="95000"), pushed(0, LATER, markPx="95500")

    assert mark(after(early, late)) == 95000
    assert mark(after(late, early)) == 95000


def test_of_two_with_one_time_the_last_one_that_came_holds():
    one, other = pushed(0, LATER, markPx="95000"), pushed(0, LATER, markPx="95500")

    assert mark(after(one, other)) == 95500
    assert mark(after(other, one)) == 95000


def test_a_push_after_a_reading_by_rest_is_taken_though_nothing_changed():
    assert mark(after(pushed(0, LATER, markPx="95000"))) == 95000


def test_a_list_closes_no_position_that_was_opened_after_it_was_sent():
    opened = wire.push("positions", xrp(uTime=LATEST), instType="ANY")
    old = wire.push(
        "positions", row(0, uTime=EARLIER_BY_REST), row(1), event="snapshot", instType="ANY"
    )

    assert bases(after(opened, old)) == ["BTC", "ETH", "XRP"]
    assert bases(after(opened, pushed(0, LATEST, event="snapshot"))) == ["BTC"]


def test_an_empty_list_is_as_old_as_its_coming():
    opened = wire.push("positions", xrp(uTime=LATEST), instType="ANY")
    empty = wire.push("positions", event="snapshot", instType="ANY")
    later = replace(empty, at=empty.at + timedelta(seconds=1))

    # It came at noon, and what it does not know of was opened 0.9 s later.
    assert bases(after(opened, empty)) == ["XRP"]
    assert bases(after(opened, later)) == []


def test_a_position_that_was_closed_is_opened_again_by_a_trade():
    shut = wire.push("positions", closed(BTC, "BTC-USDT-SWAP"), instType="ANY")
    again = traded(row(0, pos="3", avgPx="96000"), at=LATEST)
    pool = pool_of(after(shut, again).snapshot(wire.NOON), "USDT")
    (btc,) = (p for p in pool.positions if p.instrument.base == "BTC")

    assert (btc.instrument.base, btc.contracts, btc.entry_price) == ("BTC", 3, 96000)


# --- pages


def paged(number, last, *rows, at=LATER):
    body = {
        "arg": {"channel": "positions", "uid": "1", "instType": "ANY"},
        "eventType": "snapshot",
        "curPage": number,
        "lastPage": last,
        "data": [{**one, "pTime": at} for one in rows],
    }
    return wire.frame(body)


def test_pages_that_come_twice_are_taken_once():
    pages = [paged(1, False, row(0)), paged(2, False, row(1)), paged(3, True, xrp(uTime=LATER))]
    once, twice = after(*pages), after(*(page for page in pages for _ in range(2)))

    assert bases(twice) == ["BTC", "ETH", "XRP"]
    assert twice.snapshot(wire.NOON) == once.snapshot(wire.NOON)
    assert after(*pages, *pages).snapshot(wire.NOON) == once.snapshot(wire.NOON)


@pytest.mark.parametrize("whole", [(), (paged(1, True, row(0), row(1)),)])
def test_a_page_whose_first_was_lost_is_put_to_no_other(whole):
    with pytest.raises(Malformed, match="curPage"):
        after(*whole, paged(2, True, xrp(uTime=LATER)))


def test_pages_of_which_one_was_lost_change_nothing_until_the_next_list():
    view = after(paged(1, False, row(0)))
    with pytest.raises(Malformed, match="curPage"):
        view.updated(paged(3, True, xrp(uTime=LATER)))

    whole = view.updated(paged(1, True, row(1), at=LATEST))
    assert bases(whole) == ["ETH"]


# --- coins


def test_an_earlier_account_frame_moves_no_coin_back():
    known = coin(uTime=EARLIER_BY_REST, upl="-1600")
    stale = coin(uTime=EARLIER_BY_REST, upl="-1000")
    late = wire.push("account", balance_at(wire.NOON_MS + 900, known))
    early = wire.push("account", balance_at(wire.NOON_MS + 500, stale))

    for frames in ((early, late), (late, early)):
        assert after(*frames).book.coins["USDT"].pnl == -1600 + 450


def test_but_what_it_alone_tells_is_taken():
    late = wire.push("account", balance_at(wire.NOON_MS + 900))
    early = wire.push("account", balance_at(wire.NOON_MS + 500, coin(cashBal="1400")))

    assert usdt_risk(after(late, early)).requirement.margin_balance == 300


def test_an_earlier_list_of_coins_takes_none_away():
    eth = wire.coin("ETH", "2", uTime=LATEST)
    late = wire.push("account", balance_at(wire.NOON_MS + 900, eth))
    early = wire.push("account", balance_at(wire.NOON_MS + 500, coin()), event="snapshot")
    latest = wire.push("account", balance_at(wire.NOON_MS + 950, coin()), event="snapshot")

    assert {*after(late, early).book.coins} == {"USDT", "ETH"}
    assert {*after(late, early, latest).book.coins} == {"USDT"}


def test_a_list_of_coins_moves_back_none_that_changed_after_it():
    trade = traded(cash="1400", at=LATEST)
    whole = wire.push("account", balance_at(wire.NOON_MS + 500, coin()), event="snapshot")

    assert after(trade, whole).book.coins["USDT"].cash == 1400


# --- all together


def told_of(step):
    """A trade as all three channels tell it: the position grows, its coin shrinks."""
    at = wire.NOON_MS + 1000 * step
    held = row(0, pos=str(20 + step), upl=str(-800 - step), uTime=str(at), pTime=str(at))
    cash = str(1300 - step)
    changed = coin(cashBal=cash, upl=str(-1550 - step), uTime=str(at))
    return (
        traded(held, cash=cash, at=str(at)),
        wire.push("positions", held, instType="ANY"),
        wire.push("account", balance_at(at, changed)),
    )


FRAMES = tuple(frame for step in (1, 2, 3) for frame in told_of(step))


@given(st.permutations(FRAMES), st.lists(st.sampled_from(FRAMES), max_size=4))
def test_whatever_their_order_and_however_often_they_come_they_end_alike(order, again):
    book = after(*order, *again).book

    assert (book.positions[BTC].contracts, book.positions[BTC].pnl) == (23, -803)
    assert (book.coins["USDT"].cash, book.coins["USDT"].pnl) == (1297, -1553 + 450)
    assert book.positions[BTC].maintenance == Decimal("76.8")


# --- another mode


def test_frames_of_another_mode_give_no_figures_of_the_known_one():
    unified = {**balance_at(wire.NOON_MS + 500, coin()), "adjEq": "1500", "mgnRatio": "12"}
    view = after(wire.push("account", unified))

    with pytest.raises(MissingReply, match=r"mode was switched.*adjusted equity") as caught:
        view.snapshot(wire.NOON)
    assert caught.value.call == "GET /api/v5/account/config"


def test_nor_do_those_of_futures_mode_in_another():
    told = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    own = {**told["details"][1], "mgnRatio": "3", "uTime": LATER}
    frame = wire.push("account", {**told, "details": [own]})

    with pytest.raises(MissingReply, match=r"mode was switched.*coin's own"):
        after(frame, told=examples.multi()).snapshot(wire.NOON)
