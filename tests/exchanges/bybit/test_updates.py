"""Private frames change what is known of an account."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.risk import evaluate
from tests.exchanges.bybit import constructed, examples
from tests.exchanges.bybit.wire import (
    NOW,
    POSITIONS,
    coin,
    envelope,
    frame,
    position,
    replies,
    samples,
    stop_order,
    wallet,
)

if TYPE_CHECKING:
    from monitor.exchanges.port import AccountView, Frame
    from monitor.risk import MarginPool, PoolRisk
    from tests.exchanges.bybit.wire import Json

ORDERS = "/v5/order/realtime?category=linear&settleCoin=USDT"


def view(bodies: dict[str, Json] | None = None) -> AccountView:
    return EXCHANGE.read_account("main", replies(bodies or examples.two_positions()))


def pool(read: AccountView) -> MarginPool:
    return read.snapshot(NOW).pools[0]


def risk(read: AccountView) -> PoolRisk:
    snapshot = read.snapshot(NOW)
    return evaluate(snapshot.pools[0], snapshot.marks, NOW)


def sizes(read: AccountView) -> dict[str, Decimal]:
    return {held.instrument.exchange_symbol: held.contracts for held in pool(read).positions}


def balances(read: AccountView) -> dict[str, Decimal]:
    return {each.asset: each.balance for each in pool(read).collateral}


def streamed(**changes: object) -> Json:
    """The BTC leg as the stream sends it: `entryPrice` for `avgPrice`, with its category."""
    row = position(
        "BTCUSDT", "Buy", "0.25", "100000", "96000", positionMM="91.575", seq=15411084099
    )
    row |= {"entryPrice": row.pop("avgPrice"), "category": "linear", "unrealisedPnl": "-1000"}
    return row | changes


USDT = coin("USDT", "10900", "8900", "8900", unrealisedPnl="-2000")


def test_a_wallet_frame_changes_balances_and_index() -> None:
    after = view().updated(frame("wallet", wallet(USDT)))
    assert balances(after) == {"USDT": 10900}
    assert pool(after).collateral[0].price == 1
    assert risk(after).requirement.margin_balance == 10900 - 3500
    assert after.snapshot(NOW).reported == {}
    assert sizes(after) == {"BTCUSDT": Decimal("0.5"), "ETHUSDT": 10}


def test_coins_that_a_wallet_frame_leaves_out_stay() -> None:
    after = view(constructed.coins_as_collateral()).updated(frame("wallet", wallet(USDT)))
    assert balances(after) == {"USDT": 10900, "BTC": 45, "METH": 200, "MNT": 500}
    emptied = after.updated(frame("wallet", wallet(coin("BTC", "0", "0", "0")), seconds=2))
    assert set(balances(emptied)) == {"USDT", "METH", "MNT"}


def test_a_floating_coin_keeps_the_price_that_its_anchor_belongs_to() -> None:
    """At the reading 100,000 with the perpetual at 99,950; now 5 % lower, on fewer coins."""
    before = view(constructed.coins_as_collateral())
    after = before.updated(frame("wallet", wallet(coin("BTC", "40", "40", "3800000"))))
    btc = next(each for each in pool(after).collateral if each.asset == "BTC")
    assert (btc.balance, btc.price) == (40, 100_000)
    assert btc.follows is not None
    assert btc.follows.anchor_mark == 99_950


def test_an_anchor_stays_where_it_was_read_when_its_contract_moves() -> None:
    """BTC goes by a BTC contract that is held: a frame brings a newer mark than the price's."""
    bodies = constructed.coins_as_collateral()
    bodies["/v5/market/instruments-info?category=linear"]["result"]["list"][0]["baseCoin"] = "BTC"
    row = position("SOLUSDT", "Buy", "10", "100", "80", positionMM="4.495", seq=15411084099)
    after = view(bodies).updated(frame("position.linear", row))
    btc = next(each for each in pool(after).collateral if each.asset == "BTC")
    assert btc.follows is not None
    assert btc.follows.anchor_mark == 100
    worth = next(each.value for each in risk(after).collateral if each.asset == "BTC")
    assert worth == Decimal("40.8") * 80_000
    closed = row | {"side": "", "size": "0", "seq": 15411084100}
    gone = after.updated(frame("position.linear", closed, seconds=2)).snapshot(NOW)
    assert [instrument.exchange_symbol for instrument in gone.followed] == ["SOLUSDT"]


def test_the_stream_leaves_the_switches_and_some_values_out() -> None:
    row = coin("MNT", "700", "700", "0")
    for key in ("marginCollateral", "collateralSwitch"):
        del row[key]
    after = view(constructed.coins_as_collateral()).updated(frame("wallet", wallet(row)))
    mnt = next(each for each in risk(after).collateral if each.asset == "MNT")
    assert (mnt.balance, mnt.value) == (700, 0)


def test_a_new_coin_names_the_table_it_needs() -> None:
    after = view().updated(frame("wallet", wallet(coin("SOL", "5", "5", "500"))))
    with pytest.raises(MissingReply, match=r"collateral\?currency=SOL") as caught:
        after.snapshot(NOW)
    assert "SOL" in caught.value.call


def test_a_wallet_frame_that_borrows_names_the_tiers_of_the_debt() -> None:
    row = coin("USDT", "-9", "-9", "-9", borrowAmount="9")
    after = view().updated(frame("wallet", wallet(row)))
    with pytest.raises(MissingReply, match="needed") as caught:
        after.snapshot(NOW)
    assert "position-tiers?currency=USDT" in caught.value.call


@pytest.mark.parametrize("topic", ["position", "position.linear"])
def test_a_position_frame_replaces_its_leg(topic: str) -> None:
    after = view().updated(frame(topic, streamed()))
    assert sizes(after) == {"BTCUSDT": Decimal("0.25"), "ETHUSDT": 10}
    btc, _ = risk(after).positions
    # 24,000 × 0.0033 + 25,000 × 0.9 × 0.00055 = 79.2 + 12.375
    assert btc.maintenance_margin == Decimal("91.575")
    assert btc.mark.price == 96000
    assert after.snapshot(NOW).reported == {}


def test_the_topic_names_the_category_where_the_row_does_not() -> None:
    row = streamed()
    del row["category"]
    assert sizes(view().updated(frame("position.linear", row)))["BTCUSDT"] == Decimal("0.25")
    with pytest.raises(Malformed, match="category"):
        view().updated(frame("position", row))


def test_a_closed_leg_goes() -> None:
    closed = streamed(side="", size="0", positionMM="", positionIM="", entryPrice="0")
    assert sizes(view().updated(frame("position", closed))) == {"ETHUSDT": 10}


def test_a_row_that_names_no_place_in_time_is_taken() -> None:
    closed = streamed(side="", size="0", positionMM="", positionIM="", entryPrice="0", seq=0)
    assert sizes(view().updated(frame("position", closed))) == {"ETHUSDT": 10}


def test_both_legs_of_a_hedge_are_told_apart() -> None:
    before = view(constructed.both_legs())
    row = position(
        "SOLUSDT", "", "0", "0", "100", positionIdx=2, category="linear", seq=15411084100
    )
    after = before.updated(frame("position", row))
    assert [held.side.value for held in pool(after).positions] == ["long"]


def test_a_position_in_a_new_symbol_names_the_tables_it_needs() -> None:
    row = streamed(symbol="XRPUSDT")
    after = view().updated(frame("position", row))
    with pytest.raises(MissingReply, match=r"instruments-info.*does not list XRPUSDT") as caught:
        after.snapshot(NOW)
    assert "symbol=XRPUSDT" in caught.value.call


def test_an_inverse_position_names_the_tables_it_needs() -> None:
    """The documentation's sample: BTCUSD, long 3, after which its leg is closed again."""
    (sample,) = samples("handle_positions")
    sample["creationTime"] = 1795348801000
    after = view().updated(replace(frame("position"), text=json.dumps(sample)))
    with pytest.raises(MissingReply, match="category=inverse&symbol=BTCUSD"):
        after.snapshot(NOW)
    sample["data"][0] |= {"size": "0", "side": ""}
    gone = after.updated(replace(frame("position", seconds=2), text=json.dumps(sample)))
    assert len(pool(gone).positions) == 2


def test_margins_taken_over_stay_until_the_next_reading() -> None:
    before = view(examples.position_and_order())
    after = before.updated(
        frame("wallet", wallet(coin("USDT", "900", "901.392", "901", unrealisedPnl="1.392")))
    )
    assert pool(after).other_maintenance == pool(before).other_maintenance > 0
    assert after.snapshot(NOW).reported == {}


@pytest.mark.parametrize(
    "old",
    [
        frame("wallet", wallet(USDT), seconds=-1),
        frame("position", streamed(seq=15411084098), seconds=-1),
        frame("position", streamed(seq=0), seconds=-1),
        frame("position", streamed(seq=15411084097)),
    ],
    ids=["wallet", "settings", "no place", "sequence"],
)
def test_an_older_frame_changes_nothing(old: Frame) -> None:
    before = view()
    assert before.updated(old) is before


@pytest.mark.parametrize("topic", ["wallet", "position"])
def test_frames_out_of_order_never_move_back(topic: str) -> None:
    rows = {"wallet": (wallet(USDT), wallet(coin("USDT", "1", "1", "1")))}
    rows["position"] = (streamed(), streamed(size="9"))
    newer, older = rows[topic]
    after = view().updated(frame(topic, newer, seconds=5))
    assert after.updated(frame(topic, older, seconds=4)) is after
    assert after.updated(frame(topic, newer, seconds=5)).snapshot(NOW) == after.snapshot(NOW)


def test_frames_without_balances_or_positions_change_nothing() -> None:
    before = view()
    sent: list[Json] = [
        {"success": True, "ret_msg": "", "op": "auth", "conn_id": "c"},
        {"success": False, "ret_msg": "expired", "op": "auth", "conn_id": "c"},
        {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c"},
        *samples("handle_pong"),
        {"topic": "execution", "creationTime": 1795348801000, "data": [{"execType": "Trade"}]},
        {"topic": "execution.linear", "creationTime": 1795348801000, "data": []},
        {"topic": "greeks", "creationTime": 1795348801000, "data": []},
    ]
    for body in sent:
        assert before.updated(replace(frame("x"), text=json.dumps(body))) is before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        '{"topic": "tickers.BTCUSDT", "data": {}}',
        '{"topic": "outboundAccountInfo", "ts": 1, "data": []}',
        '{"topic": "wallet", "data": []}',
        '{"topic": "wallet", "creationTime": 1795348801000}',
        '{"topic": "wallet", "creationTime": 1795348801000, "data": [{"coin": []}]}',
        '{"topic": "position", "creationTime": 1795348801000, "data": {}}',
    ],
)
@pytest.mark.parametrize("path", ["/v5/private", None])
def test_a_frame_that_can_not_be_placed_is_an_error(text: str, path: str | None) -> None:
    with pytest.raises(Malformed):
        view().updated(replace(frame("x"), text=text, path=path))


def test_the_path_may_be_missing_but_not_wrong() -> None:
    assert balances(view().updated(frame("wallet", wallet(USDT), path=None))) == {"USDT": 10900}
    simulated = "/bybit/v5/private?max_active_time=60s"
    assert balances(view().updated(frame("wallet", wallet(USDT), path=simulated)))
    with pytest.raises(Malformed, match="path"):
        view().updated(frame("wallet", wallet(USDT), path="/v5/public/linear"))


@pytest.mark.parametrize("key", ["symbol", "side", "size", "entryPrice", "positionMM", "leverage"])
def test_every_part_of_a_position_row_is_needed(key: str) -> None:
    row = streamed()
    del row[key]
    with pytest.raises(Malformed):
        view().updated(frame("position", row))


@pytest.mark.parametrize("key", ["walletBalance", "equity", "usdValue", "borrowAmount", "coin"])
def test_every_part_of_a_coin_row_is_needed(key: str) -> None:
    row = dict(USDT)
    del row[key]
    with pytest.raises(Malformed, match=key):
        view().updated(frame("wallet", wallet(row)))


def test_orders_come_and_go() -> None:
    bodies = examples.two_positions() | {ORDERS: envelope({"list": []})}
    before = view(bodies)
    order = stop_order("BTCUSDT", "Sell", "StopLoss", 2, category="linear")
    protected = before.updated(frame("order", order))
    assert [held.has_stop_loss for held in pool(protected).positions] == [True, False]
    # Orders are no balances: what Bybit said of the account is still held against ours.
    assert protected.snapshot(NOW).reported
    assert protected.updated(frame("order", order)) is protected
    gone = protected.updated(frame("order.linear", order | {"orderStatus": "Deactivated"}))
    assert [held.has_stop_loss for held in pool(gone).positions] == [False, False]
    spot = stop_order("BTCUSDT", "Sell", "StopLoss", 2, category="spot")
    assert before.updated(frame("order", spot)) is before


def test_without_the_list_orders_stay_unknown() -> None:
    order = stop_order("BTCUSDT", "Sell", "StopLoss", 2, category="linear")
    after = view().updated(frame("order", order))
    assert [held.has_stop_loss for held in pool(after).positions] == [None, None]


def test_a_row_without_a_mark_in_a_frame_takes_the_tickers() -> None:
    after = view().updated(frame("position", streamed(markPrice="")))
    with pytest.raises(MissingReply, match="tickers"):
        after.snapshot(NOW)


def test_the_first_reading_is_left_as_it_was() -> None:
    before = view()
    first = before.snapshot(NOW)
    before.updated(frame("position", streamed())).updated(frame("wallet", wallet(USDT)))
    assert before.snapshot(NOW) == first
    assert POSITIONS.format("linear", "USDT") in str(list(examples.two_positions()))
