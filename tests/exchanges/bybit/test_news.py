"""What Bybit took, from fills and from the transaction log; its own orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.news import (
    read_fill,
    taken_by,
    taken_of_log,
    unknown_kind,
    warned_by_order,
)
from monitor.exchanges.payload import Row
from monitor.risk.news import Cause, Taken, Warned
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.wire import NOW, NOW_MS, envelope, frame, limit_order, replies

if TYPE_CHECKING:
    from tests.exchanges.bybit.wire import Json

LOG = "/v5/account/transaction-log?accountType=UNIFIED"


def fill(**changes: object) -> Json:
    """
    A fill as the documentation's «Execution» stream shows it (read 2026-07), taken over.

    0.5 BTC long at 100,000 goes at 70,000: 0.5 × 30,000 = 15,000 lost, and a fee of 19.25.
    """
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "isLeverage": "",
        "orderId": "order-1",
        "orderLinkId": "",
        "side": "Sell",
        "orderPrice": "70000",
        "orderQty": "0.5",
        "leavesQty": "0",
        "createType": "CreateByTakeOver_PassThrough",
        "orderType": "Market",
        "stopOrderType": "UNKNOWN",
        "execFee": "19.25",
        "execId": "fill-1",
        "execPrice": "70000",
        "execQty": "0.5",
        "execPnl": "-15000",
        "execType": "BustTrade",
        "execValue": "35000",
        "execTime": str(NOW_MS),
        "isMaker": False,
        "feeRate": "0.00055",
        "markPrice": "70100",
        "closedSize": "0.5",
        "seq": 1,
        "extraFees": "",
    } | changes


def taken(*rows: Json) -> tuple[Taken, ...]:
    return taken_by(each for row in rows if (each := read_fill(Row(row, ""))) is not None)


TAKEN = Taken(
    id="order-1",
    at=NOW,
    cause=Cause.TAKEOVER,
    exchange_symbol="BTCUSDT",
    is_long=True,
    contracts=Decimal("0.5"),
    price=Decimal(70000),
    asset="USDT",
    amount=Decimal("-15019.25"),
)


def test_a_takeover_is_told_with_cause_size_price_and_amount() -> None:
    assert taken(fill()) == (TAKEN,)


@pytest.mark.parametrize(
    ("kind", "created", "cause"),
    [
        ("BustTrade", "", Cause.TAKEOVER),
        ("BustTrade", "CreateByTakeOver_PassThrough", Cause.TAKEOVER),
        ("BustTrade", "CreateByLiq", Cause.LIQUIDATION),
        ("Trade", "CreateByLiq", Cause.LIQUIDATION),
        ("AdlTrade", "", Cause.ADL),
        ("Trade", "CreateByAdl_PassThrough", Cause.ADL),
        ("Delivery", "CreateBySettle", Cause.SETTLEMENT),
        ("Settle", "", Cause.SETTLEMENT),
        ("ReverseSplitSettle", "", Cause.SETTLEMENT),
        ("Trade", "CreateByAdminClosing", Cause.SETTLEMENT),
    ],
)
def test_the_order_tells_the_cause_and_the_fill_where_it_does_not(
    kind: str, created: str, cause: Cause
) -> None:
    (told,) = taken(fill(execType=kind, createType=created))
    assert told.cause is cause


@pytest.mark.parametrize(
    ("kind", "created"),
    [
        ("Trade", "CreateByUser"),
        ("Trade", "CreateByStopLoss"),
        ("Trade", "CreateByMmRateClose"),
        ("Funding", ""),
        ("SessionSettlePnL", ""),
        ("BlockTrade", ""),
        ("MovePosition", "CreateByBlockTradeMovePosition_PassThrough"),
    ],
)
def test_what_is_the_owners_own_or_money_alone_is_not_taken(kind: str, created: str) -> None:
    row = fill(execType=kind, createType=created)
    assert taken(row) == ()
    assert unknown_kind(Row(row, "")) is None


def test_a_kind_that_is_not_known_is_named() -> None:
    assert unknown_kind(Row(fill(execType="Novel\nTrade"), "")) == "NovelTrade"
    assert unknown_kind(Row({}, "")) is None


def test_the_parts_of_an_order_in_one_message_are_one() -> None:
    """0.2 at 70,000 and 0.3 at 69,000 are 0.5 at 69,400; 6,000 + 9,300 lost, fees 7.7 + 11.385."""
    parts = (
        fill(execQty="0.2", closedSize="0.2", execPnl="-6000", execFee="7.7"),
        fill(
            execId="fill-2",
            execQty="0.3",
            closedSize="0.3",
            execPrice="69000",
            execPnl="-9300",
            execFee="11.385",
        ),
    )
    (told,) = taken(*parts)
    assert (told.id, told.contracts, told.price) == ("order-1", Decimal("0.5"), 69400)
    assert told.amount == Decimal("-15319.085")
    assert taken(*parts, *parts) == (told,), "the same fills again add nothing"


def test_fills_that_are_not_all_of_their_order_are_told_one_by_one() -> None:
    part = {"execQty": "0.2", "closedSize": "0.2"}
    told = taken(fill(**part), fill(**part, execId="fill-2"))
    assert [(each.id, each.contracts) for each in told] == [
        ("fill-1", Decimal("0.2")),
        ("fill-2", Decimal("0.2")),
    ]


def test_the_mean_price_of_an_inverse_contract_is_by_the_coins_it_is_worth() -> None:
    """600 USD at 60,000 and 400 USD at 50,000 are 0.01 + 0.008 BTC: 1,000 / 0.018."""
    row = {"symbol": "BTCUSD", "category": "inverse", "orderQty": "1000"}
    (told,) = taken(
        fill(**row, execQty="600", closedSize="600", execPrice="60000", execPnl="-0.001"),
        fill(**row, execId="2", execQty="400", closedSize="400", execPrice="50000", execPnl="-0.1"),
    )
    assert told.price == Decimal(1000) / Decimal("0.018")
    assert told.asset == "BTC"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"side": "Buy"}, {"is_long": False}),
        ({"side": ""}, {"is_long": None}),
        ({"execPnl": ""}, {"amount": None}),
        ({"execFee": ""}, {"amount": Decimal(-15000)}),
        (
            {"extraFees": [{"feeCoin": "USDT", "fee": "3.465"}, {"feeCoin": "MNT", "fee": "9"}]},
            {"amount": Decimal("-15022.715")},
        ),
        ({"execPrice": "0"}, {"price": None}),
        ({"closedSize": ""}, {"contracts": Decimal("0.5")}),
        ({"closedSize": "0", "execQty": "", "orderQty": ""}, {"contracts": None, "price": None}),
        ({"orderId": ""}, {"id": "fill-1"}),
        ({"symbol": "BTCPERP"}, {"asset": "USDC"}),
    ],
)
def test_what_is_not_told_is_none(changes: Json, expected: Json) -> None:
    (told,) = taken(fill(**changes))
    assert {key: getattr(told, key) for key in expected} == expected


def test_spot_is_no_position() -> None:
    assert taken(fill(category="spot")) == ()


@pytest.mark.parametrize("key", ["symbol", "execId", "execTime"])
def test_every_needed_part_of_a_fill_is_needed(key: str) -> None:
    row = fill()
    del row[key]
    with pytest.raises(Malformed, match=key):
        taken(row)


def order(**changes: object) -> Json:
    row = limit_order("BTCUSDT", "Sell", "0", "0.5", category="linear")
    return row | {"createType": "CreateByUser", "cancelType": "UNKNOWN"} | changes


def words(**changes: object) -> list[str]:
    return [each.words for each in warned_by_order(Row(order(**changes), ""), NOW)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"createType": "CreateByLiq"},
            (
                "Bybit reduces BTCUSDT to lower its maintenance margin: a laddered liquidation "
                "(CreateByLiq)"
            ),
        ),
        (
            {"createType": "CreateByTakeOver_PassThrough"},
            "Bybit takes BTCUSDT over at the bankruptcy price (CreateByTakeOver_PassThrough)",
        ),
        (
            {"createType": "CreateByAdl_PassThrough"},
            "Bybit auto-deleverages BTCUSDT (CreateByAdl_PassThrough)",
        ),
        (
            {"orderStatus": "Cancelled", "cancelType": "CancelByPrepareLiq"},
            "Bybit cancels orders of BTCUSDT to prevent a liquidation (CancelByPrepareLiq)",
        ),
        (
            {"orderStatus": "Cancelled", "cancelType": "CancelAllBeforeLiq"},
            "Bybit cancels all orders before a liquidation (CancelAllBeforeLiq, BTCUSDT)",
        ),
    ],
)
def test_bybits_own_orders_and_cancellations_are_critical(changes: Json, told: str) -> None:
    (warned,) = warned_by_order(Row(order(**changes), ""), NOW)
    assert (warned.words, warned.at, warned.is_critical) == (told, NOW, True)
    assert warned.exchange_symbol == "BTCUSDT"


def test_the_owners_orders_say_nothing() -> None:
    assert words() == []
    assert words(orderStatus="Cancelled", cancelType="CancelByUser") == []
    assert words(createType="CreateByStopLoss", cancelType="CancelByTpSlTsClear") == []
    assert words(category="spot", createType="CreateByLiq") == []


def booked(**changes: object) -> Json:
    """A line of the log, as the documentation shows one (read 2026-07)."""
    return {
        "id": "592324_BTCUSDT_161440249321",
        "symbol": "BTCUSDT",
        "category": "linear",
        "side": "Sell",
        "transactionTime": str(NOW_MS),
        "type": "LIQUIDATION",
        "qty": "0.5",
        "size": "0",
        "currency": "USDT",
        "tradePrice": "70000",
        "funding": "",
        "fee": "19.25",
        "cashFlow": "-15000",
        "change": "-15019.25",
        "cashBalance": "100",
        "feeRate": "0.00055",
        "tradeId": "fill-1",
        "orderId": "order-1",
        "orderLinkId": "",
    } | changes


def logged(*rows: Json) -> tuple[Taken, ...]:
    return taken_of_log(replies({LOG: envelope({"list": list(rows)})}))


def test_the_log_tells_the_same_item_by_the_same_name() -> None:
    (told,) = logged(booked())
    assert told.id == TAKEN.id
    assert told.amount == TAKEN.amount
    assert (told.cause, told.contracts, told.price) == (
        Cause.LIQUIDATION,
        TAKEN.contracts,
        TAKEN.price,
    )


@pytest.mark.parametrize(("kind", "cause"), [("ADL", Cause.ADL), ("DELIVERY", Cause.SETTLEMENT)])
def test_other_lines_tell_other_causes(kind: str, cause: Cause) -> None:
    (told,) = logged(booked(type=kind))
    assert told.cause is cause


def test_lines_that_are_not_about_a_position_taken_are_left_out() -> None:
    assert logged(booked(type="TRADE"), booked(type="SETTLEMENT"), booked(symbol="")) == ()
    assert logged(booked(category="spot")) == ()


def test_a_line_that_can_not_be_read_leaves_the_others() -> None:
    wrong = booked(transactionTime="soon", orderId="order-0")
    assert [each.id for each in logged(wrong, booked())] == ["order-1"]
    assert logged(booked(orderId="", tradeId=""))[0].id == "592324_BTCUSDT_161440249321"


def test_no_log_is_no_news() -> None:
    assert taken_of_log(replies({})) == ()
    assert taken_of_log(replies({LOG: {"retCode": 10005, "retMsg": "no", "result": {}}})) == ()


def test_a_reading_carries_warnings_that_hold_and_what_the_log_lists() -> None:
    bodies = examples.two_positions() | {LOG: envelope({"list": [booked()]})}
    listed = bodies["/v5/position/list?category=linear&settleCoin=USDT"]["result"]["list"]
    listed[0] |= {"positionStatus": "Adl"}
    before = EXCHANGE.read_account("main", replies(bodies))

    warned, lost = before.snapshot(NOW).news

    assert isinstance(warned, Warned)
    assert (warned.exchange_symbol, warned.at) == ("BTCUSDT", NOW)
    assert isinstance(lost, Taken)
    assert lost.id == "order-1"
    row = listed[0] | {"positionStatus": "Normal", "entryPrice": "100000", "category": "linear"}
    after = before.updated(frame("position", row))
    assert after.snapshot(NOW).news == (lost,), "a warning ends with what it was about"
