"""What OKX warns of, and what it took, as its frames tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx import EXCHANGE
from monitor.risk.news import Cause, Taken, Warned
from tests.exchanges.okx import examples, wire
from tests.exchanges.okx.frames import LATER, after, row, traded

PUSHED = "1790000000500"
LATEST = str(wire.NOON_MS + 900)
# 1,790,000,000.5 s after 1970-01-01, 20,717 days and 51,200.5 s.
AT = datetime(2026, 9, 21, 14, 13, 20, 500_000, UTC)
WARNING = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "mgnMode": "cross",
    "posSide": "net",
    "pos": "20",
    "posCcy": "",
    "posId": "1",
    "lever": "50",
    "markPx": "96000",
    "mgnRatio": "1.6",
    "ccy": "USDT",
    "cTime": "1790000000000",
    "uTime": "1790000000000",
    "pTime": PUSHED,
}
LEFT = {
    "posId": "1",
    "tradeId": "2",
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "mgnMode": "cross",
    "posSide": "net",
    "pos": "0",
    "ccy": "USDT",
    "posCcy": "",
    "avgPx": "",
    "uTime": PUSHED,
}


def told(frame):
    return EXCHANGE.read_account_frame(frame)


def warning(**changes):
    (news,) = told(
        wire.push("liquidation-warning", WARNING | changes, event=None, instType="ANY")
    ).news
    return news


def event(kind, *rows, **changes):
    data = {
        "pTime": PUSHED,
        "eventType": kind,
        "balData": [{"ccy": "USDT", "cashBal": "490", "uTime": PUSHED}],
        "posData": list(rows),
        "trades": [{"instId": r["instId"], "tradeId": r["tradeId"]} for r in rows],
    }
    return told(wire.push("balance_and_position", data | changes, event=None))


def test_a_warning_names_the_position_and_turns_the_ratio_round():
    assert warning() == Warned(
        at=AT,
        # equity ÷ requirement 1.6, so requirement ÷ equity 1 ÷ 1.6 = 0.625
        words="OKX warns that BTC-USDT-SWAP may be liquidated (liquidation-warning), "
        "margin ratio 62.5% by its own figures",
        exchange_symbol="BTC-USDT-SWAP",
        is_critical=False,
    )


@pytest.mark.parametrize(
    ("ratio", "is_critical"),
    [
        ("3", False),
        ("1.1112", False),  # 0.89993
        ("1.1111", True),  # 0.900009
        ("0.9", True),
        ("", True),
        ("0", True),
        ("-2", True),
        ("many", True),
    ],
)
def test_a_warning_is_critical_near_the_end_or_where_it_does_not_tell(ratio, is_critical):
    assert warning(mgnRatio=ratio).is_critical is is_critical


def test_a_warning_without_anything_is_one_all_the_same():
    (bare,) = told(wire.push("liquidation-warning", {}, event=None)).news

    assert bare.at == wire.NOON
    assert bare.exchange_symbol is None
    assert bare.words == "OKX warns that a position may be liquidated (liquidation-warning)"


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("liquidation", Cause.LIQUIDATION),
        ("adl", Cause.ADL),
        ("claw_back", Cause.TAKEOVER),
        ("delivered", Cause.SETTLEMENT),
        ("exercised", Cause.SETTLEMENT),
        ("settlement", Cause.SETTLEMENT),
    ],
)
def test_what_okx_took_is_told_with_its_cause(kind, cause):
    frame = event(kind, LEFT)

    assert frame.changes
    assert frame.news == (
        Taken(
            id="BTC-USDT-SWAP/2",
            at=AT,
            cause=cause,
            exchange_symbol="BTC-USDT-SWAP",
            is_long=None,
            contracts=None,
            asset="USDT",
        ),
    )
    assert frame.ask == f"what went by the event «{kind}» is in OKX's bills"


def test_every_row_of_an_event_is_news_of_its_own():
    other = LEFT | {"instId": "ETH-USDT-SWAP", "posId": "2", "tradeId": "9"}

    assert [taken.id for taken in event("liquidation", LEFT, other).news] == [
        "BTC-USDT-SWAP/2",
        "ETH-USDT-SWAP/9",
    ]


def test_an_event_without_a_trade_is_known_by_position_and_moment():
    (taken,) = event("adl", LEFT | {"tradeId": ""}).news

    assert taken.id == f"BTC-USDT-SWAP/1/{PUSHED}"


@pytest.mark.parametrize(
    ("changes", "is_long"),
    [
        ({"posSide": "long"}, True),
        ({"posSide": "short"}, False),
        ({"posSide": "short", "pos": "5"}, False),
        ({"pos": "5", "avgPx": "1"}, True),
        ({"pos": "-5", "avgPx": "1"}, False),
        ({"instType": "MARGIN", "pos": "5", "avgPx": "1", "posCcy": "USDT"}, None),
    ],
)
def test_the_side_where_the_row_tells_it(changes, is_long):
    (taken,) = event("liquidation", LEFT | changes).news

    assert taken.is_long is is_long


def test_a_daily_settlement_takes_nothing():
    frame = event("settlement", LEFT | {"pos": "20", "avgPx": "96000"})

    assert frame.changes
    assert (frame.news, frame.ask) == ((), None)


@pytest.mark.parametrize(
    ("kind", "is_critical"), [("liquidation", True), ("adl", True), ("claw_back", False)]
)
def test_what_was_taken_of_no_position_is_told_too(kind, is_critical):
    (news,) = event(kind).news

    assert isinstance(news, Warned)
    assert (news.at, news.exchange_symbol, news.is_critical) == (AT, None, is_critical)
    assert f"({kind})" in news.words


@pytest.mark.parametrize(
    "kind",
    [
        "snapshot",
        "transferred",
        "filled",
        "funding_fee",
        "adjust_margin",
        "set_leverage",
        "interest_deduction",
        "of_tomorrow",
        "",
        None,
    ],
)
def test_other_events_are_changes_alone(kind):
    frame = event(kind, LEFT)

    assert frame.changes
    assert (frame.news, frame.ask) == ((), None)


@pytest.mark.parametrize("field", ["instId", "pos"])
def test_a_row_that_is_lacking_is_named(field):
    lacking = {key: value for key, value in LEFT.items() if key != field}
    with pytest.raises(Malformed) as caught:
        told(
            wire.push(
                "balance_and_position",
                {"pTime": PUSHED, "eventType": "liquidation", "balData": [], "posData": [lacking]},
                event=None,
            )
        )
    assert caught.value.path == f"data[0].posData[0].{field}"


# --- how large it was, by the book before and after

# W7's account, in which 20 BTC contracts stand at first.
ID = "BTC-USDT-SWAP/2"


def taken_after(*frames):
    return after(*frames).snapshot(wire.NOON).news


def trade(pos, cash, event="liquidation", at=LATER, number=0):
    return traded(row(number, pos=pos), cash=cash, event=event, at=at)


def test_what_went_is_what_the_position_shrank_by_and_what_its_coin_lost():
    (taken,) = taken_after(trade("5", "1000"))

    assert (taken.id, taken.cause) == (ID, Cause.LIQUIDATION)
    assert (taken.contracts, taken.is_long) == (20 - 5, True)
    assert (taken.asset, taken.amount) == ("USDT", 1000 - 1300)


def test_of_a_short_and_of_one_that_is_gone_too():
    (taken,) = taken_after(trade("0", None, "adl", number=1))

    assert (taken.cause, taken.contracts, taken.is_long) == (Cause.ADL, 30, False)
    assert taken.amount is None, "no balance was told"


def test_of_several_at_once_no_amount_is_told_as_that_of_one():
    both = traded(row(0, pos="5"), row(1, pos="-10"), cash="1000", event="liquidation")
    taken = taken_after(both)

    assert [(each.contracts, each.is_long) for each in taken] == [(15, True), (20, False)]
    assert [each.amount for each in taken] == [None, None]


def test_it_has_the_id_of_the_same_news_without_a_size():
    frame = trade("5", "1000")
    (told,) = EXCHANGE.read_account_frame(frame).news
    (taken,) = taken_after(frame)

    assert told == replace(taken, contracts=None, is_long=True, amount=None, price=None)


def test_it_stands_there_until_the_next_reading_and_twice_told_is_the_same():
    first, second = trade("15", "1200"), trade("5", "1000", at=LATEST)

    assert [taken.contracts for taken in taken_after(first, second)] == [5, 10]
    again = taken_after(first, first)
    assert {taken.id for taken in again} == {ID}
    assert again[0].contracts == 5


def test_of_a_trade_of_one_s_own_there_is_no_news():
    assert taken_after(trade("5", "1000", "filled")) == ()


# --- by the bills

BILL = {
    "billId": "77",
    "ts": PUSHED,
    "type": "5",
    "subType": "104",
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "ccy": "USDT",
    "sz": "15",
    "px": "95000",
    "balChg": "-300.5",
    "fee": "0",
    "tradeId": "2",
}


def billed(*bills):
    told = examples.w7()
    told["GET /api/v5/account/bills"] = wire.envelope(*bills)
    return wire.snapshot(told).news


def test_a_bill_tells_all_of_it_under_the_same_id():
    assert billed(BILL) == (
        Taken(
            id=ID,
            at=AT,
            cause=Cause.LIQUIDATION,
            exchange_symbol="BTC-USDT-SWAP",
            is_long=True,
            contracts=Decimal(15),
            price=Decimal(95000),
            asset="USDT",
            amount=Decimal("-300.5"),
        ),
    )


@pytest.mark.parametrize(
    ("kind", "word", "cause", "is_long"),
    [
        ("5", "100", Cause.LIQUIDATION, True),
        ("5", "101", Cause.LIQUIDATION, False),
        ("5", "102", Cause.LIQUIDATION, False),
        ("5", "103", Cause.LIQUIDATION, True),
        ("5", "105", Cause.LIQUIDATION, False),
        ("5", "106", Cause.LIQUIDATION, False),
        ("5", "107", Cause.LIQUIDATION, True),
        ("9", "125", Cause.ADL, True),
        ("9", "126", Cause.ADL, False),
        ("9", "127", Cause.ADL, False),
        ("9", "128", Cause.ADL, True),
    ],
)
def test_a_bill_s_word_tells_the_cause_and_the_side(kind, word, cause, is_long):
    (taken,) = billed(BILL | {"type": kind, "subType": word})

    assert (taken.cause, taken.is_long) == (cause, is_long)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "2", "subType": "5"},
        {"subType": "110"},  # a transfer that a liquidation brought with it
        {"type": "10", "subType": "108"},
        {"sz": "?"},
        {"sz": "0"},
        {"balChg": ""},
        {"instId": ""},
        {"ts": None},
    ],
)
def test_other_bills_and_those_that_can_t_be_read_are_no_news(changes):
    assert [taken.id for taken in billed(BILL | changes, BILL | {"tradeId": ""})] == [
        "BTC-USDT-SWAP/77"
    ]


def test_bills_that_are_no_answer_are_none():
    told = examples.w7()
    told["GET /api/v5/account/bills"] = "<html>"
    assert wire.snapshot(told).news == ()
