"""Private frames: what the account looks like after them, and what can't be read."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.risk.evaluate import evaluate
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.figures import pool_of
from tests.exchanges.okx.frames import (
    BTC,
    EARLIER,
    LATER,
    after,
    closed,
    row,
    traded,
    usdt,
    usdt_risk,
)


def test_a_position_that_was_reduced_needs_less():
    view = after(wire.push("positions", row(0, pos="10", upl="-400", mmr="38.4"), instType="ANY"))
    requirement = usdt_risk(view).requirement

    assert requirement.margin_balance == 1300 - 400 - 300
    assert requirement.maintenance_margin == Decimal(9600) * Decimal("0.0045") + Decimal("48.6")


def test_the_marks_of_a_frame_are_those_of_its_moment():
    frame = wire.push("positions", row(0, markPx="95000", upl="-1000"), instType="ANY")
    later = replace(frame, at=wire.NOON.replace(second=9))
    snapshot = after(later).snapshot(wire.NOON)

    assert snapshot.marks["BTC/USDT:USDT"].price == 95000
    assert snapshot.marks["BTC/USDT:USDT"].at == later.at
    assert snapshot.marks["ETH/USDT:USDT"].at == wire.NOON


def test_a_closed_position_is_gone_and_the_others_stay():
    view = after(wire.push("positions", closed(BTC, "BTC-USDT-SWAP"), instType="ANY"))

    assert [p.instrument.base for p in usdt_risk(view).pool.positions] == ["ETH"]
    assert usdt_risk(view).requirement.margin_balance == 1300 - 300


def test_a_new_position_takes_its_tables_from_what_was_read():
    xrp = wire.position(
        "XRP-USDT-SWAP", "10", "2", "2", upl="0", imr="40", mmr="10", mgnRatio="1.4", uTime=LATER
    )
    view = after(wire.push("positions", xrp, instType="ANY"))

    # 10 × 100 XRP at 2 = 2,000 USDT at 0.5 % + 0.05 %
    assert usdt_risk(view).requirement.maintenance_margin == 135 + 11


def test_a_new_position_whose_tables_were_not_read_names_the_request():
    doge = wire.position("DOGE-USDT-SWAP", "10", "2", "2", uTime=LATER)
    view = after(wire.push("positions", doge, instType="ANY"))

    (why,) = view.snapshot(wire.NOON).unread.values()
    assert "instId=DOGE-USDT-SWAP" in why
    # Once it is closed, there are figures again.
    gone = closed(doge["posId"], "DOGE-USDT-SWAP")
    assert usdt_risk(view.updated(wire.push("positions", gone))).requirement.ratio


def test_a_new_position_of_another_kind_is_named():
    option = wire.position("BTC-USD-261225-100000-C", "1", "0.05", "0.05", instType="OPTION")
    view = after(wire.push("positions", option, instType="ANY"))

    (words,) = pool_of(view.snapshot(wire.NOON), "USDT").carried
    assert words == "1 option (BTC-USD-261225-100000-C)"


def test_an_older_row_moves_nothing_back():
    newer = wire.push("positions", row(0, pos="10", upl="-400", mmr="38.4"))
    older = wire.push("positions", row(0, uTime=EARLIER))
    shut = wire.push("positions", closed(BTC, "BTC-USDT-SWAP"))

    assert usdt_risk(after(newer, older)) == usdt_risk(after(newer))
    assert usdt_risk(after(shut, older)) == usdt_risk(after(shut)), "nor does it open it again"


def test_the_same_frame_twice_changes_nothing_more():
    frames = [
        wire.push("positions", row(0, pos="10", upl="-400", mmr="38.4")),
        wire.push("account", usdt(cashBal="1400")),
        traded(row(1, pos="-40"), cash="1390"),
    ]
    once, twice = after(*frames), after(*(f for f in frames for _ in range(2)))

    assert once.snapshot(wire.NOON) == twice.snapshot(wire.NOON)


def test_a_complete_snapshot_closes_what_it_leaves_out():
    view = after(wire.push("positions", row(1), row(2), event="snapshot", instType="ANY"))

    assert [p.instrument.base for p in usdt_risk(view).pool.positions] == ["ETH"]
    assert len(view.snapshot(wire.NOON).pools) == 2


def test_a_snapshot_of_one_instrument_closes_no_other():
    arg = {"instType": "SWAP", "instId": "ETH-USDT-SWAP"}
    view = after(wire.push("positions", row(1), event="snapshot", **arg))
    assert len(usdt_risk(view).pool.positions) == 2

    family = {"instType": "SWAP", "instFamily": "BTC-USDT"}
    view = after(wire.push("positions", event="snapshot", **family))
    assert [p.instrument.base for p in usdt_risk(view).pool.positions] == ["ETH"]

    other = wire.push("positions", event="snapshot", instType="FUTURES")
    assert len(usdt_risk(after(other)).pool.positions) == 2


def paged(channel, number, last, *data, **arg):
    text = {
        "arg": {"channel": channel, "uid": "1", **arg},
        "eventType": "snapshot",
        "curPage": number,
        "lastPage": last,
        "data": list(data),
    }
    return wire.frame(text)


def test_a_snapshot_of_several_pages_replaces_only_with_its_last():
    first = paged("positions", 1, False, row(0, pos="10"), instType="ANY")
    last = paged("positions", 2, True, row(2), instType="ANY")

    assert usdt_risk(after(first)) == usdt_risk(after())
    assert [p.instrument.base for p in usdt_risk(after(first, last)).pool.positions] == ["BTC"]
    with pytest.raises(Malformed, match="curPage"):
        after(last)
    # A new first page begins anew.
    assert usdt_risk(after(first, first, last)) == usdt_risk(after(first, last))


def test_pages_of_coins_are_collected_too():
    eth = {**usdt(), "details": [wire.coin("ETH", "2", uTime=LATER)]}
    first = paged("account", 1, False, usdt(cashBal="1400"))
    last = paged("account", 2, True, eth)
    view = after(first, last)

    assert usdt_risk(after(first)).requirement.margin_balance == 200
    assert usdt_risk(view).requirement.margin_balance == 300
    assert pool_of(view.snapshot(wire.NOON), "ETH").collateral[0].balance == 2


def test_an_account_update_merges_the_coins_that_it_tells_of():
    eth = {**usdt(), "details": [wire.coin("ETH", "2", uTime=LATER)]}
    view = after(wire.push("account", eth))

    assert [p.id.name for p in view.snapshot(wire.NOON).pools][:2] == ["USDT", "ETH"]
    assert usdt_risk(view).requirement.margin_balance == 200


def test_a_complete_account_snapshot_leaves_no_other_coin():
    told = examples.w7()
    told["GET /api/v5/account/balance"]["data"][0]["details"].append(wire.coin("ETH", "2"))
    whole = wire.push("account", usdt(), event="snapshot")
    only = wire.push("account", usdt(), event="snapshot", ccy="USDT")

    assert len(after(whole, told=told).snapshot(wire.NOON).pools) == 2
    assert len(after(only, told=told).snapshot(wire.NOON).pools) == 3


def test_an_older_coin_moves_nothing_back():
    frames = wire.push("account", usdt(cashBal="1400")), wire.push("account", usdt(uTime=EARLIER))

    assert usdt_risk(after(*frames)).requirement.margin_balance == 300


# Stops.


def stops_after(*orders, told=None):
    frames = [wire.push("orders-algo", order, event=None, instType="ANY") for order in orders]
    return [p.has_stop_loss for p in usdt_risk(after(*frames, told=told)).pool.positions]


def test_stop_orders_come_and_go():
    stop = wire.stop("BTC-USDT-SWAP", "sell")

    assert stops_after(stop) == [True, False]
    assert stops_after(stop, {**stop, "state": "canceled"}) == [False, False]
    assert stops_after(stop, {**stop, "state": "effective"}) == [False, False]
    assert stops_after({**stop, "slTriggerPx": ""}) == [False, False]
    assert stops_after({**stop, "instType": "SPOT", "instId": "BTC-USDT"}) == [False, False]


# Multi-currency.


def test_in_multi_currency_mode_a_coin_that_comes_in_counts():
    told = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    more = {**told["details"][1], "cashBal": "3000", "eq": "3000", "eqUsd": "3000.6"}
    frame = wire.push("account", {**told, "details": [{**more, "uTime": LATER}]})
    snapshot = after(frame, told=examples.multi()).snapshot(wire.NOON)
    risk = evaluate(snapshot.pools[0], snapshot.marks, snapshot.at)

    assert risk.requirement.margin_balance == Decimal("53549.808") + Decimal("1000.2")


def test_a_floating_coin_keeps_the_price_that_belongs_to_its_mark():
    told = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    btc = {**told["details"][0], "coinUsdPrice": "100000", "uTime": LATER}
    snapshot = after(
        wire.push("account", {**told, "details": [btc]}), told=examples.multi()
    ).snapshot(wire.NOON)
    backing = {c.asset: c for c in snapshot.pools[0].collateral}

    assert backing["BTC"].price == Decimal("96019.2")
    assert backing["BTC"].follows.anchor_mark == 96000


def test_a_new_coin_whose_discount_was_not_read_names_the_request():
    told = examples.multi()["GET /api/v5/account/balance"]["data"][0]
    new = wire.coin("AVAX", "5", eqUsd="100", disEq="90", uTime=LATER)
    view = after(wire.push("account", {**told, "details": [new]}), told=examples.multi())

    with pytest.raises(MissingReply, match=r"discount.*ccy=AVAX"):
        view.snapshot(wire.NOON)


# Frames that say nothing of the account, and frames that can't be read.

WARNING = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "mgnMode": "cross",
    "posSide": "net",
    "pos": "20",
    "posId": BTC,
    "lever": "50",
    "markPx": "96000",
    "mgnRatio": "1.4814814814814814",
    "ccy": "USDT",
    "pTime": LATER,
}


@pytest.mark.parametrize(
    "frame",
    [
        wire.frame("pong"),
        wire.frame({"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"}),
        wire.frame({"event": "subscribe", "arg": {"channel": "account"}, "connId": "1"}),
        wire.frame({"event": "channel-conn-count", "channel": "positions", "connCount": "1"}),
        wire.frame({"event": "notice", "code": "64008", "msg": "…"}),
        wire.push("liquidation-warning", WARNING, event=None, instType="ANY"),
        wire.push("orders", {"ordId": "1"}, event=None, instType="ANY"),
        replace(wire.push("liquidation-warning", WARNING, event=None), path=None),
    ],
)
def test_other_frames_leave_the_view_itself(frame):
    view = after()

    assert view.updated(frame) is view


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{", "frame"),
        ("<html>", "frame"),
        ("[]", ""),
        ("{}", "arg"),
        ('{"arg": {}}', "arg.channel"),
        ('{"arg": {"channel": "novelty"}, "data": []}', "arg.channel"),
        ('{"arg": {"channel": "mark-price"}, "data": []}', "arg.channel"),
        ('{"arg": {"channel": "account"}}', "data"),
        ('{"arg": {"channel": "account"}, "data": []}', "data"),
        ('{"arg": {"channel": "positions"}, "data": [{}]}', r"data[0].pos"),
        ('{"arg": {"channel": "orders-algo"}, "data": [{}]}', "data[0].instType"),
        ('{"arg": {"channel": "balance_and_position"}, "data": [{}]}', "data[0].balData"),
    ],
)
def test_frames_that_cannot_be_read_or_placed_are_malformed(text, path):
    with pytest.raises(Malformed) as caught:
        after(wire.frame(text))
    assert caught.value.path == path


FIELDS = {
    "positions": (
        lambda: wire.push("positions", row(0), instType="ANY"),
        ("instType", "instId", "posId", "pos", "posSide", "mgnMode", "ccy", "avgPx", "upl", "mmr"),
    ),
    "account": (
        lambda: wire.push("account", usdt()),
        ("adjEq", "imr", "mmr", "mgnRatio", "details"),
    ),
    "balance_and_position": (lambda: traded(row(0), cash="1"), ("balData", "posData")),
    "orders-algo": (
        lambda: wire.push("orders-algo", wire.stop("BTC-USDT-SWAP", "sell"), event=None),
        ("instType", "instId", "algoId", "ordType", "side"),
    ),
}


@pytest.mark.parametrize(
    ("channel", "field"), [(c, field) for c, (_, fields) in FIELDS.items() for field in fields]
)
def test_every_required_field_of_a_frame_is_missed_by_its_path(channel, field):
    frame = FIELDS[channel][0]()
    data = json.loads(frame.text)
    del data["data"][0][field]

    broken = replace(frame, text=json.dumps(data))
    if channel == "positions" and field != "instId":
        # Whose row it is can be told: its pool alone has no figures.
        (why,) = after(broken).snapshot(wire.NOON).unread.values()
        assert f"data[0].{field}: " in why
        return
    with pytest.raises(Malformed) as caught:
        after(broken)
    assert caught.value.path == f"data[0].{field}"


def test_a_snapshot_without_its_page_is_malformed():
    frame = wire.push("positions", row(0), event="snapshot")
    data = json.loads(frame.text)
    for field in ("curPage", "lastPage"):
        with pytest.raises(Malformed, match=field):
            after(wire.frame({key: value for key, value in data.items() if key != field}))
