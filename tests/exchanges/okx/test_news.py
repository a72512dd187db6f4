"""What OKX warns of, and what it took, as its frames tell it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx import EXCHANGE
from monitor.risk.news import Cause, Taken, Warned
from tests.exchanges.okx import wire

PUSHED = "1790000000500"
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
